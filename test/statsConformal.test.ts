/** P-values: against counting, and the promises they make. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConformalScale, conformalPValue, conformalSize, SequentialRanks } from '../src/core/index.ts'
import { random } from './tools/random.ts'
import { expected, type Sample, sample } from './tools/samples.ts'

const query = (path: string) => expect.objectContaining({ code: 'bad_query', path })
const config = (path: string) => expect.objectContaining({ code: 'bad_config', path })

const scores = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 })

describe('conformal p-values', () => {
  test('agree with counting in NumPy, conservative and smoothed, from a list and from a scale', () => {
    const cases = expected<{ scores: Sample; score: number; pValue: number; smoothed: number }>('conformal')
    for (const { scores: spec, score, pValue, smoothed } of cases) {
      const scale = new ConformalScale(sample(spec))
      expect(conformalPValue(sample(spec), score)).toBe(pValue)
      expect(scale.pValue(score)).toBe(pValue)
      expect(scale.smoothedPValue(score, 0.25)).toBe(smoothed)
      expect(scale.smoothedPValue(score, 1)).toBe(pValue)
    }
  })

  test('are at most alpha for at most a share alpha of exchangeable scores, ties included', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (all, alpha) => {
        fc.pre(all.length > 1)
        // Each score in turn is the new one: that is what exchangeable means.
        const low = all.filter((score, i) => conformalPValue(all.toSpliced(i, 1), score) <= alpha)
        expect(low.length / all.length).toBeLessThanOrEqual(alpha)
      }),
      { seed: 51, numRuns: 300 },
    )
  })

  test('smoothed, are uniform: their mean over the coin and the exchangeable scores is ½', () => {
    fc.assert(
      fc.property(scores, (all) => {
        fc.pre(all.length > 1)
        const means = all.map((score, i) => new ConformalScale(all.toSpliced(i, 1)).smoothedPValue(score, 0.5))
        expect(means.reduce((a, b) => a + b, 0) / all.length).toBeCloseTo(0.5, 12)
      }),
      { seed: 52 },
    )
  })

  test('are below alpha exactly for the scores above the threshold', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: 0.02, max: 0.98, noNaN: true }), (all, alpha) => {
        const scale = new ConformalScale(all)
        fc.pre(all.length >= conformalSize(alpha))
        const threshold = scale.threshold(alpha)
        for (let score = -0.5; score < 10; score += 0.5) expect(score > threshold).toBe(scale.pValue(score) <= alpha)
      }),
      { seed: 53, numRuns: 300 },
    )
  })

  test('keep to the threshold also where alpha is a rounded step, or one bit beside it', () => {
    for (let n = 1; n <= 120; n++) {
      const scale = new ConformalScale(Array.from({ length: n }, (_, i) => i))
      for (let k = 1; k <= n; k++) {
        for (const alpha of [k / (n + 1), (k / (n + 1)) * (1 - 2 ** -53), (k / (n + 1)) * (1 + 2 ** -52), k / 100]) {
          if (alpha >= 1 || n < conformalSize(alpha)) continue
          const threshold = scale.threshold(alpha)
          expect(scale.pValue(threshold) <= alpha).toBe(false)
          expect(scale.pValue(threshold + 0.5) <= alpha).toBe(true)
        }
      }
    }
  })

  test('need 999 scores for an alpha of 0.001, and say so', () => {
    expect([0.5, 0.1, 0.05, 0.01, 0.001, 0.07].map(conformalSize)).toEqual([1, 9, 19, 99, 999, 14])
    // It once counted on for ever: beyond 2⁵³ one more is no more.
    expect(conformalSize(2.0241929111138389e-258)).toBeGreaterThan(1e257)
    const scale = new ConformalScale(new Float64Array(998))
    expect(() => scale.threshold(0.001)).toThrow(/999/)
    expect(() => scale.threshold(0.001)).toThrow(config('alpha'))
  })

  test('refuse no scores, NaN and a coin outside [0, 1]', () => {
    expect(() => conformalPValue([], 1)).toThrow(query('scores'))
    expect(() => conformalPValue([1, Number.NaN], 1)).toThrow(query('scores[1]'))
    expect(() => conformalPValue([1], Number.NaN)).toThrow(query('score'))
    expect(() => new ConformalScale([1]).smoothedPValue(1, 2)).toThrow(query('u'))
  })
})

describe('ranks within a stream', () => {
  test('are smoothed p-values against the scores before, which are forgotten once the block is full', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(6), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 2, max: 15 }),
        (all, capacity) => {
          const ranks = new SequentialRanks(capacity)
          const next = random(54)
          for (const [i, score] of all.entries()) {
            const u = next()
            const past = all.slice(i - (i % capacity), i)
            const p = past.length === 0 ? u : new ConformalScale(past).smoothedPValue(score, u)
            expect(ranks.push(score, u)).toBe(p)
          }
        },
      ),
      { seed: 55 },
    )
  })

  test('are uniform and independent for scores of any distribution, across blocks too', () => {
    const next = random(56)
    const ranks = new SequentialRanks(7)
    const bins = new Float64Array(64)
    let last = 0
    const n = 64_000
    for (let i = 0; i < n; i++) {
      const p = Math.floor(8 * ranks.push(Math.floor(4 * next()) ** 3, next()))
      bins[8 * last + p]!++
      last = p
    }
    const square = bins.reduce((sum, count) => sum + (count - n / 64) ** 2 / (n / 64), 0)
    expect(square).toBeLessThan(103.4) // chi-square with 63 degrees: 0.999 quantile (SciPy)
  })

  test('refuse a bad capacity and a coin outside [0, 1]', () => {
    expect(() => new SequentialRanks(1)).toThrow(config('capacity'))
    expect(() => new SequentialRanks(5).push(1, -0.1)).toThrow(query('u'))
  })
})
