/** The maximum mean discrepancy of two samples, and of two streams by random features. */
import { describe, expect, test } from 'vitest'
import { FeatureMean, medianBandwidth, mmdSquared, mmdSquaredOfMeans, RandomFeatures } from '../src/core/index.ts'
import { random, vector } from './tools/random.ts'
import { expected, relativeError, type VectorSample, vectors } from './tools/samples.ts'

const query = (path: string) => expect.objectContaining({ code: 'bad_query', path })
const config = (path: string) => expect.objectContaining({ code: 'bad_config', path })

describe('the maximum mean discrepancy', () => {
  test('agrees with NumPy to 1e-12', () => {
    const cases = expected<{ x: VectorSample; y: VectorSample; bandwidths: number[]; mmd: number }>('mmd')
    for (const { x, y, bandwidths, mmd } of cases) {
      expect(Math.abs(mmdSquared(vectors(x), vectors(y), { bandwidths }) - mmd)).toBeLessThan(1e-12)
    }
  })

  test('the suggested width agrees with NumPy', () => {
    for (const { x, width } of expected<{ x: VectorSample; width: number }>('medianBandwidth')) {
      expect(relativeError(medianBandwidth(vectors(x)), width)).toBeLessThan(1e-14)
    }
    expect(medianBandwidth([[0], [0], [0], [2], [2]])).toBe(2) // equal vectors do not count
  })

  test('is symmetric and does not depend on order and place', () => {
    const x = vectors({ count: 11, dimension: 5, seed: 6, shift: 0 })
    const y = vectors({ count: 8, dimension: 5, seed: 7, shift: 0.5 })
    const options = { bandwidths: [1, 3] }
    const mmd = mmdSquared(x, y, options)
    expect(mmdSquared(y, x, options)).toBeCloseTo(mmd, 13)
    expect(mmdSquared(x.toReversed(), y, options)).toBeCloseTo(mmd, 13)
    const moved = (list: Float64Array[]) => list.map((v) => v.map((a) => a + 8))
    expect(mmdSquared(moved(x), moved(y), options)).toBeCloseTo(mmd, 12)
  })

  test('is 0 on average when both samples come from one distribution', () => {
    const next = random(8)
    const draw = () => Array.from({ length: 10 }, () => vector(next, 3))
    const values = Array.from({ length: 3000 }, () => mmdSquared(draw(), draw(), { bandwidths: [1] }))
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const deviation = Math.sqrt(values.reduce((a, b) => a + b * b, 0) / values.length)
    expect(Math.abs(mean)).toBeLessThan((4 * deviation) / Math.sqrt(values.length))
  })

  test('refuses one vector, vectors of two lengths, NaN and widths that are none', () => {
    const x = [[1], [2]]
    expect(() => mmdSquared([[1]], x, { bandwidths: [1] })).toThrow(query('x'))
    expect(() => mmdSquared([null as unknown as number[], [1]], x, { bandwidths: [1] })).toThrow(query('x[0]'))
    expect(() => mmdSquared(x, [[1], [1, 2]], { bandwidths: [1] })).toThrow(query('y[1]'))
    expect(() => mmdSquared(x, [[1], [Number.NaN]], { bandwidths: [1] })).toThrow(query('y[1][0]'))
    expect(() => mmdSquared(x, x, { bandwidths: [] })).toThrow(config('bandwidths'))
    expect(() => mmdSquared(x, x, { bandwidths: [0] })).toThrow(config('bandwidths[0]'))
    expect(() => medianBandwidth([[1], [1]])).toThrow(query('x'))
  })
})

describe('random features', () => {
  const x = vectors({ count: 40, dimension: 6, seed: 31, shift: 0 })
  const y = vectors({ count: 30, dimension: 6, seed: 32, shift: 0.6 })
  const bandwidths = [1, 2, 4]
  const meanOf = (rf: RandomFeatures, list: readonly Float64Array[], decay = 1) => {
    const mean = new FeatureMean({ length: rf.length, decay })
    for (const v of list) mean.push(rf.map(v))
    return mean
  }
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)

  test('the discrepancy of two means is that of all pairs under the kernel that the features make', () => {
    const rf = new RandomFeatures({ dimension: 6, bandwidths, frequencies: 12, seed: 1 })
    for (const decay of [1, 0.8]) {
      const pairs = (a: Float64Array[], b: Float64Array[]) => {
        let sum = 0
        let weights = 0
        for (const [i, u] of a.entries()) {
          for (const [j, v] of b.entries()) {
            if (a === b && i === j) continue
            const weight = decay ** (a.length - i + b.length - j)
            sum += weight * dot(rf.map(u), rf.map(v))
            weights += weight
          }
        }
        return sum / weights
      }
      const slow = pairs(x, x) + pairs(y, y) - 2 * pairs(x, y)
      expect(mmdSquaredOfMeans(meanOf(rf, x, decay), meanOf(rf, y, decay))).toBeCloseTo(slow, 12)
    }
  })

  test('comes near the exact discrepancy as the directions grow', () => {
    const exact = mmdSquared(x, y, { bandwidths })
    const errors = [48, 6144].map((frequencies) => {
      const squares = Array.from({ length: 8 }, (_, seed) => {
        const rf = new RandomFeatures({ dimension: 6, bandwidths, frequencies, seed })
        return (mmdSquaredOfMeans(meanOf(rf, x), meanOf(rf, y)) - exact) ** 2
      })
      return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length)
    })
    expect(errors[0]).toBeLessThan(0.06)
    expect(errors[1]).toBeLessThan(0.06 / 8) // 128 times the directions: about 11 times nearer
  })

  test('have length 1, and their angles add up as vectors do', () => {
    const rf = new RandomFeatures({ dimension: 6, bandwidths: [0.3], frequencies: 5, seed: 2 })
    for (const [i, u] of x.entries()) {
      const v = y[i % y.length]!
      const [a, b, sum] = [rf.map(u), rf.map(v), rf.map(u.map((value, k) => value + v[k]!))]
      expect(Math.abs(dot(a, a) - 1)).toBeLessThan(1e-14)
      for (let f = 0; f < 5; f++) {
        const [c, s, d, t] = [a[2 * f]!, a[2 * f + 1]!, b[2 * f]!, b[2 * f + 1]!]
        expect(Math.abs(Math.sqrt(5) * (c * d - s * t) - sum[2 * f]!)).toBeLessThan(1e-13)
        expect(Math.abs(Math.sqrt(5) * (s * d + c * t) - sum[2 * f + 1]!)).toBeLessThan(1e-13)
      }
    }
  })

  test('are the same for the same seed, others for another, and pinned to the last bit', () => {
    const rf = (seed: number) => new RandomFeatures({ dimension: 6, bandwidths: [1], frequencies: 1, seed }).map(x[0]!)
    expect(rf(3)).toEqual(rf(3))
    expect(rf(3)).not.toEqual(rf(4))
    expect([...rf(3)]).toEqual([-0.9065067839437096, 0.42219124891929316])
  })

  test('refuse another length, directions that do not divide among the widths, and streams too short', () => {
    const rf = new RandomFeatures({ dimension: 6, bandwidths, frequencies: 12 })
    expect(() => rf.map([1, 2])).toThrow(query('vector'))
    expect(() => rf.map([1, 2, 3, 4, 5, Number.NaN])).toThrow(query('vector[5]'))
    expect(() => rf.map(x[0]!, new Float64Array(3))).toThrow(config('out'))
    expect(() => new RandomFeatures({ dimension: 6, bandwidths, frequencies: 10 })).toThrow(config('frequencies'))
    expect(() => mmdSquaredOfMeans(meanOf(rf, x), meanOf(rf, y.slice(1, 2)))).toThrow(query('y'))
    expect(() => mmdSquaredOfMeans(meanOf(rf, x), new FeatureMean({ length: 2 }))).toThrow(query('y'))
    expect(() => new FeatureMean({ length: 2, decay: 0 })).toThrow(config('decay'))
  })
})
