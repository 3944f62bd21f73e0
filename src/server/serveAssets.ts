/** The files of the cockpit, from a folder into memory: nothing is looked up on the disk once the server runs. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { Asset } from './http/service.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
}

/** Files by path, `index.html` as `/`, from the first folder that is there. Files of other kinds are left out. */
export async function readAssets(folders: readonly string[]): Promise<ReadonlyMap<string, Asset>> {
  const folder = folders.find((one) => existsSync(one))
  const names = folder === undefined ? [] : await readdir(folder, { recursive: true })
  const assets = new Map<string, Asset>()
  for (const name of names) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const path = `/${name.split(sep).join('/')}`
    const body = new Uint8Array(await readFile(join(folder!, name)))
    assets.set(path === '/index.html' ? '/' : path, { type, body })
  }
  return assets
}
