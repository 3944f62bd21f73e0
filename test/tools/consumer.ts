/** The package as users get it: packed, and installed in a folder of its own beside what it declares, and nothing else. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

export interface Packed {
  /** The tarball. */
  readonly file: string
  readonly bytes: number
  /** Paths inside, without `package/`. */
  readonly paths: readonly string[]
}

/** Packs what stands in `dist/` into a folder; nothing is built. */
function pack(folder: string): Packed {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const out = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [{ filename, size, files }] = JSON.parse(out) as [
    { filename: string; size: number; files: { readonly path: string }[] },
  ]
  return { file: join(folder, filename), bytes: size, paths: files.map(({ path }) => path).sort() }
}

export interface Consumer {
  /** Outside of the repository, so that nothing of its packages is found from there. */
  readonly folder: string
  readonly packed: Packed
  remove(): void
}

export interface ConsumerOptions {
  /** Without the packages that ours asks for. */
  readonly alone?: boolean
}

/** A project that has installed the tarball, as `npm install` does, without asking a registry. No optional peer is there. */
export function createConsumer({ alone = false }: ConsumerOptions = {}): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-consumer-'))
  const packed = pack(folder)
  const place = join(folder, 'node_modules/monitaur')
  mkdirSync(place, { recursive: true })
  execFileSync('tar', ['-xzf', packed.file, '-C', place, '--strip-components=1'])
  for (const path of alone ? [] : shippedWith()) cpSync(join(root, path), join(folder, path), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  // Ten thousand files, for which Node's own takes a quarter of a minute.
  return { folder, packed, remove: () => execFileSync('rm', ['-rf', folder]) }
}

/** Folders of the packages that npm installs for our users. */
function shippedWith(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { dev?: true; devOptional?: true; peer?: true }>>
  }
  return Object.entries(packages).flatMap(([path, { dev, devOptional, peer }]) =>
    path === '' || dev || devOptional || peer ? [] : [path],
  )
}
