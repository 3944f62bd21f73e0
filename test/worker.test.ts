/**
 * The border between a page and its worker, without a browser: the worker is the other side of a MessageChannel, so that
 * it can be ended at any moment.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMonitor, getDetector, type MonitorConfig, type Query } from '../src/embed/index.ts'
import {
  attach,
  type ServeOptions,
  serveWorker,
  startWorker,
  type WorkerHost,
  type WorkerOptions,
} from '../src/worker/index.ts'
import type { WorkerLike } from '../src/worker/link.ts'
import { unbundle } from '../src/worker/outbox.ts'
import { type PackedQueries, unpackQueries } from '../src/worker/packing.ts'
import type { Call } from '../src/worker/protocol.ts'

/** A worker that a test can end. */
interface FakeWorker extends WorkerLike {
  /** An uncaught error in it. */
  fail(message: string): void
  /** Entries of each `apply` that was sent to it. */
  readonly replays: number[]
  /** Bytes of the buffers that were moved to it with each `restore`. */
  readonly moved: number[]
}

/** Every call to a worker, of the test at work. */
const posted: Call[] = []
const open = new Set<() => void>()
afterEach(() => {
  for (const close of open) close() // else the ports keep the process alive
  posted.length = 0
  vi.unstubAllGlobals()
  open.clear()
})

function fakeWorker(serve: (port: MessagePort) => void): FakeWorker {
  const { port1, port2 } = new MessageChannel()
  const onError = new Set<(event: { message: string }) => void>()
  const replays: number[] = []
  const moved: number[] = []
  serve(port2)
  const terminate = () => {
    port1.onmessage = null
    port1.close()
    port2.close()
  }
  open.add(terminate)
  return {
    replays,
    moved,
    postMessage(message, transfer = []) {
      const calls = unbundle(message) as Call[]
      posted.push(...calls)
      for (const { verb, given } of calls) if (verb === 'apply') replays.push((given[1] as unknown[]).length)
      const sizes = transfer.map((one) => (one instanceof ArrayBuffer ? one.byteLength : 0))
      if (calls.some(({ verb }) => verb === 'restore')) moved.push(sizes.reduce((sum, size) => sum + size, 0))
      port1.postMessage(message, transfer)
    },
    addEventListener(type, listener) {
      if (type === 'error') onError.add(listener as never)
      else port1.addEventListener(type, listener as never)
      if (type === 'message') port1.start()
    },
    removeEventListener(type, listener) {
      if (type === 'error') onError.delete(listener as never)
      else port1.removeEventListener(type, listener as never)
    },
    terminate,
    fail(message) {
      for (const listener of onError) listener({ message })
    },
  }
}

interface Setup {
  readonly host: WorkerHost
  /** In the order they were started. */
  readonly workers: FakeWorker[]
  /** Ends the worker in force as an uncaught error would. */
  kill(): void
}

function start(options: WorkerOptions = {}, serve: ServeOptions = {}): Setup {
  const workers: FakeWorker[] = []
  const host = startWorker(() => {
    const worker = fakeWorker((port) => serveWorker(port as never, serve))
    workers.push(worker)
    return worker
  }, options)
  open.add(() => host.dispose())
  return { host, workers, kill: () => workers.at(-1)!.fail('killed by the test') }
}

/** Texts of which some repeat. */
function texts(count: number): Query<string>[] {
  return Array.from({ length: count }, (_, i) => ({ input: `text ${(i * i) % 7}` }))
}

/** An embedder with two magic words; the vector is the length and the first letter. */
function withEmbedder(embedder: (text: string) => number[] | Promise<number[]>): ServeOptions {
  return { configure: (name, config) => (name === 'text_similarity' ? { ...config, embedder } : config) }
}

const vectorOf = (text: string) => [text.length, text.charCodeAt(0), 1]
const hanging = withEmbedder((text) => (text === 'hang' ? new Promise(() => {}) : vectorOf(text)))

function refusal(code: string, path?: string) {
  return expect.objectContaining({ name: 'MonitorError', code, ...(path === undefined ? {} : { path }) })
}

function outcomes(results: PromiseSettledResult<unknown>[]): string[] {
  return results.map((one) => (one.status === 'fulfilled' ? 'done' : (one.reason as { code: string }).code))
}

describe('a worker that dies', () => {
  test.each(['text_repetition', 'text_similarity'] as const)(
    '%s remembers every acknowledged query, whichever of thirty the worker dies behind',
    async (name) => {
      const queries = texts(30)
      const expected = await getDetector(name).processBatch(queries)
      const lives = Array.from({ length: 30 }, async (_, at) => {
        const { host, kill } = start({ snapshotEvery: 7 })
        const detector = host.getDetector(name)
        const seen: unknown[] = []
        for (const [i, query] of queries.entries()) {
          seen.push(await detector.process(query))
          if (i === at) kill()
        }
        expect(seen, `ended after query ${at}`).toEqual(expected)
        expect(host.restarts).toBe(1)
      })
      await Promise.all(lives)
    },
  )

  test('queries in flight are answered by the next one, each once and in order', async () => {
    const { host, kill } = start()
    const detector = host.getDetector('text_repetition')
    const same = getDetector('text_repetition')
    const calls = texts(60).map((query) => detector.process(query))
    await calls[20]
    kill()
    calls.push(detector.process({ input: 'behind them' }))
    expect(await Promise.all(calls)).toEqual(await same.processBatch([...texts(60), { input: 'behind them' }]))
    expect(await detector.snapshot()).toEqual(await same.snapshot())
    expect(host.restarts).toBe(1)
  })

  test('a query that ends workers is refused after the second, and takes no other with it', async () => {
    const setup = start(
      {},
      withEmbedder((text) => {
        if (text === 'poison') setTimeout(() => setup.kill())
        return text === 'poison' ? new Promise(() => {}) : vectorOf(text)
      }),
    )
    const detector = setup.host.getDetector('text_similarity')
    const inputs = ['one', 'two', 'poison', 'three', 'four']
    const settled = await Promise.allSettled(inputs.map((input) => detector.process({ input })))
    expect(outcomes(settled)).toEqual(['done', 'done', 'worker_lost', 'done', 'done'])
    expect(setup.host.restarts).toBe(2)
    expect(await detector.describe()).toMatchObject({ historySize: 4 })
  })

  test('a query in flight whose pixels were given away cannot be sent again, and is refused', async () => {
    const { host, kill } = start()
    const detector = host.getDetector('image_repetition')
    const picture = () => ({ data: new Uint8Array(100), width: 10, height: 10, channels: 1 as const })
    await detector.process({ input: picture() })
    const given = detector.process({ input: picture() }, { transfer: true })
    const kept = detector.process({ input: picture() })
    await Promise.resolve()
    kill()
    expect(outcomes(await Promise.allSettled([given, kept]))).toEqual(['worker_lost', 'done'])
  })

  test('a call made while a new worker starts waits for it', async () => {
    const { host, kill } = start()
    const detector = host.getDetector('text_repetition')
    await detector.process({ input: 'a' })
    kill()
    expect(await detector.process({ input: 'a' })).toMatchObject({ score: 2 })
  })

  test('several deaths in a row lose nothing, not even while the state is being restored', async () => {
    const { host, workers, kill } = start()
    const detector = host.getDetector('text_repetition')
    for (let n = 1; n <= 4; n++) {
      expect(await detector.process({ input: 'a' })).toMatchObject({ score: n })
      kill()
      await vi.waitUntil(() => workers.length === 2 * n, { interval: 1 })
      kill()
    }
    expect(host.restarts).toBe(8)
  })

  test('several detectors and a monitor come back, each with its own state', async () => {
    const { host, kill } = start({ snapshotEvery: 2 })
    const one = host.getDetector('text_repetition', { threshold: 2 })
    const two = host.getDetector('tabular_repetition')
    const monitor = await host.createMonitor({ detectors: ['text_repetition'] })
    for (let n = 0; n < 3; n++) {
      await one.process({ input: 'x' })
      await two.process({ input: { age: 3 } })
      await monitor.inspect({ input: 'x', client: 'c' })
    }
    kill()
    expect(await one.process({ input: 'x' })).toMatchObject({ score: 4, threshold: 2 })
    expect(await two.process({ input: { age: 3 } })).toMatchObject({ score: 4, threshold: 5 })
    expect((await monitor.inspect({ input: 'x', client: 'c' })).detections[0]).toMatchObject({ score: 4 })
    expect((await monitor.describe()).counts.queries).toBe(4)
  })

  test('a detector that was disposed does not come back', async () => {
    const { host, workers, kill } = start()
    const gone = host.getDetector('text_repetition')
    const kept = host.getDetector('text_repetition')
    await gone.process({ input: 'a' })
    await kept.process({ input: 'a' })
    await gone.dispose()
    await gone.dispose()
    kill()
    await kept.process({ input: 'a' })
    expect(workers[1]!.replays).toEqual([1])
    await expect(gone.process({ input: 'a' })).rejects.toEqual(refusal('disposed'))
  })

  test('a detector whose worker dies before it was made is made in the next', async () => {
    let made = 0
    const host = startWorker(() => {
      made++
      const worker = fakeWorker(made === 1 ? () => {} : (port) => serveWorker(port as never))
      if (made === 1) setTimeout(() => worker.fail('killed by the test'), 5) // it never answers
      return worker
    })
    open.add(() => host.dispose())
    const first = host.getDetector('text_repetition').process({ input: 'a' })
    expect(await first).toMatchObject({ score: 1 })
    expect(host.restarts).toBe(1)
  })
})

describe('starting again', () => {
  test('is tried at growing distances and given up, with a message that says so', async () => {
    const times: number[] = []
    const host = startWorker(
      () => {
        times.push(performance.now())
        const worker = fakeWorker(() => {})
        setTimeout(() => worker.fail(''), 1)
        return worker
      },
      { maxRestarts: 3 },
    )
    await expect(host.getDetector('repetition').process({ input: 'a' })).rejects.toThrow(
      'the worker failed: its script could not be loaded; gave up after 3 restarts in a row',
    )
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(times.length).toBe(4)
    const gaps = times.slice(1).map((time, i) => time - times[i]!)
    for (const [i, least] of [20, 40, 80].entries()) expect(gaps[i]).toBeGreaterThan(least - 2)
    await expect(host.createMonitor({ detectors: ['repetition'] })).rejects.toEqual(refusal('worker_lost'))
  })

  test('an answer in between starts the counting again', async () => {
    const { host, kill } = start({ maxRestarts: 2 })
    const detector = host.getDetector('text_repetition')
    for (let n = 1; n <= 5; n++) {
      expect(await detector.process({ input: 'a' })).toMatchObject({ score: n })
      kill()
    }
    expect(host.restarts).toBe(5)
  })

  test('is told, with the reason', async () => {
    const told: unknown[] = []
    const { host, kill } = start({ onRestart: (event) => told.push(event) })
    await host.getDetector('text_repetition').process({ input: 'a' })
    kill()
    expect(told).toEqual([{ reason: 'the worker failed: killed by the test', restarts: 1 }])
  })

  test('a maker that throws is worker_lost, with what it threw', async () => {
    const host = startWorker(
      () => {
        throw new TypeError('Worker is not defined')
      },
      { maxRestarts: 1 },
    )
    const call = host.getDetector('repetition').process({ input: 'a' })
    await expect(call).rejects.toEqual(refusal('worker_lost'))
    await expect(call).rejects.toThrow(/Worker is not defined/)
  })

  test('a worker that never answers is given up after startTimeoutMs', async () => {
    const host = startWorker(() => fakeWorker(() => {}), { startTimeoutMs: 20, maxRestarts: 1 })
    const call = host.getDetector('repetition').process({ input: 'a' })
    await expect(call).rejects.toEqual(refusal('worker_lost'))
    await expect(call).rejects.toThrow(/waited 20 ms for the first sign of life/)
  })

  test('something that is no function is refused', () => {
    expect(() => startWorker({} as never)).toThrow(refusal('bad_config', 'createWorker'))
  })
})

describe('the log of a detector', () => {
  test('is cut by a snapshot every 10 entries, so that a new worker replays at most a few', async () => {
    const { host, workers, kill } = start({ snapshotEvery: 10 })
    const detector = host.getDetector('text_repetition')
    for (const query of texts(1000)) await detector.process(query)
    kill()
    await detector.process({ input: 'a' })
    expect(workers[1]!.replays.every((entries) => entries <= 11)).toBe(true)
    expect((await detector.describe()).historySize).toBe(100)
  })

  test('may be longer before a large state, which is not copied every 10 entries', async () => {
    const serve = withEmbedder((text) => Array.from({ length: 64 }, (_, i) => text.length + i))
    const { host, workers, kill } = start({ snapshotEvery: 10 }, serve)
    const detector = host.getDetector('text_similarity', { maxHistorySize: 800 })
    await detector.processBatch(texts(800))
    await detector.snapshot()
    for (const query of texts(30)) await detector.process(query)
    kill()
    await detector.process({ input: 'a' })
    expect(workers[1]!.replays).toEqual([30])
    expect((await detector.describe()).historySize).toBe(800)
  })

  test('is cut by a large state, copied piece by piece while queries go on, at the moment it was asked for', async () => {
    const { host, kill } = start()
    const detector = host.getDetector('similarity', { maxHistorySize: 3000 })
    const same = getDetector('similarity', { maxHistorySize: 3000 })
    const vector = (seed: number) => Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i * seed + seed * seed))
    const rows = new Float32Array(2990 * 1024)
    for (let i = 0; i < 2990; i++) rows.set(vector(i + 1).subarray(0, 8), 1024 * i)
    const { version } = await same.snapshot()
    const large = { detector: 'similarity', version, state: { vectors: { dimension: 1024, rows }, incident: null } }
    await Promise.all([detector.restore(large), same.restore(large)])

    const snapshots = [detector.snapshot(), same.snapshot()]
    const queries = Array.from({ length: 30 }, (_, i) => ({ embedding: vector(i % 7) }))
    const verdicts = queries.map((query) => detector.process(query))
    const later = detector.reset().then(() => detector.restore(large))
    const [given, expected] = await Promise.all(snapshots)
    expect(Buffer.compare(bytesOf(given), bytesOf(expected))).toBe(0)
    expect(await Promise.all(verdicts)).toEqual(await Promise.all(queries.map((query) => same.process(query))))
    await later
    await detector.process({ embedding: vector(3) })
    kill()
    await same.restore(large)
    await same.process({ embedding: vector(3) })
    const [mine, theirs] = await Promise.all([detector.snapshot(), same.snapshot()])
    expect(Buffer.compare(bytesOf(mine), bytesOf(theirs))).toBe(0)
    expect(host.restarts).toBe(1)
  })

  test('forgets what came before a reset', async () => {
    const { host, workers, kill } = start()
    const detector = host.getDetector('text_repetition')
    await detector.processBatch(texts(20))
    await detector.reset()
    await detector.process({ input: 'a' })
    kill()
    expect(await detector.process({ input: 'a' })).toMatchObject({ score: 2, metadata: { historySize: 2 } })
    expect(workers[1]!.replays).toEqual([1])
  })

  test('goes on from a restored snapshot, also when the worker dies at once', async () => {
    const other = getDetector('text_repetition')
    await other.processBatch([{ input: 'b' }, { input: 'b' }, { input: 'b' }])
    const { host, kill } = start()
    const detector = host.getDetector('text_repetition')
    await detector.processBatch(texts(20))
    await detector.restore(await other.snapshot())
    kill()
    expect(await detector.process({ input: 'b' })).toMatchObject({ score: 4, metadata: { historySize: 4 } })
  })

  test('a large state is moved to the worker as a copy, read between its other calls, and before later ones', async () => {
    const { host, workers, kill } = start()
    const detector = host.getDetector('similarity', { maxHistorySize: 3000 })
    const other = host.getDetector('text_repetition')
    await Promise.all([detector.process({ embedding: new Float32Array(1024).fill(1) }), other.process({ input: 'a' })])
    const rows = Float32Array.from({ length: 2990 * 1024 }, (_, i) => (i * i) % 1009)
    const { version } = await detector.snapshot()
    const large = { detector: 'similarity', version, state: { vectors: { dimension: 1024, rows }, incident: null } }

    const settled: string[] = []
    const note = (what: string) => (value: unknown) => {
      settled.push(what)
      return value
    }
    const restored = detector.restore(large).then(note('restored'))
    const later = detector.process({ embedding: rows.slice(5 * 1024, 6 * 1024) }).then(note('later'))
    await other.process({ input: 'b' }).then(note('other'))
    expect(await later).toMatchObject({ metadata: { mostSimilarIndex: 5, historySize: 2990 } })
    await restored
    expect(settled).toEqual(['other', 'restored', 'later'])
    expect(rows.length).toBe(2990 * 1024)
    expect(workers[0]!.moved).toEqual([rows.byteLength])

    kill()
    expect(await detector.describe()).toMatchObject({ historySize: 2991 })
    expect(workers[1]!.moved[0]).toBe(rows.byteLength)
    rows[0] = Number.NaN
    await expect(detector.restore(large)).rejects.toEqual(refusal('bad_snapshot', 'state.vectors.rows'))
    expect(await detector.describe()).toMatchObject({ historySize: 2991 })
  })

  test('a bad snapshot is refused and the state kept, in the log too', async () => {
    const { host, kill } = start()
    const detector = host.getDetector('text_repetition')
    await detector.process({ input: 'a' })
    const wrong = { detector: 'similarity', version: 1, state: null }
    await expect(detector.restore(wrong)).rejects.toEqual(refusal('bad_snapshot', 'detector'))
    kill()
    expect(await detector.process({ input: 'a' })).toMatchObject({ score: 2 })
  })
})

describe('time', () => {
  test('a call that is not answered rejects with timeout, and what was acknowledged is kept', async () => {
    const { host } = start({ timeoutMs: 150 }, hanging)
    const detector = host.getDetector('text_similarity')
    await detector.process({ input: 'one' })
    const settled = await Promise.allSettled(['hang', 'two', 'three'].map((input) => detector.process({ input })))
    expect(outcomes(settled)).toEqual(['timeout', 'done', 'done'])
    expect(await detector.process({ input: 'one' })).toMatchObject({ metadata: { historySize: 3 } })
    expect(host.restarts).toBe(1)
  })

  test('a call behind many others is not late while these are answered', async () => {
    const slow = withEmbedder(async (text) => {
      await new Promise((resolve) => setTimeout(resolve, 60))
      return vectorOf(text)
    })
    const { host } = start({ timeoutMs: 300 }, slow)
    const detector = host.getDetector('text_similarity')
    await Promise.all(texts(64).map((query) => detector.process(query))) // 8 at a time: 480 ms
    expect(host.restarts).toBe(0)
  })
})

describe('aborting', () => {
  test('before the query is applied leaves the state as if it had never been asked', async () => {
    const { host } = start({}, hanging)
    const detector = host.getDetector('text_similarity')
    const fresh = await detector.snapshot()
    const control = new AbortController()
    const call = detector.process({ input: 'hang' }, { signal: control.signal })
    setTimeout(() => control.abort(), 20)
    await expect(call).rejects.toEqual(refusal('aborted'))
    expect(await detector.snapshot()).toEqual(fresh)
  })

  test('at any moment after the call either stops it or comes too late, and the state agrees', async () => {
    const { host } = start()
    const detector = host.getDetector('text_repetition')
    const settled: string[] = []
    for (let steps = 0; steps < 20; steps++) {
      const control = new AbortController()
      const call = detector.process({ input: 'a' }, { signal: control.signal })
      for (let i = 0; i < steps; i++) await Promise.resolve()
      control.abort()
      settled.push(...outcomes(await Promise.allSettled([call])))
    }
    expect(settled[0]).toBe('aborted')
    expect((await detector.describe()).historySize).toBe(settled.filter((one) => one === 'done').length)
  })

  test('before the call refuses it', async () => {
    const { host } = start()
    const call = host.getDetector('text_repetition').process({ input: 'a' }, { signal: AbortSignal.abort() })
    await expect(call).rejects.toEqual(refusal('aborted'))
  })

  test('a call of one detector leaves the calls of another alone', async () => {
    const { host } = start({}, hanging)
    const [one, two] = [host.getDetector('text_similarity'), host.getDetector('text_similarity')]
    const control = new AbortController()
    const first = one.process({ input: 'hang' }, { signal: control.signal })
    const second = two.process({ input: 'hang' })
    setTimeout(() => control.abort(), 20)
    await expect(first).rejects.toEqual(refusal('aborted'))
    const stillWaits = new Promise((resolve) => setTimeout(resolve, 30, 'waits'))
    expect(await Promise.race([second, stillWaits])).toBe('waits')
    host.dispose()
    await expect(second).rejects.toEqual(refusal('disposed'))
  })
})

describe('errors', () => {
  test('arrive with class, code, path and message', async () => {
    const { host } = start()
    const { MonitorError } = await import('../src/core/index.ts')
    const detector = host.getDetector('confidence')
    const inProcess = getDetector('confidence')
    for (const modelOutput of [[0.5, Number.NaN], [], [-1, 2]]) {
      const [here, there] = await Promise.all(
        [inProcess, detector].map((one) => one.process({ modelOutput }).catch((error) => error as Error)),
      )
      expect(there).toBeInstanceOf(MonitorError)
      expect(there).toEqual(here)
      expect((there as Error).message).toBe((here as Error).message)
    }
    expect((await detector.describe()).historySize).toBe(0)
  })

  test('of a plug-in carry its message', async () => {
    const failing = withEmbedder(() => {
      throw new RangeError('out of tokens')
    })
    const { host } = start({}, failing)
    const call = host.getDetector('text_similarity').process({ input: 'a' })
    await expect(call).rejects.toEqual(refusal('embedder_failed', 'embedder'))
    await expect(call).rejects.toThrow(/out of tokens/)
  })

  test('of a configuration come with the first call', async () => {
    const { host } = start()
    const detector = host.getDetector('text_repetition', { threshold: 0 })
    await expect(detector.process({ input: 'a' })).rejects.toEqual(refusal('bad_config', 'text_repetition.threshold'))
    const unknown = host.loadDetector({ name: 'text_repetitoin' })
    await expect(unknown.describe()).rejects.toThrow(/did you mean 'text_repetition'/)
    await expect(host.createMonitor({ detectors: [] })).rejects.toEqual(refusal('bad_config'))
  })

  test('a function in a configuration is refused at once, with the remedy', () => {
    const { host } = start()
    const make = () => host.getDetector('text_similarity', { embedder: () => [1] })
    expect(make).toThrow(refusal('bad_config', 'text_similarity.embedder'))
    expect(make).toThrow(/serveWorker\(self, \{ configure \}\)/)
  })

  test('what cannot be cloned is a bad query; metadata is not sent at all', async () => {
    const { host } = start()
    const detector = host.getDetector('text_repetition')
    await expect(detector.process({ input: (() => 'a') as never })).rejects.toEqual(refusal('bad_query'))
    expect(await detector.process({ input: 'a', metadata: { tell: () => 'a' } })).toMatchObject({ score: 1 })
  })

  test('in a batch it is all or nothing, and the path names the place', async () => {
    const { host } = start()
    const detector = host.getDetector('text_repetition')
    await detector.process({ input: 'a' })
    const batch = detector.processBatch([{ input: 'a' }, { input: 3 as never }])
    await expect(batch).rejects.toEqual(refusal('bad_query', '[1].input'))
    expect(await detector.process({ input: 'a' })).toMatchObject({ score: 2 })
  })
})

describe('limits', () => {
  test('a call above maxPending is refused as overloaded, and a later one is not', async () => {
    const { host } = start({ maxPending: 3 })
    const detector = host.getDetector('text_repetition')
    const calls = texts(5).map((query) => detector.process(query))
    expect(outcomes(await Promise.allSettled(calls))).toEqual(['done', 'done', 'done', 'overloaded', 'overloaded'])
    expect(await detector.process({ input: 'new' })).toMatchObject({ score: 1, metadata: { historySize: 4 } })
  })

  test('maxPending is the only limit: two thousand calls at once pass if it allows them', async () => {
    const { host } = start({ maxPending: 2000 })
    const detector = host.getDetector('text_repetition')
    const results = await Promise.all(texts(2000).map((query) => detector.process(query)))
    expect(results.length).toBe(2000)
  })
})

describe('pixels in shared memory', () => {
  const picture = (side: number) => ({
    data: Uint8ClampedArray.from({ length: side * side * 4 }, (_, i) => (i * i) % 251),
    width: side,
    height: side,
    channels: 4 as const,
  })
  /** Kinds of the buffers of all pictures that were sent. */
  const sent = () =>
    posted.flatMap(({ verb, given }) => {
      if (verb !== 'process') return []
      const queries = unpackQueries(given[2] as PackedQueries) as { input: ReturnType<typeof picture> }[]
      return queries.map(({ input }) => Object.prototype.toString.call(input.data.buffer).slice(8, -1))
    })

  test('give the same verdicts, and are read as they were when the call was made', async () => {
    vi.stubGlobal('crossOriginIsolated', true)
    const [sharing, copying] = [start({ shareMemory: true }).host, start().host]
    for (const name of ['image_repetition', 'image_similarity', 'content_fingerprint'] as const) {
      const [ours, theirs] = [sharing.getDetector(name), copying.getDetector(name)]
      for (const side of [64, 80, 80]) {
        const input = picture(side)
        const call = ours.process({ input })
        input.data.fill(0)
        expect(await call).toEqual(await theirs.process({ input: picture(side) }))
      }
    }
    expect(new Set(sent())).toEqual(new Set(['SharedArrayBuffer', 'ArrayBuffer']))
  })

  test('serve a monitor as well, and outlive the worker that was to read them', async () => {
    vi.stubGlobal('crossOriginIsolated', true)
    const { host, kill } = start({ shareMemory: true })
    const monitor = await host.createMonitor({ detectors: ['image_repetition'] })
    const first = await monitor.inspect({ input: picture(80) })
    const call = monitor.inspect({ input: picture(80) })
    kill()
    expect(first.detections[0]!.score).toBe(1)
    expect((await call).detections[0]!.score).toBe(2)
    expect(new Set(sent())).toEqual(new Set(['SharedArrayBuffer']))
  })

  test('are copied where the page is not isolated, where nobody asked for it, and where they are small', async () => {
    for (const [isIsolated, shareMemory, side] of [
      [false, true, 80],
      [undefined, true, 80],
      [true, false, 80],
      [true, true, 8],
    ] as const) {
      vi.stubGlobal('crossOriginIsolated', isIsolated)
      const { host } = start({ shareMemory })
      expect(await host.getDetector('image_repetition').process({ input: picture(side) })).toMatchObject({ score: 1 })
    }
    expect(sent()).toEqual(['ArrayBuffer', 'ArrayBuffer', 'ArrayBuffer', 'ArrayBuffer'])
  })
})

describe('pixels', () => {
  const image = () => ({
    data: Uint8Array.from({ length: 64 * 64 }, (_, i) => i % 251),
    width: 64,
    height: 64,
    channels: 1 as const,
  })

  test('stay with the caller by default and are gone after transfer', async () => {
    const { host } = start()
    const detector = host.getDetector('image_repetition')
    const kept = image()
    const given = image()
    expect(await detector.process({ input: kept })).toMatchObject({ score: 1 })
    expect(await detector.process({ input: given }, { transfer: true })).toMatchObject({ score: 2 })
    expect(kept.data).toEqual(image().data)
    expect(given.data.byteLength).toBe(0)
  })

  test('may be changed as soon as the call was made', async () => {
    const { host } = start()
    const detector = host.getDetector('image_repetition')
    const input = image()
    const call = detector.process({ input })
    input.data.fill(0)
    const [first] = await Promise.all([call])
    expect(await detector.process({ input: image() })).toMatchObject({
      score: 2,
      metadata: first.metadata && { count: 2 },
    })
  })
})

describe('a port', () => {
  test('is as good as a worker, but cannot be started again', async () => {
    const { port1, port2 } = new MessageChannel()
    serveWorker(port2 as never)
    open.add(() => port1.close())
    const host = attach(port1 as never)
    const detector = host.getDetector('text_repetition')
    expect(await detector.process({ input: 'a' })).toMatchObject({ score: 1 })
    port2.close()
    await new Promise((resolve) => setTimeout(resolve, 10))
    const call = detector.process({ input: 'a' })
    await expect(call).rejects.toEqual(refusal('worker_lost'))
    await expect(call).rejects.toThrow(/a port cannot be started again/)
  })
})

describe('dispose', () => {
  test('refuses calls in flight and later ones, and starts nothing again', async () => {
    const { host, workers } = start({}, hanging)
    const detector = host.getDetector('text_similarity')
    await detector.process({ input: 'a' })
    const inFlight = detector.process({ input: 'hang' })
    setTimeout(() => host.dispose(), 5)
    await expect(inFlight).rejects.toEqual(refusal('disposed'))
    await expect(detector.process({ input: 'a' })).rejects.toEqual(refusal('disposed'))
    await detector.dispose()
    host.dispose()
    expect(workers.length).toBe(1)
  })

  test('at any moment around a call gives disposed and no other error', async () => {
    for (let steps = 0; steps < 12; steps++) {
      const { host } = start()
      const detector = host.getDetector('text_repetition')
      await detector.describe()
      const call = detector.process({ input: 'a' })
      for (let i = 0; i < steps; i++) await Promise.resolve()
      host.dispose()
      await expect(call, `after ${steps} steps`).rejects.toEqual(refusal('disposed'))
    }
  })
})

describe('a monitor in a worker', () => {
  const config: MonitorConfig = {
    detectors: [{ name: 'text_repetition', threshold: 2 }],
    policy: { mode: 'enforce', throttleAt: 1, suspendAt: 2, suspendForMs: 1000, fadePerMinute: 0 },
  }
  const attack = (timeMs: number) => ({ input: 'same', client: 'mallory', timeMs })

  test('gives the verdicts and events of one in process', async () => {
    const { host } = start()
    const seen: { there: unknown[]; here: unknown[] } = { there: [], here: [] }
    const there = await host.createMonitor({ ...config, onEvent: (event) => seen.there.push(event) })
    const here = createMonitor({ ...config, onEvent: (event) => seen.here.push(event) })
    for (const monitor of [there, here]) {
      for (let t = 0; t < 6; t++) await monitor.inspect(attack(t))
      await monitor.inspectBatch([{ input: 'x', timeMs: 7 }, attack(8)])
    }
    expect(seen.there).toEqual(seen.here)
    expect(seen.here.length).toBeGreaterThan(8)
    expect(there.policy).toEqual(here.policy)
    expect(await there.clients()).toEqual(await here.clients())
  })

  test('admit knows of a suspension without asking, also after the worker died', async () => {
    const { host, kill } = start()
    const monitor = await host.createMonitor(config)
    expect(monitor.admit('mallory', 0)).toEqual({ allowed: true })
    for (let t = 0; t < 3; t++) await monitor.inspect(attack(t))
    const refused = { allowed: false, suspendedUntilMs: 1002 }
    expect(monitor.admit('mallory', 3)).toEqual(refused)
    kill()
    expect(monitor.admit('mallory', 3)).toEqual(refused)
    await monitor.describe()
    expect(monitor.admit('mallory', 3)).toEqual(refused)
    expect(monitor.admit('alice', 3)).toEqual({ allowed: true })
    expect(monitor.admit('mallory', 1002)).toEqual({ allowed: true })
  })

  test('suspend and release by hand are in the log too', async () => {
    let timeMs = 10
    const { host, kill } = start()
    const monitor = await host.createMonitor(config, { now: () => timeMs })
    await monitor.suspend('bob', 50)
    await monitor.suspend('eve')
    await monitor.release('eve')
    kill()
    await monitor.describe()
    expect(monitor.admit('bob')).toEqual({ allowed: false, suspendedUntilMs: 60 })
    expect(monitor.admit('eve')).toEqual({ allowed: true })
    timeMs = 60
    expect(monitor.admit('bob')).toEqual({ allowed: true })
  })

  test('admit follows a restored snapshot and a reset', async () => {
    const here = createMonitor(config, { now: () => 0 })
    await here.suspend('bob', 50)
    const { host } = start()
    const there = await host.createMonitor(config)
    await there.restore(await here.snapshot())
    expect(there.admit('bob', 0)).toEqual({ allowed: false, suspendedUntilMs: 50 })
    await there.reset()
    expect(there.admit('bob', 0)).toEqual({ allowed: true })
  })
})

function bytesOf({ state }: { readonly state: unknown } = { state: null }): Buffer {
  const { rows } = (state as { vectors: { rows: Float32Array } }).vectors
  return Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)
}
