/** The laws that every statistic over a stream obeys: it can be saved in mid-stream, refuses what is bad, stays small. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Adwin,
  Cusum,
  FeatureMean,
  fromBytes,
  KendallWindow,
  type PlainData,
  PowerProcess,
  QuantileSketch,
  RandomFeatures,
  SequentialRanks,
  SimpleJumper,
  toBytes,
} from '../src/core/index.ts'
import { random, vector } from './tools/random.ts'

const snapshot = expect.objectContaining({ code: 'bad_snapshot' })

/** A state as it comes back from disk or from another thread. */
function travelled(state: PlainData): PlainData {
  return fromBytes(toBytes({ detector: 'statistic', version: 1, state: structuredClone(state) })).state
}

interface Machine {
  save(): PlainData
  load(state: PlainData): void
}

/** How to make one, feed it, read it, and what it must refuse to eat. */
interface Subject<M extends Machine> {
  readonly make: () => M
  readonly feed: (machine: M, next: () => number) => void
  readonly read: (machine: M) => unknown
  readonly bad: (machine: M) => void
}

function subject<M extends Machine>(one: Subject<M>): Subject<Machine> {
  return one as unknown as Subject<Machine>
}

const features = new RandomFeatures({ dimension: 3, bandwidths: [1, 2], frequencies: 8, seed: 4 })

const subjects: Readonly<Record<string, Subject<Machine>>> = {
  KendallWindow: subject({
    make: () => new KendallWindow(20),
    feed: (m, next) => m.push(Math.floor(8 * next())),
    read: (m) => m.tau,
    bad: (m) => m.push(Number.NaN),
  }),
  SequentialRanks: subject({
    make: () => new SequentialRanks(40),
    feed: (m, next) => m.push(Math.floor(8 * next()), next()),
    read: (m) => m.size,
    bad: (m) => m.push(Infinity, 0.5),
  }),
  PowerProcess: subject({
    make: () => new PowerProcess(),
    feed: (m, next) => m.push(next() + 2 ** -33),
    read: (m) => m.logE,
    bad: (m) => m.push(0),
  }),
  SimpleJumper: subject({
    make: () => new SimpleJumper({ sides: 'both' }),
    feed: (m, next) => m.push(next()),
    read: (m) => m.logE,
    bad: (m) => m.push(1.1),
  }),
  Cusum: subject({
    make: () => new Cusum({ allowance: 0.1, limit: 2 }),
    feed: (m, next) => m.push(2 * next() - 1),
    read: (m) => [m.sum, m.isAlarm],
    bad: (m) => m.push(Number.NaN),
  }),
  Adwin: subject({
    make: () => new Adwin({ delta: 0.3, clock: 5 }),
    feed: (m, next) => m.push(next() < 0.5 ? next() : next() / 4),
    read: (m) => [m.size, m.mean],
    bad: (m) => m.push(-0.1),
  }),
  QuantileSketch: subject({
    make: () => new QuantileSketch({ size: 16 }),
    feed: (m, next) => m.push(next()),
    read: (m) => [m.count, m.rankError, m.quantile(0.3), m.countUpTo(0.5)],
    bad: (m) => m.push(Number.NaN),
  }),
  FeatureMean: subject({
    make: () => new FeatureMean({ length: features.length, decay: 0.9 }),
    feed: (m, next) => m.push(features.map(vector(next, 3))),
    read: (m) => [m.count, m.product(m)],
    bad: (m) => m.push(new Float64Array(3)),
  }),
}

describe.each(Object.entries(subjects))('%s', (_, { make, feed, read, bad }) => {
  test('goes on exactly from a state saved in mid-stream, through bytes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(150), fc.integer({ min: 1, max: 150 }), (seed, before, after) => {
        const next = random(seed)
        const one = make()
        for (let i = 0; i < before; i++) feed(one, next)
        const other = make()
        other.load(travelled(one.save()))
        expect(other.save()).toEqual(one.save())
        const [a, b] = [random(seed + 1), random(seed + 1)]
        for (let i = 0; i < after; i++) {
          feed(one, a)
          feed(other, b)
          expect(read(other)).toEqual(read(one))
        }
        expect(other.save()).toEqual(one.save())
      }),
      { seed: 11, numRuns: 40 },
    )
  })

  test('shares nothing with a state that it gave or took', () => {
    const next = random(12)
    const one = make()
    for (let i = 0; i < 60; i++) feed(one, next)
    const saved = one.save()
    const copy = structuredClone(saved)
    const other = make()
    other.load(saved)
    for (let i = 0; i < 60; i++) {
      feed(one, next)
      feed(other, next)
    }
    expect(saved).toEqual(copy)
  })

  test('loaded into one that has seen other things, a state replaces them', () => {
    const next = random(13)
    const [one, other] = [make(), make()]
    for (let i = 0; i < 200; i++) feed(other, next)
    for (let i = 0; i < 30; i++) feed(one, next)
    other.load(one.save())
    expect(other.save()).toEqual(one.save())
    other.load(make().save())
    expect(other.save()).toEqual(make().save())
  })

  test('refuses a bad value and stays as it was', () => {
    const one = make()
    feed(one, random(14))
    const before = one.save()
    expect(() => bad(one)).toThrow(expect.objectContaining({ code: 'bad_query' }))
    expect(one.save()).toEqual(before)
  })

  test('refuses a damaged state, whichever field is bad, and stays as it was', () => {
    const next = random(15)
    const one = make()
    for (let i = 0; i < 100; i++) feed(one, next)
    const good = one.save() as Readonly<Record<string, PlainData>>
    const damaged: PlainData[] = [null, [], {}, { ...good, more: 1 }]
    for (const key of Object.keys(good)) {
      for (const value of [
        null,
        Number.NaN,
        -1e300,
        'x',
        [Number.NaN],
        new Float64Array(100_000),
        Float64Array.of(Number.NaN),
      ])
        damaged.push({ ...good, [key]: value })
    }
    for (const state of damaged) {
      expect(() => one.load(state), JSON.stringify(state)?.slice(0, 100)).toThrow(snapshot)
      expect(one.save()).toEqual(good)
    }
  })

  test('is as small after a hundred times the stream, but for a logarithm', () => {
    const next = random(16)
    const one = make()
    const sizes = [1000, 100_000].map((until) => {
      let most = 0
      for (let i = 0; i < until; i++) {
        feed(one, next)
        if (i % 997 === 0) most = Math.max(most, toBytes({ detector: 'x', version: 1, state: one.save() }).length)
      }
      return most
    })
    expect(sizes[1]! / sizes[0]!).toBeLessThan(2.2)
  })
})

describe('a state whose parts do not go together is refused', () => {
  const refused = (machine: Machine, state: PlainData) => expect(() => machine.load(state)).toThrow(snapshot)

  test('by the Simple Jumper: shares that do not add up, or lie on a bet that is not made', () => {
    refused(new SimpleJumper(), { shares: Float64Array.of(0.5, 0.4, 0), logE: 0 })
    refused(new SimpleJumper(), { shares: Float64Array.of(0.5, 0.25, 0.25), logE: 0 })
    refused(new SimpleJumper(), { shares: Float64Array.of(1.5, -0.5, 0), logE: 0 })
    refused(new SimpleJumper(), { shares: Float64Array.of(0.5, 0.5), logE: 0 })
  })

  test('by ADWIN: buckets too many or too few, or with a mean outside [0, 1]', () => {
    const window = { counts: Uint32Array.of(1), sums: Float64Array.of(1), squares: Float64Array.of(0) }
    const load = (changed: object) => refused(new Adwin(), { sinceCheck: 1, window: { ...window, ...changed } })
    new Adwin().load({ sinceCheck: 1, window })
    load({ sums: Float64Array.of(1, 1) })
    load({ sums: new Float64Array(0) })
    load({ sums: Float64Array.of(1.1) })
    load({ squares: Float64Array.of(0.3) })
    load({ counts: Uint32Array.of(6) })
    refused(new Adwin({ clock: 8 }), { sinceCheck: 8, window })
  })

  test('by the quantile sketch: a full level, values kept apart that are not the largest, or not in order', () => {
    const top = Float64Array.from({ length: 16 }, (_, i) => 10 + i)
    const good = { top, levels: [Float64Array.of(1, 2)], over: 0, under: 0 }
    const sketch = () => new QuantileSketch({ size: 16 })
    sketch().load(good)
    refused(sketch(), { ...good, levels: [new Float64Array(16)] })
    refused(sketch(), { ...good, levels: [Float64Array.of(11)] })
    refused(sketch(), { ...good, top: top.slice(0, 15) })
    refused(sketch(), { ...good, top: top.toReversed() })
  })

  test('by the mean of features: a weight above the number of vectors', () => {
    const good = { sums: new Float64Array(2), count: 2, weight: 1.5, squares: 1.25 }
    const mean = () => new FeatureMean({ length: 2 })
    mean().load(good)
    refused(mean(), { ...good, weight: 2.5 })
    refused(mean(), { ...good, squares: 1.6 })
    refused(mean(), { ...good, sums: new Float64Array(1) })
  })
})
