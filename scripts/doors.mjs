/**
 * Finishes `dist/` after the build: declarations that no door leads to go, the two doors without code get theirs, and the
 * doors for servers get a stand-in that tells a page where to go instead.
 */
import { copyFileSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const types = join(root, 'dist/types')

/** Doors that no page can open; what they need, and what others want instead. */
const NOT_FOR_PAGES = {
  server: 'needs Node, Deno, Bun or a Cloudflare Worker; in a page use createMonitor() of monitaur',
  'eval-node': 'needs Node, Deno or Bun; elsewhere use monitaur/eval, which has the attacks, workloads and runSession',
}

for (const name of ['script', 'kernels']) copyFileSync(join(root, `src/${name}.d.ts`), join(types, `${name}.d.ts`))
prune()
for (const [name, words] of Object.entries(NOT_FOR_PAGES)) await writeStandIn(name, words)

/** Removes the declarations that cannot be reached from a door. */
function prune() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const reached = new Set(Object.values(exports).flatMap(({ types }) => (types ? [join(root, types)] : [])))
  for (const file of reached) {
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:\bfrom |\bimport\()['"](\.[^'"]+)\.ts['"]/g)) {
      reached.add(`${resolve(dirname(file), path)}.d.ts`)
    }
  }
  const all = readdirSync(types, { recursive: true, withFileTypes: true })
  const pathOf = ({ parentPath, name }) => join(parentPath, name)
  for (const one of all) if (one.isFile() && !reached.has(pathOf(one))) rmSync(pathOf(one))
  const folders = all.filter((one) => one.isDirectory()).map(pathOf)
  for (const folder of folders.sort().reverse()) if (readdirSync(folder).length === 0) rmdirSync(folder)
}

/** A module with the names of the door, which throws when it is loaded. */
async function writeStandIn(name, words) {
  const door = `monitaur/${name.replace('-', '/')}`
  const names = Object.keys(await import(join(root, `dist/${name}.js`))).sort()
  const message = `${door} ${words}`
  const code = `/** Stands in for ${door} in pages. */
throw Object.assign(new Error(${JSON.stringify(message)}), { name: 'MonitorError', code: 'bad_config' })
${names.map((one) => `export let ${one}\n`).join('')}`
  writeFileSync(join(root, `dist/${name}-elsewhere.js`), code)
}
