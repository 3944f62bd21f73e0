/** Monitors that remember: restarts, faults of the store, several writers of one log. */
import { describe, expect, test, vi } from 'vitest'
import { fitHardness, fitShift, listDetectors, MonitorError, toBytes, toFrame } from '../src/core/index.ts'
import type { Entry, Verdict } from '../src/core/monitor/index.ts'
import {
  type DurableOptions,
  decodeEntry,
  durableMonitor,
  encodeEntry,
  type JournalEvent,
  memoryStores,
  type Stores,
} from '../src/edge/index.ts'
import {
  createMonitor,
  createMonitorEngine,
  type Monitor,
  type MonitorHostEvent,
  type Query,
} from '../src/embed/index.ts'
import { faultyStores } from './tools/faultyStores.ts'
import { distribution, random } from './tools/random.ts'
import { queries, WATCHED } from './tools/stream.ts'

type Options = Partial<DurableOptions>

function open(stores: Stores, options: Options = {}) {
  return durableMonitor(createMonitorEngine(WATCHED), { stores, retryMs: 5, ...options })
}

/** The verdicts of a monitor that nothing ever happens to. */
async function undisturbed(stream: readonly Query[]): Promise<Verdict[]> {
  return createMonitor(WATCHED).inspectBatch(stream)
}

async function stateOf(monitor: Monitor): Promise<Uint8Array> {
  return toBytes(await monitor.snapshot())
}

async function isHealthy(monitor: Awaited<ReturnType<typeof open>>): Promise<void> {
  await vi.waitFor(() => expect(monitor.journal().state).toBe('open'), { timeout: 20_000, interval: 2 })
}

/** Without the note that it is not written yet. */
function judgement({ errors, ...verdict }: Verdict): object {
  return { ...verdict, errors: errors.filter(({ code }) => code !== 'store_failed') }
}

const STREAM = queries(7, 240)

/** What detectors have to be told that know nothing of honest traffic. */
function told(): Readonly<Record<string, object>> {
  const next = random(32)
  const clients = Array.from({ length: 20 }, () => Array.from({ length: 20 }, () => distribution(next, 3, 4)))
  const answers = clients.map((client) => client.map((probabilities) => ({ probabilities })))
  const fit = { queries: 10, alpha: 0.1 }
  return {
    hardness_histogram: { reference: fitHardness(answers, fit) },
    distribution_shift: {
      reference: fitShift(clients, { ...fit, references: 20, frequencies: 16 }),
      embedder: (input: { readonly data: Uint8Array }) => Array.from(input.data.subarray(1, 4)),
    },
  }
}
const TOLD = told()

describe('a durable monitor', () => {
  test('gives the verdicts of one in memory', async () => {
    const monitor = await open(memoryStores())
    const verdicts: Verdict[] = []
    for (const query of STREAM) verdicts.push(await monitor.inspect(query))
    expect(verdicts).toEqual(await undisturbed(STREAM))
    expect(new Set(verdicts.map(({ action }) => action))).toEqual(new Set(['allow', 'flag', 'throttle', 'suspend']))
  })

  test.each([1, 7, 1000])(
    'goes on after each query as if it had never stopped, with a snapshot every %i',
    async (every) => {
      const stores = memoryStores()
      const verdicts: Verdict[] = []
      for (const query of STREAM) {
        const monitor = await open(stores, { snapshotEvery: every }) // the one before is never closed: it was killed
        verdicts.push(await monitor.inspect(query))
      }
      expect(verdicts).toEqual(await undisturbed(STREAM))
    },
  )

  test.each(listDetectors().map(({ name, modality }) => ({ name, modality })))(
    'remembers what $name has seen',
    async ({ name, modality }) => {
      const next = random(31)
      const stream = Array.from({ length: 24 }, (_, i): Query => {
        const step = i % 5
        const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, k) => (k * (step + 3)) & 255)
        const image = { data, width: 16, height: 16, channels: 3 }
        const tabular = { age: step, city: `c${step % 2}` }
        const inputs = { any: image, text: `question ${step}`, tabular, image }
        return { input: inputs[modality], modelOutput: distribution(next, 3, 4), client: 'a', timeMs: 1000 + 40 * i }
      })
      const config = { detectors: [{ name, ...(TOLD[name] ?? {}) }] }
      const engine = () => createMonitorEngine(config)
      const expected = await createMonitor(config).inspectBatch(stream)
      expect(expected.some(({ detections }) => detections.length > 0)).toBe(true)
      const stores = memoryStores()
      const verdicts: Verdict[] = []
      for (const [i, query] of stream.entries()) {
        const monitor = await durableMonitor(engine(), { stores })
        verdicts.push(await monitor.inspect(query))
        if (i % 7 === 6) await monitor.compact()
      }
      expect(verdicts).toEqual(expected)
    },
  )

  test('writes waiting entries together, and answers in the order of the calls', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const monitor = await open(stores)
    const settled: number[] = []
    faults.append = 'hang'
    const asked = STREAM.map(async (query, i) => {
      const verdict = await monitor.inspect(query)
      settled.push(i)
      return verdict
    })
    await vi.waitFor(() => expect(monitor.journal().waiting).toBe(STREAM.length - 1))
    faults.append = 'ok'
    faults.release()
    const verdicts = await Promise.all(asked)
    expect(settled).toEqual(STREAM.map((_, i) => i))
    expect(verdicts).toEqual(await undisturbed(STREAM))
    expect(faults.batches.length).toBeLessThanOrEqual(3) // a write has at most 512 KiB
    expect(faults.batches.reduce((sum, count) => sum + count, 0)).toBe(STREAM.length)
  })

  test('answers nothing before it is written', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const monitor = await open(stores)
    faults.append = 'hang'
    let isAnswered = false
    const asked = monitor.inspect(STREAM[0]!).then(() => {
      isAnswered = true
    })
    await vi.waitFor(() => expect(faults.batches).toHaveLength(1))
    expect(isAnswered).toBe(false)
    faults.release()
    await asked
  })

  test('keeps features only: no text and no metadata is in the store', async () => {
    const stores = memoryStores()
    const monitor = await open(stores)
    await monitor.inspect({ input: 'a very secret text', modelOutput: [0.5, 0.5], metadata: { key: 'hidden' } })
    await monitor.compact()
    await monitor.inspect({ input: 'a very secret text', modelOutput: [0.5, 0.5], metadata: { key: 'hidden' } })
    const saved = await stores.snapshots.load()
    const parts = [saved!.bytes]
    for await (const { bytes } of stores.log.read('')) parts.push(bytes)
    expect(parts).toHaveLength(2)
    for (const bytes of parts) expect(Buffer.from(bytes).toString('latin1')).not.toMatch(/secret|hidden/)
  })

  test('cuts the log behind a snapshot, and tells how it stands', async () => {
    const stores = memoryStores()
    const monitor = await open(stores, { snapshotEvery: 50 })
    await monitor.inspectBatch(STREAM)
    await vi.waitFor(() => expect(monitor.journal().snapshots).toBeGreaterThan(0))
    await monitor.compact()
    expect(monitor.journal()).toMatchObject({ state: 'open', entries: 0, bytes: 0, waiting: 0, failures: 0 })
    expect(await stores.log.trimmed()).toBe(monitor.journal().position)
    await monitor.dispose()
    expect(monitor.journal().state).toBe('closed')
    await expect(monitor.inspect(STREAM[0]!)).rejects.toMatchObject({ code: 'disposed' })
  })

  test('remembers what an operator did, and forgets clients that were not seen for long', async () => {
    const stores = memoryStores()
    let nowMs = 1000
    const now = () => nowMs
    const first = await open(stores, { now })
    await first.inspect({ input: 'x', modelOutput: [1, 0], client: 'old' })
    await first.suspend('bad', 5000)
    await first.suspend('good', 5000)
    await first.release('good')
    const second = await open(stores, { now })
    expect(second.admit('bad')).toEqual({ allowed: false, suspendedUntilMs: 6000 })
    expect(second.admit('good')).toEqual({ allowed: true })
    nowMs = 9000
    await second.inspect({ input: 'y', modelOutput: [1, 0], client: 'new' })
    await second.expire(4000)
    const third = await open(stores, { now })
    expect((await third.clients()).map(({ id }) => id)).toEqual(['new'])
    expect((await third.describe()).counts.evictions).toBe(0)
  })

  test('writes a restored and a reset state before it says so', async () => {
    const stores = oneWriter(memoryStores())
    const first = await open(stores)
    await first.inspectBatch(STREAM.slice(0, 50))
    const kept = await first.snapshot()
    await first.inspectBatch(STREAM.slice(50, 90))
    await first.restore(kept)
    const second = await open(stores)
    expect(await second.inspectBatch(STREAM.slice(50))).toEqual((await undisturbed(STREAM)).slice(50))
    await second.reset()
    const third = await open(stores)
    expect(await third.inspectBatch(STREAM)).toEqual(await undisturbed(STREAM))
  })

  test('keeps the old state when a new one cannot be written', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const monitor = await open(stores)
    await monitor.inspectBatch(STREAM.slice(0, 50))
    const before = await stateOf(monitor)
    for (const save of ['fail', 'after'] as const) {
      faults.save = save
      await expect(monitor.reset()).rejects.toMatchObject({ code: 'store_failed' })
      expect(await stateOf(monitor)).toEqual(before)
      faults.save = 'ok'
      await isHealthy(monitor)
      const again = await open(stores)
      expect(await stateOf(again)).toEqual(before)
    }
  })

  test('a snapshot that cannot be written leaves a longer log', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const events: string[] = []
    const monitor = await open(stores, { snapshotEvery: 10, onEvent: ({ kind }) => events.push(kind) })
    faults.save = 'fail'
    const verdicts: Verdict[] = []
    for (const query of STREAM.slice(0, 60)) verdicts.push(await monitor.inspect(query))
    expect(verdicts).toEqual(await undisturbed(STREAM.slice(0, 60)))
    expect(monitor.journal().snapshotFailures).toBeGreaterThan(0)
    expect(events).toContain('snapshot_failed')
    await expect(monitor.compact()).rejects.toMatchObject({ code: 'store_failed' })
    const again = await open(stores)
    expect(await stateOf(again)).toEqual(await stateOf(monitor))
  })

  test('an entry that is too large for the store is refused, and no other', async () => {
    const { stores } = faultyStores(memoryStores())
    const monitor = await open(stores)
    const many = Array.from({ length: 20_000 }, () => 1 / 20_000)
    await expect(monitor.inspect({ input: 'x', modelOutput: many })).rejects.toMatchObject({
      code: 'bad_query',
      path: 'entry',
    })
    expect((await monitor.inspect(STREAM[0]!)).errors).toEqual([])
  })

  test('one more than may wait is overloaded', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const monitor = await open(stores, { maxWaiting: 3 })
    faults.append = 'hang'
    const asked = STREAM.slice(0, 6).map((query) =>
      monitor.inspect(query).then(
        () => 'ok',
        ({ code }) => code,
      ),
    )
    await vi.waitFor(() => expect(faults.batches).toHaveLength(1))
    await new Promise((resolve) => setTimeout(resolve, 20))
    faults.append = 'ok'
    faults.release()
    expect(await Promise.all(asked)).toEqual(['ok', 'ok', 'ok', 'ok', 'overloaded', 'overloaded'])
  })

  test('what a listener throws stops nothing', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const thrown: unknown[] = []
    const listener = (error: unknown) => thrown.push(error)
    process.prependListener('uncaughtException', listener)
    const others = process.listeners('uncaughtException').filter((one) => one !== listener)
    for (const other of others) process.removeListener('uncaughtException', other)
    try {
      const monitor = await open(stores, {
        onEvent(event) {
          if (event.kind === 'store_failed') throw new Error('mine')
        },
      })
      faults.append = 'fail'
      await expect(monitor.inspect(STREAM[0]!)).rejects.toMatchObject({ code: 'store_failed' })
      faults.append = 'ok'
      await isHealthy(monitor)
      await monitor.inspect(STREAM[0]!)
      expect(thrown).toHaveLength(1)
    } finally {
      for (const other of others) process.on('uncaughtException', other)
      process.removeListener('uncaughtException', listener)
    }
  })
})

/** Memory as a store of one writer. */
function oneWriter(stores: Stores): Stores {
  return faultyStores(stores).stores
}

describe('a store that fails, under `closed`', () => {
  test.each(['fail', 'after'] as const)(
    '(%s) refuses, learns nothing that is not in the log, and goes on by itself',
    async (kind) => {
      const inner = memoryStores()
      const { stores, faults } = faultyStores(inner)
      const events: (MonitorHostEvent | JournalEvent)[] = []
      const monitor = await open(stores, { onError: 'closed', onEvent: (event) => events.push(event) })
      await monitor.inspectBatch(STREAM.slice(0, 40))
      faults.append = kind
      const refused = STREAM.slice(40, 50).map((query) => monitor.inspect(query))
      for (const one of refused) await expect(one).rejects.toMatchObject({ code: 'store_failed' })
      expect(monitor.journal()).toMatchObject({ state: 'failing', refused: 10, unsaved: 0 })
      await expect(monitor.compact()).rejects.toMatchObject({ code: 'store_failed' })
      faults.append = 'ok'
      await isHealthy(monitor)
      await monitor.inspectBatch(STREAM.slice(50, 90))
      // What a replay of the log gives is the state in memory, whatever was written of the refused ones.
      expect(await stateOf(await open(inner))).toEqual(await stateOf(monitor))
      expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['store_failed', 'store_recovered']))
      if (kind === 'fail') {
        const rest = [...STREAM.slice(0, 40), ...STREAM.slice(50, 90)]
        const plain = createMonitor(WATCHED)
        await plain.inspectBatch(rest)
        expect(await stateOf(monitor)).toEqual(await stateOf(plain))
      }
    },
  )

  test('a late one is given up, and what it wrote after all is in the state', async () => {
    const inner = memoryStores()
    const { stores, faults } = faultyStores(inner)
    const monitor = await open(stores, { timeoutMs: 20 })
    await monitor.inspect(STREAM[0]!)
    faults.append = 'hang'
    await expect(monitor.inspect(STREAM[1]!)).rejects.toThrow(/within 20 ms/)
    await expect(monitor.inspect(STREAM[2]!)).rejects.toMatchObject({ code: 'store_failed' })
    faults.append = 'ok'
    await new Promise((resolve) => setTimeout(resolve, 30)) // the late call is still out: nothing is tried beside it
    expect(monitor.journal().state).toBe('failing')
    faults.release()
    await isHealthy(monitor)
    await monitor.inspect(STREAM[3]!)
    const plain = createMonitor(WATCHED)
    await plain.inspectBatch([STREAM[0]!, STREAM[1]!, STREAM[3]!])
    expect(await stateOf(monitor)).toEqual(await stateOf(plain))
    expect(await stateOf(await open(inner))).toEqual(await stateOf(monitor))
  })
})

describe('a store that fails, under `open`', () => {
  test.each(['fail', 'after'] as const)(
    '(%s) lets the verdicts come from memory, which say so, and is caught up with',
    async (kind) => {
      const inner = memoryStores()
      const { stores, faults } = faultyStores(inner)
      const monitor = await open(stores, { onError: 'open' })
      const verdicts = await monitor.inspectBatch(STREAM.slice(0, 40))
      faults.append = kind
      const unsaved: Verdict[] = []
      for (const query of STREAM.slice(40, 80)) unsaved.push(await monitor.inspect(query))
      for (const { errors } of unsaved) expect(errors.at(-1)).toMatchObject({ code: 'store_failed', path: 'store' })
      expect(monitor.journal()).toMatchObject({ state: 'failing', refused: 0, unsaved: 40 })
      faults.append = 'ok'
      await isHealthy(monitor)
      const rest = await monitor.inspectBatch(STREAM.slice(80))
      expect([...verdicts, ...unsaved, ...rest].map(judgement)).toEqual((await undisturbed(STREAM)).map(judgement))
      expect(rest.every(({ errors }) => errors.every(({ code }) => code !== 'store_failed'))).toBe(true)
      expect(await stateOf(await open(inner))).toEqual(await stateOf(monitor))
    },
  )

  test('what finds no room to wait is kept by a snapshot', async () => {
    const inner = memoryStores()
    const { stores, faults } = faultyStores(inner)
    const monitor = await open(stores, { onError: 'open', maxBacklogBytes: 2000 })
    faults.append = 'fail'
    await monitor.inspectBatch(STREAM.slice(0, 100))
    expect(monitor.journal().lost).toBeGreaterThan(0)
    faults.append = 'ok'
    await isHealthy(monitor)
    expect(await stateOf(await open(inner))).toEqual(await stateOf(monitor))
  })

  test('fails again and again before it answers', async () => {
    const inner = memoryStores()
    const { stores, faults } = faultyStores(inner)
    const monitor = await open(stores, { onError: 'open', timeoutMs: 30 })
    const verdicts: Verdict[] = []
    for (const [i, query] of STREAM.entries()) {
      faults.append = (['ok', 'ok', 'fail', 'after', 'ok'] as const)[Math.floor(i / 3) % 5]!
      faults.read = i % 11 === 0 ? 'fail' : 'ok'
      verdicts.push(await monitor.inspect(query))
      if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    faults.append = 'ok'
    faults.read = 'ok'
    await isHealthy(monitor)
    expect(verdicts.map(judgement)).toEqual((await undisturbed(STREAM)).map(judgement))
    expect(await stateOf(await open(inner))).toEqual(await stateOf(monitor))
  })

  test('a store that is never reached again does not hold up closing', async () => {
    const { stores, faults } = faultyStores(memoryStores())
    const monitor = await open(stores, { onError: 'open' })
    faults.append = 'fail'
    await monitor.inspect(STREAM[0]!)
    await monitor.dispose()
    expect(monitor.journal().state).toBe('closed')
  })
})

describe('a log of several writers', () => {
  test('gives all of them one state, in the order of the log', async () => {
    const stores = memoryStores()
    const replicas = await Promise.all([open(stores), open(stores), open(stores)])
    const verdicts = await Promise.all(STREAM.map((query, i) => replicas[i % 3]!.inspect(query)))
    for (const replica of replicas) await replica.follow()
    const states = await Promise.all(replicas.map(stateOf))
    expect(states[1]).toEqual(states[0])
    expect(states[2]).toEqual(states[0])
    // Each verdict is that of one monitor that was asked in the order of the log.
    const inOrder: string[] = []
    for await (const { bytes, position } of stores.log.read('')) {
      inOrder.push((decodeEntry(bytes, position).entry as { id: string }).id)
    }
    const byId = new Map(verdicts.map((verdict) => [verdict.id, verdict]))
    const expected = await undisturbed(inOrder.map((id) => STREAM.find((query) => query.id === id)!))
    expect(inOrder.map((id) => byId.get(id))).toEqual(expected)
  })

  test('tells of what others have caused', async () => {
    const stores = memoryStores()
    const heard: string[] = []
    const [writer, listener] = [await open(stores), await open(stores, { onEvent: ({ kind }) => heard.push(kind) })]
    await writer.suspend('bad', 1e9)
    expect(listener.admit('bad')).toEqual({ allowed: true })
    await listener.follow()
    expect(listener.admit('bad').allowed).toBe(false)
    expect(heard).toEqual(['suspended'])
  })

  test('one that fell behind the trimmed part starts from the snapshot', async () => {
    const stores = memoryStores()
    const [fast, slow] = [await open(stores, { snapshotEvery: 20 }), await open(stores)]
    await slow.inspect(STREAM[0]!)
    for (const query of STREAM.slice(1, 100)) await fast.inspect(query)
    await fast.compact()
    const verdicts = [await slow.inspect(STREAM[100]!), await slow.inspect(STREAM[101]!)]
    expect(verdicts).toEqual((await undisturbed(STREAM.slice(0, 102))).slice(100))
  })

  test.each([
    ['passes over the gap', undefined],
    ['tells of the gap', new MonitorError('bad_snapshot', 'entry 2 is missing', 'log')],
  ])(
    'one in front of which the log is cut as it begins to read, from a store that %s, starts from the snapshot too',
    async (_, gap) => {
      const stores = memoryStores()
      const nothing = async () => {}
      let beforeRead = nothing
      const log = {
        ...stores.log,
        async *read(after: string) {
          const isCut = beforeRead !== nothing
          await beforeRead()
          if (isCut && gap !== undefined) throw gap
          yield* stores.log.read(after)
        },
      }
      const [fast, slow] = [await open(stores), await open({ ...stores, log })]
      await slow.inspect(STREAM[0]!)
      for (const query of STREAM.slice(1, 50)) await fast.inspect(query)
      beforeRead = async () => {
        beforeRead = nothing
        await fast.compact()
        await fast.inspect(STREAM[50]!)
      }
      const verdicts = [await slow.inspect(STREAM[51]!), await slow.inspect(STREAM[52]!)]
      expect(verdicts).toEqual((await undisturbed(STREAM.slice(0, 53))).slice(51))
      await fast.follow()
      expect(await stateOf(slow)).toEqual(await stateOf(fast))
    },
  )

  test('judges in memory while it cannot be reached, then takes its place in the order', async () => {
    const inner = memoryStores()
    const { stores, faults } = faultyStores(inner, { isShared: true })
    const [cut, other] = [await open(stores, { onError: 'open' }), await open(inner)]
    await cut.inspectBatch(STREAM.slice(0, 20))
    faults.append = 'fail'
    faults.read = 'fail'
    await cut.inspectBatch(STREAM.slice(20, 40))
    for (const query of STREAM.slice(40, 60)) await other.inspect(query)
    faults.append = 'ok'
    faults.read = 'ok'
    await isHealthy(cut)
    await other.follow()
    expect(await stateOf(cut)).toEqual(await stateOf(other))
    const order = [...STREAM.slice(0, 20), ...STREAM.slice(40, 60), ...STREAM.slice(20, 40)]
    const plain = createMonitor(WATCHED)
    await plain.inspectBatch(order)
    expect(await stateOf(cut)).toEqual(await stateOf(plain))
  })

  test('cannot be given another state by one of them', async () => {
    const monitor = await open(memoryStores())
    await expect(monitor.reset()).rejects.toMatchObject({ code: 'bad_config' })
  })
})

describe('what is in a store', () => {
  test('an entry that was written twice counts once', async () => {
    const inner = memoryStores()
    const { stores, faults } = faultyStores(inner)
    const monitor = await open(stores, { onError: 'open' })
    faults.append = 'after'
    await monitor.inspect(STREAM[0]!)
    faults.append = 'ok'
    await isHealthy(monitor)
    const entries: Uint8Array[] = []
    for await (const { bytes } of inner.log.read('')) entries.push(bytes)
    expect(entries).toHaveLength(2)
    expect(entries[1]).toEqual(entries[0])
    expect((await (await open(inner)).describe()).counts.queries).toBe(1)
  })

  test('every flipped bit of an entry is found, and its position is named', async () => {
    const entry: Entry = { kind: 'suspend', client: 'a', timeMs: 1, untilMs: 2 }
    const good = encodeEntry({ writer: 'w', number: 1, entry })
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = good.slice()
      bad[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => decodeEntry(bad, '17')).toThrow(expect.objectContaining({ code: 'bad_snapshot', path: 'log[17]' }))
    }
    const stores = memoryStores()
    await stores.log.append([good.fill(0, 20)])
    await expect(open(stores)).rejects.toMatchObject({ code: 'bad_snapshot', path: 'log[0000000000000001]' })
  })

  test('entries come back as they were, whatever they hold', () => {
    const observations = [
      { probabilities: Float64Array.of(0.1, -0, 1e-300) },
      { embedding: Float32Array.of(1, 2), mirrored: [1, 2.5] },
      { row: { 'a b': 'x\ud800', n: -1.5, yes: true, none: null } },
      { fingerprint: '日本' },
      null,
      { name: 'MonitorError' as const, code: 'bad_query' as const, message: 'm', path: 'p' },
    ]
    const entries: Entry[] = [
      { kind: 'query', client: 'c', timeMs: 1.5, observations },
      { kind: 'query', client: '', id: '', timeMs: 0, observations: [] },
      { kind: 'suspend', client: 'c', timeMs: 1, untilMs: 2 },
      { kind: 'release', client: 'c', timeMs: 1 },
      { kind: 'erase', client: 'c', timeMs: 1 },
      { kind: 'expire', timeMs: 5, unseenMs: 3 },
    ]
    for (const entry of entries) {
      expect(decodeEntry(encodeEntry({ writer: 'w', number: 3, entry }), '1')).toEqual({
        writer: 'w',
        number: 3,
        entry,
      })
    }
  })

  test('vectors of any kind of numbers are judged and kept alike', async () => {
    const engine = () => createMonitorEngine({ detectors: ['similarity'] })
    const stores = memoryStores()
    const first = await durableMonitor(engine(), { stores })
    await first.inspect({ embedding: Int8Array.of(1, 2, 3), client: 'a' })
    const second = await durableMonitor(engine(), { stores })
    expect((await second.inspect({ embedding: [1, 2, 3], client: 'a' })).detections[0]).toMatchObject({
      suspicious: true,
    })
  })

  test('a snapshot of other detectors, a foreign one, and a log without its snapshot are refused', async () => {
    const stores = memoryStores()
    const monitor = await open(stores)
    await monitor.inspectBatch(STREAM.slice(0, 10))
    await monitor.compact()
    const other = createMonitorEngine({ detectors: ['confidence'] })
    await expect(durableMonitor(other, { stores })).rejects.toMatchObject({ code: 'bad_snapshot' })
    const foreign = memoryStores()
    await foreign.snapshots.save(toFrame('MTXX', null), '')
    await expect(open(foreign)).rejects.toMatchObject({ code: 'bad_snapshot', path: 'snapshot.bytes' })
    const without: Stores = { ...stores, snapshots: memoryStores().snapshots }
    await expect(open(without)).rejects.toMatchObject({ code: 'bad_snapshot', path: 'snapshot' })
  })

  test('an entry that the monitor refuses is refused by every replay as well', async () => {
    const stores = memoryStores()
    const monitor = await open(stores)
    await expect(monitor.release('\ud800')).rejects.toMatchObject({ code: 'bad_query' })
    await monitor.inspect(STREAM[0]!)
    expect(await stateOf(await open(stores))).toEqual(await stateOf(monitor))
  })
})
