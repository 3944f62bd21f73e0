import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalRow,
  checkRow,
  checkRowSchema,
  type RowSchema,
  rowFingerprint,
  rowVector,
} from '../src/core/canonical.ts'
import type { Row } from '../src/core/types.ts'
import { golden, hasGolden } from './tools/data.ts'

const bad = (path: string) => expect.objectContaining({ code: 'bad_query', path })

test('a row is copied, its cells unchanged', () => {
  const row = { age: 25, job: 'clerk', married: false, phone: null }
  const checked = checkRow(row)
  expect(checked).toEqual(row)
  expect(checked).not.toBe(row)
})

test('a row without a prototype is a row, inherited and hidden columns are not read', () => {
  const row = Object.assign(Object.create(null), { a: 1 })
  Object.defineProperty(row, 'hidden', { value: 2, enumerable: false })
  expect(checkRow(row)).toEqual({ a: 1 })
})

test.each([
  ['an array', [1, 2]],
  ['null', null],
  ['a string', 'a=1'],
  ['a Map', new Map([['a', 1]])],
  [
    'a class instance',
    new (class Thing {
      a = 1
    })(),
  ],
  ['an object without columns', {}],
])('%s is no row', (_, value) => {
  expect(() => checkRow(value)).toThrow(bad('input'))
})

test.each([
  ['NaN', { age: Number.NaN }, 'input.age'],
  ['Infinity', { 'odd key': Infinity }, 'input["odd key"]'],
  ['undefined', { a: undefined }, 'input.a'],
  ['a bigint', { a: 5n }, 'input.a'],
  ['an object', { a: {} }, 'input.a'],
  ['a date', { a: new Date(0) }, 'input.a'],
  ['a lone surrogate', { a: 'x\ud800' }, 'input.a'],
  ['a text that is too long', { a: 'x'.repeat(10_001) }, 'input.a'],
])('a cell with %s is refused with its path', (_, row, path) => {
  expect(() => checkRow(row)).toThrow(bad(path))
})

test.each(['__proto__', 'constructor', 'prototype'])('a column named %s is refused', (name) => {
  expect(() => checkRow(JSON.parse(`{"a": 1, "${name}": 1}`))).toThrow(bad('input'))
})

test('too many columns, too long names and names with a lone surrogate are refused', () => {
  expect(() => checkRow({ a: 1, b: 2, c: 3 }, 'input', { maxColumns: 2 })).toThrow(/at most 2 columns, got 3/)
  expect(() => checkRow({ ['x'.repeat(257)]: 1 })).toThrow(bad('input'))
  expect(() => checkRow({ 'x\udc00': 1 })).toThrow(expect.objectContaining({ code: 'bad_query' }))
})

test('one text stands for all spellings of a row', () => {
  const text = '{"age":25,"income":30000.5}'
  expect(canonicalRow({ age: 25, income: 30000.5 })).toBe(text)
  expect(canonicalRow({ income: '30000.50', age: ' 25 ' })).toBe(text)
  expect(canonicalRow({ age: '25.0', income: '3.00005e4' })).toBe(text)
})

test('0, −0, "0" and "-0.0" agree', () => {
  const texts = [0, -0, '0', '-0.0'].map((a) => canonicalRow({ a }))
  expect(new Set(texts)).toEqual(new Set(['{"a":0}']))
})

test('true, 1, "true", null and "null" differ', () => {
  const cells = [true, 1, 'true', null, 'null', '']
  expect(new Set(cells.map((a) => rowFingerprint({ a }))).size).toBe(cells.length)
})

test.each(['01234', '+5', '1e999', '12345678901234567890', '1_000', '0x10', '1.', 'Infinity', '٣'])(
  'the text %s stays text',
  (a) => {
    expect(canonicalRow({ a })).toBe(JSON.stringify({ a }))
  },
)

test('no text can pose as another row', () => {
  expect(canonicalRow({ a: '1,"b":2' })).not.toBe(canonicalRow({ a: 1, b: 2 }))
  expect(canonicalRow({ a: 'x","b":"y' })).not.toBe(canonicalRow({ a: 'x', b: 'y' }))
})

test('the order of the columns never counts, and equal rows only have equal texts', () => {
  const cell = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  )
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }).filter((key) => key !== '__proto__')
  fc.assert(
    fc.property(fc.dictionary(name, cell, { minKeys: 1, maxKeys: 6 }), (row) => {
      const backwards = Object.fromEntries(Object.entries(row).reverse())
      expect(canonicalRow(backwards)).toBe(canonicalRow(row))
      expect(Object.keys(JSON.parse(canonicalRow(row))).sort()).toEqual(Object.keys(row).sort())
    }),
    { seed: 5 },
  )
})

test('a declared number reads leading zeros, signs and booleans', () => {
  const schema: RowSchema = { a: { type: 'number' } }
  for (const a of ['007', '+7', 7, '7.']) expect(canonicalRow({ a }, schema)).toBe('{"a":7}')
  expect(canonicalRow({ a: true }, schema)).toBe('{"a":1}')
  expect(canonicalRow({ a: null }, schema)).toBe('{"a":null}')
  expect(() => canonicalRow({ a: 'seven' }, schema)).toThrow(bad('input.a'))
})

test('a declared number takes blank text and its marks for missing ones as null', () => {
  const schema: RowSchema = { a: { type: 'number', missing: ['?', 'n/a'] } }
  for (const a of ['', ' ', '?', ' n/a ', null]) expect(canonicalRow({ a }, schema)).toBe('{"a":null}')
  expect(() => canonicalRow({ a: 'N/A' }, schema)).toThrow(bad('input.a'))
  expect(() => canonicalRow({ a: '?' }, { a: { type: 'number' } })).toThrow(bad('input.a'))
})

test('a declared category compares the text of its cells', () => {
  const schema: RowSchema = { zip: { type: 'category' } }
  expect(canonicalRow({ zip: 1234 }, schema)).toBe(canonicalRow({ zip: '1234' }, schema))
  expect(canonicalRow({ zip: '01234' }, schema)).not.toBe(canonicalRow({ zip: '1234' }, schema))
  expect(canonicalRow({ zip: null }, schema)).not.toBe(canonicalRow({ zip: 'null' }, schema))
})

test('an ignored column does not count, and a row of ignored columns is refused', () => {
  const schema: RowSchema = { id: { type: 'ignore' } }
  expect(rowFingerprint({ id: 1, a: 2 }, schema)).toBe(rowFingerprint({ id: 9, a: 2 }, schema))
  expect(() => rowFingerprint({ id: 1 }, schema)).toThrow(bad('input'))
})

test.each([
  ['a list', [], 'schema'],
  ['a column that is a word', { age: 'number' }, 'schema.age'],
  ['an unknown type', { age: { type: 'float' } }, 'schema.age.type'],
  ['a scale of 0', { age: { type: 'number', scale: 0 } }, 'schema.age.scale'],
  ['a spread that is no number', { age: { type: 'number', spread: '5' } }, 'schema.age.spread'],
  ['an endless step', { age: { type: 'number', step: Infinity } }, 'schema.age.step'],
  ['an unknown option', { age: { type: 'number', unit: 'a' } }, 'schema.age.unit'],
  ['marks that are no list', { age: { type: 'number', missing: '?' } }, 'schema.age.missing'],
  ['names that are no texts', { job: { type: 'category', values: [1] } }, 'schema.job.values'],
  ['too many names', { job: { type: 'category', values: new Array(1001).fill('x') } }, 'schema.job.values'],
  ['a column named __proto__', JSON.parse('{"__proto__": {"type": "number"}}'), 'schema'],
  ['a scale of a category', { age: { type: 'category', scale: 1 } }, 'schema.age.scale'],
])('%s is a bad schema', (_, schema, path) => {
  expect(() => checkRowSchema(schema)).toThrow(expect.objectContaining({ code: 'bad_config', path }))
})

test('a few fingerprints are pinned', () => {
  // SHA-256 of {"age":25,"income":30000}, as sha256sum gives it.
  expect(rowFingerprint({ income: 30000, age: 25 })).toBe(
    'aa98703ec309e991aec5ae811dd92d46d9628c5265c790a0387408aefbc57701',
  )
  expect(rowFingerprint({ age: 25, income: 30000, job: 'clerk' })).toBe(
    'f2113b476cabae2ddebe26f0d1b2c4b9b62d9bf5dbb369eb9d2dbf76b654c3fb',
  )
})

test('the raw vector holds the numbers in the order of the names', () => {
  expect([...rowVector({ b: '2', a: 1, d: true, c: ' 3.5 ' })]).toEqual([1, 2, 3.5, 1])
  expect([...rowVector({ a: '+1', b: '010' })]).toEqual([1, 10])
})

test('a word or null has no raw number', () => {
  expect(() => rowVector({ a: 'x', b: 2 })).toThrow(bad('input.a'))
  expect(() => rowVector({ b: null })).toThrow(bad('input.b'))
  expect(() => rowVector({ b: '' })).toThrow(bad('input.b'))
})

interface Stream {
  readonly name: string
  readonly detector: string
  readonly inputs: readonly Row[]
  readonly results: readonly { readonly confidence: number; readonly reason: string }[]
}

const there = hasGolden('similarity')

describe.skipIf(!there)(
  `the reference's tabular similarity${there ? '' : ' (skipped: no golden/similarity.json)'}`,
  () => {
    const streams = (there ? golden<{ cases: Stream[] }>('similarity').cases : []).filter(
      (stream) => stream.detector === 'TabularSimilarityDetector',
    )
    // Stands for the streams when the file is missing: without it nothing would be listed as skipped.
    test('is there', () => expect(streams.length).toBeGreaterThan(0))
    test.each(streams.map((stream) => [stream.name, stream] as const))('%s', (_, { inputs, results }) => {
      const past: Float64Array[] = []
      for (const [i, input] of inputs.entries()) {
        const result = results[i]!
        // Departure: a word fails openly there, and null becomes NaN; here both are refused.
        if (result.reason.startsWith('Exception') || Number.isNaN(result.confidence)) {
          expect(() => rowVector(input)).toThrow(expect.objectContaining({ code: 'bad_query' }))
          continue
        }
        const vector = rowVector(input)
        const best = past.length === 0 ? 0 : Math.max(...past.map((other) => cosine(vector, other)))
        expect(Math.abs(best - result.confidence)).toBeLessThan(1e-9)
        past.push(vector)
      }
    })
  },
)

function cosine(a: Float64Array, b: Float64Array): number {
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
