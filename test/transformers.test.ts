/** Hub models through transformers.js: the real download path, against a server that plays the hub. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as transformers from '@huggingface/transformers'
import { rolldown } from 'rolldown'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isMonitorError, type MonitorError, type Pixels } from '../src/core/index.ts'
import type { EmbedderEvent, ModelEmbedder, ProgressEvent } from '../src/embed/embedder.ts'
import { getDetector } from '../src/embed/index.ts'
import { fromTransformers, type TransformersOptions } from '../src/embed/transformers/index.ts'
import { dataDir, hasData } from './tools/data.ts'
import {
  HUB_DATA,
  type Hub,
  isStandIn,
  MINILM,
  served,
  serveHub,
  TINY_PICTURE,
  WORDNET,
  weightsBytes,
} from './tools/hub.ts'
import { TINY_WIDTH } from './tools/tinyModel.ts'

const skip = !hasData(HUB_DATA)
const title = (name: string) => (skip ? `${name} (SKIPPED: no ${HUB_DATA} in ${dataDir()})` : name)
const dimensions = isStandIn ? 256 : 384

let hub: Hub
let folder: string
const made: ModelEmbedder<never>[] = []

beforeEach(async () => {
  hub = await serveHub()
  folder = await mkdtemp(join(tmpdir(), 'monitaur-hub-'))
})

afterEach(async () => {
  for (const embedder of made.splice(0)) await embedder.dispose()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

/** An embedder of this hub with a cache of its own. */
function make(options: TransformersOptions<'feature-extraction'> = {}, model = MINILM): ModelEmbedder<string> {
  const embedder = fromTransformers(model, { host: hub.host, cache: { folder }, ...options })
  made.push(embedder as ModelEmbedder<never>)
  return embedder
}

async function failure(promise: Promise<unknown>): Promise<MonitorError> {
  const thrown = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  if (!isMonitorError(thrown)) throw thrown
  return thrown
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((sum, v, i) => sum + v * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)))
}

const SENTENCES = [
  'The quick brown fox jumps over the lazy dog.',
  'How do I cancel a card that was stolen?',
  'Rain.',
  'A much longer sentence, which is about nothing in particular, so that the short ones beside it have to be padded.',
]

describe.skipIf(skip)(title(`a hub model (${served})`), () => {
  test('is downloaded on the first use, with bytes counted and a share that never falls', async () => {
    const embedder = make({ dtype: 'q8' })
    expect(await embedder.capabilities()).toMatchObject({ refused: [], recoveries: 0 })
    expect(hub.requests).toEqual([])
    const events: ProgressEvent[] = []
    const capabilities = await embedder.warmup({ onProgress: (event) => events.push(event) })
    expect(capabilities).toMatchObject({ backend: 'native', recoveries: 0 })
    const vector = await embedder('hello', {})
    expect(vector.length).toBe(dimensions)
    expect(Array.from(vector).reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 5)

    const shares = events.map(({ overall }) => overall)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)
    expect(new Set(shares.map((share) => Math.floor(share * 10))).size).toBeGreaterThan(5)
    expect(events.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1])).toEqual([
      'download',
      'compile',
      'ready',
    ])
    const weights = events.filter(({ file }) => file === 'model_quantized.onnx')
    expect(weights.at(-1)).toMatchObject({ loaded: weightsBytes(), total: weightsBytes() })
    expect(hub.requests.length).toBe(new Set(hub.requests).size) // each file once
    expect(hub.requests.toSorted()).toEqual(
      ['config.json', 'onnx/model_quantized.onnx', 'tokenizer.json', 'tokenizer_config.json'].map(
        (file) => `GET /${MINILM}/resolve/main/${file}`,
      ),
    )
  })

  test('comes from the cache the second time, with the hub gone', async () => {
    const first = await make()('hello', {})
    await hub.close()
    const count = hub.requests.length
    const again = make()
    const events: ProgressEvent[] = []
    await again.warmup({ onProgress: (event) => events.push(event) })
    expect(difference(await again('hello', {}), first)).toBe(0)
    expect(hub.requests.length).toBe(count)
    expect(events.filter(({ file }) => file === 'model_quantized.onnx')).toHaveLength(1)
  })

  test('is fetched again where nothing is kept', async () => {
    await make({ cache: false }).warmup()
    const count = hub.requests.length
    await make({ cache: false }).warmup()
    expect(hub.requests.length).toBeGreaterThan(count)
    expect(await readdir(folder)).toEqual([])
  })

  test('is checked against digests, and not run with others', async () => {
    const file = 'onnx/model_quantized.onnx'
    const body = await (await fetch(`${hub.host}${MINILM}/resolve/main/${file}`)).arrayBuffer()
    const digest = createHash('sha256').update(new Uint8Array(body)).digest('hex')
    await make({ sha256: { [file]: digest } }).warmup()
    const error = await failure(make({ sha256: { [file]: '0'.repeat(64) } }).warmup())
    expect(error.code).toBe('model_mismatch')
    expect(error.message).toContain(digest)
  })

  test.each(isStandIn ? (['fp32', 'q8'] as const) : (['fp32'] as const))(
    'gives the same vectors one by one and in one batch, in %s',
    async (dtype) => {
      const single = make({ dtype, maxBatch: 1 })
      const alone: ArrayLike<number>[] = []
      for (const text of SENTENCES) alone.push(await single(text, {}))
      const calls = vi.fn()
      const batched = make({ dtype, maxBatch: 16, module: spied(calls) })
      await batched.warmup()
      calls.mockClear()
      const together = await Promise.all(SENTENCES.map((text) => batched(text, {})))
      expect(calls.mock.calls).toEqual([[SENTENCES]]) // one run for all four
      for (const [i, vector] of together.entries()) expect(difference(vector, alone[i]!)).toBeLessThan(1e-6)
      expect(cosine(alone[0]!, alone[1]!)).toBeLessThan(0.99) // and they are not all the same
    },
  )

  test('keeps the order of calls over several batches, and within limits', async () => {
    const embedder = make({ dtype: 'fp32', maxBatch: 3, maxQueue: 6 })
    await embedder.warmup()
    const texts = Array.from({ length: 6 }, (_, i) => SENTENCES.slice(0, 1 + (i % 4)).join(' ') + i)
    const vectors = await Promise.all(texts.map((text) => embedder(text, {})))
    for (const [i, vector] of vectors.entries())
      expect(difference(vector, await embedder(texts[i]!, {}))).toBeLessThan(1e-6)
    const many = await Promise.allSettled(Array.from({ length: 9 }, () => embedder('too many', {})))
    const refused = many.filter((result) => result.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) expect(reason.code).toBe('overloaded')
  })

  test('with integer weights runs one input at a time unless asked: their scales depend on the batch', async () => {
    const calls = vi.fn()
    const embedder = make({ dtype: 'q8', module: spied(calls) })
    await embedder.warmup()
    calls.mockClear()
    await Promise.all(SENTENCES.map((text) => embedder(text, {})))
    expect(calls.mock.calls).toEqual(SENTENCES.map((text) => [[text]]))
  })

  test('makes text_similarity see an edited sentence, and no other', async () => {
    const detector = getDetector('text_similarity', { embedder: make() })
    const scores: number[] = []
    for (const text of [...SENTENCES, 'How do I cancel a card which was stolen?']) {
      scores.push((await detector.process({ input: text })).score)
    }
    for (const score of scores.slice(0, -1)) expect(score).toBeLessThan(0.7)
    expect(scores.at(-1)).toBeGreaterThan(0.9)
  })

  test('can be made again from its description', async () => {
    const options = { dtype: 'q8', pooling: 'mean', normalize: false, host: hub.host, cache: { folder } } as const
    const { description } = make(options)
    expect(description).toEqual({ from: 'transformers', model: MINILM, ...options })
    const { from, model, ...rest } = JSON.parse(JSON.stringify(description))
    expect(from).toBe('transformers')
    const again = make(rest, model)
    const [a, b] = [await again('hello there', {}), await make()('hello there', {})]
    expect(cosine(a, b)).toBeGreaterThan(1 - 1e-6)
    expect(Math.abs(Math.hypot(...Array.from(a)) - 1)).toBeGreaterThan(0.01) // the options came along
    expect(make({ module: transformers }).description).toBeUndefined()
  })

  test('is run by the module at an address as well, which its description keeps', async () => {
    const module = import.meta.resolve('@huggingface/transformers')
    const embedder = make({ module })
    expect((await embedder('hello', {})).length).toBe(dimensions)
    expect(embedder.description).toMatchObject({ module })
    const error = await failure(make({ module: `${hub.host}nothing.js` }).warmup())
    expect([error.code, error.message]).toEqual([
      'missing_package',
      expect.stringMatching(/cannot be loaded from http/),
    ])
  })

  test('leaves the global settings of transformers.js as they were', async () => {
    const before = { ...transformers.env }
    await make({ revision: 'v1.0' }).warmup()
    expect({ ...transformers.env }).toEqual(before)
    expect(hub.requests.every((request) => request.includes('/resolve/v1.0/'))).toBe(true)
    await failure(make({ dtype: 'fp16' }).warmup())
    expect({ ...transformers.env }).toEqual(before)
  })

  test('lives in a folder as well, and then asks no hub', async () => {
    const localPath = join(dataDir(), 'models/text/')
    const local = fromTransformers(WORDNET, { localPath })
    made.push(local as ModelEmbedder<never>)
    const remote = make({}, WORDNET)
    expect(difference(await local('hello', {}), await remote('hello', {}))).toBe(0)
    const error = await failure(fromTransformers('nothing-here', { localPath }).warmup())
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(
      /no model 'nothing-here' that can be read: config\.json is not there \(in the folder /,
    )
  })

  test('is loaded again after dispose', async () => {
    const embedder = make()
    const before = await embedder('hello', {})
    await embedder.dispose()
    expect((await embedder.capabilities()).backend).toBeUndefined()
    expect(difference(await embedder('hello', {}), before)).toBe(0)
  })
})

describe.skipIf(skip)(title('a hub model that cannot be had'), () => {
  test('without weights of the dtype is told so, by file', async () => {
    const error = await failure(make({ dtype: 'fp16' }).warmup())
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(
      /^'Xenova\/all-MiniLM-L6-v2' has no weights of dtype 'fp16': onnx\/model_fp16\.onnx is not there .*choose another dtype/,
    )
  })

  test('that the hub does not know is model_unavailable with name, revision and host', async () => {
    const error = await failure(make({}, 'nobody/nothing')('hello', {}) as Promise<unknown>)
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toContain(
      `no model 'nobody/nothing' that can be read: config.json is not there (revision main at ${hub.host}nobody/nothing/`,
    )
  })

  test('since the hub is away is model_unavailable, and can be had once it is back', async () => {
    let isAway = true
    hub.intercept = (_, response) => isAway && void response.writeHead(503).end() === undefined
    const embedder = make()
    const error = await failure(embedder.warmup())
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(/status 503: try again later/)
    isAway = false
    expect((await embedder('hello', {})).length).toBe(dimensions)
  })

  test('since its weights break off is model_truncated', async () => {
    hub.intercept = (request, response) => {
      if (!request.url!.endsWith('.onnx')) return false
      response.writeHead(200, { 'Content-Length': 7_936_321 })
      response.write(Buffer.alloc(100_000), () => setTimeout(() => response.destroy(), 20))
      return true
    }
    const error = await failure(make().warmup())
    expect(error.code).toBe('model_truncated')
    expect(error.message).toMatch(/model_quantized\.onnx broke off after 100000 of 7936321 bytes/)
  })

  test('since its weights are no model is model_unavailable', async () => {
    hub.intercept = (request, response) => {
      if (request.url!.endsWith('.onnx')) response.writeHead(200).end(Buffer.alloc(1000, 7))
      return request.url!.endsWith('.onnx')
    }
    const error = await failure(make().warmup())
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toMatch(/no ONNX model/)
  })

  test('on WASM in Node says so', async () => {
    const error = await failure(make({ backend: 'wasm' }).warmup())
    expect(error.code).toBe('backend_unavailable')
    expect(error.message).toMatch(/no WASM in Node, Deno and Bun; take backend 'native'/)
  })

  test('aborted while it comes ends the wait; a later call has it', async () => {
    const embedder = make()
    const controller = new AbortController()
    const loading = embedder.warmup({ signal: controller.signal, onProgress: () => controller.abort() })
    expect((await failure(loading)).code).toBe('aborted')
    const count = hub.requests.length
    expect((await embedder('hello', {})).length).toBe(dimensions)
    expect(new Set(hub.requests).size).toBe(hub.requests.length) // nothing was fetched twice
    expect(hub.requests.length).toBeGreaterThanOrEqual(count)
  })
})

describe.skipIf(skip)(title('several at a time'), () => {
  test('each goes to its own hub, though the settings of transformers.js are global', async () => {
    const other = await serveHub()
    const before = { ...transformers.env }
    const both = [make({ revision: 'one' }), make({ revision: 'two', host: other.host, cache: false })]
    await Promise.all(both.map((embedder) => embedder.warmup()))
    await other.close()
    expect(hub.requests.filter((request) => !request.includes('/resolve/one/'))).toEqual([])
    expect(other.requests.filter((request) => !request.includes('/resolve/two/'))).toEqual([])
    expect([hub.requests.length, other.requests.length].every((count) => count > 0)).toBe(true)
    expect({ ...transformers.env }).toEqual(before)
  })

  test('a run that fails is the failure of its text alone, and nothing is started anew', async () => {
    const embedder = make({ dtype: 'q4' }) // these weights take two words, no more and no less
    const [good, bad] = await Promise.allSettled(['two words', 'hello'].map((text) => embedder(text, {})))
    expect([good?.status, bad?.status]).toEqual(['fulfilled', 'rejected'])
    const { reason } = bad as PromiseRejectedResult
    expect([reason.code, reason.message]).toEqual(['embedder_failed', expect.stringMatching(/Reshape/)])
    expect((await embedder('two words', {})).length).toBe(TINY_WIDTH)
    expect((await embedder.capabilities()).recoveries).toBe(0)
  })
})

describe('a picture embedder', () => {
  const picture = (seed: number): Pixels => ({
    data: Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * seed) % 256),
    width: 40,
    height: 30,
    channels: 3,
  })

  test('runs in the same way, and is what image_similarity looks through', async () => {
    const options = { task: 'image-feature-extraction', dtype: 'fp32', host: hub.host, cache: { folder } } as const
    const embedder = fromTransformers(TINY_PICTURE, options)
    made.push(embedder as ModelEmbedder<never>)
    const vector = await embedder(picture(7), {})
    expect(vector.length).toBe(TINY_WIDTH)
    expect(cosine(vector, await embedder(picture(11), {}))).toBeLessThan(0.99)
    const detector = getDetector('image_similarity', { embedder })
    await detector.process({ input: picture(7) })
    expect((await detector.process({ input: picture(7) })).score).toBeCloseTo(1, 6)
    expect((await embedder.warmup()).backend).toBe('native')
  })

  test('hands pixels over as bytes, whatever their range', async () => {
    const seen: unknown[][] = []
    const embedder = withFake({ dims: [1, 2], data: [3, 4] }, seen)
    await embedder({ data: Float32Array.of(0, 0.5, 1), width: 1, height: 1, channels: 3, maxValue: 1 }, {})
    expect(seen.at(-1)).toEqual([Uint8ClampedArray.of(0, 128, 255), 1, 1, 3])
  })

  // Two patches of three numbers each; and three planes of one row and two columns.
  test.each([
    ['one vector as it is', { dims: [1, 2], data: [3, 4] }, {}, [0.6, 0.8]],
    ['the first patch', { dims: [1, 2, 3], data: [0, 3, 4, 9, 9, 9] }, {}, [0, 0.6, 0.8]],
    ['the last patch', { dims: [1, 2, 3], data: [9, 9, 9, 0, 3, 4] }, { pooling: 'last_token' }, [0, 0.6, 0.8]],
    ['the mean of the patches', { dims: [1, 2, 3], data: [0, 2, 4, 0, 4, 4] }, { pooling: 'mean' }, [0, 0.6, 0.8]],
    ['the mean of each plane', { dims: [1, 3, 1, 2], data: [0, 0, 2, 4, 4, 4] }, {}, [0, 0.6, 0.8]],
    ['its own length', { dims: [1, 2], data: [3, 4] }, { normalize: false }, [3, 4]],
    ['zeros as zeros', { dims: [1, 2], data: [0, 0] }, {}, [0, 0]],
  ] as const)('gives %s', async (_, tensor, options, expected) => {
    const vector = await withFake(tensor, [], options)(picture(1), {})
    expect(difference(vector, expected)).toBeLessThan(1e-6)
  })

  test('whose model gives something else is embedder_failed', async () => {
    for (const dims of [[2, 2], [4]]) {
      const error = await failure(withFake({ dims, data: [1, 2, 3, 4] }, [])(picture(1), {}) as Promise<unknown>)
      expect(error.code).toBe('embedder_failed')
      expect(error.message).toContain(`got float32 [${dims.join(', ')}]`)
    }
  })

  function withFake(
    { dims, data }: { dims: readonly number[]; data: readonly number[] },
    seen: unknown[][],
    options: Omit<TransformersOptions, 'task'> = {},
  ): ModelEmbedder<Pixels> {
    class RawImage {
      constructor(...parts: unknown[]) {
        seen.push(parts)
      }
    }
    const module = fake({ RawImage, run: async () => ({ dims, data: Float32Array.from(data), type: 'float32' }) })
    return fromTransformers('fake', { ...options, task: 'image-feature-extraction', module })
  }
})

describe('a runtime that crashes', () => {
  const vectors = (count: number) => ({ dims: [count, 1], data: new Float32Array(count).fill(1), type: 'float32' })

  /** Runs that crash the first so many times. */
  function crashing(times: number) {
    const events: EmbedderEvent[] = []
    let left = times
    const module = fake({
      async run(texts) {
        if (left-- > 0) throw new Error('Aborted(). Build with -sASSERTIONS for more info.')
        return vectors(texts.length)
      },
    })
    const embedder = fromTransformers('fake', { dtype: 'fp32', module })
    embedder.listen((event) => event.kind === 'backendchange' && events.push(event))
    return { embedder, events, module }
  }

  test('is made again once, and the texts in flight are answered', async () => {
    const { embedder, events, module } = crashing(1)
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => embedder(text, {})))
    expect(answers.map((vector) => vector[0])).toEqual([1, 1, 1])
    const reason = expect.stringMatching(/Aborted/)
    expect(events).toEqual([{ kind: 'backendchange', from: 'native', to: 'native', reason }])
    expect(await embedder.capabilities()).toMatchObject({ backend: 'native', recoveries: 1 })
    expect([module.opened, module.disposed]).toEqual([2, 0]) // what has crashed is not touched again
  })

  test('for the second time is backend_unavailable, with the reason; a later call tries anew', async () => {
    const { embedder, events } = crashing(2)
    const error = await failure(embedder('a', {}) as Promise<unknown>)
    expect([error.code, error.message]).toEqual(['backend_unavailable', expect.stringMatching(/lost 2 times: Aborted/)])
    expect(events.length).toBe(1)
    expect((await embedder('a', {}))[0]).toBe(1)
  })

  test('or hangs is given up after the time limit', async () => {
    let runs = 0
    const module = fake({ run: async (texts) => (runs++ === 0 ? new Promise(() => {}) : vectors(texts.length)) })
    const embedder = fromTransformers('fake', { module, timeoutMs: 50 })
    expect((await embedder('a', {}))[0]).toBe(1)
    expect((await embedder.capabilities()).recoveries).toBe(1)
  })

  test('never lets transformers.js see a run that failed, behind which it would hang all others', async () => {
    const seen: unknown[] = []
    const module = fake({
      run: async () => {
        throw new Error('the input does not fit')
      },
      onRunResult: (result) => seen.push(result),
    })
    const error = await failure(fromTransformers('fake', { module })('a', {}) as Promise<unknown>)
    expect([error.code, error.message]).toEqual(['embedder_failed', 'the input does not fit'])
    expect(seen).toEqual([{}])
  })
})

describe('options that make no sense are bad_config', () => {
  test.each<[string, unknown, unknown]>([
    ['model', '', {}],
    ['model', 7, {}],
    ['dtyp', 'm', { dtyp: 'q8' }],
    ['dtype', 'm', { dtype: 'int4' }],
    ['task', 'm', { task: 'text-classification' }],
    ['backend', 'm', { backend: 'cpu' }],
    ['pooling', 'm', { pooling: 'none' }],
    ['normalize', 'm', { normalize: 1 }],
    ['maxBatch', 'm', { maxBatch: 0 }],
    ['maxQueue', 'm', { maxQueue: 1.5 }],
    ['threads', 'm', { threads: 0 }],
    ['timeoutMs', 'm', { timeoutMs: -1 }],
    ['revision', 'm', { revision: '' }],
    ['host', 'm', { host: 'huggingface.co' }],
    ['host', 'm', { host: 'https://h.example/', localPath: '/models/' }],
    ['cache', 'm', { cache: 'folder' }],
    ["sha256['config.json']", 'm', { sha256: { 'config.json': 'abc' } }],
    ['artifacts', 'm', { artifacts: 'cdn' }],
  ])('%s', (path, model, options) => {
    let thrown: unknown
    try {
      fromTransformers(model as string, options as TransformersOptions<'feature-extraction'>)
    } catch (error) {
      thrown = error
    }
    expect(isMonitorError(thrown) && [thrown.code, thrown.path]).toEqual(['bad_config', path])
  })

  test('module, when it is used', async () => {
    const error = await failure(fromTransformers('m', { module: { pipeline: 1 } }).warmup())
    expect([error.code, error.path]).toEqual(['bad_config', 'module'])
  })
})

test('where the package is not installed it is missing_package, with the command that installs it', async () => {
  const entry = join(import.meta.dirname, '../src/embed/transformers/index.ts')
  const bundle = await rolldown({ input: entry, external: ['@huggingface/transformers', /^onnxruntime-/, 'sharp'] })
  await bundle.write({ dir: folder, entryFileNames: 'embed.mjs', chunkFileNames: '[name].mjs' })
  const script =
    "import { fromTransformers } from './embed.mjs'; await fromTransformers('m').warmup().catch(console.log)"
  await writeFile(join(folder, 'main.mjs'), script)
  const { stdout } = await promisify(execFile)(process.execPath, ['main.mjs'], { cwd: folder })
  expect(stdout).toMatch(/MonitorError: hub models need the package '@huggingface\/transformers': npm i @hugg/)
  expect(stdout).toMatch(/ONNXRUNTIME_NODE_INSTALL=skip npm i/)
  expect(stdout).toContain("code: 'missing_package'")
})

interface FakeParts {
  readonly run: (inputs: readonly unknown[]) => Promise<unknown>
  readonly RawImage?: unknown
  /** Told of what the session's run gives to transformers.js. */
  readonly onRunResult?: (result: unknown) => void
}

/** As much of transformers.js as is used, over a session of which `run` decides. */
function fake({ run, RawImage = Object, onRunResult }: FakeParts) {
  const counts = { opened: 0, disposed: 0 }
  async function pipeline() {
    counts.opened++
    const session = { run: (inputs: readonly unknown[]) => run(inputs) }
    const call = async (inputs: readonly unknown[]) => {
      const result = await session.run(inputs)
      onRunResult?.(result)
      if (!('data' in (result as object))) throw new TypeError("Cannot read properties of undefined (reading 'dims')")
      return result
    }
    return Object.assign(call, { model: { sessions: { model: session } }, dispose: async () => counts.disposed++ })
  }
  const env = { remoteHost: 'http://127.0.0.1:9/', remotePathTemplate: '{model}/', backends: { onnx: {} } }
  return Object.assign(counts, { env, pipeline, RawImage })
}

/** transformers.js with each batch told. */
function spied(onBatch: (texts: unknown) => void): unknown {
  const pipeline = async (...args: Parameters<typeof transformers.pipeline>) => {
    const extractor = (await transformers.pipeline(...args)) as never as (...args: unknown[]) => Promise<unknown>
    const call = (texts: unknown, options: unknown) => {
      onBatch(texts)
      return extractor(texts, options)
    }
    return Object.assign(call, { model: { sessions: {} }, dispose: async () => {} })
  }
  return { ...transformers, pipeline }
}
