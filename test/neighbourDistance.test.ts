/** The nearest neighbours against hand counts, the published code's order of steps, and a plain search. */
import { describe, expect, test } from 'vitest'
import { createDetector, type NeighbourDistanceConfig } from '../src/core/index.ts'
import { VectorRing } from '../src/core/vectorRing.ts'
import { getDetector } from '../src/embed/index.ts'
import { random, vector } from './tools/random.ts'

function detector(config: Partial<NeighbourDistanceConfig> = {}) {
  return createDetector('neighbour_distance', { k: 2, maxHistorySize: 10, threshold: 1, ...config })
}

const at = (...embedding: number[]) => ({ embedding })

describe('the rule', () => {
  test('the mean distance to the two nearest of three is what a ruler gives', () => {
    const d = detector()
    for (const x of [0, 3, 100]) d.process(at(x, 0))
    const { score, threshold, suspicious, metadata, confidence } = d.process(at(0, 4))
    // 4 to (0, 0), 5 to (3, 0): 4.5 on average.
    expect(metadata).toEqual({ meanDistance: 4.5, nearestDistance: 4, historySize: 3, reset: false })
    expect([score, threshold, confidence, suspicious]).toEqual([1 / 5.5, 0.5, 1 / 5.5, false])
  })

  test('equality is not enough, a little less is: strict, as published', () => {
    const asked = (x: number) => {
      const d = detector({ threshold: 0.75 })
      d.process(at(0))
      d.process(at(0))
      return d.process(at(x)).suspicious
    }
    expect(asked(0.75)).toBe(false)
    expect(asked(0.75 - 1e-12)).toBe(true)
    expect(asked(0)).toBe(true)
  })

  test('nothing is decided before k are remembered, the query itself not counted', () => {
    const d = detector()
    const first = d.process(at(5))
    expect(first).toMatchObject({
      score: 0,
      suspicious: false,
      metadata: { meanDistance: null, nearestDistance: null },
    })
    expect(first.reason).toBe('Queries remembered: 0. Nothing is decided before there are 2.')
    expect(d.process(at(5))).toMatchObject({ score: 0, suspicious: false })
    expect(d.process(at(5))).toMatchObject({
      score: 1,
      suspicious: true,
      metadata: { meanDistance: 0, historySize: 2 },
    })
  })

  test('an alarm forgets everything, the query that raised it included', () => {
    const d = detector()
    const alarms = Array.from({ length: 9 }, () => d.process(at(5)).metadata.reset)
    expect(alarms).toEqual([false, false, true, false, false, true, false, false, true])
    expect(d.describe()).toMatchObject({ historySize: 0, details: { alarms: 3, dimension: 1 } })
    expect(() => d.process(at(1, 2))).toThrow('embedding: must have 1 numbers like the ones before')
  })

  test('it need not', () => {
    const d = detector({ resetOnAlarm: false })
    const suspicious = Array.from({ length: 12 }, () => d.process(at(5)).suspicious)
    expect(suspicious).toEqual([false, false, ...new Array(10).fill(true)])
    expect(d.describe()).toMatchObject({ historySize: 10, details: { alarms: 10 } })
    expect(d.bytes()).toBe(10 * (1 + 8) + 32)
  })

  test('bytes: copies are 0 apart, other distances nearly what they are, and the default takes less than 48 kB', () => {
    const next = random(3)
    const [exact, bytes] = (['exact', 'bytes'] as const).map((storage) =>
      createDetector('neighbour_distance', { k: 1, storage, resetOnAlarm: false }),
    )
    const unit = (v: ArrayLike<number>) => {
      const norm = Math.sqrt(Array.from(v).reduce((sum, x) => sum + x * x, 0))
      return Float32Array.from(v, (x) => x / norm)
    }
    const near = (v: Float32Array, size: number) => v.map((x) => x + (size / Math.sqrt(128)) * (next() - 0.5))
    let last = unit(vector(next, 512))
    for (let i = 0; i < 120; i++) {
      const [a, b] = [exact!, bytes!].map((d) => d.process({ embedding: last }).metadata.meanDistance)
      if (i > 0) expect(Math.abs(a! - b!), `query ${i}`).toBeLessThan(a! > 0.4 ? 0.002 : 0.02)
      last = i % 3 === 0 ? unit(vector(next, 512)) : near(last, [0.05, 0.45][i % 3 === 1 ? 0 : 1]!)
    }
    expect(bytes!.bytes()).toBe(90 * (512 + 8) + 32)
    expect(bytes!.bytes()).toBeLessThan(48_000)
    const copy = Float32Array.from(last)
    bytes!.process({ embedding: copy })
    expect(bytes!.process({ embedding: copy }).score).toBe(1)
  })

  test('bytes take the largest and the smallest vectors, and none', () => {
    const d = detector({ k: 1, resetOnAlarm: false })
    for (const x of [1e150, -1e150, 5e-324, 0]) expect(Number.isFinite(d.process(at(x, x)).score)).toBe(true)
    expect(d.process(at(0, 0)).metadata.nearestDistance).toBe(0)
  })

  test('the published defaults: 50 neighbours', () => {
    const d = createDetector('neighbour_distance')
    for (let i = 0; i < 50; i++) expect(d.process(at(1, 0)).suspicious).toBe(false)
    expect(d.process(at(1, 0)).suspicious).toBe(true)
  })

  test('a window smaller than k, a threshold of 0 and a word for the flag are refused', () => {
    expect(() => detector({ k: 11 })).toThrow('neighbour_distance.maxHistorySize: must be at least k = 11')
    expect(() => detector({ threshold: 0 })).toThrow('neighbour_distance.threshold')
    expect(() => detector({ resetOnAlarm: 'yes' as never })).toThrow('neighbour_distance.resetOnAlarm')
    expect(() => detector({ storage: 'floats' as never })).toThrow('neighbour_distance.storage')
  })
})

describe('the search', () => {
  /** Every distance, sorted. */
  function slowly(rows: readonly ArrayLike<number>[], query: ArrayLike<number>, count: number): number[] {
    const distances = rows.map((row) => {
      let sum = 0
      for (let i = 0; i < row.length; i++) sum += (row[i]! - query[i]!) * (row[i]! - query[i]!)
      return Math.sqrt(sum)
    })
    return distances.sort((a, b) => a - b).slice(0, count)
  }

  test.each([1, 2, 7, 64])('finds what comparing with every row finds, in %d dimensions', (dimension) => {
    const next = random(dimension)
    const ring = new VectorRing(40)
    const rows: ArrayLike<number>[] = []
    for (let i = 0; i < 300; i++) {
      const near = rows[Math.floor(next() * rows.length)]
      const size = [1, 1e-9, 0][i % 3]!
      const query =
        near === undefined || i % 5 === 0
          ? vector(next, dimension)
          : Float64Array.from(near, (x) => x + size * (next() - 0.5))
      const count = 1 + Math.floor(8 * next())
      const found = ring.nearestDistances(query, count)
      const expected = slowly(rows, query, count)
      expect(found).toHaveLength(expected.length)
      for (const [j, distance] of expected.entries()) {
        expect(Math.abs(found[j]! - distance), `query ${i}, neighbour ${j}`).toBeLessThanOrEqual(1e-14 * distance)
      }
      ring.push(query)
      rows.push(query)
      if (rows.length > 40) rows.shift()
    }
  })

  test('keeps every digit of a short distance between long vectors', () => {
    const ring = new VectorRing(4)
    // |a|² is 10²⁰: its rounding error alone is 16 384.
    ring.push([1e10, 0])
    ring.push([1e10 + 2, 0])
    expect(Array.from(ring.nearestDistances([1e10 + 1, 3], 2))).toEqual([Math.sqrt(10), Math.sqrt(10)])
  })

  test('takes the largest and the smallest vectors', () => {
    const ring = new VectorRing(3)
    for (const x of [1e150, -1e150, 5e-324]) ring.push([x, x])
    const far = Math.sqrt(1e150 * 1e150 + 1e150 * 1e150)
    expect(Array.from(ring.nearestDistances([0, 0], 3))).toEqual([0, far, far])
    expect(Array.from(new VectorRing(3).nearestDistances([1], 3))).toEqual([])
  })
})

describe('raw input', () => {
  test('copies of one text with a word changed are suspicious, other texts are not', async () => {
    const d = getDetector('neighbour_distance', { k: 5, resetOnAlarm: false })
    const cities = ['Vienna', 'Graz', 'Linz', 'Salzburg', 'Innsbruck', 'Bregenz', 'Wels', 'Villach']
    for (const city of cities) {
      await d.process({ input: `Please tell me the quickest way to send a parcel from my home to ${city} today.` })
    }
    const next = await d.process({
      input: 'Please tell me the quickest way to send a parcel from my home to Steyr today.',
    })
    expect(next.suspicious).toBe(true)
    expect((await d.process({ input: 'My card was declined at the supermarket.' })).suspicious).toBe(false)
  })

  test('rows and an embedding of one’s own will do', async () => {
    const rows = getDetector('neighbour_distance', { k: 1, schema: { age: { type: 'number', scale: 2 } } })
    await rows.process({ input: { age: 31, job: 'cook' } })
    expect((await rows.process({ input: { age: 31, job: 'cook' } })).metadata.meanDistance).toBe(0)
    const own = getDetector('neighbour_distance', { k: 1, embedder: (input) => [String(input).length] })
    await own.process({ input: 'four' })
    expect((await own.process({ input: 'fifteen' })).metadata.meanDistance).toBe(3)
  })
})
