import { describe, expect, test } from 'vitest'
import { fromBytes, type Observation, toBytes } from '../src/core/index.ts'
import {
  createStreamMonitor,
  type Entry,
  type MonitorEvent,
  type QueryEntry,
  type Verdict,
} from '../src/core/monitor/index.ts'
import { createMonitor, type MonitorHostEvent } from '../src/index.ts'
import { random } from './tools/random.ts'

const detectors = [{ name: 'text_repetition', threshold: 2, maxHistorySize: 10 }]

function entry(client: string, fingerprint: string, timeMs: number): QueryEntry {
  return { kind: 'query', client, timeMs, observations: [{ fingerprint }] }
}

/** A stream of several clients with repeats, suspensions and releases. */
function stream(seed: number, length: number): Entry[] {
  const next = random(seed)
  let timeMs = 0
  return Array.from({ length }, (): Entry => {
    timeMs += Math.floor(5000 * next())
    const client = `client ${Math.floor(12 * next() ** 2)}`
    const dice = next()
    if (dice < 0.02) return { kind: 'suspend', client, timeMs, untilMs: timeMs + 60_000 }
    if (dice < 0.04) return { kind: 'release', client, timeMs }
    return entry(client, `query ${Math.floor(20 * next())}`, timeMs)
  })
}

const strict = {
  detectors,
  clients: { maxClients: 6 },
  policy: { mode: 'enforce', throttleAt: 2, suspendAt: 4 },
} as const

describe('the stream monitor', () => {
  test('the same entries give the same verdicts, events and state', () => {
    const [a, b] = [createStreamMonitor(strict), createStreamMonitor(strict)]
    for (const one of stream(1, 400)) expect(a.apply(one)).toEqual(b.apply(structuredClone(one)))
    expect(toBytes(a.snapshot())).toEqual(toBytes(b.snapshot()))
  })

  test('a monitor restored from bytes at any point continues exactly the same', () => {
    const entries = stream(2, 240)
    for (const cut of [0, 1, 7, 60, 133, 239]) {
      const original = createStreamMonitor(strict)
      for (const one of entries.slice(0, cut)) original.apply(one)
      const copy = createStreamMonitor(strict)
      for (const one of entries.slice(0, 9)) copy.apply(one)
      copy.restore(fromBytes(toBytes(original.snapshot())))
      for (const one of entries.slice(cut)) expect(copy.apply(one)).toEqual(original.apply(one))
      expect(toBytes(copy.snapshot())).toEqual(toBytes(original.snapshot()))
      expect(copy.describe()).toEqual(original.describe())
    }
  })

  test('clients that were not seen for long are forgotten, and suspensions that have ended', () => {
    const monitor = createStreamMonitor(strict)
    monitor.apply(entry('old', 'x', 1000))
    monitor.apply(entry('seen again', 'x', 1000))
    monitor.apply({ kind: 'suspend', client: 'short', timeMs: 1000, untilMs: 2000 })
    monitor.apply({ kind: 'suspend', client: 'long', timeMs: 1000, untilMs: 1e9 })
    monitor.apply(entry('seen again', 'y', 5000))
    expect(monitor.apply({ kind: 'expire', timeMs: 6000, unseenMs: 2000 })).toEqual({ events: [] })
    expect(monitor.clients().map(({ id }) => id)).toEqual(['seen again'])
    expect(monitor.suspensions()).toEqual([{ client: 'long', untilMs: 1e9, sinceMs: null }])
    expect(monitor.describe().counts.evictions).toBe(0)
    monitor.apply({ kind: 'expire', timeMs: 7000, unseenMs: 2000 }) // seen exactly then: stays
    expect(monitor.clients()).toHaveLength(1)
  })

  test('an entry of an unknown kind is refused, and changes nothing', () => {
    const monitor = createStreamMonitor(strict)
    const before = toBytes(monitor.snapshot())
    const refused = expect.objectContaining({ code: 'bad_query' })
    expect(() => monitor.apply({ kind: 'other', client: 'a', timeMs: 1 } as unknown as Entry)).toThrow(refused)
    expect(() => monitor.apply({ kind: 'expire', timeMs: 1, unseenMs: -1 })).toThrow(refused)
    expect(toBytes(monitor.snapshot())).toEqual(before)
  })

  test('a log replayed onto a snapshot gives the state of the original', () => {
    const entries = stream(3, 200)
    const original = createStreamMonitor(strict)
    for (const one of entries.slice(0, 100)) original.apply(one)
    const snapshot = original.snapshot()
    for (const one of entries.slice(100)) original.apply(one)
    const replica = createStreamMonitor(strict)
    replica.restore(snapshot)
    for (const one of entries.slice(100)) replica.apply(one)
    expect(toBytes(replica.snapshot())).toEqual(toBytes(original.snapshot()))
  })

  test('evidence grows by one a suspicious query and fades by time, not by filler', () => {
    const monitor = createStreamMonitor({ detectors, policy: { fadePerMinute: 1, throttleAt: 5, suspendAt: 9 } })
    const evidence = (fingerprint: string, timeMs: number) =>
      monitor.apply(entry('a', fingerprint, timeMs)).verdict.client.evidence
    expect(evidence('x', 0)).toBe(0)
    expect(evidence('x', 0)).toBe(1)
    expect(evidence('x', 0)).toBe(2)
    for (let i = 0; i < 50; i++) expect(evidence(`filler ${i}`, 0)).toBe(2)
    expect(evidence('y', 30_000)).toBe(1.5)
    expect(evidence('z', 600_000)).toBe(0)
  })

  test('under enforce the action goes from flag through throttle to suspend, and admit refuses until the end', () => {
    const monitor = createStreamMonitor({
      detectors,
      policy: { mode: 'enforce', throttleAt: 2, suspendAt: 4, suspendForMs: 1000, fadePerMinute: 0 },
    })
    const actions = Array.from({ length: 5 }, (_, i) => monitor.apply(entry('a', 'same', i)).verdict.action)
    expect(actions).toEqual(['allow', 'flag', 'throttle', 'throttle', 'suspend'])
    expect(monitor.admit('a', 1003)).toEqual({ allowed: false, suspendedUntilMs: 1004 })
    expect(monitor.admit('b', 1003)).toEqual({ allowed: true })
    expect(monitor.admit('a', 1004)).toEqual({ allowed: true })
  })

  test('in mode observe nobody is refused, but the verdict says what enforcement would do', () => {
    const monitor = createStreamMonitor({ detectors, policy: { throttleAt: 1, suspendAt: 2, fadePerMinute: 0 } })
    const last = [0, 1, 2].map((t) => monitor.apply(entry('a', 'same', t)).verdict)[2]!
    expect(last).toMatchObject({ action: 'flag', proposed: 'suspend' })
    expect(last.client.suspendedUntilMs).toBeGreaterThan(0)
    expect(monitor.admit('a', 3)).toEqual({ allowed: true })
  })

  test('a manual suspension and a release take effect at once', () => {
    const monitor = createStreamMonitor({ detectors, policy: { mode: 'enforce' } })
    expect(monitor.apply({ kind: 'suspend', client: 'a', timeMs: 5, untilMs: 100 }).events).toHaveLength(1)
    expect(monitor.admit('a', 6).allowed).toBe(false)
    expect(monitor.apply(entry('a', 'new', 7)).verdict.action).toBe('suspend')
    monitor.apply({ kind: 'release', client: 'a', timeMs: 8 })
    expect(monitor.admit('a', 9).allowed).toBe(true)
    expect(monitor.apply(entry('a', 'other', 10)).verdict.action).toBe('allow')
  })

  test('the least recently seen client leaves first, and a suspension outlives the eviction', () => {
    const monitor = createStreamMonitor({ detectors, clients: { maxClients: 3 }, policy: { mode: 'enforce' } })
    monitor.apply({ kind: 'suspend', client: 'bad', timeMs: 0, untilMs: 10_000 })
    for (const client of ['bad', 'b', 'c', 'b', 'd']) monitor.apply(entry(client, 'x', 1))
    expect(monitor.clients().map(({ id }) => id)).toEqual(['c', 'b', 'd'])
    expect(monitor.admit('bad', 2).allowed).toBe(false)
    expect(monitor.describe().counts.evictions).toBe(1)
  })

  test('ten thousand invented clients stay within the limits and raise one alarm a minute', () => {
    const monitor = createStreamMonitor({ detectors, clients: { maxClients: 100, maxBytes: 10 ** 6 } })
    const alarms: MonitorEvent[] = []
    for (let i = 0; i < 10_000; i++) {
      const { events } = monitor.apply(entry(`invented ${i}`, 'x', 10 * i))
      alarms.push(...events.filter(({ kind }) => kind === 'eviction_storm'))
    }
    const { clients, counts } = monitor.describe()
    expect(clients.active).toBe(100)
    expect(clients.bytes).toBeLessThanOrEqual(10 ** 6)
    expect(counts.evictions).toBe(9900)
    expect(alarms).toHaveLength(2) // the stream lasts 100 s
  })

  test('bytes are bounded too: large memories push others out, and the newest client stays', () => {
    const monitor = createStreamMonitor({
      detectors: [{ name: 'similarity', maxHistorySize: 1000 }],
      clients: { maxBytes: 65_536 },
    })
    for (let i = 0; i < 200; i++) {
      const embedding = Float32Array.from({ length: 256 }, (_, k) => i + k)
      monitor.apply({ kind: 'query', client: `c${i % 5}`, timeMs: i, observations: [{ embedding }] })
      expect(monitor.describe().clients.bytes).toBeLessThanOrEqual(65_536)
    }
  })

  test('a global detector sees one attack spread over many clients; one of client scope does not', () => {
    const monitor = createStreamMonitor({
      detectors: [
        { name: 'text_repetition', label: 'mine', threshold: 3 },
        { name: 'text_repetition', label: 'all', threshold: 3, scope: 'global' },
      ],
    })
    const apply = (client: string): Verdict =>
      monitor.apply({ kind: 'query', client, timeMs: 0, observations: [{ fingerprint: 'x' }, { fingerprint: 'x' }] })
        .verdict
    apply('a')
    apply('b')
    const third = apply('c')
    expect(third.detections.map((d) => [d.detector, d.suspicious])).toEqual([
      ['mine', false],
      ['all', true],
    ])
  })

  test('a time that goes backwards counts as the latest one', () => {
    const monitor = createStreamMonitor({ detectors })
    monitor.apply(entry('a', 'x', 1000))
    expect(monitor.apply(entry('a', 'x', 10)).verdict).toMatchObject({ timeMs: 1000, suspicious: true })
  })

  test('an observation that one detector refuses is an error in the verdict and leaves that detector as it was', () => {
    const monitor = createStreamMonitor({ detectors: ['similarity', 'text_repetition'] })
    const apply = (a: Observation, b: Observation) =>
      monitor.apply({ kind: 'query', client: 'a', timeMs: 0, observations: [a, b] }).verdict
    apply({ embedding: [1, 0] }, { fingerprint: 'x' })
    const verdict = apply({ embedding: [1, 0, 0] }, { fingerprint: 'x' })
    expect(verdict.errors).toMatchObject([{ code: 'bad_query', path: 'similarity.embedding' }])
    expect(verdict.detections.map((d) => d.detector)).toEqual(['text_repetition'])
    expect(verdict.suspicious).toBe(true)
    expect(apply({ embedding: [1, 0] }, { fingerprint: 'x' }).detections[0]).toMatchObject({ suspicious: true })
  })

  test('a malformed entry is refused as a whole and changes nothing', () => {
    const monitor = createStreamMonitor({ detectors })
    monitor.apply(entry('a', 'x', 1))
    const before = toBytes(monitor.snapshot())
    const wrong: unknown[] = [
      null,
      { ...entry('a', 'x', 1), client: 5 },
      { ...entry('a', 'x', 1), client: 'c'.repeat(257) },
      { ...entry('a', 'x', 1), client: '\ud800' },
      { ...entry('a', 'x', 1), timeMs: Number.NaN },
      { ...entry('a', 'x', 1), timeMs: -1 },
      { ...entry('a', 'x', 1), observations: [] },
      { kind: 'suspend', client: 'a', timeMs: 1, untilMs: 'later' },
    ]
    for (const one of wrong)
      expect(() => monitor.apply(one as QueryEntry)).toThrow(expect.objectContaining({ code: 'bad_query' }))
    expect(toBytes(monitor.snapshot())).toEqual(before)
  })

  test('a snapshot of other detectors, or a damaged one, is refused and the state kept', () => {
    const monitor = createStreamMonitor({ detectors })
    monitor.apply(entry('a', 'x', 1))
    const before = toBytes(monitor.snapshot())
    const good = monitor.snapshot()
    const state = good.state as Record<string, never>
    const wrong = [
      createStreamMonitor({ detectors: ['confidence'] }).snapshot(),
      { ...good, version: 1 },
      { ...good, version: 3 },
      { ...good, state: { ...state, clients: [{}] } },
      { ...good, state: { ...state, suspended: [['a']] } },
      { ...good, state: { ...state, counts: {} } },
      { ...good, state: { ...state, nowMs: Number.NaN } },
    ]
    for (const snapshot of wrong) {
      expect(() => monitor.restore(snapshot as never)).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
      expect(toBytes(monitor.snapshot())).toEqual(before)
    }
  })

  test('a bad configuration is refused with its place', () => {
    const wrong: [config: object, path: string][] = [
      [{ detectors: [] }, 'monitor.detectors'],
      [{ detectors: ['nope'] }, 'monitor.detectors[0].name'],
      [{ detectors: ['similarity', 'similarity'] }, 'monitor.detectors'],
      [{ detectors: [{ name: 'similarity', threshold: 5 }] }, 'monitor.detectors[0].similarity.threshold'],
      [{ detectors: [{ name: 'similarity', scope: 'all' }] }, 'monitor.detectors[0].scope'],
      [{ detectors: [{ name: 'similarity', label: 'a b' }] }, 'monitor.detectors[0].label'],
      [{ detectors, policy: { mode: 'Enforce' } }, 'monitor.policy.mode'],
      [{ detectors, policy: { suspendAt: 2 } }, 'monitor.policy.suspendAt'],
      [{ detectors, clients: { maxClient: 5 } }, 'monitor.clients.maxClient'],
      [{ detectors, polcy: {} }, 'monitor.polcy'],
    ]
    for (const [config, path] of wrong) {
      expect(() => createStreamMonitor(config as never), path).toThrow(
        expect.objectContaining({ code: 'bad_config', path }),
      )
    }
  })
})

describe('the monitor of raw queries', () => {
  const all = {
    detectors: [
      'confidence',
      'text_similarity',
      { name: 'text_repetition', threshold: 2 },
      'tabular_similarity',
      'image_repetition',
    ],
  }

  test('each detector judges the inputs of its kind, and the verdict names those that do not apply', async () => {
    const monitor = createMonitor(all)
    const verdict = await monitor.inspect({
      input: 'a question',
      modelOutput: [0.9, 0.1],
      client: 'a',
      id: '7',
      timeMs: 5,
    })
    expect(verdict.detections.map((d) => d.detector)).toEqual(['confidence', 'text_similarity', 'text_repetition'])
    expect(verdict.skipped).toEqual(['tabular_similarity', 'image_repetition'])
    expect(verdict).toMatchObject({ id: '7', timeMs: 5, client: { id: 'a' }, errors: [] })
  })

  test('a missing output, a bad input and a kind that nobody takes are errors, closed by default', async () => {
    const monitor = createMonitor(all)
    const noOutput = await monitor.inspect({ input: 'a question' })
    expect(noOutput).toMatchObject({
      suspicious: true,
      errors: [{ code: 'bad_query', path: 'confidence.modelOutput' }],
    })
    const bad = await monitor.inspect({ input: 5 as never, modelOutput: [1] })
    expect(bad.errors.length).toBeGreaterThan(0)
    expect(bad.suspicious).toBe(true)
    const texts = createMonitor({ detectors: ['text_similarity'] })
    const row = await texts.inspect({ input: { age: 5 } })
    expect(row).toMatchObject({ suspicious: true, detections: [], errors: [{ path: 'text_similarity.input' }] })
  })

  test('open lets the other detectors decide, and still shows the error', async () => {
    const monitor = createMonitor({ ...all, policy: { onError: 'open' } })
    const verdict = await monitor.inspect({ input: 'a question' })
    expect(verdict).toMatchObject({ suspicious: false, action: 'allow', errors: [{ code: 'bad_query' }] })
  })

  test('queries that nobody could judge are no evidence and push nobody out', async () => {
    const monitor = createMonitor({
      ...all,
      clients: { maxClients: 2 },
      policy: { mode: 'enforce', onError: 'closed' },
    })
    await monitor.inspect({ input: 'hello', modelOutput: [1, 0], client: 'honest' })
    for (let i = 0; i < 20; i++) {
      const verdict = await monitor.inspect({ input: Number.NaN as never, modelOutput: [], client: `x${i}` })
      expect(verdict).toMatchObject({ action: 'throttle', client: { evidence: 0 } })
    }
    expect((await monitor.clients()).map(({ id }) => id)).toEqual(['honest'])
  })

  test('a query that is malformed as a whole rejects', async () => {
    const monitor = createMonitor(all)
    for (const query of [null, 5, { inputs: 'x' }, { input: 'x', client: 7 }, { input: 'x', timeMs: -1 }]) {
      await expect(monitor.inspect(query as never)).rejects.toMatchObject({ code: 'bad_query' })
    }
    expect((await monitor.describe()).counts.queries).toBe(0)
  })

  test('an embedder that two detectors share is asked once a query', async () => {
    let asked = 0
    const embedder = (text: string) => {
      asked++
      return [text.length, 1]
    }
    const monitor = createMonitor({
      detectors: [
        { name: 'text_similarity', embedder },
        { name: 'text_similarity', label: 'strict', embedder, threshold: 0.99, scope: 'global' },
      ],
    })
    await monitor.inspect({ input: 'hello' })
    expect(asked).toBe(1)
  })

  test('events tell of verdicts, suspensions and releases, after the state has changed', async () => {
    const events: MonitorHostEvent[] = []
    const monitor = createMonitor({
      detectors,
      policy: { mode: 'enforce', throttleAt: 1, suspendAt: 1 },
      onEvent: (event) => events.push(event),
    })
    for (let i = 0; i < 2; i++) await monitor.inspect({ input: 'same', client: 'a', timeMs: 10 })
    await monitor.release('a')
    expect(events.map(({ kind }) => kind)).toEqual(['verdict', 'verdict', 'suspended', 'released'])
    expect(monitor.admit('a', 11)).toEqual({ allowed: true })
  })

  test('batches, a snapshot and a restore keep what single calls would', async () => {
    const queries = Array.from({ length: 30 }, (_, i) => ({ input: `text ${i % 7}`, client: `c${i % 3}`, timeMs: i }))
    const [one, two] = [createMonitor({ detectors }), createMonitor({ detectors })]
    const single: Verdict[] = []
    for (const query of queries) single.push(await one.inspect(query))
    const first = await two.inspectBatch(queries.slice(0, 11))
    const three = createMonitor({ detectors })
    await three.restore(await two.snapshot())
    expect([...first, ...(await three.inspectBatch(queries.slice(11)))]).toEqual(single)
  })
})
