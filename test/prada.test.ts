/** PRADA against its published steps in NumPy and SciPy (test/golden/prada.py), hand counts, and a plain restatement. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { signedSums } from '../src/core/detectors/prada/signedSums.ts'
import { createDetector, type Observation, type PradaConfig, shapiroWilk } from '../src/core/index.ts'
import { normal, random } from './tools/random.ts'

interface Golden {
  readonly cases: readonly {
    readonly seed: number
    readonly count: number
    readonly step: number
    readonly tests: readonly {
      readonly query: number
      readonly w: number
      readonly tested: number
      readonly points: number
    }[]
  }[]
}

const golden = JSON.parse(readFileSync(new URL('golden/prada.json', import.meta.url), 'utf8')) as Golden

/** As in test/golden/prada.py, to the bit. */
function stream(seed: number, count: number, step: number): { readonly vector: number[]; readonly label: number }[] {
  const next = random(seed)
  const seen: number[][] = []
  return Array.from({ length: count }, (_, i) => {
    const fresh = Array.from({ length: 6 }, () => normal(next))
    const at = seen.length === 0 ? 0 : Math.floor(next() * seen.length)
    const vector = step === 0 || i < 20 ? fresh : seen[at]!.map((v, k) => v + step * fresh[k]!)
    seen.push(vector)
    return { vector, label: Math.floor(3 * next()) }
  })
}

const answer = (label: number) => [0, 1, 2].map((c) => (c === label ? 0.8 : 0.1))
const asked = ({ vector, label }: { readonly vector: readonly number[]; readonly label: number }): Observation => {
  return { vector, probabilities: answer(label) }
}
const detector = (config: Partial<PradaConfig> = {}) => createDetector('prada', { every: 1, tooFew: 3, ...config })

describe('the published steps', () => {
  test.each(golden.cases)(
    'seed $seed, step $step: W within 1e-6 of SciPy at every test',
    ({ seed, count, step, tests }) => {
      const d = createDetector('prada', { threshold: 0.95 })
      const found = stream(seed, count, step).flatMap((one, i) => {
        const { metadata, suspicious, score } = d.process(asked(one))
        expect(suspicious).toBe(metadata.w !== null && metadata.w < 0.95)
        expect(score).toBe(metadata.w === null ? 0 : 1 - metadata.w)
        return metadata.w === null
          ? []
          : [{ query: i + 1, w: metadata.w, tested: metadata.tested, points: metadata.points }]
      })
      const rest = (list: readonly { readonly query: number; readonly tested: number; readonly points: number }[]) =>
        list.map(({ query, tested, points }) => [query, tested, points])
      expect(rest(found)).toEqual(rest(tests))
      expect(tests.length).toBeGreaterThan(40)
      for (const [i, { w }] of tests.entries()) expect(Math.abs(found[i]!.w - w)).toBeLessThan(1e-6)
    },
  )

  test('natural queries are innocent at 0.95, steps from earlier ones are not', () => {
    const flagged = golden.cases.map(({ tests }) => tests.filter(({ w }) => w < 0.95).length / tests.length)
    expect(flagged[0]).toBe(0)
    expect(flagged[2]).toBe(1)
    expect(flagged[3]).toBe(1)
  })
})

describe('by hand', () => {
  const at = (...vector: number[]) => asked({ vector, label: 0 })

  test('what lies further away than mean − deviation is kept; the first distance counts as 0', () => {
    const d = detector()
    const rows = [0, 3, 3, 103, 104].map((x) => d.process(at(x)).metadata)
    expect(rows.map(({ distance }) => distance)).toEqual([null, 3, 0, 100, 1])
    // Limits: 0; then 1.5 − 1.5 = 0, so 0 does not pass; then mean 103/3 less the deviation 46.46 is below 0: 1 passes.
    expect(rows.map(({ points }) => points)).toEqual([1, 2, 2, 3, 4])
    // A seventh at the limit exactly would not be kept: strict.
    expect(d.process(at(104)).metadata.points).toBe(4)
  })

  test('classes, and vectors of another length, have sets of their own', () => {
    const d = detector()
    d.process(at(0))
    expect(d.process(asked({ vector: [0], label: 1 })).metadata.distance).toBe(null)
    expect(d.process(at(0, 0)).metadata.distance).toBe(null)
    expect(d.process(at(3, 4)).metadata.distance).toBe(5)
    expect(d.describe().details).toMatchObject({ classes: 3, points: 4 })
  })

  test('a test comes every tenth query, and there must be more distances than 3', () => {
    const d = detector({ every: 5, leastOfClass: 2 })
    const tested = [1, 2, 4, 8, 17, 30, 60, 90, 100, 200].map((x) => d.process(at(x)).metadata.tested)
    // At the fifth 4 distances, at the tenth 9.
    expect(tested).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 0, 9])
    const short = detector({ every: 4, leastOfClass: 2 })
    expect([1, 2, 4, 8].map((x) => short.process(at(x)).metadata.tested)).toEqual([0, 0, 0, 0])
  })

  test('three deviations away is an outlier: strictly closer ones stay', () => {
    const d = detector({ leastOfClass: 1 })
    let last = d.process(at(0))
    for (let i = 0; i < 20; i++) last = d.process(at(0))
    expect(last.metadata).toMatchObject({ tested: 0, w: null }) // all the same: nothing is closer than 0 deviations
    last = d.process(at(50))
    expect(last.metadata).toMatchObject({ tested: 20, w: 1 })
    expect(last.score).toBe(0)
  })

  test('W at the threshold is innocent, above it suspicious', () => {
    const w = shapiroWilk([1, 2, 4, 9, 8]).w
    const ask = (threshold: number) => {
      const d = detector({ threshold, leastOfClass: 1, every: 6 })
      return [0, 1, -2, 5, 14, 22].map((x) => d.process(at(x))).at(-1)!
    }
    expect(ask(w).metadata.w).toBe(w)
    expect(ask(w).suspicious).toBe(false)
    expect(ask(w + 1e-12).suspicious).toBe(true)
  })

  test('options out of range are refused', () => {
    expect(() => detector({ threshold: 1 })).toThrow('prada.threshold')
    expect(() => detector({ tooFew: 100, maxHistorySize: 100 })).toThrow('prada.maxHistorySize')
    expect(() => detector({ maxHistorySize: 5001 })).toThrow('prada.maxHistorySize')
    expect(() => detector({ maxBytes: 4095 })).toThrow('prada.maxBytes')
    expect(() => detector({ maxNumbers: 0 })).toThrow('prada.maxNumbers')
  })
})

test('beyond the limits the oldest leave: as a list that is searched in full', () => {
  const d = detector({ maxPoints: 9, maxHistorySize: 25, leastOfClass: 4, every: 3, tooFew: 8 })
  let points: { vector: number[]; label: number }[] = []
  let distances: { label: number; d: number }[] = []
  const sets: Record<number, { added: number[]; limit: number }> = {}
  for (const [i, one] of stream(9, 400, 0.4).entries()) {
    const own = points.filter(({ label }) => label === one.label)
    const dist = Math.min(...own.map((p) => Math.sqrt(p.vector.reduce((s, v, k) => s + (v - one.vector[k]!) ** 2, 0))))
    const set = own.length === 0 ? { added: [0], limit: 0 } : sets[one.label]!
    sets[one.label] = set
    if (own.length > 0) distances = [...distances, { label: one.label, d: dist }].slice(-25)
    const isFar = dist > set.limit
    if (isFar && own.length > 0) {
      set.added.push(dist)
      const mean = set.added.reduce((a, b) => a + b) / set.added.length
      const variance = set.added.reduce((s, v) => s + (v - mean) ** 2, 0) / set.added.length
      set.limit = Math.max(set.limit, mean - Math.sqrt(variance))
    }
    if (isFar) points = [...points, one].slice(-9)
    const all = distances.filter(({ label }) => distances.filter((o) => o.label === label).length >= 4).map((o) => o.d)
    const mean = all.reduce((a, b) => a + b, 0) / all.length
    const deviation = Math.sqrt(all.reduce((s, v) => s + (v - mean) ** 2, 0) / all.length)
    const sample = all.filter((v) => Math.abs(v - mean) < 3 * deviation)
    const w = (i + 1) % 3 === 0 && sample.length > 8 ? shapiroWilk(sample).w : null
    const { metadata } = d.process(asked(one))
    expect(metadata.points).toBe(points.length)
    expect(metadata.historySize).toBe(distances.length)
    if (w === null) expect(metadata.w).toBe(null)
    else expect(metadata.w).toBeCloseTo(w, 12)
  }
  expect(d.bytes()).toBeLessThan(9 * 200 + 25 * 40 + 3 * 160 + 33)
})

describe('memory', () => {
  const noise = (next: () => number, numbers: number) => Float64Array.from({ length: numbers }, next)

  test.each([
    ['pictures', 3072, 10],
    ['rows of 64 numbers', 64, 3],
    ['rows of 10 numbers', 10, 2],
    ['pictures of a thousand classes', 3072, 1000],
  ] as const)('%s take at most 64 kB at the defaults, and so does a copy', (_, numbers, classes) => {
    const d = createDetector('prada')
    const next = random(numbers + classes)
    let most = 0
    for (let i = 0; i < 1500; i++) {
      const label = Math.floor(classes * next())
      const probabilities = Float32Array.from({ length: classes }, (_, c) => (c === label ? 1 : 0))
      // Ever further apart, so that all of them are kept while there is room.
      const vector = noise(next, numbers).map((x) => (1 + i / 50) * x)
      d.process({ vector: i % 2 === 0 ? vector : Float32Array.from(vector), probabilities })
      most = Math.max(most, d.bytes())
    }
    expect(most).toBeLessThanOrEqual(64_000 + 32)
    expect(most).toBeGreaterThan(50_000)
    const copy = createDetector('prada')
    copy.restore(d.snapshot())
    expect(copy.bytes()).toBe(d.bytes())
  })

  test('sums of signed numbers keep distances: right on average, 9 % off', () => {
    const next = random(7)
    const ratios = Array.from({ length: 400 }, () => {
      const [a, b] = [0, 1].map(() => Float64Array.from({ length: 3072 }, () => normal(next)))
      const length = (v: ArrayLike<number>) => Math.sqrt(Array.from(v).reduce((sum, x) => sum + x * x, 0))
      const [short, other] = [signedSums(a!, 64).slice(), signedSums(b!, 64)]
      return length(short.map((x, i) => x - other[i]!)) / length(a!.map((x, i) => x - b![i]!))
    })
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
    const squares = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0)
    expect(Math.abs(mean - 1)).toBeLessThan(0.02)
    // 1 / √128 is 0.088; of 400 the deviation is known to 0.003.
    expect(Math.abs(Math.sqrt(squares / ratios.length) - 0.088)).toBeLessThan(0.012)
    expect(signedSums([1e100, 1e100, -1e100], 1).every(Number.isFinite)).toBe(true)
  })

  test('of them W judges as of the numbers themselves: natural queries are innocent, steps from earlier ones are not', () => {
    const [exact, sums] = [65_536, 64].map((maxNumbers) => {
      const d = createDetector('prada', { threshold: 0.95, maxNumbers, maxBytes: 1e9 })
      const next = random(7)
      const seen: Float64Array[] = []
      return Array.from({ length: 400 }, (_, i) => {
        const own = Float64Array.from({ length: 768 }, () => normal(next))
        const from = seen[Math.floor(next() * seen.length)]!
        const vector = i < 200 ? own : own.map((x, k) => from[k]! + 0.05 * x)
        seen.push(vector)
        return d.process(asked({ vector: Array.from(vector), label: 0 })).suspicious
      })
    })
    for (const found of [exact!, sums!]) {
      expect(found.slice(0, 200)).not.toContain(true)
      expect(found.slice(200)).toContain(true)
    }
    // Two tests sooner or later.
    expect(Math.abs(exact!.indexOf(true) - sums!.indexOf(true))).toBeLessThanOrEqual(20)
  })
})
