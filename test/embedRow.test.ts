import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { embedRow, ROW_DIMENSIONS } from '../src/core/embedRow.ts'
import type { Row } from '../src/core/types.ts'
import { dataDir, hasData } from './tools/data.ts'

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const cosine = (a: Row, b: Row) => dot(embedRow(a), embedRow(b))

test('every row becomes 512 numbers of length 1, whatever its columns', () => {
  const cell = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ maxLength: 5 }),
    fc.boolean(),
    fc.constant(null),
  )
  const name = fc
    .string({ maxLength: 6 })
    .map((key) => `c${key}`)
    .filter((key) => key !== 'constructor')
  fc.assert(
    fc.property(fc.dictionary(name, cell, { minKeys: 1, maxKeys: 12 }), (row) => {
      const vector = embedRow(row)
      expect(vector.length).toBe(ROW_DIMENSIONS)
      expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5)
    }),
    { seed: 7, numRuns: 1000 },
  )
})

const person = { age: 46, job: 'clerk', income: 30_000, sex: 'Male', hours: 40 }

test('the order of the columns and the spelling of a number do not count', () => {
  expect(embedRow({ hours: '40.0', sex: 'Male', income: 3e4, job: 'clerk', age: '46' })).toEqual(embedRow(person))
})

test('the names of the columns count', () => {
  expect(cosine({ age: 25, income: 30_000 }, { b: 30_000, a: 25 })).toBeLessThan(0.3)
})

test('a number moved by 5 % leaves a row of five columns above 0.9', () => {
  expect(cosine(person, { ...person, income: 31_500 })).toBeGreaterThan(0.9)
})

test('one of five categories changed takes away about a fifth', () => {
  expect(Math.abs(cosine(person, { ...person, job: 'nurse' }) - 0.8)).toBeLessThan(0.08)
})

test('people who share neither number nor category are far apart', () => {
  expect(cosine(person, { age: 20, job: 'nurse', income: 60_000, sex: 'Female', hours: 10 })).toBeLessThan(0.3)
})

test.each([
  ['twice the number', 50],
  ['the negative number', -25],
  ['zero', 0],
  ['a word', 'x'],
  ['null', null],
])('%s is unlike the number itself', (_, other) => {
  expect(Math.abs(cosine({ a: 25 }, { a: other }))).toBeLessThan(0.3)
})

test('zero, −0 and "0" are alike', () => {
  expect(embedRow({ a: -0 })).toEqual(embedRow({ a: 0 }))
  expect(embedRow({ a: '0' })).toEqual(embedRow({ a: 0 }))
})

test('with a scale the difference counts, across zero as well', () => {
  const options = { schema: { year: { type: 'number', scale: 2 } } } as const
  const likeness = (a: number, b: number) => dot(embedRow({ year: a }, options), embedRow({ year: b }, options))
  expect(likeness(2020, 2020.2)).toBeGreaterThan(0.9)
  expect(likeness(-0.1, 0.1)).toBeGreaterThan(0.9)
  expect(Math.abs(likeness(2020, 2025))).toBeLessThan(0.3)
})

test('the likeness of two numbers falls with their distance, wherever they lie', () => {
  // Averaged over 200 places and names, since hashing adds an error to each.
  const means = [0, 0.25, 0.5, 1, 2].map((distance) => {
    let sum = 0
    for (let i = 0; i < 200; i++) {
      const options = { schema: { [`c${i}`]: { type: 'number', scale: 1 } } } as const
      sum += dot(embedRow({ [`c${i}`]: i * 0.37 }, options), embedRow({ [`c${i}`]: i * 0.37 + distance }, options))
    }
    return sum / 200
  })
  const expected = [1, 0.93, 0.75, 0.3, 0]
  for (const [i, mean] of means.entries()) expect(Math.abs(mean - expected[i]!)).toBeLessThan(0.04)
})

test('with a spread the ratio counts between bounds: near zero and far out the difference does', () => {
  // Averaged over 100 names, since hashing adds an error to each.
  const mean = (spread: number, step: number, a: number, b: number) => {
    let sum = 0
    for (let i = 0; i < 100; i++) {
      const options = { schema: { [`c${i}`]: { type: 'number', spread, step } } } as const
      sum += dot(embedRow({ [`c${i}`]: a }, options), embedRow({ [`c${i}`]: b }, options))
    }
    return sum / 100
  }
  // Tolerances by hand: 0.05 spreads = 50 up to 625, then 8 % of the number, and from 5000 on 0.4 spreads = 400.
  const expected: [number, number, number][] = [
    [0, 12.5, 0.93],
    [-25, 25, 0.3],
    [0, 100, 0],
    [1000, 1020, 0.93],
    [1000, 1083, 0.3],
    [1000, 1200, 0],
    [20_000, 20_100, 0.93],
    [20_000, 20_400, 0.3],
    [20_000, 20_800, 0],
    [-20_000, -20_400, 0.3],
  ]
  for (const [a, b, likeness] of expected) {
    expect(Math.abs(mean(1000, 1, a, b) - likeness), `${a} and ${b}`).toBeLessThan(0.07)
  }
  // A step of 100 makes the lower bound 130.
  expect(Math.abs(mean(1000, 100, 0, 130) - 0.3)).toBeLessThan(0.07)
})

test('the ends of the number range have a place', () => {
  const options = { schema: { a: { type: 'number', scale: Number.MIN_VALUE } } } as const
  for (const a of [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE]) {
    expect(embedRow({ a }).every(Number.isFinite)).toBe(true)
    expect(embedRow({ a }, options).every(Number.isFinite)).toBe(true)
    for (const spread of [Number.MIN_VALUE, 1, Number.MAX_VALUE]) {
      const wide = { schema: { a: { type: 'number', spread } } } as const
      expect(embedRow({ a }, wide).every(Number.isFinite), `${a} by ${spread}`).toBe(true)
    }
  }
})

test('a thousand columns keep the share of those that agree', () => {
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`column ${i}`, `word ${i}`]))
  const half = Object.fromEntries(Object.entries(wide).map(([key, word], i) => [key, i % 2 === 0 ? word : 'other']))
  expect(Math.abs(cosine(wide, half) - 0.5)).toBeLessThan(0.15)
})

test('a bad row is refused with the path of the cell', () => {
  expect(() => embedRow({ a: Number.NaN })).toThrow(expect.objectContaining({ code: 'bad_query', path: 'input.a' }))
})

test('the first numbers of an embedding are pinned', () => {
  const set = [...embedRow({ age: 25, income: 30_000, job: 'clerk' }).entries()].filter(([, x]) => x !== 0).slice(0, 4)
  expect(set).toEqual([
    [4, -0.3492710590362549],
    [14, -0.04065200686454773],
    [31, 0.04065200686454773],
    [61, -0.18407359719276428],
  ])
})

const file = 'tabular/adult.csv'
const there = hasData(file)

describe.skipIf(!there)(`on real people${there ? '' : ` (skipped: no ${file})`}`, () => {
  const [head = '', ...lines] = there ? readFileSync(join(dataDir(), file), 'utf8').trim().split(/\r?\n/) : []
  const names = head.split(',')
  const rows = lines.slice(0, 1100).map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i]!]))
  })
  const vectors = rows.map((row) => embedRow(row))

  test('at most 1 % of the people are near (0.9) to one of the 100 before', () => {
    let near = 0
    for (let i = 100; i < vectors.length; i++) {
      const past = vectors.slice(i - 100, i)
      if (past.some((other) => dot(vectors[i]!, other) >= 0.9)) near++
    }
    expect(near / 1000).toBeLessThanOrEqual(0.01)
  })

  test('a person whose age, final weight or working hours moved by 3 % stays near', () => {
    for (const [i, row] of rows.slice(0, 300).entries()) {
      const name = ['age', 'fnlwgt', 'hours_per_week'][i % 3]!
      const moved = { ...row, [name]: Number(row[name]) * (i % 2 === 0 ? 1.03 : 0.97) }
      expect(dot(vectors[i]!, embedRow(moved))).toBeGreaterThan(0.9)
    }
  })
})
