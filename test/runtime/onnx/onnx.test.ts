/** Models in Chromium, in a page and in a module worker, bundled from source: WASM, and WebGPU on the software adapter. */
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { copyNet, fromOnnx } from '../../../src/embed/onnx/index.ts'
import { openApp, type TestApp } from '../../tools/app.ts'
import { launchChromium } from '../../tools/chromium.ts'
import type { StaticServer } from '../../tools/serve.ts'
import { SIDE, tinyPictureModel, tinyTextModel } from '../../tools/tinyModel.ts'
import { samplePictures } from '../app/samples.ts'
import type { RunScenario, Where } from './main.ts'
import type { Scenarios } from './scenarios.ts'

const here = dirname(fileURLToPath(import.meta.url))
const places = ['page', 'worker'] as const
const COUNT = 6
const picture = [...tinyPictureModel()]
const strict = [...tinyTextModel({ isStrict: true })]

let app: TestApp
let browser: Browser
let server: StaticServer
let page: Page
const complaints: string[] = []
const strangers: string[] = []

beforeAll(async () => {
  const runtime = resolve(here, '../../../node_modules/onnxruntime-web/dist')
  app = await openApp(here, { folders: { '/ort/': runtime }, webgpu: true, assetsInlineLimit: 0 })
  browser = app.browser
  server = app.server
})

beforeEach(async () => {
  page = await open(browser)
})

afterEach(async () => {
  await page.context().close()
})

afterAll(async () => {
  await app?.close()
})

/** A fresh page: nothing of onnxruntime is loaded in it. */
async function open(where: Browser, headers: Record<string, string> = {}): Promise<Page> {
  const opened = await (await where.newContext()).newPage()
  opened.on('pageerror', (error) => complaints.push(error.message))
  opened.context().on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url())) strangers.push(request.url())
  })
  await opened.route(`${server.origin}/`, async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, headers: { ...response.headers(), ...headers } })
  })
  await opened.goto(`${server.origin}/`)
  await opened.waitForFunction(() => 'runScenario' in globalThis)
  return opened
}

/** Runs a scenario in the page, or in a worker of it. */
function run<Name extends keyof Scenarios>(
  where: Where,
  name: Name,
  ...args: Parameters<Scenarios[Name]>
): Promise<Awaited<ReturnType<Scenarios[Name]>>> {
  const call = ([place, scenario, given]: Parameters<RunScenario>) =>
    (globalThis as unknown as { runScenario: RunScenario }).runScenario(place, scenario, given)
  return page.evaluate(call, [where, name, args] as Parameters<RunScenario>) as never
}

function largest(answers: readonly unknown[], expected: readonly ArrayLike<number>[]): number {
  expect(answers).toHaveLength(expected.length)
  return Math.max(
    ...expected.flatMap((vector, i) =>
      Array.from(vector).map((value, k) => Math.abs(value - (answers[i] as number[])[k]!)),
    ),
  )
}

async function inNode(): Promise<readonly ArrayLike<number>[]> {
  const embedder = copyNet({ backend: 'wasm' })
  const vectors = await Promise.all(samplePictures(COUNT).map((picture) => embedder(picture)))
  await embedder.dispose()
  return vectors
}

async function tinyInNode(count: number): Promise<readonly ArrayLike<number>[]> {
  const embedder = fromOnnx({ model: tinyPictureModel(), input: 'pixels', size: SIDE, backend: 'wasm' })
  const vectors = await Promise.all(samplePictures(count).map((picture) => embedder(picture)))
  await embedder.dispose()
  return vectors
}

describe.each(places)('in a %s', (where) => {
  test("WASM gives Node's vectors, without a path to set", async () => {
    const { answers, capabilities } = await run(where, 'vectors', { backend: 'wasm' }, COUNT)
    expect(capabilities).toMatchObject({ backend: 'wasm', simd: true, isolated: true, refused: [] })
    expect(largest(answers, await inNode())).toBeLessThanOrEqual(1e-6)
  })

  test("WebGPU is taken by itself, and gives nearly Node's vectors", async () => {
    const { answers, capabilities } = await run(where, 'vectors', {}, COUNT)
    expect(capabilities).toMatchObject({ backend: 'webgpu', adapter: 'google swiftshader', refused: [], recoveries: 0 })
    const difference = largest(answers, await inNode())
    expect(difference).toBeLessThanOrEqual(1e-3)
    expect(difference).toBeGreaterThan(0) // it was another backend indeed
  })

  test('files by their addresses, with two threads', async () => {
    const { answers, capabilities } = await run(where, 'ownFiles', 2, COUNT)
    expect(capabilities).toMatchObject({ backend: 'wasm', threads: 2 })
    expect(largest(answers, await inNode())).toBeLessThanOrEqual(1e-6)
  })

  test('a module by its address, as a prebuilt worker needs it', async () => {
    const artifacts = { module: '/ort/ort.wasm.bundle.min.mjs', wasm: '/ort/ort-wasm-simd-threaded.wasm' }
    const { answers, capabilities } = await run(where, 'vectors', { backend: 'wasm', threads: 1, artifacts }, COUNT)
    expect(capabilities).toMatchObject({ backend: 'wasm', threads: 1 })
    expect(largest(answers, await inNode())).toBeLessThanOrEqual(1e-6)
  })

  test('a device destroyed in mid-run is made again, and every call is answered', async () => {
    const { answers, changes, capabilities } = await run(where, 'losses', picture, SIDE, [4], 12)
    expect(largest(answers, await tinyInNode(12))).toBeLessThanOrEqual(1e-3)
    expect(changes).toMatchObject([
      { from: 'webgpu', to: 'webgpu', reason: expect.stringMatching(/^the WebGPU device was lost \(destroyed/) },
    ])
    expect(capabilities).toMatchObject({ backend: 'webgpu', recoveries: 1 })
  })

  test('destroyed twice, WASM takes over, and every call is answered', async () => {
    const { answers, changes, capabilities } = await run(where, 'losses', picture, SIDE, [4, 4], 12)
    expect(largest(answers, await tinyInNode(12))).toBeLessThanOrEqual(1e-3)
    expect(changes.map(({ from, to }) => `${from} ${to}`)).toEqual(['webgpu webgpu', 'webgpu wasm'])
    expect(capabilities).toMatchObject({ backend: 'wasm', recoveries: 2, refused: [{ backend: 'webgpu' }] })
  })

  test('an input that fails in the middle of the graph fails alone on WebGPU', async () => {
    const { answers, changes, capabilities } = await run(where, 'badInput', strict, [2, 3, 2, 5, 2])
    const shape = answers.map((answer) => (typeof answer === 'string' ? answer.slice(0, 15) : answer.length))
    expect(shape).toEqual([128, 'embedder_failed', 128, 'embedder_failed', 128])
    expect(answers[2]).toEqual(answers[0])
    expect(changes).toEqual([])
    expect(capabilities).toMatchObject({ backend: 'webgpu', recoveries: 0 })
  })

  test('a web page in place of the .wasm file is told in words', async () => {
    expect(await run(where, 'wrongFile', '/index.html')).toMatch(
      /^backend_unavailable: .*web page was served in place of the \.wasm file.*artifacts\.wasm.*expected magic word/,
    )
  })

  test('a .wasm file that is not there is told in words', async () => {
    expect(await run(where, 'wrongFile', '/no.wasm')).toMatch(
      /^backend_unavailable: .*the \.wasm file cannot be fetched/,
    )
  })
})

describe('the doctor', () => {
  test('finds nothing wrong where nothing is', async () => {
    const { bad, good } = await run('worker', 'examine', {})
    expect(bad).toEqual([])
    expect(good.join('\n')).toMatch(/WebGPU adapter: google swiftshader/)
  })

  test('sees files that are missing, are web pages or have the wrong type', async () => {
    const files = { wasm: '/index.html', mjs: '/no.mjs', webgpu: { wasm: '/main.wasm' } }
    const { bad } = await run('page', 'examine', { artifacts: files })
    expect(bad.join('\n')).toMatch(/\.wasm file of wasm: .*index\.html is a web page; .*copy the \.wasm file/)
    expect(bad.join('\n')).toMatch(/\.mjs file of wasm: .*no\.mjs answers 404/)
    expect(bad.join('\n')).toMatch(/\.wasm file of webgpu: .*main\.wasm answers 404/)
  })

  test('sees a float16 model on a GPU without shader-f16, and two versions', async () => {
    const others = [{ versions: { web: '1.31.0-dev' } }]
    const { bad } = await run('page', 'examine', { model: 'onnx/model_fp16.onnx', others })
    expect(bad).toEqual([
      expect.stringMatching(/^WebGPU adapter: google swiftshader has no shader-f16.*float32 or 8-bit/),
      expect.stringMatching(/^versions of onnxruntime: 1\.31\.0-dev and 1\.30\.0.*overrides/),
    ])
  })

  test('sees a policy that forbids WebAssembly, and so does the error', async () => {
    const strict = await open(browser, { 'content-security-policy': "script-src 'self'" })
    await page.context().close()
    page = strict
    const { bad } = await run('page', 'examine', { backend: 'wasm' })
    expect(bad).toEqual([expect.stringMatching(/^WebAssembly: may not be compiled.*'wasm-unsafe-eval' to script-src/)])
    const { answers } = await run('page', 'vectors', { backend: 'wasm' }, 1)
    expect(answers[0]).toMatch(
      /^backend_unavailable: .*Content-Security-Policy forbids WebAssembly.*'wasm-unsafe-eval'/,
    )
  })

  test('sees that a page is not isolated, which costs the threads only', async () => {
    const open1 = await open(browser, {
      'cross-origin-opener-policy': 'unsafe-none',
      'cross-origin-embedder-policy': 'unsafe-none',
    })
    await page.context().close()
    page = open1
    const { bad } = await run('page', 'examine', { backend: 'wasm' })
    expect(bad).toEqual([expect.stringMatching(/^threads: 1: .*not cross-origin isolated.*Cross-Origin-Opener-Policy/)])
    const { answers, capabilities } = await run('page', 'vectors', { backend: 'wasm' }, COUNT)
    expect(capabilities).toMatchObject({ isolated: false, threads: 1 })
    expect(largest(answers, await inNode())).toBeLessThanOrEqual(1e-6)
  })
})

test('without a GPU adapter WASM is taken, and it is said why', async () => {
  const plain = await launchChromium()
  try {
    await page.context().close()
    page = await open(plain)
    const { capabilities } = await run('worker', 'vectors', {}, 1)
    expect(capabilities).toMatchObject({
      backend: 'wasm',
      refused: [{ backend: 'webgpu', reason: expect.stringMatching(/gives no adapter/) }],
    })
    const { answers } = await run('worker', 'vectors', { backend: 'webgpu' }, 1)
    expect(answers[0]).toMatch(/^backend_unavailable: .*gives no adapter/)
  } finally {
    await plain.close()
  }
})

test('nothing went wrong unseen, and nobody else was asked', () => {
  expect(complaints).toEqual([])
  expect(strangers).toEqual([])
})
