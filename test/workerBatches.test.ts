/** Batches on their way to a worker and back: as columns, in buffers that are filled again, without what the page has anyway. */
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMonitor, getDetector } from '../src/embed/index.ts'
import { openChannel } from '../src/worker/channel.ts'
import { fromColumn, toColumn } from '../src/worker/columns.ts'
import { serveWorker, startWorker, type WorkerOptions } from '../src/worker/index.ts'
import type { WorkerLike } from '../src/worker/link.ts'
import { Spares } from '../src/worker/spares.ts'
import { random } from './tools/random.ts'

const open = new Set<() => void>()
afterEach(() => {
  for (const close of open) close()
  open.clear()
})

/** A host whose worker is the other side of a channel, how to end the one in force, and the sizes of what was sent to it. */
function start(options: WorkerOptions = {}) {
  let fail: (event: unknown) => void = () => {}
  const moved: number[] = []
  const messages: unknown[] = []
  const make = (): WorkerLike => {
    const { port1, port2 } = new MessageChannel()
    serveWorker(port2 as never)
    const terminate = () => {
      port1.close()
      port2.close()
    }
    open.add(terminate)
    return {
      postMessage(message, transfer = []) {
        messages.push(message)
        for (const one of transfer) moved.push((one as ArrayBuffer).byteLength)
        port1.postMessage(message, transfer)
      },
      addEventListener(type, listener) {
        if (type === 'error') fail = listener as never
        else port1.addEventListener(type, listener as never)
        if (type === 'message') port1.start()
      },
      removeEventListener: (type, listener) => port1.removeEventListener(type, listener as never),
      terminate,
    }
  }
  const host = startWorker(make, options)
  open.add(() => host.dispose())
  return { host, moved, messages, kill: () => fail({ message: 'killed by the test' }) }
}

function vectors(count: number, seed: number, length = 24): { readonly embedding: Float32Array }[] {
  const next = random(seed)
  return Array.from({ length: count }, () => ({ embedding: Float32Array.from({ length }, () => next() - 0.5) }))
}

describe('a column', () => {
  const cross = (values: unknown[]) => {
    const buffers: ArrayBuffer[] = []
    const column = toColumn(values, (bytes) => {
      buffers.push(new ArrayBuffer(bytes + 64)) // a used one may be larger
      return buffers.at(-1)!
    })
    return Array.from(fromColumn(structuredClone(column, { transfer: buffers })))
  }
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Number.NaN, Infinity))
  const floats = fc.oneof(fc.float32Array({ maxLength: 3 }), fc.float64Array({ maxLength: 3 }), fc.uint8Array())
  const leaf = fc.oneof(number, fc.string(), fc.boolean(), fc.constantFrom(null, undefined), floats, fc.array(number))
  const fields = fc.constantFrom('score', 'reason', 'metadata', '__proto__', 'length', '')
  const flat = fc.dictionary(fields, leaf, { maxKeys: 3, noNullPrototype: true })
  const rows = fc.oneof(leaf, flat, fc.dictionary(fields, flat, { maxKeys: 2, noNullPrototype: true }))

  test('gives the same list, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 6 }), (values) => {
        expect(cross(values)).toStrictEqual(structuredClone(values))
      }),
      { seed: 20261201, numRuns: 2000 },
    )
  })

  test('gives the same list of alike objects', () => {
    const record = fc.record({ score: number, embedding: fc.float32Array({ minLength: 2, maxLength: 2 }), inner: flat })
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 9 }), (values) => {
        expect(cross(values)).toStrictEqual(structuredClone(values))
      }),
      { seed: 20261202, numRuns: 1000 },
    )
  })

  test('sets no prototype', () => {
    const odd = JSON.parse('[{"__proto__": {"suspicious": true}}, {"__proto__": {"suspicious": true}}]') as unknown[]
    for (const one of cross(odd) as { suspicious?: boolean }[]) expect(one.suspicious).toBeUndefined()
  })

  test('ends at a circle', () => {
    const round: Record<string, unknown> = {}
    round['self'] = round
    const [first] = cross([round, round]) as { self: { self: unknown } }[]
    expect(first!.self.self).toBeDefined()
  })
})

describe('a batch of vectors', () => {
  test('has the verdicts of one in process, also when the worker dies again and again', async () => {
    const { host, kill } = start({ snapshotEvery: 20 })
    const [there, here] = [host.getDetector('similarity'), getDetector('similarity')]
    for (let round = 0; round < 24; round++) {
      const queries = vectors(8, round >> 1) // every second batch repeats the one before
      const call = there.processBatch(queries)
      if (round % 5 === 3) kill()
      expect(await call).toEqual(await here.processBatch(vectors(8, round >> 1)))
      if (round % 5 === 1) kill()
    }
    expect(host.restarts).toBe(10)
    expect(await there.snapshot()).toEqual(await here.snapshot())
  })

  test('is judged as it was when the call was made', async () => {
    const { host } = start()
    const [there, here] = [host.getDetector('similarity'), getDetector('similarity')]
    for (const seed of [1, 2, 1]) {
      const queries = vectors(8, seed)
      const call = there.processBatch(queries)
      for (const { embedding } of queries) embedding.fill(0)
      expect(await call).toEqual(await here.processBatch(vectors(8, seed)))
    }
  })

  test('goes in a buffer that comes back for the next one', async () => {
    const { host, moved } = start()
    const detector = host.getDetector('similarity')
    for (const count of [8, 6, 8, 5]) await detector.processBatch(vectors(count, count))
    expect(moved).toEqual([1, 2, 3, 4].map(() => 8 * 24 * 4)) // also where a new one would be smaller
  })

  test('may have vectors of other kinds in it, or none', async () => {
    const { host } = start()
    const [there, here] = [host.getDetector('similarity'), getDetector('similarity')]
    const [a, b] = vectors(2, 5)
    const queries = [a!, { embedding: Array.from(b!.embedding) }, { embedding: Float64Array.from(a!.embedding) }]
    expect(await there.processBatch(queries)).toEqual(await here.processBatch(queries))
    expect(await there.processBatch([])).toEqual([])
    const bad = { embedding: [...a!.embedding.subarray(1), Number.NaN] }
    await expect(there.processBatch([a!, bad])).rejects.toThrow(
      expect.objectContaining({ code: 'bad_query', path: '[1].embedding[23]' }),
    )
    expect(await there.snapshot()).toEqual(await here.snapshot())
  })

  test('of a monitor is remembered with all that its detectors saw', async () => {
    const { host, kill } = start({ snapshotEvery: 1000 })
    const config = { detectors: ['similarity', 'query_rate', 'confidence'] }
    const there = await host.createMonitor(config, { now: () => 5 })
    const here = createMonitor(config, { now: () => 5 })
    for (const seed of [1, 2, 1]) {
      const queries = vectors(6, seed).map((query, i) => ({ ...query, client: `c${i % 2}`, modelOutput: [0.4, 0.6] }))
      expect(await there.inspectBatch(queries)).toEqual(await here.inspectBatch(queries))
      kill()
    }
    expect(await there.snapshot()).toEqual(await here.snapshot())
  })
})

describe('calls of one turn', () => {
  test('go in one message, and are answered in order', async () => {
    const { host, messages } = start()
    const [there, here] = [host.getDetector('similarity'), getDetector('similarity')]
    await there.capabilities()
    const queries = [...vectors(20, 1), ...vectors(20, 1)]
    messages.length = 0
    expect(await Promise.all(queries.map((query) => there.process(query)))).toEqual(await here.processBatch(queries))
    expect(messages).toHaveLength(1)
  })

  test('of which one cannot be cloned are sent without it', async () => {
    const { host } = start()
    const detector = host.getDetector('text_repetition')
    await detector.capabilities()
    const inputs = ['a', { toString: () => 'a' }, 'a'] as string[]
    const settled = await Promise.allSettled(inputs.map((input) => detector.process({ input })))
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value.score : one.reason.code))).toEqual([
      1,
      'bad_query',
      2,
    ])
  })
})

describe('a listener that throws', () => {
  test('keeps no answer from the one who waits for it, and is heard of', async () => {
    let hear: (event: { data: unknown }) => void = () => {}
    const endpoint = {
      postMessage() {},
      removeEventListener() {},
      addEventListener(_: string, listener: unknown) {
        hear = listener as never
      },
    }
    const { api } = openChannel(endpoint)
    const broken = new Error('of the listener')
    void api.open('m1', { kind: 'detector', name: 'confidence', config: {} }, () => {
      throw broken
    })
    const hello = api.hello()
    const later: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (step: () => void) => later.push(step))
    hear({
      data: {
        all: [
          { machine: 'm1', event: { kind: 'loading' } },
          { id: 2, value: 4 },
        ],
      },
    })
    vi.unstubAllGlobals()
    expect(await hello).toBe(4)
    expect(later[0]).toThrow(broken)
  })
})

describe('spare buffers', () => {
  test('are given for what they hold, if they are not much larger, and only the last four are kept', () => {
    const spares = new Spares()
    const buffers = [100, 200, 300, 400, 500].map((bytes) => new ArrayBuffer(bytes))
    new Uint8Array(buffers[1]!).fill(7)
    spares.keep(buffers)
    expect(spares.take(100)).toBe(buffers[1])
    expect(new Uint8Array(buffers[1]!)).toEqual(new Uint8Array(200)) // what a client erased is not left in it
    expect(spares.take(100).byteLength).toBe(100) // the rest is more than twice as large
    expect(spares.take(450)).toBe(buffers[4])
    expect(spares.take(450).byteLength).toBe(450)
  })
})
