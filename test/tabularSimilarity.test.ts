import { describe, expect, test } from 'vitest'
import {
  createDetector,
  embedRow,
  fitTabular,
  type RowSchema,
  rowVector,
  type TabularSimilarityConfig,
} from '../src/core/index.ts'
import { boundsOf, likeness, NO_BOUNDS, statisticsOf } from '../src/core/tableStatistics.ts'
import type { Cell, Detector, Row } from '../src/core/types.ts'
import { getDetector } from '../src/embed/index.ts'
import { hasData } from './tools/data.ts'
import { normal, random } from './tools/random.ts'
import { nudged, tableOf, unitsOf } from './tools/tables.ts'

const SEED = 20261124
const make = (config: Partial<TabularSimilarityConfig> = {}) => createDetector('tabular_similarity', config)
const scores = (rows: readonly Row[], config?: Partial<TabularSimilarityConfig>) => {
  const detector = make(config)
  return rows.map((row) => detector.process({ row }).score)
}

/** What a query would score, leaving the detector as it was. */
function probe(detector: Detector, row: Row): number {
  const before = detector.snapshot()
  const { score } = detector.process({ row })
  detector.restore(before)
  return score
}

const person = { age: 46, job: 'clerk', income: 30_000, sex: 'Male', hours: 40 }

test('a repeated row scores 1, however its numbers are written and its columns ordered', () => {
  expect(scores([person, { hours: '40.0', sex: 'Male', income: 3e4, job: 'clerk', age: ' 46 ' }])).toEqual([0, 1])
})

test('the score is the mean over the columns: one of five categories changed gives 0.8', () => {
  expect(scores([person, { ...person, job: 'nurse' }])[1]).toBe(0.8)
})

test('a column that only one row has counts as unlike', () => {
  expect(
    scores([
      { a: 'x', b: 'y' },
      { a: 'x', c: 'y' },
    ])[1],
  ).toBeCloseTo(1 / 3, 12)
  expect(scores([{ a: 'x' }, { a: 'x', b: 'y', c: 1, d: 2 }])[1]).toBe(0.25)
})

test('a number, the word for it, true and null are unlike; two nulls are alike', () => {
  for (const [a, b] of [
    [1, true],
    [1, null],
    [0, null],
    ['true', true],
    ['null', null],
    ['x', 5],
  ] as [Cell, Cell][]) {
    expect(
      scores([
        { a, c: 'same' },
        { a: b, c: 'same' },
      ])[1],
      `${a} and ${b}`,
    ).toBe(0.5)
  }
  expect(scores([{ a: null }, { a: null }])[1]).toBe(1)
})

test('the nearest is named, the oldest of equals', () => {
  const detector = make()
  for (const a of [1, 5, 5, 9]) detector.process({ row: { a } })
  expect(detector.process({ row: { a: 5 } }).metadata).toEqual({
    mostSimilarIndex: 1,
    similarityScore: 1,
    historySize: 4,
  })
})

test('only the last rows of the window are compared with', () => {
  const detector = make({ maxHistorySize: 2 })
  for (const a of ['x', 'y', 'z']) detector.process({ row: { a } })
  expect(probe(detector, { a: 'x' })).toBe(0)
  expect(probe(detector, { a: 'y' })).toBe(1)
})

describe('the likeness of two numbers', () => {
  // (1 − (d/2)²)⁴ for a difference of d tolerances.
  test.each([
    [0, 1],
    [0.25, 0.93895],
    [0.5, 0.772476],
    [1, 0.316406],
    [1.5, 0.036636],
    [2, 0],
    [1e9, 0],
  ])('%f tolerances apart is %f', (distance, expected) => {
    expect(likeness(100, 100 + 7 * distance, 7, 7)).toBeCloseTo(expected, 5)
  })

  test('follows the ratio where nothing is known of the column', () => {
    const { low, high } = NO_BOUNDS
    expect(likeness(1000, 1030, low, high)).toBeCloseTo(likeness(1, 1.03, low, high), 12)
    expect(likeness(1, 1.03, low, high)).toBeGreaterThan(0.85)
    expect(likeness(1, 1.2, low, high)).toBe(0)
    expect(likeness(1, -1, low, high)).toBe(0)
    expect(likeness(0, 1e-9, low, high)).toBe(0)
  })

  test('is symmetric, finite, and 1 for equal numbers, up to the ends of the number range', () => {
    const extremes = [0, Number.MIN_VALUE, 2 * Number.MIN_VALUE, 1e-300, 1, 1e300, Number.MAX_VALUE]
    const all = [...extremes, ...extremes.map((x) => -x)]
    const bounds = [
      NO_BOUNDS,
      boundsOf({ spread: Number.MIN_VALUE, step: 0 }),
      boundsOf({ spread: 1e308, step: 1e308 }),
    ]
    for (const { low, high } of bounds) {
      for (const a of all) {
        for (const b of all) {
          const one = likeness(a, b, low, high)
          expect(one >= 0 && one <= 1, `${a}, ${b}: ${one}`).toBe(true)
          expect(likeness(b, a, low, high)).toBe(one)
          if (a === b) expect(one).toBe(1)
        }
      }
    }
  })

  test('the tolerance lies between a twentieth of the spread, or 1.3 steps, and 0.4 of the spread', () => {
    expect(boundsOf({ spread: 100, step: 0.001 })).toEqual({ low: 5, high: 40 })
    expect(boundsOf({ spread: 20, step: 1 })).toEqual({ low: 1.3, high: 8 })
    expect(boundsOf({ spread: 1, step: 1 })).toEqual({ low: 0.4, high: 0.4 })
  })
})

describe('spread and step', () => {
  test('are the range of the middle half and the smallest difference', () => {
    expect(statisticsOf([1, 2, 4, 7, 11])).toEqual({ spread: 5, step: 1 })
  })

  test('do not follow a few enormous numbers', () => {
    expect(statisticsOf([1, 2, 3, 4, 5, 6, 7, 1e9, 1e12])!.spread).toBe(4)
  })

  test('where the middle half is one number, the spread is that of the middle 80 or 90 %', () => {
    const mostly = (zeros: number, others: number[]) => [...new Array<number>(zeros).fill(0), ...others]
    expect(statisticsOf(mostly(9, [5, 6]))!.spread).toBe(5)
    expect(statisticsOf(mostly(37, [5, 6, 7]))!.spread).toBe(6)
    expect(statisticsOf(mostly(99, [5]))).toBeUndefined()
    expect(statisticsOf([])).toBeUndefined()
    expect(statisticsOf([-1.7e308, 1.7e308])).toBeUndefined()
  })
})

/** The rule again, as plainly as it can be written: everything sorted anew for every query. */
function* plainScores(rows: readonly Row[], window: number): Generator<number> {
  const past: { row: Row; teaches: boolean }[] = []
  const isNumber = (cell: unknown) =>
    typeof cell === 'number' || (typeof cell === 'string' && /^-?\d+(\.\d+)?$/.test(cell))
  for (const row of rows) {
    const teachers = past.filter(({ teaches }) => teaches).slice(-128)
    const tolerances = new Map<string, [number, number]>()
    for (const name of Object.keys(row)) {
      const seen = teachers
        .map((one) => one.row[name])
        .filter(isNumber)
        .map(Number)
        .sort((a, b) => a - b)
      const [low, high] = [0.25, 0.1, 0.05]
        .map((t) => Math.floor(t * (seen.length - 1)))
        .flatMap((cut) => {
          const spread = seen[seen.length - 1 - cut]! - seen[cut]!
          const gaps = seen
            .slice(1)
            .map((v, i) => v - seen[i]!)
            .filter((gap) => gap > 0)
          return spread > 0
            ? [[Math.max(0.05 * spread, Math.min(1.3 * Math.min(...gaps), 0.4 * spread)), 0.4 * spread]]
            : []
        })[0] ?? [0, Infinity]
      tolerances.set(name, seen.length >= 20 ? [low!, high!] : [0, Infinity])
    }
    let best = 0
    for (const { row: other } of past) {
      let sum = 0
      for (const [name, cell] of Object.entries(row)) {
        const [a, b] = [cell, other[name]]
        if (a === b) sum++
        else if (isNumber(a) && isNumber(b)) {
          const [low, high] = tolerances.get(name)!
          const tolerance = Math.max(low, Math.min(high, 0.04 * (Math.abs(Number(a)) + Math.abs(Number(b)))))
          const distance = Math.abs(Number(a) - Number(b)) / tolerance
          sum += distance < 2 ? (1 - distance ** 2 / 4) ** 4 : 0
        }
      }
      best = Math.max(best, sum / new Set([...Object.keys(row), ...Object.keys(other)]).size)
    }
    yield best
    past.push({ row, teaches: best < 0.9 })
    if (past.length > window) past.shift()
  }
}

function mixedRows(count: number): Row[] {
  const next = random(SEED)
  const rows: Row[] = []
  for (let i = 0; i < count; i++) {
    const early = rows[Math.max(0, i - 1 - Math.floor(next() * 30))]
    if (early?.['a'] !== undefined && next() < 0.3) {
      rows.push({ ...early, a: Number(early['a']) + 0.1 })
      continue
    }
    const cells: [string, Cell][] = [
      ['a', 50 + 10 * normal(next)],
      ['b', Math.floor(5 * next())],
      ['c', next() < 0.1 ? null : normal(next)],
      ['d', ['x', 'y', 'z'][Math.floor(3 * next())]!],
      ['e', 2000 + Math.floor(20 * next())],
      ['f', next() < 0.9 ? 0 : Math.floor(1e6 * next())],
    ]
    rows.push(Object.fromEntries(next() < 0.1 ? cells.slice(1) : cells))
  }
  return rows
}

test.each([1, 30, 100, 400])('with a window of %i the scores are those of the plain rule', (window) => {
  const rows = mixedRows(500)
  const expected = [...plainScores(rows, window)]
  const actual = scores(rows, { maxHistorySize: window })
  for (const [i, score] of actual.entries()) expect(Math.abs(score - expected[i]!), `row ${i}`).toBeLessThan(1e-9)
  expect(new Set(expected.map((score) => score >= 0.9)).size).toBe(2)
})

describe('what is learned', () => {
  const year = (next: () => number) => ({
    year: 1980 + Math.floor(45 * next()),
    amount: 1000 * next(),
    code: `c${Math.floor(50 * next())}`,
  })

  test('a column in which all numbers have nearly one ratio is told apart once its spread is known', () => {
    const next = random(SEED)
    const detector = make()
    const [one, other] = [
      { year: 2000, amount: 5, code: 'x' },
      { year: 2015, amount: 5, code: 'x' },
    ]
    detector.process({ row: one })
    expect(probe(detector, other)).toBeGreaterThan(0.9)
    for (let i = 0; i < 60; i++) detector.process({ row: year(next) })
    expect(probe(detector, other)).toBeLessThan(0.7)
    expect(probe(detector, one)).toBe(1)
  })

  test('numbers around zero are near by their spread, where their ratio says nothing', () => {
    const next = random(SEED)
    const detector = make()
    const row = () => Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, normal(next)]))
    const around = { a: 0.001, b: -0.002, c: 0.001, d: 0, e: 0.003 }
    const moved = { a: -0.002, b: 0.001, c: 0, d: 0.002, e: -0.001 }
    detector.process({ row: around })
    expect(probe(detector, moved)).toBe(0)
    for (let i = 0; i < 60; i++) detector.process({ row: row() })
    expect(probe(detector, moved)).toBeGreaterThan(0.95)
  })

  test('an exact repeat scores 1 at any time, while the scale of the columns drifts a thousandfold', () => {
    const next = random(SEED)
    const detector = make()
    for (let i = 0; i < 400; i++) {
      const row = { a: 1.02 ** i * (1 + next()), b: normal(next), c: `${i % 7}` }
      detector.process({ row })
      expect(probe(detector, row)).toBe(1)
    }
  })

  test('the variations of one row do not become the measure of it: all are flagged to the end', () => {
    const next = random(SEED)
    for (const start of [0, 30]) {
      const detector = make()
      for (let i = 0; i < start; i++) detector.process({ row: { a: 100 * next(), b: 100 * next(), c: 100 * next() } })
      const vary = () => ({ a: 50 + next(), b: 70 + next(), c: 20 + 0.3 * next() })
      detector.process({ row: vary() })
      let flagged = 0
      for (let i = 0; i < 500; i++) flagged += detector.process({ row: vary() }).suspicious ? 1 : 0
      expect(flagged, `after ${start} others`).toBe(500)
    }
  })

  test('the description tells the spread of each column, and nothing before 20 rows', () => {
    const detector = make()
    for (let i = 0; i < 21; i++) {
      if (i === 19) expect(detector.describe().details['spreads']).toEqual({})
      detector.process({ row: { a: 100 * i, word: `w${i}` } })
    }
    expect(detector.describe().details['spreads']).toEqual({ a: 1000 })
  })
})

describe('a schema', () => {
  test('with a scale settles what is near', () => {
    const schema: RowSchema = { a: { type: 'number', scale: 10 } }
    expect(scores([{ a: 1000 }, { a: 1005 }], { schema })[1]).toBeCloseTo(0.772476, 5)
    expect(scores([{ a: 1000 }, { a: 1020 }], { schema })[1]).toBe(0)
  })

  test('with a spread and a step does so from the first row on', () => {
    const schema: RowSchema = { year: { type: 'number', spread: 20, step: 1 } }
    expect(scores([{ year: 2000 }, { year: 2001 }], { schema })[1]).toBeGreaterThan(0.9)
    expect(scores([{ year: 2000 }, { year: 2020 }], { schema })[1]).toBe(0)
  })

  test('ignores columns, joins spellings and reads marks of missing numbers', () => {
    const schema: RowSchema = {
      id: { type: 'ignore' },
      zip: { type: 'category' },
      n: { type: 'number', missing: ['?'] },
    }
    expect(
      scores(
        [
          { id: 1, zip: 10, n: '?' },
          { id: 2, zip: '10', n: null },
        ],
        { schema },
      )[1],
    ).toBe(1)
    expect(
      scores(
        [
          { id: 1, n: ' ' },
          { id: 2, n: null },
        ],
        { schema },
      )[1],
    ).toBe(1)
  })

  test('is refused with its path when it is wrong, and is a copy when it is right', () => {
    const wrong = { a: { type: 'number', spread: 0 } } as RowSchema
    expect(() => make({ schema: wrong })).toThrow(
      expect.objectContaining({ code: 'bad_config', path: 'tabular_similarity.schema.a.spread' }),
    )
    const schema = { a: { type: 'number', scale: 10 } } as { a: { type: 'number'; scale: number } }
    const detector = make({ schema })
    detector.process({ row: { a: 0 } })
    schema.a.scale = 1e6
    expect(detector.process({ row: { a: 100 } }).score).toBe(0)
    expect(detector.describe().config['schema']).toEqual({ a: { type: 'number', scale: 10 } })
  })

  test('a word in a column of numbers is a bad query and changes nothing', () => {
    const detector = make({ schema: { a: { type: 'number' } } })
    detector.process({ row: { a: 1 } })
    const before = detector.snapshot()
    expect(() => detector.process({ row: { a: 'one' } })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'row.a' }),
    )
    expect(detector.snapshot()).toEqual(before)
  })
})

describe('rows and embeddings', () => {
  const bad = (path: string) => expect.objectContaining({ code: 'bad_query', path })

  test('an embedding is compared by the cosine, as in any similarity detector', () => {
    const detector = make()
    detector.process({ embedding: [3, 4] })
    expect(detector.process({ embedding: [4, 3] }).score).toBeCloseTo(0.96, 12)
    expect(detector.describe().details['dimension']).toBe(2)
  })

  test('one stream holds one of them', () => {
    const [rows, vectors] = [make(), make()]
    rows.process({ row: person })
    expect(() => rows.process({ embedding: embedRow(person) })).toThrow(bad('embedding'))
    vectors.process({ embedding: embedRow(person) })
    expect(() => vectors.process({ row: person })).toThrow(bad('row'))
    expect(() => make().processBatch([{ row: person }, { embedding: [1] }])).toThrow(bad('[1].embedding'))
    expect(() => make().process({ row: person, embedding: [1] })).toThrow(bad('embedding'))
    vectors.reset()
    expect(vectors.process({ row: person }).score).toBe(0)
  })

  test('a similarity function compares embeddings: rows are refused', () => {
    const detector = make({ similarity: () => 0.5 })
    expect(() => detector.process({ row: person })).toThrow(bad('row'))
  })

  test('a snapshot of the layout before rows is refused', () => {
    const old = {
      detector: 'tabular_similarity',
      version: 1,
      state: { vectors: { dimension: 0, rows: new Float32Array() }, incident: null },
    }
    expect(() => make().restore(old)).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
  })
})

describe('a damaged snapshot is refused, whatever is wrong with its rows', () => {
  const good = () => {
    const detector = make()
    detector.processBatch([{ row: { a: 1, b: 'x' } }, { row: { a: 2, b: 'y' } }, { row: { c: null } }])
    return structuredClone(detector.snapshot()) as unknown as {
      state: { rows: Record<string, unknown>; vectors: unknown }
    }
  }
  type Rows = {
    layouts: { names: string[]; isNumber: Uint8Array }[]
    layoutOf: Uint32Array
    cells: Float64Array
    teaches: Uint8Array
  }
  test.each<[string, (rows: Rows) => void]>([
    ['a cell that is not finite', (rows) => (rows.cells[0] = Number.NaN)],
    ['a category that is no hash', (rows) => (rows.cells[1] = 0.5)],
    ['a cell too few', (rows) => (rows.cells = rows.cells.slice(1))],
    ['a layout that is not there', (rows) => (rows.layoutOf[2] = 7)],
    ['a layout out of order', (rows) => rows.layoutOf.set([1, 0, 0])],
    ['a layout that nobody uses', (rows) => rows.layouts.push({ names: ['z'], isNumber: Uint8Array.of(1) })],
    ['a layout twice', (rows) => (rows.layouts[1] = structuredClone(rows.layouts[0]!))],
    ['names out of order', (rows) => rows.layouts[0]!.names.reverse()],
    ['no names', (rows) => (rows.layouts[0] = { names: [], isNumber: new Uint8Array() })],
    ['the name __proto__', (rows) => (rows.layouts[0]!.names[0] = '__proto__')],
    ['a flag of 2', (rows) => (rows.teaches[0] = 2)],
    ['a flag too many', (rows) => (rows.teaches = new Uint8Array(4))],
    ['kinds of another length', (rows) => (rows.layouts[0]!.isNumber = new Uint8Array(1))],
  ])('%s', (_, damage) => {
    const snapshot = good()
    damage(snapshot.state.rows as unknown as Rows)
    const detector = make()
    detector.process({ row: person })
    const before = detector.snapshot()
    expect(() => detector.restore(snapshot as never)).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
    expect(detector.snapshot()).toEqual(before)
  })

  test('more rows than the window, and rows beside vectors', () => {
    expect(() => make({ maxHistorySize: 2 }).restore(good() as never)).toThrow(/at most 2/)
    const both = good()
    both.state.vectors = { dimension: 1, rows: Float32Array.of(1) }
    expect(() => make().restore(both as never)).toThrow(/not both/)
  })
})

describe('of raw queries', () => {
  test('getDetector compares rows, and an error names the cell of the input', async () => {
    const detector = getDetector('tabular_similarity', { schema: { age: { type: 'number' } } })
    await detector.process({ input: person })
    expect((await detector.process({ input: { ...person, job: 'nurse' } })).score).toBe(0.8)
    await expect(detector.process({ input: { ...person, age: 'old' } })).rejects.toMatchObject({ path: 'input.age' })
    await expect(detector.process({ input: { age: Number.NaN } })).rejects.toMatchObject({ path: 'input.age' })
  })

  test("the reference's raw vectors, an embedder, a similarity function and given embeddings go on as they were", async () => {
    const pair = [
      { a: 3, b: 4 },
      { a: 4, b: 3 },
    ]
    const last = async (config: object) => {
      const detector = getDetector('tabular_similarity', config)
      return (await detector.processBatch(pair.map((input) => ({ input }))))[1]!.score
    }
    expect(await last({ scaling: 'none' })).toBeCloseTo(0.96, 12)
    expect(await last({ embedder: (row: Row) => rowVector(row) })).toBeCloseTo(0.96, 12)
    expect(await last({ similarity: () => 0.25 })).toBe(0.25)
    const given = getDetector('tabular_similarity')
    await given.process({ embedding: [3, 4] })
    expect((await given.process({ embedding: [4, 3] })).score).toBeCloseTo(0.96, 12)
  })

  test('the similarity detector for any input still embeds rows', async () => {
    const detector = getDetector('similarity')
    await detector.process({ input: person })
    expect((await detector.process({ input: 'a text' })).score).toBeLessThan(0.5)
    expect((await detector.process({ input: person })).score).toBeCloseTo(1, 6)
  })
})

interface Goal {
  readonly name: string
  /** The label, which nobody nudges. */
  readonly label?: string
  /** Per cent of the rows flagged, at most. */
  readonly distinct: number
  /** Per cent of the nudged copies flagged, at least. */
  readonly copies: number
}

// Iris and the two tables of breast cancer hold many rows that differ in one coarse cell only: as near as a nudged copy.
const goals: Goal[] = [
  { name: 'adult', label: 'income', distinct: 1, copies: 99 },
  { name: 'abalone', distinct: 1, copies: 99 },
  { name: 'german_credit', label: 'class_1good_2bad', distinct: 1, copies: 99 },
  { name: 'iris', label: 'species', distinct: 20, copies: 95 },
  { name: 'wine', label: 'class', distinct: 1, copies: 99 },
  { name: 'mammography', label: 'class', distinct: 1, copies: 99 },
  { name: 'pima_diabetes', label: 'class', distinct: 1, copies: 99 },
  { name: 'breast_cancer_wisconsin', label: 'class_2benign_4malignant', distinct: 30, copies: 99 },
  { name: 'breast_cancer_yugoslavia', label: 'class', distinct: 30, copies: 99 },
  { name: 'winequality_red', distinct: 1, copies: 99 },
]

const missing = goals.filter(({ name }) => !hasData(`tabular/${name}.csv`)).map(({ name }) => name)
describe.skipIf(missing.length > 0)(`on real tables${missing.length > 0 ? ` (skipped: no ${missing})` : ''}`, () => {
  describe.each(goals)('$name', ({ name, label, distinct, copies }) => {
    const rows = tableOf(name).slice(0, name === 'adult' ? 2000 : 700)
    const start = rows.length > 300 ? 100 : 50

    test.each(['running statistics', 'a profile of the first rows'])(
      `under %s at most ${distinct} % of the rows and at least ${copies} % of the nudged copies are flagged`,
      (how) => {
        const schema = how === 'running statistics' ? undefined : fitTabular(rows.slice(0, start))
        const { honest, copied } = flagged(rows, start, label, schema)
        expect(honest).toBeLessThanOrEqual(distinct)
        expect(copied).toBeGreaterThanOrEqual(copies)
      },
    )
  })

  test('people whose age, hours, final weight or capital gain alone moved are all flagged', () => {
    const people = tableOf('adult').slice(0, 300)
    const detector = make()
    const next = random(SEED)
    const moves: ((row: Readonly<Record<string, string>>) => Row)[] = [
      (row) => ({ ...row, age: Number(row['age']) + (next() < 0.5 ? 1 : -1) }),
      (row) => ({ ...row, hours_per_week: Number(row['hours_per_week']) + (next() < 0.5 ? 1 : -2) }),
      (row) => ({ ...row, fnlwgt: Math.round(Number(row['fnlwgt']) * (next() < 0.5 ? 1.01 : 0.99)) }),
      (row) => ({ ...row, capital_gain: 50 + Math.floor(450 * next()) }),
    ]
    for (const [i, row] of people.entries()) {
      detector.process({ row })
      if (i < 100) continue
      const earlier = people[i - Math.floor(100 * next())]!
      for (const move of moves) expect(probe(detector, move(earlier))).toBeGreaterThanOrEqual(0.9)
    }
  })
})

/** Per cent flagged of the rows from `start` on, and of a nudged copy of a remembered row after each third. */
function flagged(rows: readonly Record<string, string>[], start: number, label?: string, schema?: RowSchema) {
  const next = random(SEED)
  const units = unitsOf(rows, label)
  const detector = make(schema === undefined ? {} : { schema })
  let honest = 0
  let copied = 0
  let copies = 0
  for (const [i, row] of rows.entries()) {
    const { suspicious } = detector.process({ row })
    if (i < start) continue
    if (suspicious) honest++
    if (i % 3 > 0) continue
    copies++
    const earlier = rows[i - Math.floor(Math.min(100, i + 1) * next())]!
    if (probe(detector, nudged(earlier, units, next)) >= 0.9) copied++
  }
  return { honest: (100 * honest) / (rows.length - start), copied: (100 * copied) / copies }
}
