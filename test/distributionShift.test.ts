/** The distribution shift against a plain double sum, and its promise on streams of honest clients. */
import { describe, expect, test } from 'vitest'
import {
  createDetector,
  type FitShiftOptions,
  fitShift,
  RandomFeatures,
  type ShiftReference,
} from '../src/core/index.ts'
import { random, vector } from './tools/random.ts'

const toUnit = (v: ArrayLike<number>) => {
  const norm = Math.sqrt(Array.from(v).reduce((sum, x) => sum + x * x, 0))
  return Array.from(v, (x) => x / norm)
}

/** A client with a taste of its own: a narrow part of what all of them ask. */
function client(seed: number, count: number, shift = 0): Float64Array[] {
  const next = random(seed)
  const taste = vector(next, 5).map((x) => 0.3 * x)
  return Array.from({ length: count }, () => vector(next, 5).map((x, k) => x + taste[k]! + (k === 0 ? shift : 0)))
}

const clients = Array.from({ length: 80 }, (_, i) => client(i, 40))
const made = (options: FitShiftOptions = {}) =>
  fitShift(clients, { queries: 20, references: 50, alpha: 0.1, ...options })

/** Over all pairs, by the definition. */
function plainMmd(x: readonly number[][], y: readonly number[][], widths: readonly number[]): number {
  const k = (a: number[], b: number[]) => {
    const d = a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0)
    return widths.reduce((sum, s) => sum + Math.exp(-d / (2 * s * s)), 0) / widths.length
  }
  const pairs = (a: readonly number[][], b: readonly number[][], isSame: boolean) => {
    let sum = 0
    for (const [i, one] of a.entries())
      for (const [j, other] of b.entries()) if (!(isSame && i === j)) sum += k(one, other)
    return sum / (isSame ? a.length * (a.length - 1) : a.length * b.length)
  }
  return pairs(x, x, true) + pairs(y, y, true) - 2 * pairs(x, y, false)
}

/** By the features themselves, each pair of queries by its weights. */
function plainStream(reference: ShiftReference, queries: readonly number[][]): number {
  const { vectors, bandwidths, frequencies, seed } = reference
  const map = new RandomFeatures({ dimension: 5, bandwidths, frequencies, seed })
  const features = (list: readonly (readonly number[])[]) => list.map((v) => map.map(v))
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
  const mean = (a: Float64Array[], b: Float64Array[], weightA: number[], weightB: number[], isSame: boolean) => {
    let sum = 0
    let weight = 0
    for (const [i, one] of a.entries()) {
      for (const [j, other] of b.entries()) {
        if (isSame && i === j) continue
        sum += weightA[i]! * weightB[j]! * dot(one, other)
        weight += weightA[i]! * weightB[j]!
      }
    }
    return sum / weight
  }
  const [x, y] = [features(vectors), features(queries)]
  const even = x.map(() => 1)
  const decay = y.map((_, i) => (1 - 1 / reference.queries) ** (y.length - 1 - i))
  return mean(x, x, even, even, true) + mean(y, y, decay, decay, true) - 2 * mean(x, y, even, decay, false)
}

describe('the score', () => {
  test('of a window is the double sum over the last queries, within 1e-9, at every fifth query', () => {
    const reference = made({ form: 'window' })
    const d = createDetector('distribution_shift', { reference })
    const queries = client(1000, 43).map(toUnit)
    for (const [i, embedding] of queries.entries()) {
      const { score, metadata } = d.process({ embedding: embedding.map((x) => 7 * x) }) // scaled to length 1 anyway
      if (i + 1 < 20 || (i + 1) % 5 !== 0) {
        expect([score, metadata.discrepancy]).toEqual([0, null])
        continue
      }
      const expected = plainMmd(reference.vectors as number[][], queries.slice(i - 19, i + 1), reference.bandwidths)
      expect(Math.abs(metadata.discrepancy! - expected)).toBeLessThan(1e-9)
      expect(metadata.historySize).toBe(20)
    }
  })

  test('of a stream is the weighted sum over all queries', () => {
    const reference = made({ frequencies: 64 })
    const d = createDetector('distribution_shift', { reference })
    const queries = client(1000, 50).map(toUnit)
    for (const [i, embedding] of queries.entries()) {
      const { metadata } = d.process({ embedding })
      if (i < 19) expect(metadata.discrepancy).toBe(null)
      else expect(Math.abs(metadata.discrepancy! - plainStream(reference, queries.slice(0, i + 1)))).toBeLessThan(1e-9)
    }
  })

  test('a threshold equal to the score is innocent: strict', () => {
    const reference = made({ form: 'window', every: 20 })
    const last = (threshold: number) => {
      const d = createDetector('distribution_shift', { reference, threshold })
      return client(5, 20, 3)
        .map((embedding) => d.process({ embedding }))
        .at(-1)!
    }
    const { score } = last(2)
    expect(score).toBeGreaterThan(0.05)
    expect(last(score).suspicious).toBe(false)
    expect(last(score - 1e-12).suspicious).toBe(true)
  })
})

describe.each(['stream', 'window', 'bets'] as const)('a reference for a %s', (form) => {
  const reference = made({ form })

  test('is plain data, with vectors of length 1 and widths around their median distance', () => {
    expect(JSON.parse(JSON.stringify(reference))).toEqual(reference)
    expect(reference.vectors.length).toBe(50)
    for (const one of reference.vectors) expect(one.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 12)
    const [half, one, two, four] = reference.bandwidths
    expect([2 * half!, two! / 2, four! / 4]).toEqual([one, one, one])
  })

  test('new honest clients alarm about as seldom as alpha says, clients from elsewhere nearly always', () => {
    const alarms = (count: number, shift: number) =>
      Array.from({ length: count }, (_, i) => {
        const d = createDetector('distribution_shift', { reference })
        return client(50_000 + i, 40, shift)
          .map((embedding) => d.process({ embedding }).suspicious)
          .some(Boolean)
      }).filter(Boolean).length
    // 40 clients set the threshold: one set of them may be off by √(ln(1/δ)/80), 0.2 for δ = 0.04.
    expect(alarms(200, 0)).toBeLessThan(0.3 * 200)
    expect(alarms(40, 3)).toBeGreaterThan(36)
  })
})

test('a missing reference, one that does not fit, and too few clients are refused', () => {
  const reference = made()
  const refused = (change: object) => () =>
    createDetector('distribution_shift', { reference: { ...reference, ...change } as ShiftReference })
  expect(() => createDetector('distribution_shift')).toThrow(
    'distribution_shift.reference: is missing: make it of honest',
  )
  expect(refused({ form: 'batch' })).toThrow('reference.form')
  expect(refused({ vectors: [[1, 0]] })).toThrow('reference.vectors')
  expect(refused({ vectors: [[1, 0], [1]] })).toThrow('reference.vectors[1]')
  expect(
    refused({
      vectors: [
        [1, 0],
        [1, Number.NaN],
      ],
    }),
  ).toThrow('reference.vectors[1][1]')
  expect(refused({ every: 21 })).toThrow('reference.every')
  expect(refused({ bandwidths: [] })).toThrow('bandwidths')
  const long = [new Array(7000).fill(0), new Array(7000).fill(0.01)]
  expect(refused({ form: 'window', vectors: long, queries: 10_000 })).toThrow('must be at most 67108864 numbers')
  expect(refused({ frequencies: 7 })).toThrow('frequencies')
  expect(() => made({ alpha: 0.01 })).toThrow('must have 99 clients at least')
  expect(() => made({ queries: 41 })).toThrow('clients[0]: must have 41 at least')
})

/** Evidence by the definitions: every product anew, every bet by its own product of factors. */
function plainEvidence({ vectors, calibration, queries, every }: ShiftReference, asked: readonly number[][]) {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
  const novelty = (x: readonly number[]) => 1 - Math.max(...vectors.map((one) => dot(one, x)))
  const center = vectors[0]!.map((_, k) => vectors.reduce((sum, one) => sum + one[k]!, 0) / vectors.length)
  const count = calibration!.length
  const bets = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2].flatMap((tail) => {
    const place = Math.max(1, Math.floor(tail * (count + 1)))
    return [0.01, 0.03, 0.1, 0.3, 0.6].map((stake) => ({ place, stake, novelty: 0, drift: 0 }))
  })
  const isWon = (value: (x: readonly number[]) => number, x: readonly number[], place: number) =>
    value(x) > calibration!.map(value).sort((a, b) => b - a)[place - 1]!
  let direction: number[] | undefined
  for (const [t, x] of asked.entries()) {
    for (const bet of bets) {
      const gain = (won: boolean) => Math.log(1 - bet.stake + (won ? (bet.stake * (count + 1)) / bet.place : 0))
      bet.novelty = Math.max(bet.novelty + gain(isWon(novelty, x, bet.place)), -20)
      const along = direction
      if (along !== undefined) bet.drift = Math.max(bet.drift + gain(isWon((v) => dot(v, along), x, bet.place)), -20)
    }
    const past = asked.slice(0, t + 1)
    const weights = past.map((_, i) => (1 - 1 / queries) ** (t - i))
    const total = weights.reduce((sum, w) => sum + w, 0)
    if ([5, 10].includes(t + 1) || (t + 1) % every === 0) {
      direction = center.map((c, k) => past.reduce((sum, one, i) => sum + weights[i]! * one[k]!, 0) / total - c)
    }
  }
  const mean = (kind: 'novelty' | 'drift') =>
    Math.log(bets.reduce((sum, bet) => sum + Math.exp(bet[kind]), 0) / bets.length)
  return { novelty: mean('novelty'), drift: mean('drift') }
}

describe('bets', () => {
  const reference = made({ form: 'bets', every: 20 })

  test('are what the definitions give, at every query, and the score is the larger share of the limits', () => {
    const asked = [...client(1000, 25), ...client(1001, 20, 2)].map(toUnit)
    const d = createDetector('distribution_shift', { reference })
    const limits = reference.limits!
    for (const [i, embedding] of asked.entries()) {
      const { score, suspicious, metadata } = d.process({ embedding })
      const expected = plainEvidence(reference, asked.slice(0, i + 1))
      expect(metadata.evidence!.novelty).toBeCloseTo(expected.novelty, 9)
      expect(metadata.evidence!.drift).toBeCloseTo(expected.drift, 9)
      expect(score).toBeCloseTo(Math.max(expected.novelty / limits.novelty, expected.drift / limits.drift, 0), 9)
      expect(suspicious).toBe(score > 1)
    }
  })

  test('have limits from whole clients, of ln(2/alpha) at least', () => {
    expect(reference.limits!.drift).toBeGreaterThan(Math.log(2 / 0.1)) // each client here has a taste of its own
    const alike = Array.from({ length: 80 }, (_, i) => vectorsOf(i, 3))
    const { limits } = fitShift(alike, { form: 'bets', alpha: 0.1 })
    expect(limits!.novelty).toBe(Math.log(20))
  })

  test('exceed 1/alpha for a share of at most alpha of the streams that are like the references (Ville)', () => {
    const runs = 150
    const exceeding = Array.from({ length: runs }, (_, run) => {
      const lists = Array.from({ length: 12 }, (_, i) => vectorsOf(1000 * run + i, 25))
      const { limits, ...given } = fitShift(lists, { form: 'bets', alpha: 0.5, references: 75 })
      const d = createDetector('distribution_shift', {
        reference: { ...given, limits: { novelty: Math.log(10), drift: Math.log(10) } },
      })
      return vectorsOf(1000 * run + 500, 60).some((embedding) => d.process({ embedding }).suspicious)
    }).filter(Boolean).length
    // Two kinds of evidence, each at 1/10; 150 runs of probability 0.2 stay below 0.3 with 99.8 %.
    expect(exceeding).toBeLessThan(0.3 * runs)
  })

  test('decide early on a client from elsewhere, late on one that was honest for long, and never forget how', () => {
    const firstAlarm = (honest: number) => {
      const d = createDetector('distribution_shift', { reference })
      for (const embedding of vectorsOf(7, honest)) d.process({ embedding })
      return client(9, 400, -4).findIndex((embedding) => d.process({ embedding }).suspicious) + 1
    }
    const [early, late] = [firstAlarm(0), firstAlarm(20_000)]
    expect(early).toBeGreaterThan(0)
    expect(early).toBeLessThan(40)
    expect(late).toBeGreaterThan(early)
    expect(late).toBeLessThan(200)
  })

  test('are refused where their reference is not whole', () => {
    const refused = (change: object) => () =>
      createDetector('distribution_shift', { reference: { ...reference, ...change } as ShiftReference })
    expect(refused({ calibration: undefined })).toThrow('reference.calibration: must be a list')
    expect(refused({ calibration: [[1], [1]] })).toThrow('reference.calibration[0]: must be a list of numbers')
    expect(refused({ limits: { novelty: 3 } })).toThrow('reference.limits.drift')
    expect(refused({ form: 'window' })).toThrow('unknown key "calibration"')
    expect(() => made({ form: 'bets', alpha: 0.04 })).toThrow('must have 49 clients at least')
  })

  test('take 16 bytes a number and 60 bets a client', () => {
    const d = createDetector('distribution_shift', { reference })
    for (const embedding of client(3, 40)) d.process({ embedding })
    expect(d.bytes()).toBe(16 * 5 + 8 * 66 + 64 + 32)
  })
})

/** Of a population without tastes. */
function vectorsOf(seed: number, count: number): Float64Array[] {
  const next = random(seed)
  return Array.from({ length: count }, () => vector(next, 5))
}

test('a stream takes 2 kB a client, its random directions are shared', () => {
  const d = createDetector('distribution_shift', { reference: made() })
  for (const embedding of client(3, 40)) d.process({ embedding })
  expect(d.bytes()).toBe(8 * 256 + 64 + 32)
})
