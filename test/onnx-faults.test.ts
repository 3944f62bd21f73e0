/** Backends that are lost, crash, hang and refuse: every query is answered once. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BackendChange, EmbedderEvent, ModelEmbedder } from '../src/embed/embedder.ts'
import { createMonitor, getDetector } from '../src/embed/index.ts'
import { modelEmbedder } from '../src/embed/modelEmbedder.ts'
import { BackendChain } from '../src/embed/onnx/chain.ts'
import { describeAs } from '../src/embed/onnx/description.ts'
import { BackendLost } from '../src/embed/onnx/loss.ts'
import { loadOnnx, outlook, SAMPLE } from '../src/embed/onnx/onnxModel.ts'
import type { RuntimeOptions } from '../src/embed/onnx/types.ts'
import { type Diary, type FakeOptions, type Fate, fakeGpu, fakeOpen, hangs, loseDevice } from './tools/fakeRuntime.ts'

/** An embedder of numbers over the fake runtime: a model without a graph, as in onnxruntime's own format. */
function doubling(
  fake: FakeOptions,
  options: RuntimeOptions & { maxBatch?: number; maxQueue?: number } = {},
): { embed: ModelEmbedder<number>; changes: BackendChange[]; double(value: number): Promise<number> } {
  const changes: BackendChange[] = []
  const { maxBatch = 8, maxQueue = 256, ...runtime } = options
  const parts = {
    ...runtime,
    maxBatch,
    maxQueue,
    open: fakeOpen(fake),
    source: async () => new TextEncoder().encode('....ORTM....'),
    feedsOf: async (value: number) => ({ data: Float32Array.of(value), dims: [1, 1] }),
  }
  const embed = modelEmbedder<number | typeof SAMPLE>({
    load: (telling) => loadOnnx(parts, telling),
    outlook: () => outlook(runtime),
    sample: SAMPLE,
    description: describeAs('fake', {}),
    onEvent: (event: EmbedderEvent) => {
      if (event.kind === 'backendchange') changes.push(event)
    },
  })
  return { embed, changes, double: async (value) => (await embed(value))[0]! }
}

/** As in a browser: WebGPU, then WASM. */
function pretendBrowser(): void {
  vi.stubGlobal('process', { ...process, versions: {}, type: 'renderer' })
  vi.stubGlobal('navigator', { gpu: fakeGpu(), hardwareConcurrency: 2 })
}

beforeEach(pretendBrowser)
afterEach(() => {
  vi.unstubAllGlobals()
  expect(hangs.splice(0)).toEqual([])
})

const numbers = Array.from({ length: 20 }, (_, i) => i + 20)

describe('a lost backend', () => {
  test.each<[string, readonly Fate[], string]>([
    ['a device lost in mid-run', ['ok', 'ok', 'lose'], 'the WebGPU device was lost (unknown: gone)'],
    ['a device lost in a run that never ends', ['ok', 'ok', 'lose and hang'], 'the WebGPU device was lost'],
    ['a crash', ['ok', 'ok', 'crash'], 'memory access out of bounds'],
  ])('%s is made again once, and every call in flight is answered once', async (_, fates, reason) => {
    const diary: Diary = []
    const { embed, changes, double } = doubling({ fates: { webgpu: fates }, diary })
    const answers = await Promise.all(numbers.map(double))
    expect(answers).toEqual(numbers.map((value) => 2 * value))
    expect(changes).toMatchObject([{ kind: 'backendchange', from: 'webgpu', to: 'webgpu' }])
    expect(changes[0]!.reason).toContain(reason)
    expect(await embed.capabilities()).toMatchObject({
      backend: 'webgpu',
      adapter: 'fake gpu',
      recoveries: 1,
      refused: [],
    })
    expect(diary.filter((line) => line === 'webgpu create')).toHaveLength(2)
    expect(diary.filter((line) => line === 'wasm create')).toHaveLength(0)
  })

  test('lost twice, WASM takes over', async () => {
    const { embed, changes, double } = doubling({ fates: { webgpu: ['ok', 'lose', 'ok', 'crash'] } })
    expect(await Promise.all(numbers.map(double))).toEqual(numbers.map((value) => 2 * value))
    expect(changes).toMatchObject([
      { from: 'webgpu', to: 'webgpu' },
      { from: 'webgpu', to: 'wasm' },
    ])
    expect(await embed.capabilities()).toMatchObject({
      backend: 'wasm',
      recoveries: 2,
      refused: [{ backend: 'webgpu', reason: expect.stringMatching(/lost 2 times: memory access out of bounds/) }],
    })
  })

  test('lost while nothing runs, it is not run again: that would block the thread', async () => {
    const diary: Diary = []
    const { double, changes } = doubling({ diary })
    await double(1)
    loseDevice()
    expect(await double(2)).toBe(4)
    expect(changes).toHaveLength(1)
    expect(diary.join(' ')).toBe(
      'webgpu create webgpu run 0 webgpu run 1 webgpu release webgpu create webgpu run 0 webgpu run 2',
    )
  })

  test('lost in the first run of its life, which is our own, the next backend takes over', async () => {
    const { embed, double } = doubling({ fates: { webgpu: ['crash'] } })
    expect(await double(1)).toBe(2)
    expect(await embed.capabilities()).toMatchObject({
      backend: 'wasm',
      refused: [{ backend: 'webgpu' }],
      recoveries: 0,
    })
  })

  test('a run that does not end counts as a crash after the time limit', async () => {
    const { changes, double } = doubling({ fates: { webgpu: ['ok', 'hang'] } }, { timeoutMs: 60 })
    expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6])
    expect(changes).toMatchObject([{ reason: 'the runtime did not answer within 60 ms' }])
  })

  test('a backend that was asked for by name gets no other, and is tried anew by a later call', async () => {
    const { changes, double } = doubling({ fates: { wasm: ['crash', 'crash'] } }, { backend: 'wasm' })
    const results = await Promise.allSettled([1, 2, 3].map(double))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(results[0]).toMatchObject({
      reason: { code: 'backend_unavailable', message: expect.stringMatching(/wasm: was lost 2 times/) },
    })
    expect(changes).toHaveLength(1)
    expect(await double(4)).toBe(8)
  })

  test('a backend that cannot be had is passed over, and it is said why', async () => {
    const { embed, double, changes } = doubling({ broken: ['webgpu'] })
    expect(await double(3)).toBe(6)
    expect(changes).toEqual([])
    expect(await embed.capabilities()).toMatchObject({
      backend: 'wasm',
      refused: [{ backend: 'webgpu', reason: 'webgpu does not work here' }],
    })
  })

  test('without an adapter nothing of WebGPU is loaded', async () => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => null } })
    const diary: Diary = []
    const { embed, double } = doubling({ diary })
    expect(await double(3)).toBe(6)
    expect(diary.some((line) => line.startsWith('webgpu'))).toBe(false)
    expect((await embed.capabilities()).refused).toMatchObject([{ reason: expect.stringMatching(/no adapter/) }])
  })

  test('when no backend is left the reasons stand together', async () => {
    const { double } = doubling({ broken: ['webgpu', 'wasm'] })
    await expect(double(1)).rejects.toMatchObject({
      code: 'backend_unavailable',
      message: 'no backend can run the model; webgpu: webgpu does not work here · wasm: wasm does not work here',
    })
  })
})

test('two runs that find the same loss, the second one late, count it once', async () => {
  const changes: BackendChange[] = []
  let opened = 0
  const chain = new BackendChain({
    order: ['webgpu', 'wasm'],
    open: async (backend) => ({ backend, number: ++opened, isUsable: true, dispose: async () => {} }),
    onChange: (event) => changes.push(event),
  })
  const use = (ms: number) =>
    chain.use(async ({ number }) => {
      await new Promise((resolve) => setTimeout(resolve, number === 1 ? ms : 1))
      if (number === 1) throw new BackendLost('gone')
      return number
    })
  expect(await Promise.all([use(1), use(40)])).toEqual([2, 2])
  expect([chain.recoveries, changes.length, chain.live?.backend]).toEqual([1, 1, 'webgpu'])
})

describe('an input that the model cannot take', () => {
  test('is refused by itself; the backend is kept, and its session replaced', async () => {
    const diary: Diary = []
    const { embed, changes, double } = doubling({ diary })
    const results = await Promise.allSettled([1, 13, 3].map(double))
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code))).toEqual([
      2,
      'embedder_failed',
      6,
    ])
    expect(changes).toEqual([])
    expect(await embed.capabilities()).toMatchObject({ backend: 'webgpu', recoveries: 0 })
    expect(diary.filter((line) => line === 'webgpu create')).toHaveLength(3) // once for the batch, once for the one
  })

  test('a failure that does not come again costs nobody an answer', async () => {
    const { double } = doubling({ fates: { webgpu: ['ok', 'reject'] } })
    expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6])
  })
})

test('an input that fails again and again does not use the GPU up: WASM takes over, where it fails alone', async () => {
  const { embed, double } = doubling({}, { maxBatch: 1 })
  for (let i = 0; i < 20; i++) await expect(double(13)).rejects.toMatchObject({ code: 'embedder_failed' })
  expect(await double(4)).toBe(8)
  expect(await embed.capabilities()).toMatchObject({ backend: 'wasm', recoveries: 2 })
})

describe('batches', () => {
  test('calls made in one go are one batch, and the next one collects while it runs', async () => {
    const diary: Diary = []
    const { double, embed } = doubling({ diary, runMs: 20 }, { maxBatch: 4 })
    await embed.warmup()
    diary.length = 0
    const first = [1, 2, 3, 4, 5, 6].map(double)
    await new Promise((resolve) => setTimeout(resolve, 5))
    const second = [7, 8, 9].map(double)
    expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18])
    expect(diary).toEqual(['webgpu run 1,2,3,4', 'webgpu run 5,6,7,8', 'webgpu run 9'])
  })

  test('a model whose batch is one takes one at a time', async () => {
    const diary: Diary = []
    const { double, embed } = doubling({ diary, shape: [1, 1] })
    await embed.warmup()
    diary.length = 0
    await Promise.all([1, 2].map(double))
    expect(diary).toEqual(['webgpu run 1', 'webgpu run 2'])
  })

  test('more than maxQueue are refused as overloaded, and the others answered', async () => {
    const { double, embed } = doubling({ runMs: 20 }, { maxQueue: 3, maxBatch: 1 })
    await embed.warmup()
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map(double))
    const codes = results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code))
    expect(codes).toEqual([2, 4, 6, 'overloaded', 'overloaded'])
  })

  test('an aborted call is taken out of the queue', async () => {
    const diary: Diary = []
    const { embed } = doubling({ diary, runMs: 20 }, { maxBatch: 1 })
    await embed.warmup()
    diary.length = 0
    const control = new AbortController()
    const calls = [embed(1), embed(2, { signal: control.signal }), embed(3)]
    await new Promise((resolve) => setTimeout(resolve, 5))
    control.abort()
    const results = await Promise.allSettled(calls)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'aborted' } })
    expect(diary).toEqual(['webgpu run 1', 'webgpu run 3'])
  })

  test('two embedders on WebGPU never run at the same time', async () => {
    const [a, b] = [doubling({ runMs: 5 }), doubling({ runMs: 5 })] // afterEach looks whether they met
    const both = [...numbers.map(a.double), ...numbers.map(b.double)]
    expect(await Promise.all(both)).toEqual([...numbers, ...numbers].map((value) => 2 * value))
  })
})

describe('a detector over a model', () => {
  const queries = numbers.map((value) => ({ input: `${value % 5}` }))

  test('gives the same verdicts whether or not the backend is lost', async () => {
    const results: string[][] = []
    for (const fates of [[], ['ok', 'lose', 'ok', 'ok', 'crash']] as const) {
      const { embed, changes } = doubling({ fates: { webgpu: fates } }, { maxBatch: 2 })
      const embedder = async (text: string) => [...(await embed(Number(text))), 1]
      const detector = getDetector('text_similarity', { embedder })
      const verdicts = await Promise.all(queries.map((query) => detector.process(query)))
      results.push(verdicts.map((verdict) => JSON.stringify(verdict)))
      expect(changes).toHaveLength(fates.length === 0 ? 0 : 2)
      expect((await detector.describe()).historySize).toBe(20)
    }
    expect(results[1]).toEqual(results[0])
  })

  test('no query is learned twice by a monitor', async () => {
    const { embed } = doubling({ fates: { webgpu: ['ok', 'lose and hang'] } })
    const embedder = async (text: string) => [...(await embed(Number(text))), 1]
    const monitor = createMonitor({ detectors: [{ name: 'text_similarity', embedder }] })
    await Promise.all(queries.map((query) => monitor.inspect(query)))
    expect((await monitor.describe()).counts.queries).toBe(20)
  })
})
