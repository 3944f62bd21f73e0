/** Time as hostile input: clocks that step and leap, stamps out of order and far in the future. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBytes } from '../../src/core/index.ts'
import { createStreamMonitor, type Entry, type QueryEntry } from '../../src/core/monitor/index.ts'
import { durableMonitor, memoryStores } from '../../src/edge/index.ts'
import { createMonitorEngine } from '../../src/embed/index.ts'
import { createMonitor } from '../../src/index.ts'
import { type ClockStep, createSteadyClock } from '../../src/server/steadyClock.ts'
import { runsOf, SEED } from './tools/size.ts'

const CONFIG = {
  detectors: [{ name: 'text_repetition', threshold: 2, maxHistorySize: 10 }, 'query_rate'],
  clients: { maxClients: 50 },
  policy: { mode: 'enforce', throttleAt: 2, suspendAt: 3, suspendForMs: 60_000, suspendGrowth: 1, fadePerMinute: 1 },
} as const

const LATEST = 8.64e15
const START = 1_700_000_000_000

function query(client: string, timeMs: number, fingerprint = 'again'): QueryEntry {
  return { kind: 'query', client, timeMs, observations: [{ fingerprint }, {}] }
}

const options = { seed: SEED, numRuns: runsOf(150, 5000) }
const clients = fc.constantFrom('a', 'b', 'c')
/** Ordinary times, steps back, leaps, and the edges of what numbers can be. */
const times = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: START, max: START + 600_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1, START - 1e9, START + 1e11, LATEST, 4e15) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: LATEST, noNaN: true }) },
)
const entries: fc.Arbitrary<Entry> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ client: clients, timeMs: times }).map(({ client, timeMs }) => query(client, timeMs)),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('suspend' as const), client: clients, timeMs: times, untilMs: times }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), client: clients, timeMs: times }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase' as const), client: clients, timeMs: times }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('expire' as const), timeMs: times, unseenMs: fc.nat({ max: 600_000 }) }),
  },
)

describe(`the stream's time (seed ${SEED})`, () => {
  test('never goes back, whatever stamps come, and evidence stays finite and at least 0', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 40 }), (stream) => {
        const monitor = createStreamMonitor(CONFIG)
        let latest = 0
        for (const entry of stream) {
          latest = Math.max(latest, entry.timeMs)
          const { verdict } = monitor.apply(entry)
          if (verdict !== undefined) {
            expect(verdict.timeMs).toBe(latest)
            expect(verdict.client.evidence).toBeGreaterThanOrEqual(0)
            expect(Number.isFinite(verdict.client.evidence)).toBe(true)
          }
          for (const { evidence, lastMs } of monitor.clients()) {
            expect(Number.isFinite(evidence) && evidence >= 0).toBe(true)
            expect(lastMs).toBeLessThanOrEqual(latest)
          }
        }
      }),
      options,
    )
  })

  test('a stamp that is late counts as the latest: the verdicts are those of the stream put right', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 40 }), (stream) => {
        const [given, right] = [createStreamMonitor(CONFIG), createStreamMonitor(CONFIG)]
        let latest = 0
        for (const entry of stream) {
          latest = Math.max(latest, entry.timeMs)
          expect(given.apply(entry)).toEqual(right.apply({ ...entry, timeMs: latest }))
        }
        expect(toBytes(given.snapshot())).toEqual(toBytes(right.snapshot()))
      }),
      options,
    )
  })

  test("a suspension by the policy lasts its length of the stream's time, no less and no more, under any steps", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -200_000, max: 59_999 }), { maxLength: 20 }), (steps) => {
        const monitor = createStreamMonitor(CONFIG)
        for (let i = 0; i < 5; i++) monitor.apply(query('eve', START))
        const untilMs = START + 60_000
        expect(monitor.admit('eve', START)).toMatchObject({ allowed: false, suspendedUntilMs: untilMs })
        // Others ask, at times that jump about, all of them before the end.
        for (const [i, step] of steps.entries()) monitor.apply(query(`other ${i}`, START + step, `${i}`))
        expect(monitor.admit('eve', START - 1e9).allowed).toBe(false)
        expect(monitor.admit('eve', untilMs - 1).allowed).toBe(false)
        expect(monitor.admit('eve', untilMs).allowed).toBe(true)
      }),
      options,
    )
  })

  test('evidence fades by the minutes that pass, and by none when the clock goes back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 1e9 }), (passedMs, backMs) => {
        const monitor = createStreamMonitor(CONFIG)
        for (let i = 0; i < 3; i++) monitor.apply(query('a', START))
        monitor.apply(query('b', START + passedMs))
        monitor.apply(query('c', START + passedMs - backMs))
        const evidence = monitor.clients().find(({ id }) => id === 'a')!.evidence
        expect(Math.abs(evidence - Math.max(0, 2 - passedMs / 60_000))).toBeLessThan(1e-9) // two suspicious ones, one a minute
      }),
      options,
    )
  })

  test('what is no time is refused with its place, and changes nothing', () => {
    const monitor = createStreamMonitor(CONFIG)
    monitor.apply(query('a', START))
    const before = toBytes(monitor.snapshot())
    for (const bad of [Number.NaN, Infinity, -1, LATEST + 2, 1e300, '5', null, undefined, 5n, {}]) {
      const timeMs = bad as number
      const refused: [Entry, string][] = [
        [query('a', timeMs), 'timeMs'],
        [{ kind: 'suspend', client: 'a', timeMs: START, untilMs: timeMs }, 'untilMs'],
        [{ kind: 'expire', timeMs: START, unseenMs: timeMs }, 'unseenMs'],
        [{ kind: 'release', client: 'a', timeMs }, 'timeMs'],
        [{ kind: 'erase', client: 'a', timeMs }, 'timeMs'],
      ]
      for (const [entry, path] of refused) {
        expect(() => monitor.apply(entry)).toThrow(expect.objectContaining({ code: 'bad_query', path }))
      }
    }
    expect(toBytes(monitor.snapshot())).toEqual(before)
  })
})

describe('a host with a clock', () => {
  const text = { detectors: ['text_repetition'], policy: CONFIG.policy } as const

  test.each(['createMonitor', 'durableMonitor'])(
    '%s refuses a time far ahead of it, and takes one that is late',
    async (maker) => {
      const now = () => START
      const monitor =
        maker === 'createMonitor'
          ? createMonitor(text, { now })
          : await durableMonitor(createMonitorEngine(text), { stores: memoryStores(), now })
      await monitor.suspend('eve')
      const far = { input: 'x', client: 'mallory', timeMs: START + 300_001 }
      await expect(monitor.inspect(far)).rejects.toMatchObject({ code: 'bad_query', path: 'timeMs' })
      await expect(monitor.inspectBatch([{ input: 'x' }, far])).rejects.toMatchObject({ code: 'bad_query' })
      expect((await monitor.describe()).counts.queries).toBe(0)
      expect(monitor.admit('eve').allowed).toBe(false)
      expect((await monitor.inspect({ ...far, timeMs: START + 300_000 })).timeMs).toBe(START + 300_000)
      expect((await monitor.inspect({ ...far, timeMs: 5 })).timeMs).toBe(START + 300_000)
      await monitor.dispose()
    },
  )
})

describe('the steady clock of the server', () => {
  function clocks() {
    let elapsedMs = 1000
    let offset = START
    const steps: ClockStep[] = []
    const now = createSteadyClock({
      wall: () => Math.floor(elapsedMs) + offset,
      elapsed: () => elapsedMs,
      onStep: (step) => steps.push(step),
    })
    return {
      now,
      steps,
      pass: (ms: number) => {
        elapsedMs += ms
      },
      set: (ms: number) => {
        offset += ms
      },
    }
  }

  test("gives the system's time, and follows the small corrections of a time service at once", () => {
    const { now, pass, set, steps } = clocks()
    expect(now()).toBe(START + 1000)
    pass(250)
    expect(now()).toBe(START + 1250)
    set(-400)
    expect(now()).toBe(START + 850)
    expect(steps).toEqual([])
  })

  test.each([3_600_000, -3_600_000, 3.2e11])(
    'a step of %d ms that is put right within a minute moves nothing',
    (step) => {
      const { now, pass, set, steps } = clocks()
      now()
      set(step)
      for (let i = 0; i < 59; i++) {
        pass(1000)
        expect(now()).toBe(START + 1000 + (i + 1) * 1000)
      }
      set(-step)
      pass(1000)
      expect(now()).toBe(START + 61_000)
      expect(steps).toEqual([{ kind: 'seen', byMs: step }])
    },
  )

  test.each([3_600_000, -3_600_000])('a step of %d ms that stays is followed after a minute', (step) => {
    const { now, pass, set, steps } = clocks()
    now()
    set(step)
    now()
    pass(59_999)
    expect(now()).toBe(START + 60_999)
    pass(1)
    now()
    expect(now()).toBe(START + 61_000 + step)
    expect(steps.map(({ kind }) => kind)).toEqual(['seen', 'followed'])
  })

  test('under any passing and setting it follows within a minute of the last step, and is never between', () => {
    const moves = fc.array(
      fc.record({ passMs: fc.integer({ min: 0, max: 30_000 }), setMs: fc.constantFrom(0, 0, 0, 5e6, -5e6, 400) }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(moves, (list) => {
        const { now, pass, set } = clocks()
        let wall = START + 1000
        for (const { passMs, setMs } of list) {
          pass(passMs)
          set(setMs)
          wall += passMs + setMs
          now()
        }
        for (let i = 0; i < 5; i++) {
          pass(30_000)
          wall += 30_000
          now()
        }
        expect(now()).toBe(wall)
      }),
      options,
    )
  })
})
