/** What might break the promise about benign clients without anybody noticing: past mistakes, and the traps beside them. */
import { describe, expect, test } from 'vitest'
import { seal } from '../src/core/calibration/record.ts'
import { calibrate, isMonitorError, type Observation, toBytes } from '../src/core/index.ts'
import { byClients } from '../src/core/monitor/calibration/fit.ts'
import {
  calibratedLimits,
  calibrateStreamMonitor,
  createStreamMonitor,
  type MonitorCalibration,
  type QueryEntry,
  type StreamMonitorConfig,
} from '../src/core/monitor/index.ts'
import { random } from './tools/random.ts'

const HOUR = 3_600_000
const START_MS = 1e12
const DETECTORS = [
  { name: 'text_repetition', threshold: 3 },
  { name: 'confidence', mode: 'margin' },
] as const

interface Habits {
  /** Share of a client's queries that repeat the one before. */
  readonly again: number
  /** Of every so many clients one has probabilities: else `confidence` does not judge it. */
  readonly judged?: number
  /** Queries of a client at most. */
  readonly longest?: number
  readonly groupOf?: (client: number) => string
}

/** Honest clients in the order of their times. */
function honest(clients: number, seed: number, { again, judged = 1, longest = 30, groupOf }: Habits): QueryEntry[] {
  const next = random(seed)
  const entries = Array.from({ length: clients }, (_, client) => {
    let timeMs = START_MS + Math.floor(HOUR * next())
    let what = 0
    return Array.from({ length: 1 + Math.floor(longest * next() ** 3) }, (): QueryEntry => {
      timeMs += Math.floor(60_000 * next())
      if (next() >= again) what++
      const p = next()
      return {
        kind: 'query',
        client: `client ${client}`,
        ...(groupOf === undefined ? {} : { group: groupOf(client) }),
        timeMs,
        observations: [
          { fingerprint: `${client} ${what}` },
          client % judged === 0 ? { probabilities: [p, 1 - p] } : null,
        ],
      }
    })
  })
  return entries.flat().sort((a, b) => a.timeMs - b.timeMs)
}

/** The most evidence that each client has up to its first suspension, and those who are suspended. */
function replay(entries: readonly QueryEntry[], config: Partial<StreamMonitorConfig>) {
  const monitor = createStreamMonitor({ detectors: DETECTORS, ...config })
  const most = new Map<string, number>()
  const suspended = new Set<string>()
  for (const entry of entries) {
    const { client, proposed } = monitor.apply(entry).verdict
    if (!suspended.has(client.id)) most.set(client.id, Math.max(most.get(client.id) ?? 0, client.evidence))
    if (proposed === 'suspend') suspended.add(client.id)
  }
  return { monitor, most, suspended }
}

/** Clients in the order in which they first came; of the calibration's, every third fits the bets. */
function behindTheLimit(entries: readonly QueryEntry[]): string[] {
  return [...new Set(entries.map(({ client }) => client))].filter((_, number) => number % 3 !== 0)
}

describe('of the clients behind the limit no more than a share alpha reaches it again', () => {
  test.each([
    ['with two detectors', { again: 0.1 }, {}],
    ['where one detector judges every fifth client only', { again: 0.1, judged: 5 }, {}],
    ['where clients are forgotten in between and come again', { again: 0.1, longest: 60 }, { maxClients: 60 }],
  ] as const)('%s', (_, habits, clients) => {
    const alpha = 0.05
    const entries = honest(600, 1, habits)
    const calibration = calibrateStreamMonitor({ detectors: DETECTORS, clients }, entries, { alpha, assurance: 0 })
    const { most, suspended, monitor } = replay(entries, { clients, calibration, policy: { onDrift: 'tell' } })
    const counted = behindTheLimit(entries)
    expect(counted).toHaveLength(400)
    const found = counted.filter((client) => suspended.has(client))
    expect(found.length).toBeGreaterThan(0)
    // (k + 1) / (n + 1) ≤ 0.05: k is 19 of 400.
    expect(found.length).toBeLessThanOrEqual(19)
    if ('maxClients' in clients) expect(monitor.describe().counts.evictions).toBeGreaterThan(1000)
    // Below the limit the calibration has seen of each what the monitor sees, to the bit.
    const limit = calibratedLimits(calibration).suspendAt
    const values = new Set(calibration.clients.maxima.values)
    for (const client of counted) {
      const evidence = most.get(client)!
      if (evidence < limit) expect(values, client).toContain(evidence)
    }
  })
})

test('the bets are fitted on every third client also where a detector does not judge all of them', () => {
  const levels = (shift: number) => {
    const entries = honest(300, 4, { again: 0.1, judged: 2 })
    const counted = new Set(behindTheLimit(entries))
    const shifted = entries.map((entry): QueryEntry => {
      const [print, answer] = entry.observations
      if (!counted.has(entry.client) || answer === null) return entry
      return { ...entry, observations: [print!, { probabilities: [0.5 + shift, 0.5 - shift] }] }
    })
    return calibrateStreamMonitor({ detectors: DETECTORS }, shifted, { alpha: 0.05 }).detectors[1]!.levels
  }
  expect(levels(0.4)).toEqual(levels(0))
})

test('a detector that judges none of the clients on whom bets are fitted has none', () => {
  const entries = honest(300, 4, { again: 0.1 })
  const counted = new Set(behindTheLimit(entries))
  const some = entries.map((entry): QueryEntry => {
    return counted.has(entry.client) ? entry : { ...entry, observations: [entry.observations[0]!, null] }
  })
  const calibration = calibrateStreamMonitor({ detectors: DETECTORS }, some, { alpha: 0.05 })
  expect(calibration.detectors[1]!.levels).toEqual(new Array(8).fill(null))
  createStreamMonitor({ detectors: DETECTORS, calibration })
})

test('clients who ask once each make a record that a monitor takes', () => {
  const entries = honest(200, 5, { again: 0, longest: 1 })
  const calibration = calibrateStreamMonitor({ detectors: DETECTORS }, entries, { alpha: 0.1 })
  expect(calibration.longest).toBe(1)
  const { suspended } = replay(honest(200, 6, { again: 0, longest: 1 }), { calibration })
  expect(suspended.size).toBeLessThanOrEqual(20)
})

describe('a new record while clients are known', () => {
  /** Clients repeat nothing in their first 64 queries, and then now and then. */
  const late = (clients: number, seed: number, { from = 0, to = 200 } = {}): QueryEntry[] => {
    const next = random(seed)
    const entries = Array.from({ length: clients }, (_, client) => {
      let what = 0
      return Array.from({ length: 200 }, (_, i): QueryEntry => {
        if (i < 64 || next() > 0.15) what++
        const observations = [{ fingerprint: `${client} ${what}` }]
        return { kind: 'query', client: `${seed} ${client}`, timeMs: START_MS + 10_000 * i + client, observations }
      }).slice(from, to)
    })
    return entries.flat().sort((a, b) => a.timeMs - b.timeMs)
  }

  test('is laid against old clients as old ones', () => {
    const detectors = DETECTORS.slice(0, 1)
    const calibration = calibrateStreamMonitor({ detectors }, late(300, 1), { alpha: 0.05 })
    const before = createStreamMonitor({ detectors })
    for (const entry of late(200, 2, { to: 80 })) before.apply(entry)
    const after = createStreamMonitor({ detectors, calibration, policy: { onDrift: 'tell' } })
    after.restore(before.snapshot())
    const suspended = new Set<string>()
    for (const entry of late(200, 2, { from: 80 })) {
      if (after.apply(entry).verdict.proposed === 'suspend') suspended.add(entry.client)
    }
    expect(suspended.size).toBeLessThanOrEqual(0.05 * 200)
  })
})

describe('evidence by Ville', () => {
  const entries = honest(200, 6, { again: 0.1 })
  const recordOf = (i: number) => {
    const benign = entries.map(({ observations }) => ({ observation: observations[i] as Observation }))
    return calibrate(DETECTORS[i]!, benign, { alpha: 0.02 })
  }
  const [first, second] = [recordOf(0), recordOf(1)]
  const monitorOf = (...records: (typeof first | undefined)[]) =>
    createStreamMonitor({
      detectors: DETECTORS.map((one, i) => (records[i] === undefined ? one : { ...one, calibration: records[i] })),
      policy: { alpha: 0.01 },
    })

  test('begins anew where other detectors are calibrated than in the snapshot', () => {
    const before = monitorOf(first)
    for (const entry of entries) before.apply(entry)
    const after = monitorOf(first, second)
    after.restore(before.snapshot())
    expect(after.clients().map(({ queries }) => queries)).toEqual(before.clients().map(({ queries }) => queries))
    expect(new Set(after.clients().map(({ evidence }) => evidence))).toEqual(new Set([0]))
    const same = monitorOf(first)
    same.restore(before.snapshot())
    expect(toBytes(same.snapshot())).toEqual(toBytes(before.snapshot()))
  })

  test('shares both levels out between clients and groups', () => {
    const monitor = createStreamMonitor({
      detectors: [
        { ...DETECTORS[0], calibration: first },
        { ...DETECTORS[1], scope: 'group', calibration: second },
      ],
      policy: { alpha: 0.01, throttleAlpha: 0.1 },
    })
    const { throttleAt, suspendAt } = monitor.describe().policy
    expect([throttleAt, suspendAt]).toEqual([expect.closeTo(Math.log(20), 12), expect.closeTo(Math.log(200), 12)])
  })
})

describe('groups', () => {
  test('stand once for every average group of clients that they hold, and once at least', () => {
    // On average two clients: the weights are 1, 1, 2, 1 and 1.5, from the highest on.
    expect(byClients([1, 2, 3, 4, 5], [3, 1, 4, 1, 1])).toEqual([5, 4, 3, 3, 2])
    expect(byClients([1, 5, 2], [0, 0, 0])).toEqual([5, 2, 1])
    expect(byClients([1, 5, 2], [7, 7, 7])).toEqual([5, 2, 1])
  })

  test('of many clients do not take more than a share alpha of all clients with them', () => {
    // One group in 40 has forty clients, who ask the same; in all others one client asks as often, and never the same.
    const detectors = [{ name: 'text_repetition', scope: 'group', threshold: 3 }] as const
    const population = (groups: number, seed: number) => {
      const next = random(seed)
      const entries = Array.from({ length: groups }, (_, group) => {
        const isLarge = group % 40 === 20
        return Array.from({ length: 40 }, (_, i): QueryEntry => {
          const what = isLarge ? Math.floor(6 * next()) : i
          return {
            kind: 'query',
            client: `${seed} ${group} ${isLarge ? i : 0}`,
            group: `${seed} ${group}`,
            timeMs: START_MS + Math.floor(HOUR * next()),
            observations: [{ fingerprint: `${what}` }],
          }
        })
      })
      return entries.flat().sort((a, b) => a.timeMs - b.timeMs)
    }
    const shareOf = (seed: number) => {
      const calibration = calibrateStreamMonitor({ detectors }, population(1200, seed), { alpha: 0.1 })
      expect(calibration.groups).not.toBeNull()
      const entries = population(1200, seed + 1)
      const monitor = createStreamMonitor({ detectors, calibration, policy: { onDrift: 'tell' } })
      const suspended = new Set<string>()
      for (const entry of entries) {
        for (const event of monitor.apply(entry).events) if (event.kind === 'suspended') suspended.add(event.client)
      }
      return suspended.size / new Set(entries.map(({ client }) => client)).size
    }
    // Half of all clients are in large groups, of which there are thirty: too few to judge by one calibration.
    const shares = [1, 3, 5, 7].map(shareOf)
    expect(Math.max(...shares)).toBeGreaterThan(0)
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeLessThanOrEqual(0.1)
  })
})

describe('a record that somebody has made up', () => {
  const made = calibrateStreamMonitor(
    { detectors: DETECTORS },
    honest(200, 8, { again: 0.1, groupOf: (client) => `group ${client % 100}` }),
    { alpha: 0.1, date: '2026-11-24' },
  )
  const STRANGE: unknown[] = [null, undefined, 'x', '', -1, 0.5, 1e308, Number.NaN, Infinity, [], [null], {}, true]

  /** Every place in the record, as a list of keys. */
  function* placesIn(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
    if (path.length > 0) yield path
    if (typeof value !== 'object' || value === null) return
    // Of long lists the ends will do.
    for (const key of Object.keys(value))
      if (!/^\d+$/.test(key) || Number(key) < 3) {
        yield* placesIn((value as Record<string, unknown>)[key], [...path, key])
      }
  }

  function changed(record: object, [key, ...rest]: readonly string[], to: unknown): object {
    const copy = (Array.isArray(record) ? [...record] : { ...record }) as Record<string, unknown>
    copy[key!] = rest.length === 0 ? to : changed(copy[key!] as object, rest, to)
    return copy
  }

  /** With checksums that fit. */
  function sealed({ checksum: _, ...record }: MonitorCalibration): MonitorCalibration {
    const detectors = Array.isArray(record.detectors)
      ? record.detectors.map((one) => {
          if (typeof one?.record !== 'object' || one.record === null) return one
          const { checksum: _, ...own } = one.record
          return { ...one, record: seal(own) }
        })
      : record.detectors
    return seal({ ...record, detectors } as Omit<MonitorCalibration, 'checksum'>)
  }

  test('is refused with a code and a place, or works', () => {
    const places = [...placesIn(made)]
    expect(places.length).toBeGreaterThan(100)
    let refused = 0
    for (const place of places) {
      for (const strange of STRANGE) {
        const calibration = sealed(changed(made, place, strange) as MonitorCalibration)
        try {
          const monitor = createStreamMonitor({ detectors: DETECTORS, calibration })
          for (const entry of honest(3, 9, { again: 0.5 })) monitor.apply(entry)
          expect(Number.isFinite(monitor.describe().policy.suspendAt)).toBe(true)
          toBytes(monitor.snapshot())
        } catch (thrown) {
          const what = `${place.join('.')} = ${String(strange)}: ${thrown}`
          if (!isMonitorError(thrown)) throw new Error(what, { cause: thrown })
          expect([thrown.code, thrown.path.startsWith('monitor.')], what).toEqual(['bad_config', true])
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(1000)
  })

  test('cannot reach the prototype of objects', () => {
    const text = JSON.stringify(made).replace(
      '{',
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
    )
    expect(() => createStreamMonitor({ detectors: DETECTORS, calibration: JSON.parse(text) })).toThrow(
      expect.objectContaining({ code: 'bad_config', path: expect.stringMatching(/^monitor\.calibration/) }),
    )
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
