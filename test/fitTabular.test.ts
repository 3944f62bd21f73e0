import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Cell,
  checkRowSchema,
  createDetector,
  embedRow,
  fitTabular,
  type Row,
  rowFingerprint,
} from '../src/core/index.ts'
import { random } from './tools/random.ts'
import { tableOf } from './tools/tables.ts'

const bad = (path: string) => expect.objectContaining({ code: 'bad_config', path })
/** The profile of one column of these cells. */
const column = (cells: readonly Cell[], options = {}) =>
  fitTabular(
    cells.map((a) => ({ a })),
    options,
  )['a']

describe('a column of numbers', () => {
  test('is told by its cells, written as numbers or as text, with its quartiles and its step', () => {
    // Of 1 … 9: quartiles 3 and 7, neighbours 1 apart.
    expect(column(['1', 5, '3', 2, 4.0, '6.0', 9, 8, '7'], { ids: 'keep' })).toEqual({
      type: 'number',
      spread: 4,
      step: 1,
    })
  })

  test('keeps its spread when some numbers are enormous', () => {
    const cells = [1, 2, 3, 4, 5, 6, 7, 8, 1e12, 9, 1e300]
    expect(column(cells)).toEqual({ type: 'number', spread: 6, step: 1 }) // 9 − 3
  })

  test('has no spread when nearly all its numbers are one', () => {
    expect(column([...new Array<number>(99).fill(7), 8])).toEqual({ type: 'number' })
    expect(column([7])).toEqual({ type: 'number' })
  })

  test('passes over null, blank text and absent cells', () => {
    const rows: Row[] = [{ a: 5 }, { a: null }, { a: ' ' }, { b: 1 }, { a: 1 }, { a: '' }, { a: 3 }, { a: 2 }, { a: 4 }]
    expect(fitTabular(rows)['a']).toEqual({ type: 'number', spread: 2, step: 1 })
  })

  test('lists the texts that stand for a missing number, up to a fifth of the cells', () => {
    const numbers = Array.from({ length: 8 }, (_, i) => (7 * i) % 9)
    expect(column([...numbers, '?', 'n/a '])).toMatchObject({ type: 'number', missing: ['?', 'n/a'] })
    expect(column([...numbers, '?', '?', '?'])).toMatchObject({ type: 'category' })
  })

  test('is none where some cells are "007", "+49" or booleans, which are no numbers', () => {
    const numbers = Array.from({ length: 30 }, (_, i) => `${(7 * i) % 31}`)
    for (const odd of ['007', '+49', true]) expect(column([...numbers, odd])).toMatchObject({ type: 'category' })
  })

  test('rounds to six digits', () => {
    expect(column([0.1, 0.2, 0.3, 0.4, 0.5])).toEqual({ type: 'number', spread: 0.2, step: 0.1 })
  })
})

describe('a column of categories', () => {
  test('lists its names, the most frequent first and equals in order, and no more than asked for', () => {
    const cells = ['b', 'a', 'c', 'c', 'b', 'c', 'd', null]
    expect(column(cells)).toEqual({ type: 'category', values: ['c', 'b', 'a', 'd'] })
    expect(column(cells, { maxCategories: 2 })).toEqual({ type: 'category', values: ['c', 'b'] })
    expect(column(cells, { maxCategories: 0 })).toEqual({ type: 'category', values: [] })
  })

  test('of booleans, of nothing but missing cells', () => {
    expect(column([true, false, true])).toEqual({ type: 'category', values: ['true', 'false'] })
    expect(column([null, ''])).toEqual({ type: 'category', values: [] })
  })

  test('keeps 50 names of a thousand', () => {
    const cells = Array.from({ length: 2000 }, (_, i) => `word ${i % 1000}`)
    expect(column(cells)).toMatchObject({ type: 'category', values: { length: 50 } })
  })
})

describe('a column that names the rows is ignored', () => {
  const many = (make: (i: number) => Cell, count = 30) => Array.from({ length: count }, (_, i) => make(i))
  test.each<[string, Cell[]]>([
    ['a counter', many((i) => 1000 + i)],
    ['a time stamp in milliseconds', many((i) => 1.7e12 + 977 * i * i)],
    ['a time stamp in words', many((i) => `2026-11-24T10:${10 + i}:00Z`)],
    ['a key with a running number', many((i) => `A-${100 + i}`)],
    ['a hash', many((i) => `${((i * 2654435761) % 2 ** 32) + 2 ** 33}f`)],
  ])('%s', (_, cells) => {
    expect(column(cells)).toEqual({ type: 'ignore' })
    expect(column(cells, { ids: 'keep' })).not.toEqual({ type: 'ignore' })
    expect(column(cells.slice(0, 19))).not.toEqual({ type: 'ignore' })
  })

  test.each<[string, Cell[]]>([
    ['numbers in any order', many((i) => (i * 7919) % 997)],
    ['measures that happen to rise', many((i) => 0.5 + i)],
    ['a counter that repeats', many((i) => i >> 1)],
    ['free text', many((i) => `customer ${i} called again`)],
    ['names', many((i) => `Smith${'abcdefghij'[i % 10]}${'klm'[Math.floor(i / 10)]}`)],
    ['postal codes', many((i) => `0${(i * 7919) % 9973}`)],
  ])('but not %s', (_, cells) => {
    expect(column(cells)).not.toEqual({ type: 'ignore' })
  })
})

describe('the door', () => {
  test.each([
    ['no list', {}, 'rows'],
    ['an empty list', [], 'rows'],
    ['a row that is a list', [{ a: 1 }, [1]], 'rows[1]'],
    ['a row without columns', [{}], 'rows[0]'],
    ['a hole', Object.assign([{ a: 1 }], { length: 3, 2: { a: 2 } }), 'rows[1]'],
    ['NaN', [{ a: 1 }, { a: Number.NaN }], 'rows[1].a'],
    ['a date', [{ a: new Date(0) }], 'rows[0].a'],
    ['a column named __proto__', [JSON.parse('{"__proto__": 1}')], 'rows[0]'],
    ['a column named constructor', [{ constructor: 1 }], 'rows[0]'],
  ])('%s is refused, with the path', (_, rows, path) => {
    expect(() => fitTabular(rows as Row[])).toThrow(bad(path))
  })

  test('the message tells what was expected, what came and the remedy', () => {
    expect(() => fitTabular([{ a: 1 }, { a: Number.NaN }])).toThrow(
      'rows[1].a: must be a finite number, a string, a boolean or null, got NaN; leave the row out or mend it',
    )
  })

  test.each([
    ['an unknown option', { bins: 3 }, 'options.bins'],
    ['too many categories', { maxCategories: 1001 }, 'options.maxCategories'],
    ['another word for ids', { ids: 'drop' }, 'options.ids'],
  ])('%s is refused', (_, options, path) => {
    expect(() => fitTabular([{ a: 1 }], options as never)).toThrow(bad(path))
  })

  test('columns named as the members of objects are columns', () => {
    const rows = Array.from({ length: 9 }, (_, i) => ({ toString: (i * 2) % 9, hasOwnProperty: 'x', valueOf: null }))
    const profile = fitTabular(rows)
    expect(Object.keys(profile)).toEqual(['hasOwnProperty', 'toString', 'valueOf'])
    expect(profile['toString']).toMatchObject({ type: 'number', step: 1 })
    const detector = createDetector('tabular_similarity', { schema: profile })
    for (const row of rows) detector.process({ row })
    expect(({} as Record<string, unknown>)['spread']).toBeUndefined()
  })
})

test('whatever the rows: the profile is a schema, survives JSON, reads the rows it was made of, and changes nothing', () => {
  const cell = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom('', ' ', '?', '007', '1e999', '0x10', 'NaN', '-0', '5.', 'true', 'x'),
    fc.boolean(),
    fc.constant(null),
  )
  const row = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', '__p'), cell, { minKeys: 1 })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      const before = structuredClone(rows)
      const profile = fitTabular(rows)
      expect(rows).toEqual(before)
      expect(fitTabular(rows)).toEqual(profile)
      const back = JSON.parse(JSON.stringify(profile))
      expect(back).toEqual(profile)
      checkRowSchema(back)
      for (const one of rows) {
        if (Object.keys(one).every((name) => profile[name]!.type === 'ignore')) continue
        expect(embedRow(one, { schema: profile }).every(Number.isFinite)).toBe(true)
        expect(rowFingerprint(one, profile)).toBe(rowFingerprint(one, back))
      }
    }),
    { seed: 8, numRuns: 500 },
  )
})

test('the order of the columns and of the rows does not count', () => {
  const next = random(5)
  const rows = Array.from({ length: 60 }, () => ({
    a: Math.floor(100 * next()),
    b: next(),
    c: `w${Math.floor(9 * next())}`,
  }))
  const shuffled = [...rows].reverse().map(({ a, b, c }) => ({ c, b, a }))
  expect(JSON.stringify(fitTabular(shuffled))).toBe(JSON.stringify(fitTabular(rows)))
})

const people = tableOf('adult')
test.skipIf(people.length === 0)(
  `the profile of 2000 people${people.length === 0 ? ' (skipped: no tabular/adult.csv)' : ''} takes less than 2 kB and agrees with numpy`,
  () => {
    const profile = fitTabular(people)
    expect(JSON.stringify(profile).length).toBeLessThan(2000)
    // numpy.percentile(x, [25, 75], method='lower') over the 2000 rows, [5, 95] of the capital gain, which is mostly 0; the
    // smallest of numpy.diff(numpy.unique(x)).
    expect(profile['age']).toEqual({ type: 'number', spread: 19, step: 1 })
    expect(profile['hours_per_week']).toEqual({ type: 'number', spread: 5, step: 1 })
    expect(profile['capital_gain']).toEqual({ type: 'number', spread: 5178, step: 2 })
    expect(profile['education_num']).toEqual({ type: 'number', spread: 4, step: 1 })
    expect(profile['income']).toEqual({ type: 'category', values: ['<=50K', '>50K'] })
    expect(Object.values(profile).every(({ type }) => type !== 'ignore')).toBe(true)
  },
)
