/** The rate against hand counts, and the time that a monitor fills in. */
import { describe, expect, test } from 'vitest'
import { createDetector, type QueryRateConfig } from '../src/core/index.ts'
import { createStreamMonitor } from '../src/core/monitor/index.ts'
import { crowding, paceOf } from '../src/core/rate/pace.ts'
import { SpanCounter } from '../src/core/rate/spanCounter.ts'
import { Ring } from '../src/core/ring.ts'
import { createMonitor, getDetector } from '../src/embed/index.ts'
import { random } from './tools/random.ts'

const START = 1_790_000_000_000

function detector(config: Partial<QueryRateConfig> = {}) {
  const windows = [
    { withinMs: 1000, queries: 3 },
    { withinMs: 60_000, queries: 10 },
  ]
  return createDetector('query_rate', { windows, gaps: 8, ...config })
}

function gapsOf(gaps: number[]): Ring<number> {
  return new Ring(32, gaps)
}

/** The detections of queries at these times after the start. */
function asked(times: readonly number[], config: Partial<QueryRateConfig> = {}) {
  const d = detector(config)
  return times.map((ms) => d.process({ timeMs: START + ms }))
}

const every = (gapMs: number, count: number) => Array.from({ length: count }, (_, i) => gapMs * i)

describe('a span of time', () => {
  test('counts what a plain count finds, but for the last sixtieth', () => {
    const next = random(1)
    const counter = new SpanCounter(6000)
    const times: number[] = []
    let now = START
    for (let i = 0; i < 3000; i++) {
      now += next() < 0.02 ? 20_000 * next() : 100 * next()
      times.push(now)
      counter.add(now)
      const within = (ms: number) => times.filter((time) => time > now - ms).length
      expect(counter.count).toBeLessThanOrEqual(within(6000))
      expect(counter.count).toBeGreaterThanOrEqual(within(5900))
    }
  })

  test('is empty after a long pause', () => {
    const counter = new SpanCounter(60)
    for (const ms of [0, 1, 2, 1e12]) counter.add(ms)
    expect(counter.count).toBe(1)
  })
})

describe('the rule', () => {
  test('as many queries within a time as its limit says are suspicious, one less is not', () => {
    const detections = asked([0, 100, 200])
    expect(detections.map(({ suspicious }) => suspicious)).toEqual([false, false, true])
    expect(detections[2]).toMatchObject({ score: 1, threshold: 1, reason: '3 queries in 1 s; 3 are suspicious.' })
  })

  test('the score is the share of the nearest limit', () => {
    const detections = asked(every(5000, 12))
    expect(detections.map(({ score }) => score)).toEqual([
      1 / 3, // one query in the second
      ...[2, 3].map(() => 1 / 3),
      ...[4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => n / 10),
    ])
    expect(detections[9]).toMatchObject({ suspicious: true, confidence: 1, metadata: { counts: [1, 10], queries: 10 } })
  })

  test('queries leave when their time is over', () => {
    const d = detector()
    for (let i = 0; i < 9; i++) d.process({ timeMs: START })
    expect(d.size()).toBe(9)
    expect(d.process({ timeMs: START + 60_000 })).toMatchObject({ metadata: { counts: [1, 1], queries: 10 } })
  })

  test('a time before the latest counts as the latest', () => {
    const last = asked([0, 5000, 1000]).at(-1)!
    expect(last.metadata).toMatchObject({ counts: [2, 3], meanGapMs: 2500 })
  })

  test('memory does not grow with the rate', () => {
    const d = detector()
    for (let i = 0; i < 8; i++) d.process({ timeMs: START + i })
    const before = d.bytes()
    for (let i = 0; i < 5000; i++) d.process({ timeMs: START + i / 100 })
    expect(d.bytes()).toBe(before + 8) // the eighth gap
    expect(before).toBe(2 * 304 + 7 * 8 + 64)
  })

  test('bad options are refused', () => {
    const bad: [Partial<QueryRateConfig>, string][] = [
      [{ windows: [] }, 'windows'],
      [{ windows: [{ withinMs: 10, queries: 1 }] }, 'windows[0].withinMs'],
      [{ windows: [{ withinMs: 100, queries: 0 }] }, 'windows[0].queries'],
      [{ windows: [{ withinMs: 100, queries: 1, per: 1 } as never] }, 'windows[0].per'],
      [
        {
          windows: [
            { withinMs: 100, queries: 1 },
            { withinMs: 100, queries: 1 },
          ],
        },
        'windows[1].withinMs',
      ],
      [{ burst: 0 }, 'burst'],
      [{ regularity: 2 }, 'regularity'],
      [{ gaps: 7 }, 'gaps'],
    ]
    for (const [config, path] of bad) expect(() => detector(config), path).toThrow(`query_rate.${path}: `)
  })
})

describe('the burst', () => {
  test('of 9 queries in a tenth of the time where even ones have 1: 9 ln 9 + ln(1/9) nats', () => {
    // Relative entropy of coins of 0.9 and 0.1, ten throws: 10 (0.9 ln 9 + 0.1 ln(1/9)).
    expect(Math.abs(crowding(9, 10, 0.1) - 17.57779661868912)).toBeLessThan(1e-12)
    expect(Math.abs(crowding(5, 5, 0.1) - 11.512925464970229)).toBeLessThan(1e-12) // 5 ln 10
    expect(crowding(1, 10, 0.1)).toBe(0)
    expect(crowding(0, 10, 0.1)).toBe(0)
    expect(crowding(0, 0, 0.1)).toBe(0)
  })

  test('bounds the probability of the binomial tail', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k)
    for (const [n, p] of [
      [12, 0.1],
      [30, 0.5],
      [7, 0.9],
    ] as const) {
      for (let k = 0; k <= n; k++) {
        let tail = 0
        for (let j = k; j <= n; j++) tail += choose(n, j) * p ** j * (1 - p) ** (n - j)
        expect(Math.exp(-crowding(k, n, p)), `${k} of ${n} at ${p}`).toBeGreaterThanOrEqual(tail - 1e-12)
      }
    }
  })

  test('is 0 for an even pace, and grows when a client asks faster than before', () => {
    expect(asked(every(2000, 40)).at(-1)!.metadata.burst).toBeLessThan(0.5)
    const hurried = asked([...every(2000, 20), ...every(100, 9).map((ms) => 40_000 + ms)])
    expect(hurried[19]!.metadata.burst).toBeLessThan(0.5)
    // Of the 28 others but the first, 9 lie in the last second of 40.8: about 9 ln(9 · 40.8 / 27) − 8.
    expect(hurried.at(-1)!.metadata.burst).toBeGreaterThan(12)
  })

  test('is suspicious only where a limit is set', () => {
    const times = [...every(2000, 20), ...every(100, 9).map((ms) => 40_000 + ms)]
    const windows = [
      { withinMs: 1000, queries: 1000 },
      { withinMs: 60_000, queries: 1000 },
    ]
    expect(asked(times, { windows }).at(-1)!.suspicious).toBe(false)
    const last = asked(times, { windows, burst: 10 }).at(-1)!
    expect(last.suspicious).toBe(true)
    expect(last.score).toBe(last.metadata.burst / 10)
    expect(last.reason).toContain('Crowded')
  })
})

describe('the regularity', () => {
  test('is 1 for a clock, 1 − deviation ÷ mean otherwise, and 0 where nothing can be said', () => {
    expect(paceOf(gapsOf(new Array(8).fill(500)))).toEqual({ regularity: 1, meanGapMs: 500 })
    // Mean 100, deviation 50.
    expect(paceOf(gapsOf([50, 150, 50, 150, 50, 150, 50, 150]))).toEqual({ regularity: 0.5, meanGapMs: 100 })
    expect(paceOf(gapsOf([1, 1, 1, 1, 1, 1, 1, 1000])).regularity).toBe(0)
    expect(paceOf(gapsOf(new Array(7).fill(500))).regularity).toBe(0)
    expect(paceOf(gapsOf(new Array(8).fill(0)))).toEqual({ regularity: 0, meanGapMs: 0 })
    expect(paceOf(gapsOf([]))).toEqual({ regularity: 0, meanGapMs: null })
  })

  test('tells a scheduler from people, where a limit is set', () => {
    const next = random(2)
    let now = 0
    const people = Array.from({ length: 40 }, () => {
      now -= 20_000 * Math.log(1 - next())
      return now
    })
    expect(asked(people, { regularity: 0.8 }).some(({ suspicious }) => suspicious)).toBe(false)
    const scheduler = asked(
      every(20_000, 9).map((ms) => ms + (ms % 7)),
      { regularity: 0.8 },
    ).at(-1)!
    expect(scheduler).toMatchObject({ suspicious: true })
    expect(scheduler.reason).toContain('20.0 % are suspicious')
  })
})

describe('the time', () => {
  test('is that of the stream in a monitor, whatever the observation says', () => {
    const monitor = createStreamMonitor({ detectors: ['query_rate', { name: 'repetition', threshold: 9 }] })
    const apply = (timeMs: number) =>
      monitor.apply({ kind: 'query', client: 'ann', timeMs, observations: [{ timeMs: 5 }, { fingerprint: 'a' }] })
        .verdict
    apply(START)
    apply(START + 8000)
    const { detections, errors } = apply(START + 2000) // the clock stepped back: counts as the latest
    expect(errors).toEqual([])
    expect(detections[0]!.metadata).toMatchObject({ counts: [2, 3, 3], meanGapMs: 4000 })
  })

  test('is the host’s where a query of a monitor brings none', async () => {
    let now = START
    const monitor = createMonitor({ detectors: ['query_rate'] }, { now: () => now })
    await monitor.inspect({ input: 'a text', client: 'ann' })
    now += 500
    const { detections } = await monitor.inspect({ modelOutput: [0.5, 0.5], client: 'ann' })
    expect(detections[0]!.metadata).toMatchObject({ counts: [2, 2, 2], meanGapMs: 500 })
    const other = await monitor.inspect({ input: 'a text', client: 'bob', timeMs: START + 900 })
    expect(other.detections[0]!.metadata).toMatchObject({ counts: [1, 1, 1], queries: 1 })
  })

  test('must come with the query of a single detector, which asks no clock', async () => {
    const d = getDetector('query_rate')
    await expect(d.process({ input: 'a text' })).rejects.toThrow('timeMs: is missing')
    expect(await d.process({ input: 'a text', timeMs: START })).toMatchObject({ suspicious: false })
  })
})
