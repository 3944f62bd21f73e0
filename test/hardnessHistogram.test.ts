/** The hardness histogram against SciPy (test/golden/hardness.py), hand counts and a plain restatement. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { histogramDistance } from '../src/core/detectors/hardness/histogram.ts'
import {
  createDetector,
  fitHardness,
  type HardnessHistogramConfig,
  type HardnessReference,
  type Observation,
} from '../src/core/index.ts'
import { getDetector } from '../src/embed/index.ts'
import { random } from './tools/random.ts'

const reference: HardnessReference = {
  form: { kind: 'margin', edges: [0.5] },
  counts: [10, 30],
  queries: 4,
  distance: 'jensen_shannon',
  threshold: 0.1,
}
const staged: HardnessReference = { ...reference, form: { kind: 'checkpoints', checkpoints: 4 }, counts: [7, 1, 1, 1] }
const detector = (config: Partial<HardnessHistogramConfig> = {}) =>
  createDetector('hardness_histogram', { reference, ...config })
const answer = (margin: number) => ({ probabilities: [(1 + margin) / 2, (1 - margin) / 2] })

test('both distances are those of SciPy within 1e-9', () => {
  const file = readFileSync(new URL('golden/hardness.json', import.meta.url), 'utf8')
  const { cases } = JSON.parse(file) as {
    cases: { a: number[]; b: number[]; pearson: number; jensen_shannon: number }[]
  }
  expect(cases.length).toBe(15)
  for (const { a, b, ...expected } of cases) {
    expect(Math.abs(histogramDistance(a, b, 'pearson') - expected.pearson)).toBeLessThan(1e-9)
    expect(Math.abs(histogramDistance(a, b, 'jensen_shannon') - expected.jensen_shannon)).toBeLessThan(1e-9)
  }
})

test('by hand: 1 − r of (1, 2, 3) and (1, 3, 2) is ½; opposite ones 2; a flat one knows nothing', () => {
  expect(histogramDistance([1, 2, 3], [1, 3, 2], 'pearson')).toBeCloseTo(0.5, 14)
  expect(histogramDistance([1, 2, 3], [30, 20, 10], 'pearson')).toBeCloseTo(2, 14)
  expect(histogramDistance([1, 2, 3], [5, 5, 5], 'pearson')).toBe(1)
  expect(histogramDistance([1, 0], [0, 7], 'jensen_shannon')).toBe(1)
  expect(histogramDistance([1, 3], [2, 6], 'jensen_shannon')).toBe(0)
})

describe('the rule', () => {
  test('the last four queries are compared once there are four', () => {
    const d = detector()
    const scores = [0.9, 0.1, 0.7, 0.8].map((margin) => d.process(answer(margin)).score)
    expect(scores).toEqual([0, 0, 0, 0]) // one hard to three easy, as in the reference
    const { score, suspicious, metadata } = d.process(answer(0.2))
    expect(metadata).toEqual({ bin: 0, histogram: [2, 2], historySize: 4 })
    // ¼ against ½: the middle is 3/8.
    const [p, q] = [
      [0.25, 0.75],
      [0.5, 0.5],
    ]
    const bits = p.reduce(
      (sum, v, i) => sum + (v * Math.log2(v / ((v + q[i]!) / 2)) + q[i]! * Math.log2(q[i]! / ((v + q[i]!) / 2))) / 2,
      0,
    )
    expect(score).toBeCloseTo(bits, 12)
    expect(suspicious).toBe(false)
    expect(d.process(answer(0)).suspicious).toBe(false)
    expect(d.process(answer(0)).suspicious).toBe(true) // three hard ones to one
  })

  test('a distance equal to the threshold is innocent: strict, as published', () => {
    const run = (threshold: number) => {
      const d = detector({ threshold })
      return [0, 0, 0, 0.9].map((margin) => d.process(answer(margin))).at(-1)!
    }
    const { score } = run(2)
    expect(run(score).suspicious).toBe(false)
    expect(run(score - 1e-12).suspicious).toBe(true)
  })

  test('hardness is the first checkpoint from which on all agree with the last', () => {
    const d = detector({ reference: staged })
    const bin = (...checkpoints: number[]) => d.process({ checkpoints }).metadata.bin
    expect(bin(5, 5, 5, 5)).toBe(0)
    expect(bin(1, 5, 5, 5)).toBe(1)
    expect(bin(5, 1, 5, 5)).toBe(2)
    expect(bin(5, 5, 1, 5)).toBe(3)
    expect(bin(0, 0, 0, 5)).toBe(3)
  })
})

describe('the reference', () => {
  const margins = (client: number) => {
    const next = random(client)
    return Array.from({ length: 30 + (client % 5) }, () => answer(next()))
  }
  const clients = Array.from({ length: 60 }, (_, i) => margins(i))

  test('every second client makes the histogram, the others the threshold: their largest distance by a plain search', () => {
    const made = fitHardness(clients, { queries: 10, alpha: 0.1, distance: 'jensen_shannon' })
    const binOf = ({ probabilities }: Observation) => Math.floor(10 * (probabilities![0]! - probabilities![1]!) + 1e-9)
    const share = Array.from({ length: 10 }, () => 0)
    for (const client of clients.filter((_, i) => i % 2 === 0)) {
      for (const one of client) share[binOf(one)]! += 1 / client.length
    }
    for (const [i, count] of made.counts.entries()) expect(Math.abs(count - 1e6 * share[i]!)).toBeLessThan(0.51)
    const largest = clients
      .filter((_, i) => i % 2 === 1)
      .map((client) => {
        const distances = client.slice(9).map((_, from) => {
          const window = share.map((_, bin) => client.slice(from, from + 10).filter((one) => binOf(one) === bin).length)
          return histogramDistance(made.counts, window, 'jensen_shannon')
        })
        return Math.max(...distances)
      })
    // ⌈31 · 0.9⌉ = 28: two of thirty lie above.
    expect(largest.filter((value) => value > made.threshold).length).toBe(2)
    expect(largest).toContain(made.threshold)
  })

  test('is plain data that the detector takes, by JSON too', () => {
    const made = fitHardness(clients, { queries: 10, alpha: 0.1 })
    const d = createDetector('hardness_histogram', { reference: JSON.parse(JSON.stringify(made)) })
    expect(d.describe().config).toMatchObject({ reference: made, threshold: made.threshold })
  })

  test('new honest clients alarm no more often than alpha, clients of hard inputs always', () => {
    const made = fitHardness(
      Array.from({ length: 200 }, (_, i) => margins(5 * i)),
      { queries: 10, alpha: 0.1, distance: 'jensen_shannon' },
    )
    const alarms = (list: Observation[][]) =>
      list.filter((client) => {
        const d = createDetector('hardness_histogram', { reference: made })
        return client.map((one) => d.process(one).suspicious).some(Boolean)
      }).length
    expect(alarms(Array.from({ length: 300 }, (_, i) => margins(100_000 + 5 * i)))).toBeLessThan(60)
    expect(alarms(Array.from({ length: 20 }, () => Array.from({ length: 10 }, () => answer(0.02))))).toBe(20)
  })

  test('too few clients for alpha, too short ones, and a reference that does not fit are refused', () => {
    expect(() => fitHardness(clients, { queries: 10 })).toThrow('must have 99 clients at least')
    expect(() => fitHardness(clients, { queries: 33 })).toThrow('clients[0]: must have 33 queries at least')
    expect(() => createDetector('hardness_histogram')).toThrow(
      'hardness_histogram.reference: is missing: make it of honest',
    )
    const refused = (change: object) => () => detector({ reference: { ...reference, ...change } })
    expect(refused({ counts: [1, 2, 3] })).toThrow('reference.counts')
    expect(refused({ counts: [0, 0] })).toThrow('reference.counts')
    expect(refused({ counts: [5, 5], distance: 'pearson' })).toThrow("use distance: 'jensen_shannon'")
    expect(refused({ form: { kind: 'margin', edges: [] } })).toThrow('reference.form.edges')
    expect(refused({ treshold: 1 })).toThrow('reference.treshold')
  })
})

test('from raw queries the labels of the checkpoints come in the metadata', async () => {
  const d = getDetector('hardness_histogram', { reference: staged })
  const { metadata } = await d.process({ modelOutput: [0.1, 0.9], metadata: { checkpoints: [0, 0, 1, 1] } })
  expect(metadata.bin).toBe(2)
  await expect(d.process({ modelOutput: [0.1, 0.9] })).rejects.toThrow('metadata.checkpoints')
})
