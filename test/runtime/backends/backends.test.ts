/**
 * Our own network on every backend that there is here: the same vectors, the same verdicts. Writes
 * `reports/backends.json`, with the time of each; that of WebGPU is a software adapter's and says nothing of a GPU.
 */
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Backend } from 'monitaur'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApp, type TestApp } from '../../tools/app.ts'
import { golden, goldenDir, hasGolden } from '../../tools/data.ts'
import { type ReportRow, writeReport } from '../../tools/report.ts'
import type { StaticServer } from '../../tools/serve.ts'
import { SIDE, tinyPictureModel } from '../../tools/tinyModel.ts'
import { DENO, inProcess } from './inProcess.ts'
import { runInWorkerd } from './inWorkerd.ts'
import type { Offered } from './main.ts'
import { type BackendRun, type GoldenPicture, largestDifference } from './run.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../../..')
const COUNT = 16
const hasPictures = hasGolden('image_phash')
const goldenPictures = hasPictures
  ? golden<{ cases: GoldenPicture[] }>('image_phash').cases.map(({ width, height, channels, pixels_base64 }) => {
      return { width, height, channels, pixels_base64 }
    })
  : []
const runs = new Map<string, BackendRun>()
const firsts: ReportRow[] = []

beforeAll(async () => {
  app = await openApp(here, {
    folders: { '/dist/': join(root, 'dist'), '/ort/': join(root, 'node_modules/onnxruntime-web/dist') },
    webgpu: true,
  })
  browser = app.browser
  server = app.server
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
  writeReport('backends', [...rows, ...firsts])
  await app?.close()
})

const round = (value: number) => Number(value.toPrecision(3))

let app: TestApp
let browser: Browser
let server: StaticServer

/** A fresh page, with nothing in its caches. */
async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(server.origin)
    await page.waitForFunction(() => 'runInWorker' in globalThis)
    return await use(page)
  } finally {
    await context.close()
  }
}

function inChromium(backend: Backend): Promise<BackendRun> {
  const run = ([given, count, pictures]: readonly [Backend, number, readonly GoldenPicture[]]) =>
    (globalThis as unknown as Offered).runInWorker(given, count, pictures)
  return withPage((page) => page.evaluate(run, [backend, COUNT, goldenPictures] as const))
}

const HOSTS = [
  ['Node, native', () => inProcess([process.execPath], 'native', COUNT, goldenPictures), 0],
  ['Node, WASM', () => inProcess([process.execPath], 'wasm', COUNT, goldenPictures), 1e-6],
  ['Deno, WASM', () => inProcess(DENO, 'wasm', COUNT, goldenPictures), 1e-6],
  ['workerd, WASM', () => runInWorkerd(COUNT, goldenPictures), 1e-6],
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

const title = hasPictures ? '' : ` (SKIPPED: no image_phash.json in ${goldenDir()})`

describe.skipIf(!hasPictures)(`the golden pictures${title}`, () => {
  test.each(HOSTS.map(([name]) => name))(
    '%s: every picture is flagged the second time, and the verdicts agree',
    (name) => {
      const { golden: verdicts } = runs.get(name)!
      expect(verdicts.slice(goldenPictures.length)).toEqual(goldenPictures.map(() => true))
      expect(verdicts).toEqual(runs.get('Node, native')!.golden)
    },
  )
})

describe('the prebuilt worker', () => {
  test('runs our network, and answers each call once that was in flight when it was ended', async () => {
    const run = await withPage((page) => page.evaluate(() => (globalThis as unknown as Offered).prebuiltWorker()))
    expect(run).toMatchObject({ backend: 'wasm', historySize: 12, restarts: 1 })
    expect(run.phases).toContain('ready')
    expect(run.scores).toEqual(run.expected)
  })
})

describe('the first verdict', () => {
  /** Pages of each kind, in turns. */
  const ROUNDS = 5

  test('comes, and how much later than from onnxruntime-web alone stands in the report', async () => {
    const times = { run: [] as number[], verdict: [] as number[] }
    for (let round = 0; round < ROUNDS; round++) {
      times.run.push(
        await withPage((page) =>
          page.evaluate(([model, side]) => (globalThis as unknown as Offered).firstRun(model, side), [
            [...tinyPictureModel()],
            SIDE,
          ] as const),
        ),
      )
      const verdict = await withPage((page) => page.evaluate(() => (globalThis as unknown as Offered).firstVerdict()))
      expect(verdict.reason).toBe('Similarity score: 0.0000, threshold: 0.9000.')
      times.verdict.push(verdict.ms)
    }
    const [run, verdict] = [times.run, times.verdict].map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1]!)
    firsts.push(
      { name: 'onnxruntime-web loaded and run once, from opening the page', value: round(run!), unit: 'ms', met: null },
      { name: 'first verdict with our network on WASM, likewise', value: round(verdict!), unit: 'ms', met: null },
      {
        name: 'first verdict ÷ onnxruntime-web alone',
        value: round(verdict! / run!),
        unit: '',
        goal: 1.5,
        met: verdict! / run! < 1.5,
      },
    )
  })
})
