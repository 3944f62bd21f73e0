/** Everything that imports the package, or puts it into a bundle, and then opens its doors. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build as esbuild } from 'esbuild'
import { Miniflare } from 'miniflare'
import type { Browser } from 'playwright'
import { createServer, build as viteBuild } from 'vite'
import { serveStatic } from '../tools/serve.ts'
import { type Files, type HostKind, type Outcomes, probe } from './doors.ts'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

export interface Place {
  /** Of the consumer. */
  readonly folder: string
  /** The tarball. */
  readonly file: string
  browser(): Promise<Browser>
}

export interface ImportHost {
  readonly name: string
  readonly kind: HostKind
  /** Runs only with all others. */
  readonly isSlow?: true
  open(place: Place): Promise<Outcomes>
}

const FROM_DISK: Files = {
  imports: `import { readFile } from 'node:fs/promises'\n`,
  wasm: `readFile(new URL(import.meta.resolve('monitaur/kernels.wasm')))`,
}
const BY_BUNDLER = `new Worker(new URL('monitaur/worker/script', import.meta.url), { type: 'module' })`
const BY_PATH = `new Worker('/node_modules/monitaur/dist/monitor.worker.js', { type: 'module' })`
const fetched = (url: string) => `fetch(${url}).then((response) => response.arrayBuffer())`
const PROGRAM = `import { openDoors } from './probe.mjs'\nconsole.log(JSON.stringify(await openDoors()))\n`
const PAGE = `import { openDoors } from './probe.mjs'\nopenDoors().then((outcomes) => { globalThis.outcomes = outcomes })\n`
const html = (script: string, more = '') =>
  `<!doctype html><html lang="en"><title>doors</title><link rel="icon" href="data:,">${more}<script type="module" src="${script}"></script></html>`

export const HOSTS: readonly ImportHost[] = [
  { name: 'Node', kind: 'node', open: (place) => byProgram(place, process.execPath) },
  { name: 'Node require()', kind: 'node', open: byRequire },
  {
    name: 'Deno',
    kind: 'node',
    open: (place) => byProgram(place, bin('deno'), 'run', '--no-prompt', '--node-modules-dir=manual', '-A'),
  },
  { name: 'Bun', kind: 'node', open: (place) => byProgram(place, bin('bun'), 'run', '--no-install') },
  { name: 'esbuild, Node', kind: 'node', open: byBundle },
  { name: 'workerd', kind: 'edge', open: inWorkerd },
  { name: 'script tag', kind: 'page', open: byScriptTag },
  { name: 'esbuild', kind: 'page', open: byEsbuild },
  { name: 'Vite build', kind: 'page', open: byViteBuild },
  { name: 'Vite dev', kind: 'page', open: byViteDev },
  { name: 'webpack', kind: 'page', open: byWebpack },
  { name: 'Next', kind: 'page', isSlow: true, open: byNext },
]

const bin = (name: string) => join(root, 'node_modules/.bin', name)

/** A program that runs a file as it is. */
async function byProgram({ folder }: Place, program: string, ...args: string[]): Promise<Outcomes> {
  const file = join(folder, 'program.mjs')
  writeFileSync(join(folder, 'probe.mjs'), probe(FROM_DISK))
  writeFileSync(file, PROGRAM)
  const { stdout } = await run(program, [...args, file], { cwd: folder, maxBuffer: 2 ** 26 })
  return JSON.parse(stdout.slice(stdout.indexOf('{'))) as Outcomes
}

/** CommonJS, which takes modules without top-level await since Node 20.19. */
async function byRequire({ folder }: Place): Promise<Outcomes> {
  const require = `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n`
  const code = probe({ ...FROM_DISK, imports: FROM_DISK.imports + require }).replace(
    /\(\) => import\('(\S+)'\)/g,
    `() => require('$1')`,
  )
  writeFileSync(join(folder, 'probe.mjs'), code)
  writeFileSync(join(folder, 'program.mjs'), PROGRAM)
  const { stdout } = await run(process.execPath, ['--no-warnings', join(folder, 'program.mjs')], { cwd: folder })
  return JSON.parse(stdout) as Outcomes
}

/** All of it in one file, as servers are shipped, without any of the optional packages. */
async function byBundle({ folder }: Place): Promise<Outcomes> {
  const imports = `import kernels from 'monitaur/kernels.wasm'\n`
  writeFileSync(join(folder, 'probe.mjs'), probe({ imports, wasm: 'kernels' }))
  const entry = join(folder, 'program.mjs')
  writeFileSync(entry, PROGRAM)
  await esbuild({
    // For OpenTelemetry, which is CommonJS: what esbuild tells people to do.
    banner: { js: `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)` },
    ...{ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile: join(folder, 'bundle.mjs') },
    ...{ loader: { '.wasm': 'binary' }, target: 'node20.19', logLevel: 'error' },
  })
  const { stdout } = await run(process.execPath, [join(folder, 'bundle.mjs')], { cwd: folder })
  return JSON.parse(stdout) as Outcomes
}

async function inWorkerd({ folder }: Place): Promise<Outcomes> {
  const imports = `import kernels from 'monitaur/kernels.wasm'\n`
  // By name, so that what the app does not need there stays out: files, and the exporter for Prometheus.
  writeFileSync(join(folder, 'server.mjs'), `export { checkConfig, createServerApp } from 'monitaur/server'\n`)
  const code = probe({ imports, wasm: 'kernels' }).replace(`import('monitaur/server')`, `import('./server.mjs')`)
  writeFileSync(join(folder, 'probe.mjs'), code)
  const entry = join(folder, 'edge.mjs')
  writeFileSync(
    entry,
    `import { openDoors } from './probe.mjs'\nexport default { fetch: async () => Response.json(await openDoors()) }\n`,
  )
  // As wrangler does.
  const { outputFiles } = await esbuild({
    ...{ entryPoints: [entry], bundle: true, format: 'esm', platform: 'neutral', write: false, logLevel: 'error' },
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['monitaur/kernels.wasm', 'node:*', ...builtinModules],
  })
  const contents = readFileSync(join(folder, 'node_modules/monitaur/dist/kernels.wasm'))
  const miniflare = new Miniflare({
    ...{ host: '127.0.0.1', port: 0, compatibilityDate: '2026-04-01', compatibilityFlags: ['nodejs_compat'] },
    modules: [
      { type: 'ESModule', path: 'worker.mjs', contents: outputFiles[0]!.text },
      { type: 'CompiledWasm', path: 'monitaur/kernels.wasm', contents },
    ],
  })
  try {
    const response = await miniflare.dispatchFetch('http://localhost/')
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Outcomes
  } finally {
    await miniflare.dispose()
  }
}

/** No bundler: an import map, and the files as a CDN gives them. */
async function byScriptTag(place: Place): Promise<Outcomes> {
  const { folder } = place
  const dist = '/node_modules/monitaur/dist'
  const { exports } = JSON.parse(readFileSync(join(folder, 'node_modules/monitaur/package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  }
  const doors = Object.entries(exports).flatMap(([name, target]) =>
    typeof target === 'string'
      ? []
      : [[name.replace('.', 'monitaur'), `${dist}${(target['browser'] ?? target['default']!).slice(6)}`]],
  )
  const map = { imports: Object.fromEntries(doors) }
  writeFileSync(join(folder, 'probe.mjs'), probe({ wasm: fetched(`'${dist}/kernels.wasm'`), worker: BY_PATH }))
  writeFileSync(join(folder, 'page.mjs'), PAGE)
  writeFileSync(
    join(folder, 'index.html'),
    html('/page.mjs', `<script type="importmap">${JSON.stringify(map)}</script>`),
  )
  return inPage(place, folder)
}

async function byEsbuild(place: Place): Promise<Outcomes> {
  const { folder } = place
  const imports = `import kernels from 'monitaur/kernels.wasm'\n`
  writeFileSync(join(folder, 'probe.mjs'), probe({ imports, wasm: fetched('kernels'), worker: BY_PATH }))
  writeFileSync(join(folder, 'page.mjs'), PAGE)
  const outdir = join(folder, 'esbuild')
  await esbuild({
    ...{ entryPoints: [join(folder, 'page.mjs')], bundle: true, format: 'esm', splitting: true, outdir },
    ...{ platform: 'browser', loader: { '.wasm': 'file' }, publicPath: '/', logLevel: 'error' },
  })
  writeFileSync(join(outdir, 'index.html'), html('/page.js'))
  return inPage(place, outdir)
}

/** Where it lies in a page of Vite's. */
function viteApp(folder: string): { readonly root: string; readonly configFile: false; readonly logLevel: 'error' } {
  const imports = `import kernels from 'monitaur/kernels.wasm?url'\n`
  writeFileSync(join(folder, 'probe.mjs'), probe({ imports, wasm: fetched('kernels'), worker: BY_BUNDLER }))
  writeFileSync(join(folder, 'page.mjs'), PAGE)
  writeFileSync(join(folder, 'index.html'), html('/page.mjs'))
  return { root: folder, configFile: false, logLevel: 'error' }
}

async function byViteBuild(place: Place): Promise<Outcomes> {
  const outDir = join(place.folder, 'vite')
  await viteBuild({ ...viteApp(place.folder), worker: { format: 'es' }, build: { outDir, target: 'es2022' } })
  return inPage(place, outDir)
}

async function byViteDev(place: Place): Promise<Outcomes> {
  const server = await createServer({ ...viteApp(place.folder), server: { host: '127.0.0.1', port: 0 } })
  try {
    await server.listen()
    return await outcomesAt(place, server.resolvedUrls!.local[0]!)
  } finally {
    await server.close()
  }
}

async function byWebpack(place: Place): Promise<Outcomes> {
  const { folder } = place
  const wasm = fetched(`new URL('monitaur/kernels.wasm', import.meta.url)`)
  writeFileSync(join(folder, 'probe.mjs'), probe({ wasm, worker: BY_BUNDLER }))
  writeFileSync(join(folder, 'page.mjs'), PAGE)
  const path = join(folder, 'webpack')
  // It is CommonJS, and its types want the DOM's of another version.
  const webpack = createRequire(import.meta.url)('webpack') as (
    options: object,
    done: (error: Error | null, stats?: { hasErrors(): boolean; toString(options: string): string }) => void,
  ) => void
  await new Promise<void>((done, fail) =>
    webpack(
      {
        ...{ mode: 'production', context: folder, entry: './page.mjs', output: { path, publicPath: '/' } },
        optimization: { minimize: false }, // it takes half a minute over the weights
      },
      (error, stats) => {
        if (error !== null || stats!.hasErrors()) fail(error ?? new Error(stats!.toString('errors-only')))
        else done()
      },
    ),
  )
  writeFileSync(join(path, 'index.html'), html('/main.js'))
  return inPage(place, path)
}

/** Installed from the registry, 340 MB of it, with our tarball as its users would; a page that is exported as files. */
async function byNext(place: Place): Promise<Outcomes> {
  const folder = join(place.folder, 'next')
  mkdirSync(join(folder, 'app'), { recursive: true })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write('package.json', '{ "private": true, "type": "module" }\n')
  write('next.config.mjs', `export default { output: 'export' }\n`)
  write('app/layout.jsx', `export default ({ children }) => <html lang="en"><body>{children}</body></html>\n`)
  write(
    'app/page.jsx',
    `'use client'\nimport { useEffect } from 'react'\nimport { openDoors } from './probe.mjs'\nexport default function Page() {
  useEffect(() => { openDoors().then((outcomes) => { globalThis.outcomes = outcomes }) }, [])
  return <h1>doors</h1>\n}\n`,
  )
  const wasm = fetched(`new URL('monitaur/kernels.wasm', import.meta.url)`)
  write('app/probe.mjs', probe({ wasm, worker: BY_BUNDLER }))
  const packages = [place.file, 'next@16.4.6', 'react@19.2.0', 'react-dom@19.2.0']
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], { cwd: folder })
  const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' }
  await run(process.execPath, ['node_modules/next/dist/bin/next', 'build'], { cwd: folder, env, maxBuffer: 2 ** 26 })
  return inPage(place, join(folder, 'out'))
}

/** Serves a folder, with the packages beside it, and opens its page. */
async function inPage(place: Place, folder: string): Promise<Outcomes> {
  const server = await serveStatic({ '/node_modules/': join(place.folder, 'node_modules'), '/': folder })
  try {
    return await outcomesAt(place, server.origin)
  } finally {
    await server.close()
  }
}

async function outcomesAt(place: Place, address: string): Promise<Outcomes> {
  const page = await (await place.browser()).newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  try {
    await page.goto(address)
    await page.waitForFunction(() => 'outcomes' in globalThis, null, { timeout: 60_000 })
    return await page.evaluate(() => (globalThis as unknown as { outcomes: Outcomes }).outcomes)
  } catch (cause) {
    throw new Error(`the page opened no doors: ${errors.join(' · ')}`, { cause })
  } finally {
    await page.close()
  }
}
