import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { embedText, TEXT_DIMENSIONS } from '../src/core/embedText.ts'
import { dataDir, hasData } from './tools/data.ts'

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const cosine = (a: string, b: string) => dot(embedText(a), embedText(b))

test('every text becomes 512 numbers of length 1', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (text) => {
      const vector = embedText(text)
      expect(vector.length).toBe(TEXT_DIMENSIONS)
      expect(Math.abs(dot(vector, vector) - 1)).toBeLessThan(1e-5)
    }),
    { seed: 6, numRuns: 1000 },
  )
})

const sentence = 'I still have not received my new card, I ordered over a week ago.'

test.each([
  ['a letter changed', 'I still have not receiwed my new card, I ordered over a week ago.'],
  ['a letter dropped', 'I still have not received my new card, I orderd over a week ago.'],
  ['two letters swapped', 'I still have not recieved my new card, I ordered over a week ago.'],
  ['a letter doubled', 'I still have not received my new carrd, I ordered over a week ago.'],
  ['a short word exchanged', 'I still have not received my old card, I ordered over a week ago.'],
])('a sentence with %s stays above 0.9', (_, edited) => {
  expect(cosine(sentence, edited)).toBeGreaterThan(0.9)
})

test.each([
  ['capitals', sentence.toUpperCase()],
  ['the full stop missing', sentence.slice(0, -1)],
  ['double spaces', sentence.replaceAll(' ', '  ')],
  ['zero-width spaces', sentence.replaceAll('e', 'e\u200b')],
  ['Cyrillic look-alikes', sentence.replaceAll('a', 'а').replaceAll('e', 'е').replaceAll('o', 'о')],
])('a sentence with %s has the very same vector', (_, edited) => {
  expect(embedText(edited)).toEqual(embedText(sentence))
})

test.each([
  ['Which currencies can I hold in my account?'],
  ['A man is playing a guitar on the stage.'],
  ['Мою карту до сих пор не доставили, прошла неделя.'],
])('the unrelated sentence "%s" stays below 0.6', (other) => {
  expect(cosine(sentence, other)).toBeLessThan(0.6)
})

test('the order of the words counts', () => {
  const other = 'ago week a over ordered I card new my received not have still I'
  expect(cosine(sentence, other)).toBeLessThan(0.9)
})

test('a list is embedded as its parts joined by one space', () => {
  expect(embedText(['Hello', 'world!'])).toEqual(embedText('Hello world!'))
})

test('texts of mere punctuation differ from each other', () => {
  expect(cosine('!!!', '!!!')).toBeCloseTo(1, 6)
  expect(cosine('!!!', '???')).toBeLessThan(0.6)
  expect(cosine('\u200b', ' ')).toBeLessThan(0.6)
})

test.each([
  ['an empty text', ''],
  ['an empty list', []],
  ['a number', 5],
  ['a lone surrogate', 'x\ud800'],
])('%s is a bad query', (_, input) => {
  expect(() => embedText(input as string)).toThrow(expect.objectContaining({ code: 'bad_query' }))
})

test('the first numbers of an embedding are pinned', () => {
  const set = [...embedText('Hello world!').entries()].filter(([, x]) => x !== 0).slice(0, 6)
  expect(set).toEqual([
    [0, 0.5773502588272095],
    [28, 0.1632993221282959],
    [45, -0.1154700517654419],
    [53, 0.1632993221282959],
    [56, 0.1154700517654419],
    [77, -0.1366260051727295],
  ])
})

const file = 'text/banking77.csv'
const there = hasData(file)

describe.skipIf(!there)(`on real questions to a bank${there ? '' : ` (skipped: no ${file})`}`, () => {
  // Lines with a quoted field are left out: the rest needs no CSV parser.
  const lines = there ? readFileSync(join(dataDir(), file), 'utf8').split(/\r?\n/).slice(1) : []
  const questions = lines
    .filter((line) => !line.includes('"') && line.length > 0)
    .map((line) => line.slice(0, line.lastIndexOf(',')))
  const some = questions.slice(0, 600)
  const vectors = some.map((question) => embedText(question))

  test('a letter dropped from the middle leaves 99 % of the questions of 40 characters or more above 0.9', () => {
    const long = some.filter((question) => question.length >= 40)
    const near = long.filter((question) => cosine(question, dropMiddleLetter(question)) >= 0.9)
    expect(long.length).toBeGreaterThan(300)
    expect(near.length / long.length).toBeGreaterThan(0.99)
  })

  test('fewer than 1 in 10 000 pairs of different questions reach 0.9', () => {
    let near = 0
    for (let i = 0; i < vectors.length; i++) {
      for (let j = 0; j < i; j++) if (dot(vectors[i]!, vectors[j]!) >= 0.9) near++
    }
    expect(near / ((vectors.length * (vectors.length - 1)) / 2)).toBeLessThan(1e-4)
  })
})

function dropMiddleLetter(text: string): string {
  let at = text.length >> 1
  while (!/[a-z]/i.test(text[at]!)) at++
  return text.slice(0, at) + text.slice(at + 1)
}
