/**
 * Our own network on every backend that there is here: the same vectors, the same verdicts. Writes
 * `reports/backends.json`, with the time of each; that of WebGPU is a software adapter's and says nothing of a GPU.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Backend } from 'monitaur'
import { rolldown } from 'rolldown'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../../tools/chromium.ts'
import { type ReportRow, writeReport } from '../../tools/report.ts'
import { serveStatic } from '../../tools/serve.ts'
import type { RunInWorker } from './main.ts'
import type { BackendRun } from './run.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../../..')
const COUNT = 16
const runs = new Map<string, BackendRun>()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monitaur-backends-'))
})

afterAll(async () => {
  const reference = runs.get('Node, native')
  const rows = [...runs].flatMap(([name, run]): ReportRow[] => [
    { name: `${name}: ms a picture`, value: round(run.msPerPicture), unit: 'ms', met: null },
    ...(reference === undefined || run === reference
      ? []
      : [
          {
            name: `${name}: largest difference of a number`,
            value: largestDifference(run, reference),
            unit: '',
            met: null,
          },
        ]),
  ])
  writeReport('backends', rows)
  await rm(folder, { recursive: true, force: true })
})

const round = (value: number) => Number(value.toPrecision(3))

function largestDifference(a: BackendRun, b: BackendRun): number {
  const flat = b.vectors.flat()
  return a.vectors.flat().reduce((most, value, i) => Math.max(most, Math.abs(value - flat[i]!)), 0)
}

/** In a process of its own, as a user's program: Node's and Deno's module loaders find the packages. */
async function inProcess(program: readonly [string, ...string[]], backend: Backend): Promise<BackendRun> {
  const code = `import { runBackend } from './run.ts'\nconsole.log(JSON.stringify(await runBackend('${backend}', ${COUNT})))`
  const bundle = await rolldown({
    input: 'entry',
    external: [/^monitaur/],
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? join(here, 'entry.ts') : null),
        load: (id) => (id.endsWith('entry.ts') ? code : null),
      },
    ],
  })
  const file = join(root, 'reports', `backend-${backend}.mjs`) // inside the package, which then finds itself by name
  await bundle.write({ file, format: 'es' })
  const { stdout } = await promisify(execFile)(program[0], [...program.slice(1), file], {
    cwd: root,
    maxBuffer: 2 ** 26,
  })
  return JSON.parse(stdout)
}

async function inChromium(backend: Backend): Promise<BackendRun> {
  await build({
    configFile: false,
    root: here,
    base: './',
    logLevel: 'error',
    worker: { format: 'es' },
    build: { outDir: folder, emptyOutDir: true, target: 'es2022', minify: false },
  })
  const server = await serveStatic({ '/': folder })
  const browser = await launchChromium({ webgpu: true })
  try {
    const page = await browser.newPage()
    await page.goto(server.origin)
    await page.waitForFunction(() => 'runInWorker' in globalThis)
    return await page.evaluate(
      ([given, count]) => (globalThis as unknown as { runInWorker: RunInWorker }).runInWorker(given, count),
      [backend, COUNT] as const,
    )
  } finally {
    await browser.close()
    await server.close()
  }
}

const deno = join(root, 'node_modules/.bin/deno')
const HOSTS = [
  ['Node, native', () => inProcess([process.execPath], 'native'), 0],
  ['Node, WASM', () => inProcess([process.execPath], 'wasm'), 1e-6],
  [
    'Deno, WASM',
    () =>
      inProcess(
        [deno, 'run', '--no-prompt', '--allow-read', '--allow-env', '--allow-sys', '--node-modules-dir=manual'],
        'wasm',
      ),
    1e-6,
  ],
  ['Chromium, WASM', () => inChromium('wasm'), 1e-6],
  ['Chromium, WebGPU', () => inChromium('webgpu'), 1e-3],
] as const

describe('our own network', () => {
  test.each(HOSTS)(
    '%s: has the vectors and verdicts of the native runtime',
    async (name, run, tolerance) => {
      const mine = await run()
      runs.set(name, mine)
      const reference = runs.get('Node, native')!
      expect(largestDifference(mine, reference)).toBeLessThanOrEqual(tolerance)
      expect(mine.flagged).toEqual(reference.flagged)
      expect(mine.flagged.slice(COUNT)).toEqual(Array(COUNT / 2).fill(true)) // the copies
      expect(mine.flagged.slice(0, COUNT).filter(Boolean).length).toBeLessThan(COUNT / 4)
    },
    180_000,
  )

  test('WebGPU was the software adapter, and not something else that answers to its name', () => {
    expect(runs.get('Chromium, WebGPU')?.on).toMatch(/^webgpu, .*swiftshader/i)
  })
})
