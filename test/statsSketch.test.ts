/** The quantile sketch: exact while small, within its stated error beyond, also after merging. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { QuantileSketch } from '../src/core/index.ts'
import { random } from './tools/random.ts'
import { expected, type Sample, sample } from './tools/samples.ts'

const query = (path: string) => expect.objectContaining({ code: 'bad_query', path })
const config = (path: string) => expect.objectContaining({ code: 'bad_config', path })

describe('the quantile sketch', () => {
  test('agrees with NumPy to the bit while it is small', () => {
    for (const { x, share, value } of expected<{ x: Sample; share: number; value: number }>('quantiles')) {
      const sketch = new QuantileSketch()
      for (const v of sample(x)) sketch.push(v)
      expect(sketch.quantile(share)).toBe(value)
      expect(sketch.rankError).toBe(0)
    }
  })

  const kinds = fc.constantFrom('uniform', 'ties', 'heavy', 'rising', 'falling')
  const stream = (kind: string, n: number, seed: number) => {
    const values = sample({ kind: kind === 'ties' || kind === 'heavy' ? kind : 'uniform', n, seed })
    if (kind === 'rising' || kind === 'falling') values.sort()
    return kind === 'falling' ? values.reverse() : values
  }

  test('counts and quantiles are off by no more than it says, also after merging; the largest are exact', () => {
    const parts = fc.array(fc.tuple(kinds, fc.nat(900)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(parts, fc.constantFrom(16, 32), fc.nat(), (streams, size, seed) => {
        const all: number[] = []
        const whole = new QuantileSketch({ size })
        for (const [i, [kind, n]] of streams.entries()) {
          const part = new QuantileSketch({ size })
          for (const value of stream(kind, n, seed + i)) {
            part.push(value)
            all.push(value)
          }
          const before = part.save()
          whole.merge(part)
          expect(part.save()).toEqual(before)
        }
        checkRanks(
          whole,
          all.sort((a, b) => a - b),
          size,
        )
      }),
      { seed: 33, numRuns: 60 },
    )
  })

  function checkRanks(sketch: QuantileSketch, sorted: readonly number[], size: number): void {
    const n = sorted.length
    expect(sketch.count).toBe(n)
    const error = sketch.rankError
    for (let i = 0; i < n; i += Math.ceil(n / 200)) {
      const upTo = sorted.findLastIndex((v) => v <= sorted[i]!) + 1
      expect(Math.abs(sketch.countUpTo(sorted[i]!) - upTo)).toBeLessThanOrEqual(error)
      const found = sketch.quantile((i + 1) / n)
      expect(sorted.indexOf(found)).toBeLessThanOrEqual(i + error)
      expect(sorted.lastIndexOf(found)).toBeGreaterThanOrEqual(i - error)
    }
    for (let i = Math.max(0, n - size); i < n; i++) {
      const least = sorted[Math.max(0, n - size)]!
      if (sorted[i]! > least) expect(sketch.countUpTo(sorted[i]!)).toBe(sorted.lastIndexOf(sorted[i]!) + 1)
    }
  }

  test('of a million values, in the default size, is off by 1 % at most, and keeps below 53 kB', () => {
    const next = random(34)
    const sketch = new QuantileSketch()
    for (let i = 0; i < 1_000_000; i++) sketch.push(next())
    expect(sketch.rankError).toBeLessThan(10_000)
    expect(sketch.bytes()).toBeLessThan(53_000)
    for (const share of [0.01, 0.1, 0.5, 0.9, 0.99])
      expect(Math.abs(sketch.quantile(share) - share)).toBeLessThan(0.011)
  })

  test('merged with itself counts everything twice', () => {
    const sketch = new QuantileSketch({ size: 16 })
    for (let i = 0; i < 300; i++) sketch.push(i)
    const upTo = sketch.countUpTo(150)
    const error = sketch.rankError
    sketch.merge(sketch)
    expect(sketch.count).toBe(600)
    expect(Math.abs(sketch.countUpTo(150) - 2 * upTo)).toBeLessThanOrEqual(sketch.rankError + 2 * error)
  })

  test('refuses to merge another size, to tell a quantile of nothing, and odd sizes', () => {
    const sketch = new QuantileSketch({ size: 16 })
    expect(() => sketch.merge(new QuantileSketch({ size: 18 }))).toThrow(config('other.size'))
    expect(() => sketch.quantile(0.5)).toThrow(query('count'))
    sketch.push(1)
    expect(() => sketch.quantile(1.5)).toThrow(query('share'))
    for (const size of [15, 17, 14, 1e6]) expect(() => new QuantileSketch({ size })).toThrow(config('size'))
  })
})
