/** The life of embedders with a model, in process and in a worker; the models themselves are fakes. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  type Capabilities,
  createMonitor,
  type EmbedderEvent,
  embedderFrom,
  getDetector,
  type ModelEmbedder,
  type ProgressEvent,
} from '../src/embed/index.ts'
import { createHost } from '../src/worker/serve.ts'

const CAPABILITIES: Capabilities = {
  backend: 'wasm',
  threads: 1,
  simd: true,
  isolated: false,
  refused: [{ backend: 'webgpu', reason: 'no adapter' }],
  recoveries: 0,
}

interface Fake extends ModelEmbedder<string> {
  readonly done: string[]
  tell(event: EmbedderEvent): void
  readonly listeners: ReadonlySet<unknown>
}

function fake(): Fake {
  const listeners = new Set<(event: EmbedderEvent) => void>()
  const done: string[] = []
  const progress = (overall: number): ProgressEvent => ({ phase: 'download', file: 'm', loaded: overall, overall })
  return Object.assign(async (text: string) => Float32Array.of(text.length, 1), {
    done,
    listeners,
    tell: (event: EmbedderEvent) => {
      for (const listener of listeners) listener(event)
    },
    async warmup({ onProgress }: Parameters<ModelEmbedder['warmup']>[0] = {}) {
      done.push('warmup')
      for (const overall of [0.5, 1]) onProgress?.(progress(overall))
      return CAPABILITIES
    },
    capabilities: async () => CAPABILITIES,
    listen(listener: (event: EmbedderEvent) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async dispose() {
      done.push('dispose')
    },
  })
}

const CHANGE = { kind: 'backendchange', from: 'webgpu', to: 'wasm', reason: 'the device was lost' } as const

describe('a detector with a model', () => {
  test('loads it on warmup, says what it runs on, and frees it at the end', async () => {
    const embedder = fake()
    const events: unknown[] = []
    const detector = getDetector('text_similarity', { embedder }, { onEvent: (event) => events.push(event) })
    const overall: number[] = []
    const found = await detector.warmup({ onProgress: (event) => overall.push(event.overall) })
    expect(found).toEqual({ text_similarity: CAPABILITIES })
    expect(await detector.capabilities()).toEqual(found)
    expect(overall).toEqual([0.5, 1])
    embedder.tell(CHANGE)
    expect(events).toEqual([{ ...CHANGE, detector: 'text_similarity' }])
    await detector.dispose()
    expect(embedder.done).toEqual(['warmup', 'dispose'])
    expect(embedder.listeners.size).toBe(0)
  })

  test('without a model has nothing to load and nothing to tell', async () => {
    const detector = getDetector('text_similarity', { embedder: (text) => [text.length, 1] })
    expect(await detector.warmup()).toEqual({})
    expect(await detector.capabilities()).toEqual({})
    await detector.dispose()
  })
})

describe('a monitor with models', () => {
  test('loads all of them, shares the progress out, and tells events by label', async () => {
    const [first, second] = [fake(), fake()]
    const events: unknown[] = []
    const monitor = createMonitor({
      detectors: [
        { name: 'text_similarity', label: 'near', embedder: first },
        { name: 'text_similarity', label: 'far', threshold: 0.5, embedder: second },
        'text_repetition',
      ],
      onEvent: (event) => events.push(event),
    })
    const overall: number[] = []
    const found = await monitor.warmup({ onProgress: (event) => overall.push(event.overall) })
    expect(found).toEqual({ near: CAPABILITIES, far: CAPABILITIES })
    expect(overall).toEqual([0.25, 0.5, 0.75, 1])
    second.tell(CHANGE)
    expect(events).toEqual([{ ...CHANGE, detector: 'far' }])
    await monitor.dispose()
    expect([first.done, second.done]).toEqual([
      ['warmup', 'dispose'],
      ['warmup', 'dispose'],
    ])
  })
})

describe('a description', () => {
  test.each([
    [{ from: 'transformer' }, /^text_similarity.embedder.from: .*did you mean 'transformers'/],
    [{ from: 7 }, /^text_similarity.embedder.from: must be one of/],
    [{}, /^text_similarity.embedder.from: must be one of/],
    [{ from: 'constructor' }, /must be one of/],
  ])('%j is refused with the names that are known', (description, message) => {
    expect(() => embedderFrom(description, 'text_similarity.embedder')).toThrow(message)
    expect(() => getDetector('text_similarity', { embedder: description as never })).toThrow(message)
  })
})

describe("a worker's models", () => {
  const host = createHost({
    configure: (name, config) => (name === 'text_similarity' ? { ...config, embedder } : config),
  })
  let embedder: Fake

  afterEach(async () => {
    await host.close('m')
  })

  test('are loaded, told of and freed through its verbs', async () => {
    embedder = fake()
    const events: unknown[] = []
    const config = { kind: 'detector', name: 'text_similarity', config: {} } as const
    await host.open('m', config, (event) => events.push(event))
    expect(await host.warmup('m', 1)).toEqual({ ok: true, value: { text_similarity: CAPABILITIES } })
    expect(await host.capabilities('m')).toEqual({ ok: true, value: { text_similarity: CAPABILITIES } })
    embedder.tell(CHANGE)
    expect(events).toEqual([{ ...CHANGE, detector: 'text_similarity' }])
    await host.close('m')
    expect(embedder.done).toEqual(['warmup', 'dispose'])
    expect(embedder.listeners.size).toBe(0)
  })
})
