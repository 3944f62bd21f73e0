/** What the descent lineage eats: pictures and rows as numbers, and raw queries; and its rule on numbers counted by hand. */
import { describe, expect, test } from 'vitest'
import { createDetector, fitTabular, type PlainData, pictureVector, scaledRow } from '../src/core/index.ts'
import { createMonitor, getDetector } from '../src/index.ts'
import { normal, random } from './tools/random.ts'

const STEP = 20 / 255
const differ = (a: Float64Array, b: Float64Array) => Array.from(a, (v, i) => Math.abs(v - b[i]!))
const largestStep = (a: Float64Array, b: Float64Array) => Math.max(...differ(a, b))

describe('a picture as numbers', () => {
  test('of up to 32 pixels a side is its values, row by row', () => {
    const data = Uint8Array.of(0, 51, 102, 153, 204, 255)
    const expected = Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1)
    expect(pictureVector({ data, width: 2, height: 1, channels: 3 })).toEqual(expected)
    expect(pictureVector({ data, width: 3, height: 2, channels: 1 })).toEqual(expected)
    const floats = Float64Array.from(data, (v) => v / 255)
    expect(pictureVector({ data: floats, width: 3, height: 2, channels: 1, maxValue: 1 })).toEqual(expected)
  })

  test('of 64 × 32 is the means of pairs of pixels', () => {
    const data = Uint8Array.from({ length: 64 * 32 }, (_, i) => (i % 2 === 0 ? 10 : 15))
    const vector = pictureVector({ data, width: 64, height: 32, channels: 1 })
    expect(vector).toEqual(new Float32Array(32 * 32).fill(12.5 / 255))
  })

  test('of a side that 32 does not divide has parts that differ by one pixel', () => {
    // 33 pixels: part i goes from ⌊33 i / 32⌋ to ⌊33 (i + 1) / 32⌋, so the last one has two.
    const data = Uint8Array.from({ length: 33 }, (_, i) => i)
    const vector = pictureVector({ data, width: 33, height: 1, channels: 1 })
    expect(Array.from(vector, (v) => Math.round(v * 2550) / 10)).toEqual([...Array(31).keys(), 31.5])
  })

  test('is laid over white where it is transparent', () => {
    const pixels = { data: Uint8Array.of(0, 0, 0, 0), width: 1, height: 1, channels: 4 } as const
    expect(pictureVector(pixels)).toEqual(Float32Array.of(1, 1, 1))
  })

  test('is refused where it is no picture', () => {
    expect(() => pictureVector({ data: new Uint8Array(3), width: 2, height: 1, channels: 3 })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'input.data' }),
    )
  })
})

describe('a row as numbers', () => {
  const base = { age: 40, rate: 0.5, job: 'clerk', member: true }

  test('has one for the names, and one a column in the order of the names', () => {
    const row = scaledRow(base)
    expect(row).toHaveLength(5)
    expect(scaledRow({ ...base, rate: 0.6 }).map((v, i) => (v === row[i] ? 0 : 1))).toEqual(
      Float64Array.of(0, 0, 0, 0, 1),
    )
    expect(scaledRow(Object.fromEntries(Object.entries(base).reverse()))).toEqual(row)
    // asinh 40 = ln(40 + √1601), asinh ½ = ln(½ + √1.25)
    expect(row[1]).toBeCloseTo(4.38218285, 8)
    expect(row[4]).toBeCloseTo(0.48121183, 8)
  })

  test('takes 8 % of a large number, and 0.08 of a small one, for about the largest step', () => {
    const from = (age: number, to: number) => largestStep(scaledRow({ ...base, age }), scaledRow({ ...base, age: to }))
    expect(from(40, 43)).toBeLessThan(STEP)
    expect(from(40, 44)).toBeGreaterThan(STEP)
    expect(from(-0.03, 0.04)).toBeLessThan(STEP)
    expect(from(0, 0.09)).toBeGreaterThan(STEP)
    expect(from(-1e300, -1.05e300)).toBeLessThan(STEP)
    expect(from(1e7, 1.05e9)).toBeCloseTo(Math.log(105), 10)
  })

  test('takes the scale of a column that has one, or its tolerance, for the largest step', () => {
    const schema = { age: { type: 'number', scale: 2 } } as const
    const from = (to: number) => largestStep(scaledRow({ ...base, age: to }, schema), scaledRow(base, schema))
    expect(from(42)).toBeCloseTo(STEP, 10)
    expect(from(37)).toBeCloseTo(1.5 * STEP, 10)
    const profile = fitTabular(Array.from({ length: 60 }, (_, i) => ({ ...base, age: 20 + i, rate: i / 60 })))
    const moved = largestStep(scaledRow({ ...base, rate: 0.52 }, profile), scaledRow(base, profile))
    expect(moved).toBeGreaterThan(0)
    expect(moved).toBeLessThan(STEP)
  })

  test('is far from one of another category, a missing value, or other columns', () => {
    const row = scaledRow(base)
    for (const other of [
      { ...base, job: 'nurse' },
      { ...base, age: null },
      { ...base, member: false },
    ])
      expect(largestStep(row, scaledRow(other))).toBeGreaterThan(STEP)
    const { job, ...rest } = base
    expect(largestStep(row, scaledRow({ ...rest, joc: job }))).toBeGreaterThan(STEP)
  })

  test('is always within what the detector takes', () => {
    const odd = { a: 1.7e308, b: -1.7e308, c: 5e-324, d: 'x'.repeat(999), e: null, f: -0 }
    const schema = { a: { type: 'number', scale: 1e-300 } } as const
    const detector = createDetector('descent_lineage')
    for (const vector of [scaledRow(odd), scaledRow(odd, schema)])
      expect(detector.process({ vector, probabilities: [0.5, 0.5] }).metadata.kind).toBe('new')
  })
})

describe('the rule, counted by hand', () => {
  const at = (x: number, margin: number) => ({ vector: [x], probabilities: [margin, 0] })

  test('rule S alarms at the eighth fall: 8 · ln 1.9 = 5.13 against ln 100 = 4.61', () => {
    const detector = createDetector('descent_lineage', { children: 1, outputs: 'logits', rule: 'S' })
    // Each query is nearest to the one before, which is adopted by it; query 1 began the group.
    const detections = Array.from({ length: 10 }, (_, n) => detector.process(at(n / 50, 9 - n / 100)))
    expect(detections.map(({ metadata }) => metadata.length)).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(detections.findIndex(({ suspicious }) => suspicious)).toBe(9)
    expect(detections[9]!.metadata.evidence).toBeCloseTo(8 * Math.log(1.9), 12)
    expect(detections[9]!.metadata.rule).toBe('S')
    expect(detections[9]!.reason).toBe(
      'Builds on query 9; adoptions since the first: 8; the margin went from 9.00 to 8.92 (records: 2); evidence 5.13 of 4.61; rule S alarms.',
    )
    // A rise costs ln 0.1: 5.135 − 2.303.
    detector.process(at(0.2, 9.5))
    expect(detector.process(at(0.22, 9)).metadata.evidence).toBeCloseTo(9 * Math.log(1.9) + Math.log(0.1), 12)
  })

  test('rule M alarms at three records and a fall of exactly 3, and not just below', () => {
    for (const [last, alarms] of [
      [5, true],
      [5.001, false],
    ] as const) {
      const detector = createDetector('descent_lineage', { children: 1, outputs: 'logits' })
      const margins = [8, 7, 6, last, 9]
      const detections = margins.map((margin, n) => detector.process(at(n / 50, margin)))
      expect(detections.map(({ suspicious }) => suspicious)).toEqual([false, false, false, false, alarms])
      expect(detections[4]!.score >= 1).toBe(alarms)
      expect(detections[4]!.metadata).toMatchObject({
        records: 3,
        drop: 8 - last,
        steadiness: 1,
        rule: alarms ? 'M' : null,
      })
    }
  })

  test('a query is adopted by its third child, and a repeated child does not count', () => {
    const detector = createDetector('descent_lineage', { outputs: 'logits' })
    const sent = [0, 0.06, 0.09, 0.09, 0.03, 0.1, 0.1001, 0.075].map((x) => detector.process(at(x, 1)).metadata)
    expect(sent.map(({ kind }) => kind)).toEqual(['new', 'step', 'step', 'repeat', 'step', 'step', 'repeat', 'step'])
    expect(sent.map(({ parent }) => parent)).toEqual([null, 1, 2, 3, 1, 3, 6, 2])
    expect(sent.some(({ adoption }) => adoption)).toBe(false)
    expect(detector.process(at(0.05, 1)).metadata).toMatchObject({ parent: 2, adoption: true, path: 2, length: 1 })
  })

  test('eight unrelated inputs drive a group out, unless groups without adoptions leave first', () => {
    for (const [evict, stays] of [
      ['oldest', false],
      ['unadopted', true],
    ] as const) {
      const detector = createDetector('descent_lineage', { children: 1, outputs: 'logits', evict })
      for (const x of [0, 0.02, 0.04]) detector.process(at(x, 5))
      for (let n = 1; n <= 8; n++) detector.process(at(n, 5))
      expect(detector.process(at(0.06, 5)).metadata).toMatchObject(
        stays ? { kind: 'step', length: 2 } : { kind: 'new' },
      )
    }
  })

  test('probabilities of 0 count as 1e-12', () => {
    const detector = createDetector('descent_lineage')
    const { metadata } = detector.process({ vector: [0.5], probabilities: [1, 0, 0] })
    expect(metadata.margin).toBeCloseTo(12 * Math.log(10), 10)
  })

  test('steps that the projection does not see are not taken for repeats', () => {
    // Two numbers 256 apart share a sum: with equal signs one up and one down leave it as it was.
    const detector = createDetector('descent_lineage')
    const x = new Float64Array(512).fill(0.5)
    const p = [0.9, 0.1]
    detector.process({ vector: x, probabilities: p })
    let hidden = 0
    for (let i = 0; i < 256; i++) {
      for (const other of [-10 / 255, 10 / 255]) {
        const moved = x.slice()
        moved[i] = 0.5 + 10 / 255
        moved[i + 256] = 0.5 + other
        const fresh = createDetector('descent_lineage', { storage: 'projected' })
        fresh.process({ vector: x, probabilities: p })
        const { kind } = fresh.process({ vector: moved, probabilities: p }).metadata
        expect(kind).toBe('step')
        hidden++
      }
    }
    expect(hidden).toBe(512)
  })
})

describe('raw queries', () => {
  /** A model of 8 × 8 × 3 pixels with two classes, and an attacker who walks down its margin. */
  function attack() {
    const next = random(7)
    const weights = Float64Array.from({ length: 192 }, () => normal(next))
    const start = Float64Array.from(weights, (w) => 128 + 12 * Math.sign(w))
    const answer = (x: Float64Array) => {
      const margin = x.reduce((sum, v, i) => sum + (weights[i]! * (v - 128)) / 200, 0)
      return [1 / (1 + Math.exp(-margin)), 1 / (1 + Math.exp(margin))]
    }
    const queries: { input: object; modelOutput: number[] }[] = []
    let x = start
    for (let round = 0; round < 16; round++) {
      for (let n = 0; n < 4; n++) {
        const shown = Uint8Array.from(x, (v) => Math.round(v + (n === 0 ? 0 : 6 * (next() - 0.5))))
        queries.push({
          input: { data: shown, width: 8, height: 8, channels: 3 },
          modelOutput: answer(Float64Array.from(shown)),
        })
      }
      x = x.map((v, i) => v - 2 * Math.sign(weights[i]!))
    }
    return queries
  }

  test('pictures: an attack is flagged, by its lineage and not before', async () => {
    const detector = getDetector('descent_lineage')
    const detections = await detector.processBatch(attack() as never)
    const first = detections.findIndex(({ suspicious }) => suspicious)
    expect(first).toBeGreaterThan(8)
    expect(detections[first]!.metadata).toMatchObject({ rule: 'M', adoption: true })
    expect(detections.at(-1)!.suspicious).toBe(true)
  })

  test('rows: a search that lowers the margin step by step is flagged, a what-if grid is not', async () => {
    const columns = Array.from({ length: 6 }, (_, i) => `column ${i}`)
    const answer = (row: Record<string, number>) => {
      const margin = columns.reduce((sum, name) => sum + 2 * (row[name]! - 10), 0)
      return [1 / (1 + Math.exp(-margin)), 1 / (1 + Math.exp(margin))]
    }
    const next = random(11)
    const search = getDetector('descent_lineage')
    let row: Record<string, number> = Object.fromEntries(columns.map((name) => [name, 11]))
    let flagged = false
    for (let round = 0; round < 9; round++) {
      const spread = (size: number) =>
        Object.fromEntries(columns.map((name) => [name, row[name]! * (1 + size * (next() - 0.5))]))
      for (const tried of [row, spread(0.02), spread(0.02), spread(0.02), spread(0.02)])
        flagged ||= (await search.process({ input: tried, modelOutput: answer(tried) })).suspicious
      row = Object.fromEntries(columns.map((name) => [name, row[name]! * 0.99]))
    }
    expect(answer(row)[0]).toBeGreaterThan(0.5) // in time
    expect(flagged).toBe(true)
    const grid = getDetector('descent_lineage')
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        const tried = { ...row, [columns[0]!]: 5 + a, [columns[1]!]: 5 + b }
        expect((await grid.process({ input: tried, modelOutput: answer(tried) })).suspicious).toBe(false)
      }
    }
  })

  test('a text, and a query without the answer of the model, are refused where they are wrong', async () => {
    const detector = getDetector('descent_lineage')
    const refused = (query: object, path: string) =>
      expect(detector.process(query as never)).rejects.toMatchObject({ code: 'bad_query', path })
    await refused({ input: 'a text', modelOutput: [0.5, 0.5] }, 'input')
    await refused({ input: { a: 1 } }, 'modelOutput')
    await refused({ input: { a: 1 }, modelOutput: [0.5, -0.5] }, 'modelOutput[1]')
    await refused({ input: { a: 1 }, modelOutput: [1] }, 'probabilities')
  })

  test('a monitor passes over texts, and follows each client', async () => {
    const monitor = createMonitor({ detectors: ['descent_lineage', 'text_similarity'] })
    const text = await monitor.inspect({ input: 'a text', modelOutput: [0.5, 0.5] })
    expect(text.skipped).toEqual(['descent_lineage'])
    for (const query of attack()) await monitor.inspect({ ...query, client: 'mallory' })
    const honest = await monitor.inspect({ ...attack()[0]!, client: 'alice' })
    const [mallory] = (await monitor.clients()).filter(({ id }) => id === 'mallory')
    expect(mallory!.suspicious).toBeGreaterThan(0)
    expect(honest.suspicious).toBe(false)
  })
})

test('a snapshot made under another key, or for smaller memory, is refused', () => {
  const detector = createDetector('descent_lineage', { key: 5, outputs: 'logits' })
  for (let n = 0; n < 20; n++) detector.process({ vector: [n / 50], probabilities: [1, 0] })
  for (const options of [{ key: 6 }, { key: 5, ring: 4 }]) {
    const other = createDetector('descent_lineage', { outputs: 'logits', ...options })
    const before = other.snapshot()
    expect(() => other.restore(detector.snapshot())).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
    expect(other.snapshot()).toEqual(before)
  }
})

test('a damaged snapshot is refused, whatever part of it', () => {
  const detector = createDetector('descent_lineage', { outputs: 'logits', groups: 2 })
  for (let n = 0; n < 20; n++) detector.process({ vector: new Float64Array(300).fill(n / 50), probabilities: [1, 0] })
  const good = detector.snapshot()
  const { queries, mark, groups } = good.state as { queries: number; mark: number; groups: Record<string, PlainData>[] }
  const [group] = groups
  const rows = group!['rows'] as Float64Array
  const wrongRow = (at: number, value: number) => ({ rows: rows.map((v, i) => (i === at ? value : v)) })
  const wrong: object[] = [
    { length: 0 },
    { length: 299 },
    { classes: 1 },
    { reference: 2 },
    { firstMargin: Number.NaN },
    { adopted: 0 },
    { adopted: 5 },
    { rows: rows.subarray(1) },
    { rows: Float32Array.from(rows) },
    { numbers: (group!['numbers'] as Uint8Array).subarray(1) },
    { numbers: Float32Array.from(group!['numbers'] as Uint8Array) },
    { sums: new Float32Array(0) },
    { sums: (group!['sums'] as Float32Array).map((v) => v + 0.5) },
    { sums: (group!['sums'] as Float32Array).map(() => 1e9) },
    // The columns of a row are those of lineage/path.ts: query, margin, votes, tip, …
    wrongRow(0, 21),
    wrongRow(0, 1.5),
    wrongRow(1, Number.NaN),
    wrongRow(2, -1),
    wrongRow(2, 4),
    wrongRow(3, 0),
    wrongRow(3, 20),
    wrongRow(7, 0.5),
    wrongRow(8, -1),
    wrongRow(10, Infinity),
  ]
  for (const change of wrong) {
    const state = { queries, mark, groups: [{ ...group, ...change }] } as unknown as PlainData
    expect(() => detector.restore({ ...good, state }), JSON.stringify(change).slice(0, 80)).toThrow(
      expect.objectContaining({ code: 'bad_snapshot' }),
    )
    expect(detector.snapshot()).toEqual(good)
  }
})

test('bad options are refused with their place', () => {
  const refused: [options: object, path: string][] = [
    [{ alpha: 0 }, 'alpha'],
    [{ children: 0 }, 'children'],
    [{ children: 1.5 }, 'children'],
    [{ maxStep: 256 }, 'maxStep'],
    [{ rule: 'R' }, 'rule'],
    [{ gate: 'max' }, 'gate'],
    [{ parent: 'clipped' }, 'storage'],
    [{ storage: 'float' }, 'storage'],
    [{ outputs: 'labels' }, 'outputs'],
    [{ evict: 'none' }, 'evict'],
    [{ key: -1 }, 'key'],
    [{ ratio: 0 }, 'ratio'],
    [{ threshold: 1 }, 'threshold'],
  ]
  for (const [options, path] of refused) {
    expect(() => createDetector('descent_lineage', options as never), path).toThrow(
      expect.objectContaining({ code: 'bad_config', path: `descent_lineage.${path}` }),
    )
  }
})
