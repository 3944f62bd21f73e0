/** The model store and hub models in Chromium: a page and a module worker, bundled from source. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EmbedderEvent } from '../../../src/embed/embedder.ts'
import { fromTransformers } from '../../../src/embed/transformers/index.ts'
import { openApp, type TestApp } from '../../tools/app.ts'
import { launchChromium } from '../../tools/chromium.ts'
import { dataDir, hasData } from '../../tools/data.ts'
import { HUB_DATA, type Hub, MINILM, served, serveHub, WORDNET, weightsBytes } from '../../tools/hub.ts'
import type { StaticServer } from '../../tools/serve.ts'
import type { Scenarios } from './hub.worker.ts'
import type { Offered } from './main.ts'

const here = dirname(fileURLToPath(import.meta.url))
const skip = !hasData(HUB_DATA)
const title = (name: string) => (skip ? `${name} (SKIPPED: no ${HUB_DATA} in ${dataDir()})` : name)

const TEXTS = ['How do I cancel a card that was stolen?', 'Rain.', 'The quick brown fox jumps over the lazy dog.']

let app: TestApp
let browser: Browser
let server: StaticServer
let hub: Hub
let page: Page
const complaints: string[] = []
const strangers: string[] = []

beforeAll(async () => {
  app = await openApp(here, { folders: { '/models/': join(dataDir(), 'models/text') }, webgpu: true })
  browser = app.browser
  server = app.server
})

beforeEach(async () => {
  hub = await serveHub()
  await open(browser)
})

/** Opens the page in a browser, with nothing kept. */
async function open(where: Browser): Promise<void> {
  page = await (await where.newContext()).newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.context().on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|data:)/.test(request.url())) strangers.push(request.url())
  })
  await page.goto(server.origin)
  await page.waitForFunction(() => 'hub' in globalThis)
}

afterEach(async () => {
  await page.context().close()
  await hub.close()
})

afterAll(async () => {
  await app?.close()
})

/** Calls a function of the page. */
function inPage<Name extends keyof Offered>(
  name: Name,
  ...args: Parameters<Offered[Name]>
): Promise<Awaited<ReturnType<Offered[Name]>>> {
  const call = ([verb, given]: [string, unknown[]]) =>
    (globalThis.hub as never as Record<string, (...args: unknown[]) => unknown>)[verb]!(...given)
  return page.evaluate(call, [name, args] as [string, unknown[]]) as never
}

/** Runs a scenario in the page's worker. */
function ask<Name extends keyof Scenarios>(
  name: Name,
  ...args: Parameters<Scenarios[Name]>
): Promise<Awaited<ReturnType<Scenarios[Name]>>> {
  return inPage('ask', name as never, ...(args as never)) as never
}

/** The vectors of Node's native runtime. */
async function inNode(texts: readonly string[], dtype: 'q8' | 'fp32'): Promise<ArrayLike<number>[]> {
  const embedder = fromTransformers(MINILM, { host: hub.host, cache: false, dtype })
  const vectors: ArrayLike<number>[] = []
  for (const text of texts) vectors.push(await embedder(text, {}))
  await embedder.dispose()
  return vectors
}

/** The largest difference of any number. */
function difference(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length))
  return Math.max(...a.flatMap((vector, i) => Array.from(vector, (value, k) => Math.abs(value - b[i]![k]!))))
}

describe.skipIf(skip)(title(`a hub model in a worker (${served})`), () => {
  test('comes from the hub once, then from the cache, with the hub gone; vectors are those of Node', async () => {
    const expected = await inNode(TEXTS, 'q8')
    hub.requests.length = 0
    const { capabilities, events } = await ask('warmup', MINILM, { host: hub.host, dtype: 'q8' })
    expect(capabilities).toMatchObject({ backend: 'wasm', simd: true, isolated: true, recoveries: 0 })
    expect(capabilities.refused).toEqual([{ backend: 'webgpu', reason: expect.stringMatching(/q8.*made for WASM/) }])
    expect(difference(await ask('embed', TEXTS), expected)).toBeLessThan(1e-6)

    const progress = events.filter((event) => event.kind === 'progress')
    const shares = progress.map(({ overall }) => overall)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)
    expect(progress.findLast(({ file }) => file === 'model_quantized.onnx')).toMatchObject({ loaded: weightsBytes() })
    expect(new Set(progress.map(({ phase }) => phase))).toEqual(new Set(['download', 'compile', 'ready']))
    expect(hub.requests.length).toBe(4)

    await hub.close()
    await inPage('restart')
    await ask('warmup', MINILM, { host: hub.host, dtype: 'q8' })
    expect(difference(await ask('embed', TEXTS), expected)).toBeLessThan(1e-6)
    expect(hub.requests.length).toBe(4)
  })

  test('on WebGPU outlives its device: made again once, then WASM, each text answered once', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `${TEXTS[i % 3]} ${i}`)
    const expected = await inNode(many, 'fp32')
    const { capabilities } = await ask('warmup', MINILM, { host: hub.host, dtype: 'fp32', maxBatch: 2 })
    expect(capabilities).toMatchObject({ backend: 'webgpu', adapter: 'google swiftshader', refused: [], recoveries: 0 })
    expect(difference(await ask('embed', many), expected)).toBeLessThan(1e-3)

    const first = await ask('embedAndLose', many, 20)
    expect(first.unanswered).toBeGreaterThan(0)
    expect(first.answers).toEqual(many.map(() => 1))
    expect(difference(first.vectors, expected)).toBeLessThan(1e-3)
    expect(changes(first.events)).toEqual([
      {
        kind: 'backendchange',
        from: 'webgpu',
        to: 'webgpu',
        reason: expect.stringMatching(/device was lost \(destroyed/),
      },
    ])
    expect(first.capabilities).toMatchObject({ backend: 'webgpu', recoveries: 1 })

    const second = await ask('embedAndLose', many, 20)
    expect(second.unanswered).toBeGreaterThan(0)
    expect(second.answers).toEqual(many.map(() => 1))
    expect(difference(second.vectors, expected)).toBeLessThan(1e-3)
    expect(changes(second.events)).toMatchObject([{ from: 'webgpu', to: 'wasm' }])
    expect(second.capabilities).toMatchObject({ backend: 'wasm', recoveries: 2 })
    expect(second.capabilities.refused).toEqual([
      { backend: 'webgpu', reason: expect.stringMatching(/was lost 2 times: the WebGPU device was lost/) },
    ])
    expect(difference(await ask('embed', many), expected)).toBeLessThan(1e-6)
    expect(await ask('devicesMade')).toBe(2)
  })
})

describe.skipIf(skip)(title('a hub model elsewhere'), () => {
  test('is a folder that the page itself serves, asked for changes each time', async () => {
    const expected = await inNode(TEXTS, 'q8')
    for (let i = 0; i < 2; i++) {
      server.requests.length = 0
      await ask('warmup', WORDNET, { localPath: '/models/' })
      expect(difference(await ask('embed', TEXTS), expected)).toBeLessThan(1e-6)
      expect(server.requests.filter((path) => path.startsWith('/models/')).length).toBe(4)
    }
  })

  test('runs on WASM where there is no WebGPU, and says why', async () => {
    const plain = await launchChromium()
    try {
      await open(plain)
      const { capabilities } = await ask('warmup', MINILM, { host: hub.host, dtype: 'fp32' })
      expect(capabilities.backend).toBe('wasm')
      expect(capabilities.refused).toEqual([
        { backend: 'webgpu', reason: expect.stringMatching(/no adapter|no WebGPU/) },
      ])
      await ask('make', MINILM, { host: hub.host, dtype: 'fp32', backend: 'webgpu' })
      expect(await ask('outcomes', ['hello'])).toEqual([
        expect.stringMatching(/^backend_unavailable: .*(adapter|WebGPU)/),
      ])
    } finally {
      await plain.close()
    }
  })

  test('that does not load says so, and the next load says that it is to blame', async () => {
    hub.intercept = (request, response) => {
      if (request.url!.endsWith('.onnx'))
        response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(Buffer.alloc(100, 7))
      return request.url!.endsWith('.onnx')
    }
    await ask('make', MINILM, { host: hub.host, cache: false })
    expect(await ask('outcomes', ['hello'])).toEqual([expect.stringMatching(/^model_unavailable: .*no ONNX model/)])
    hub.intercept = undefined
    expect(await ask('outcomes', ['hello'])).toEqual([
      expect.stringMatching(/an earlier load.*load the page or worker anew/),
    ])
    await inPage('restart')
    await ask('make', MINILM, { host: hub.host })
    expect(await ask('outcomes', ['hello'])).toEqual([(await inNode(['hello'], 'q8'))[0]!.length])
  })
})

describe.skipIf(skip)(title('a run that fails in a worker'), () => {
  test.each(['wasm', 'webgpu'] as const)(
    'is the failure of its text alone on %s, and blocks nothing',
    async (backend) => {
      await ask('make', MINILM, { host: hub.host, dtype: 'q4', backend })
      for (let i = 0; i < 3; i++) {
        const failed = expect.stringMatching(/^embedder_failed: .*Reshape/i)
        expect(await ask('outcomes', ['two words', 'one', 'or', 'two others'])).toEqual([32, failed, failed, 32])
      }
      expect(await ask('capabilities')).toMatchObject({ backend, recoveries: 0 })
    },
  )
})

describe('the model store in a page', () => {
  const BYTES = 100_000
  let files: Server
  let origin: string
  let requests: IncomingMessage[]

  beforeEach(async () => {
    requests = []
    files = createServer((request, response) => {
      requests.push(request)
      const body = Buffer.alloc(BYTES, 8)
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Length': BYTES, ETag: '"one"' }).end(body)
    })
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`
  })

  afterEach(() => stop())

  const stop = () => new Promise<void>((resolve) => void files.close(() => resolve()).closeAllConnections())
  const DIGEST = createHash('sha256').update(Buffer.alloc(BYTES, 8)).digest('hex')
  const good = { length: BYTES, last: 8, warnings: [] }

  test('keeps a file in the Cache API, and has it with the server gone, also in a new page', async () => {
    expect(await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })).toEqual(good)
    expect(await inPage('kept')).toEqual([`https://models.monitaur.invalid/${DIGEST}`])
    await stop()
    expect(await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })).toEqual(good)
    await page.reload()
    await page.waitForFunction(() => 'hub' in globalThis)
    expect(await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })).toEqual(good)
    expect(requests.length).toBe(1)
  })

  test('without a digest has it offline too, and says that the server is away', async () => {
    const url = `${origin}/m.onnx?key=s3cret`
    expect(await inPage('load', url)).toEqual(good)
    expect(await inPage('load', url, { revalidate: false })).toEqual(good)
    expect(requests.length).toBe(1)
    await stop()
    const { warnings, ...rest } = await inPage('load', url)
    expect(rest).toEqual({ length: BYTES, last: 8 })
    expect(warnings).toEqual([expect.stringMatching(/cannot be reached: .*the copy in the cache is used/)])
    expect(JSON.stringify([warnings, await inPage('kept')])).not.toContain('s3cret')
  })

  test('asks another origin without a preflight whether a file has changed', async () => {
    for (let i = 0; i < 2; i++) expect(await inPage('load', `${origin}/m.onnx`)).toEqual(good)
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'GET'])
  })

  test('drops a spoiled copy and fetches the file anew', async () => {
    await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })
    await inPage('spoil')
    const { warnings, ...rest } = await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })
    expect(rest).toEqual({ length: BYTES, last: 8 })
    expect(warnings).toEqual([expect.stringMatching(/was damaged; it is fetched anew/)])
    expect(requests.length).toBe(2)
  })

  test('takes eviction as it comes', async () => {
    await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })
    await inPage('evict')
    expect(await inPage('load', `${origin}/m.onnx`, { sha256: DIGEST })).toEqual(good)
    expect(requests.length).toBe(2)
  })

  test('tells a wrong digest, a server without CORS, a refusal and a broken connection apart', async () => {
    const wrong = await inPage('load', `${origin}/m.onnx`, { sha256: '0'.repeat(64) })
    expect(wrong.error).toMatch(new RegExp(`^model_mismatch: .*${DIGEST}`))
    files.removeAllListeners('request')
    files.on('request', (request, response) => {
      const cors: Record<string, string> = request.url === '/closed' ? {} : { 'Access-Control-Allow-Origin': '*' }
      if (request.url === '/refused') response.writeHead(403, cors).end()
      else response.writeHead(200, { ...cors, 'Content-Length': BYTES }).write('half', () => response.destroy())
    })
    const error = async (path: string) => (await inPage('load', origin + path)).error
    expect(await error('/closed')).toMatch(/^model_unavailable: .*cannot be reached.*\(CORS\)/)
    expect(await error('/refused')).toMatch(/^model_unavailable: .*status 403/)
    expect(await error('/broken')).toMatch(/^model_truncated: .*broke off after \d+ of 100000 bytes/)
    expect(await inPage('kept')).toEqual([])
  })

  test('resolves a relative URL as the page does, and knows a page in place of a model', async () => {
    expect((await inPage('load', './index.html')).error).toMatch(/^model_unavailable: .*index\.html is an HTML page/)
  })
})

test('nothing went wrong unseen in the page, and nobody but our own servers was asked', () => {
  expect(complaints).toEqual([])
  expect(strangers).toEqual([])
})

function changes(events: readonly EmbedderEvent[]): EmbedderEvent[] {
  return events.filter(({ kind }) => kind === 'backendchange')
}
