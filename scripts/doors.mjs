/**
 * Finishes `dist/` after the build: each door gets its declarations in one file, with what several doors share in files beside
 * it, and the doors for servers get a stand-in that tells a page where to go instead.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** What the compiler wrote, a file for each of the sources; and what is shipped. */
const declared = join(root, 'dist/.types')
const types = join(root, 'dist/types')

/** Doors to the folders of their sources. The two doors that are files have declarations of their own. */
const SOURCES = {
  index: '',
  core: 'core',
  embed: 'embed',
  edge: 'edge',
  laws: 'laws',
  worker: 'worker',
  server: 'server',
  eval: 'eval',
  'eval-node': 'eval/node',
}
const FILES = ['script', 'kernels']

/** Doors that no page can open; what they need, and what others want instead. */
const NOT_FOR_PAGES = {
  server: 'needs Node, Deno, Bun or a Cloudflare Worker; in a page use createMonitor() of monitaur',
  'eval-node': 'needs Node, Deno or Bun; elsewhere use monitaur/eval, which has the attacks, workloads and runSession',
}

await bundleTypes()
for (const name of FILES) copyFileSync(join(root, `src/${name}.d.ts`), join(types, `${name}.d.ts`))
for (const [name, words] of Object.entries(NOT_FOR_PAGES)) await writeStandIn(name, words)

/** What no door leads to is left out. */
async function bundleTypes() {
  const input = Object.entries(SOURCES).map(([door, folder]) => [door, join(declared, folder, 'index.d.ts')])
  const build = await rolldown({
    input: Object.fromEntries(input),
    external: /^(?!\.|\/)/,
    plugins: [dts({ dtsInput: true, tsconfig: false, emitDtsOnly: true })],
  })
  const { output } = await build.generate({ chunkFileNames: 'shared/[name]-[hash].d.ts' })
  mkdirSync(join(types, 'shared'), { recursive: true })
  for (const { isEntry, fileName, code } of output) {
    const isImported = output.some((other) => other.code.includes(fileName.replace(/^shared\/(.*)\.d\.ts$/, '/$1.js')))
    if (isEntry || isImported) writeFileSync(join(types, fileName), code)
  }
  rmSync(declared, { recursive: true })
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
