/** The statistics that are functions, against SciPy and exact numbers; test/golden/stats.py made the expected values. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clopperPearson, grubbs, grubbsOutliers, kendallTau, shapiroWilk } from '../src/core/index.ts'
import { betaQuantile } from '../src/core/stats/beta.ts'
import { expRest } from '../src/core/stats/expRest.ts'
import { normalQuantile, normalTail } from '../src/core/stats/normal.ts'
import { random, vector } from './tools/random.ts'
import { expected, relativeError, type Sample, sample } from './tools/samples.ts'

const query = (path: string) => expect.objectContaining({ code: 'bad_query', path })
const config = (path: string) => expect.objectContaining({ code: 'bad_config', path })

/** The largest relative error over all cases. */
function worst(errors: readonly number[]): number {
  expect(errors.length).toBeGreaterThan(0)
  return Math.max(...errors)
}

const few = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 40 })
const pairs = few.chain((x) =>
  fc.tuple(fc.constant(x), fc.array(fc.nat(6), { minLength: x.length, maxLength: x.length })),
)

describe("Kendall's tau", () => {
  test('agrees with SciPy to 1e-13, with and without ties, from 2 to 200 000 numbers', () => {
    const cases = expected<{ x: Sample; y: Sample; tau: number }>('kendall')
    for (const { x, y, tau } of cases) expect(Math.abs(kendallTau(sample(x), sample(y)) - tau)).toBeLessThan(1e-13)
  })

  test('agrees with counting all pairs', () => {
    fc.assert(
      fc.property(pairs, ([x, y]) => {
        let difference = 0
        let untiedX = 0
        let untiedY = 0
        for (let i = 0; i < x.length; i++) {
          for (let j = 0; j < i; j++) {
            const a = Math.sign(x[i]! - x[j]!)
            const b = Math.sign(y[i]! - y[j]!)
            difference += a * b
            untiedX += a * a
            untiedY += b * b
          }
        }
        const tau = untiedX * untiedY === 0 ? 0 : difference / Math.sqrt(untiedX * untiedY)
        expect(kendallTau(x, y)).toBeCloseTo(tau, 13)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('depends on ranks alone, is symmetric, turns its sign with one list and lies in [−1, 1]', () => {
    fc.assert(
      fc.property(pairs, ([x, y]) => {
        const tau = kendallTau(x, y)
        expect(kendallTau(y, x)).toBe(tau)
        expect(
          kendallTau(
            x,
            y.map((v) => -v),
          ) + 0,
        ).toBe(-tau + 0)
        expect(
          kendallTau(
            x.map((v) => v ** 3 - 100),
            y,
          ),
        ).toBe(tau)
        expect(Math.abs(tau)).toBeLessThanOrEqual(1)
      }),
      { seed: 2 },
    )
  })

  test('is 0 where a list is constant, and 1 for a list with itself', () => {
    expect(kendallTau([1, 1, 1], [1, 2, 3])).toBe(0)
    expect(kendallTau([3, 1, 3, 2], [3, 1, 3, 2])).toBe(1)
  })

  test('refuses NaN, infinity, one number alone and lists of two lengths', () => {
    expect(() => kendallTau([1, Number.NaN], [1, 2])).toThrow(query('x[1]'))
    expect(() => kendallTau([1, 2], [1, Infinity])).toThrow(query('y[1]'))
    expect(() => kendallTau([1], [1])).toThrow(query('x'))
    expect(() => kendallTau([1, 2, 3], [1, 2])).toThrow(query('y'))
  })
})

describe('the test of Shapiro and Wilk', () => {
  const cases = expected<{ x: Sample; w: number; pValue: number; wExact: number; pExact: number }>('shapiro')

  test("agrees with SciPy's W to 1e-8, from 3 to 5 000 numbers", () => {
    for (const { x, w } of cases) expect(Math.abs(shapiroWilk(sample(x)).w - w)).toBeLessThan(1e-8)
  })

  test("agrees with Royston's formulas, with normal quantiles to full precision, to 1e-12", () => {
    for (const { x, wExact } of cases) expect(Math.abs(shapiroWilk(sample(x)).w - wExact)).toBeLessThan(1e-12)
  })

  test("agrees with the p-value of Royston's formulas to a relative 1e-9, and of SciPy to 1e-5, down to 1e-50", () => {
    const usual = cases.filter(({ pValue }) => pValue > 1e-50)
    expect(usual.length).toBeGreaterThan(80)
    for (const { x, pValue, pExact } of usual) {
      const got = shapiroWilk(sample(x)).pValue
      expect(Math.abs(got - pExact)).toBeLessThan(1e-9 * pExact + 1e-14)
      expect(Math.abs(got - pValue)).toBeLessThan(1e-5 * pValue + 1e-14)
    }
  })

  test('does not depend on order, place, scale and sign', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 60 }), (x) => {
        fc.pre(new Set(x).size > 1)
        const { w } = shapiroWilk(x)
        expect(shapiroWilk(x.toSorted((a, b) => b - a)).w).toBe(w)
        for (const other of [x.map((v) => -v), x.map((v) => 1e-200 * v), x.map((v) => 1e6 + v / 8)]) {
          expect(shapiroWilk(other).w).toBeCloseTo(w, 9)
        }
        expect(w).toBeGreaterThan(0)
        expect(w).toBeLessThanOrEqual(1)
      }),
      { seed: 3 },
    )
  })

  test('gives 5 % of normal samples a p-value below 0.05', () => {
    const next = random(31)
    let below = 0
    for (let i = 0; i < 4000; i++) if (shapiroWilk(vector(next, 40)).pValue < 0.05) below++
    const { low, high } = clopperPearson(below, 4000, 1e-3)
    expect(low).toBeLessThan(0.05)
    expect(high).toBeGreaterThan(0.05)
  })

  test('refuses 2 numbers, 5 001, a constant sample and NaN', () => {
    expect(() => shapiroWilk([1, 2])).toThrow(query('x'))
    expect(() => shapiroWilk(new Float64Array(5001))).toThrow(query('x'))
    expect(() => shapiroWilk([7, 7, 7])).toThrow(query('x'))
    expect(() => shapiroWilk([1, 2, Number.NaN])).toThrow(query('x[2]'))
  })
})

describe("Grubbs' test", () => {
  test('agrees with exact arithmetic and SciPy to 1e-11, also for near-constant numbers', () => {
    for (const { x, alpha, g, critical } of expected<{ x: Sample; alpha: number; g: number; critical: number }>(
      'grubbs',
    )) {
      const got = grubbs(sample(x), alpha)
      expect(relativeError(got.g, g)).toBeLessThan(1e-11)
      expect(relativeError(got.critical, critical)).toBeLessThan(1e-11)
      expect(got.isOutlier).toBe(g > critical)
    }
  })

  test('points at the first of the largest numbers; equal numbers have no outlier', () => {
    expect(grubbs([1, 9, 2, 9], 0.05)).toMatchObject({ index: 1 })
    expect(grubbs([4, 4, 4, 4], 0.5)).toMatchObject({ g: 0, isOutlier: false })
  })

  test('finds every outlier of a list by repeating itself', () => {
    expect(grubbsOutliers([0, 100, 1, -1, 30, 0.5, -0.5, 0.2, 0.7, 0.1, 0.3], 0.05)).toEqual([1, 4])
    expect(grubbsOutliers([4, 4, 4, 4], 0.5)).toEqual([])
    // Two alike hide each other.
    expect(grubbsOutliers([0, 30, 1, -1, 30, 0.5, -0.5, 0.2, 0.7, 0.1, 0.3], 0.05)).toEqual([])
  })

  test('repeated, does what one test after the other does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 3, maxLength: 30 }), (x) => {
        const values = x.map((v) => v ** 3)
        const left = values.map((value, place) => ({ value, place }))
        const places: number[] = []
        while (left.length >= 3) {
          const { index, isOutlier } = grubbs(
            left.map(({ value }) => value),
            0.05,
          )
          if (!isOutlier) break
          places.push(left.splice(index, 1)[0]!.place)
        }
        expect(grubbsOutliers(values, 0.05)).toEqual(places.sort((a, b) => a - b))
      }),
      { seed: 4, numRuns: 500 },
    )
  })

  test('calls alpha of all normal samples outlying', () => {
    const next = random(41)
    let called = 0
    for (let i = 0; i < 5000; i++) if (grubbs(vector(next, 15), 0.1).isOutlier) called++
    const { low, high } = clopperPearson(called, 5000, 1e-3)
    expect(low).toBeLessThan(0.1)
    expect(high).toBeGreaterThan(0.1)
  })

  test('refuses 2 numbers, NaN and an alpha that is no share', () => {
    expect(() => grubbs([1, 2], 0.05)).toThrow(query('x'))
    expect(() => grubbs([1, 2, Number.NaN], 0.05)).toThrow(query('x[2]'))
    for (const alpha of [0, 5e-324, 1, -0.1, Number.NaN])
      expect(() => grubbs([1, 2, 3], alpha)).toThrow(config('alpha'))
    expect(() => grubbsOutliers([1, 2, 3], 2)).toThrow(config('alpha'))
  })
})

describe('the interval of Clopper and Pearson', () => {
  interface Case {
    readonly k: number
    readonly n: number
    readonly alpha: number
    readonly low: number
    readonly high: number
  }
  const errors = (cases: readonly Case[]) =>
    cases.flatMap(({ k, n, alpha, low, high }) => {
      const got = clopperPearson(k, n, alpha)
      return [relativeError(got.low, low), relativeError(got.high, high)]
    })

  test('agrees with SciPy to a relative 1e-10 up to a million trials', () => {
    expect(worst(errors(expected('clopperPearson')))).toBeLessThan(1e-10) // SciPy itself is off by 1e-11
  })

  test('agrees with the binomial sum in 60 digits to 1e-12 up to a billion trials', () => {
    expect(worst(errors(expected('clopperPearsonExact')))).toBeLessThan(1e-12)
  })

  test('is 0 … 3.6 % for 0 alarms in 100 sessions, 1.8 % in 200, and below 1 % from 368 on', () => {
    expect(clopperPearson(0, 100, 0.05).high).toBeCloseTo(0.036, 3)
    expect(clopperPearson(0, 200, 0.05).high).toBeCloseTo(0.018, 3)
    expect(clopperPearson(0, 367, 0.05).high).toBeGreaterThan(0.01)
    expect(clopperPearson(0, 368, 0.05).high).toBeLessThan(0.01)
  })

  test('is mirrored when successes become failures', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), fc.double({ min: 0.001, max: 0.9 }), (n, k, alpha) => {
        const { low, high } = clopperPearson(Math.min(k, n), n, alpha)
        const other = clopperPearson(n - Math.min(k, n), n, alpha)
        expect(other.low).toBeCloseTo(1 - high, 12)
        expect(other.high).toBeCloseTo(1 - low, 12)
        expect(low).toBeLessThanOrEqual(Math.min(k, n) / n)
        expect(high).toBeGreaterThanOrEqual(Math.min(k, n) / n)
      }),
      { seed: 5 },
    )
  })

  test('holds the true share with probability 1 − alpha at least, whatever it is', () => {
    const n = 23
    const intervals = Array.from({ length: n + 1 }, (_, k) => clopperPearson(k, n, 0.1))
    for (let p = 0.005; p < 1; p += 0.005) {
      let covered = 0
      let probability = (1 - p) ** n
      for (let k = 0; k <= n; k++) {
        if (intervals[k]!.low <= p && p <= intervals[k]!.high) covered += probability
        probability *= ((n - k) / (k + 1)) * (p / (1 - p))
      }
      expect(covered).toBeGreaterThan(0.9 - 1e-12)
    }
  })

  test('refuses more successes than trials, parts of trials, no trial and an alpha that is no share', () => {
    expect(() => clopperPearson(3, 2, 0.05)).toThrow(query('k'))
    expect(() => clopperPearson(0.5, 2, 0.05)).toThrow(query('k'))
    expect(() => clopperPearson(-1, 2, 0.05)).toThrow(query('k'))
    expect(() => clopperPearson(0, 0, 0.05)).toThrow(query('n'))
    expect(() => clopperPearson(0, 1e10, 0.05)).toThrow(query('n'))
    expect(() => clopperPearson(1, 2, 1)).toThrow(config('alpha'))
  })
})

describe('the distributions below', () => {
  test('the normal tail and quantile agree with SciPy', () => {
    const tails = expected<{ z: number; p: number }>('normalTail')
    expect(worst(tails.map(({ z, p }) => relativeError(normalTail(z), p)))).toBeLessThan(1e-12)
    const quantiles = expected<{ z: number; p: number }>('normalQuantile')
    expect(worst(quantiles.map(({ z, p }) => Math.abs(normalQuantile(p) - z)))).toBeLessThan(1e-14)
  })

  test('the beta quantile and its complement agree with SciPy and with sums in 60 digits to a relative 1e-12', () => {
    const cases = expected<{ p: number; a: number; b: number; x: number; y: number }>('betaQuantile')
    const errors = cases.flatMap(({ p, a, b, x, y }) => {
      const got = betaQuantile(p, a, b)
      return [relativeError(got.x, x), relativeError(got.y, y)]
    })
    expect(worst(errors)).toBeLessThan(1e-12)
  })

  test('the beta quantile is found for any shape, also far out: its search once leapt away and never ended', () => {
    const shape = fc.double({ min: -0.3, max: 9, noNaN: true }).map((power) => 10 ** power)
    const p = fc.double({ min: -299, max: -0.05, noNaN: true }).map((power) => 10 ** power)
    fc.assert(
      fc.property(shape, shape, p, (a, b, share) => {
        const { x, y } = betaQuantile(share, a, b)
        expect(Math.abs(x + y - 1)).toBeLessThan(1e-12)
        expect(betaQuantile(share / 2, a, b).x).toBeLessThanOrEqual(x)
      }),
      { seed: 71, numRuns: 500 },
    )
    expect(betaQuantile(1e-299, 0.5, 3)).toEqual({ x: 0, y: 1 }) // x is about 1e-597
  })

  test('the rest of the exponential series is smooth where its two forms meet', () => {
    expect(expRest(0)).toBe(0.5)
    expect(relativeError(expRest(1 - 2 ** -53), Math.E - 2)).toBeLessThan(1e-15)
    expect(relativeError(expRest(1), Math.E - 2)).toBeLessThan(1e-15)
    expect(expRest(711)).toBe(Infinity)
  })

  test('a few values are pinned to the last bit, so that no engine may differ', () => {
    expect([normalTail(1.5), normalTail(4), normalQuantile(0.01), betaQuantile(0.3, 2.5, 7).x]).toEqual([
      0.06680720126885803, 0.000031671241833119924, -2.3263478740408408, 0.17680146270510982,
    ])
  })
})
