/** The version in package.json: one folder up from the built program, two from the source. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Such as `0.1.0`; `unknown` where there is no package.json. */
export function version(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const file = ['..', '../..'].map((up) => join(here, up, 'package.json')).find((path) => existsSync(path))
  const manifest = file === undefined ? {} : (JSON.parse(readFileSync(file, 'utf8')) as { version?: string })
  return manifest.version ?? 'unknown'
}
