import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { embedText } from '../src/core/embedText.ts'
import { normalizeText } from '../src/core/text.ts'
import { dataDir, hasData } from './tools/data.ts'
import { random } from './tools/random.ts'

type Next = () => number

const pick = <T>(list: ArrayLike<T>, next: Next): T => list[Math.floor(next() * list.length)]!
const letters = 'abcdefghijklmnopqrstuvwxyz'
const twins: Readonly<Record<string, string>> = { a: 'а', c: 'с', e: 'е', o: 'о', p: 'р', x: 'х', y: 'у', i: 'і' }

/** The places of a text where `fits` holds. */
function places(text: string, fits: (at: number) => boolean): number[] {
  return Array.from(text, (_, at) => at).filter((at) => at < text.length && fits(at))
}

const isLetter = (text: string, at: number) => /[a-z]/i.test(text[at] ?? '')

/** One typed edit each; a text to which it cannot be done stays as it is and does not count. */
const edits: Readonly<Record<string, (text: string, next: Next, words: readonly string[]) => string>> = {
  'a letter replaced': (text, next) => {
    const at =
      pick(
        places(text, (i) => isLetter(text, i)),
        next,
      ) ?? text.length
    return `${text.slice(0, at)}${pick(letters, next)}${text.slice(at + 1)}`
  },
  'a letter added': (text, next) => {
    const at =
      pick(
        places(text, (i) => isLetter(text, i)),
        next,
      ) ?? text.length
    return `${text.slice(0, at)}${pick(letters, next)}${text.slice(at)}`
  },
  'a letter dropped': (text, next) => {
    const at =
      pick(
        places(text, (i) => isLetter(text, i)),
        next,
      ) ?? text.length
    return `${text.slice(0, at)}${text.slice(at + 1)}`
  },
  'two letters swapped': (text, next) => {
    const at = pick(
      places(text, (i) => isLetter(text, i) && isLetter(text, i + 1)),
      next,
    )
    return at === undefined ? text : `${text.slice(0, at)}${text[at + 1]}${text[at]}${text.slice(at + 2)}`
  },
  capitals: (text) => text.toUpperCase(),
  'a punctuation mark added': (text, next) => {
    const at = pick(
      places(`${text} `, (i) => text[i] === ' ' || i === text.length),
      next,
    )
    return `${text.slice(0, at)}${pick('.,!?;:', next)}${text.slice(at)}`
  },
  'a space doubled': (text, next) => {
    const at =
      pick(
        places(text, (i) => text[i] === ' '),
        next,
      ) ?? 0
    return `${text.slice(0, at)} ${text.slice(at)}`
  },
  'a zero-width character': (text, next) => {
    const at = 1 + Math.floor(next() * (text.length - 1))
    return `${text.slice(0, at)}${pick('\u200b\u200c\u200d\u2060', next)}${text.slice(at)}`
  },
  'a look-alike letter': (text, next) => {
    const at = pick(
      places(text, (i) => twins[text[i]!] !== undefined),
      next,
    )
    return at === undefined ? text : `${text.slice(0, at)}${twins[text[at]!]}${text.slice(at + 1)}`
  },
  'two words swapped': (text, next) => {
    const words = text.split(' ')
    const at = Math.floor(next() * (words.length - 1))
    return [...words.slice(0, at), words[at + 1], words[at], ...words.slice(at + 2)].filter(Boolean).join(' ')
  },
  'a word exchanged': (text, next, pool) => {
    const words = text.split(' ')
    words[Math.floor(next() * words.length)] = pick(pool, next)
    return words.join(' ')
  },
}

const dot = (a: Float32Array, b: Float32Array) => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** The fields of one column. Quotes as in RFC 4180. */
function columnOf(file: string, name: string): string[] {
  const text = readFileSync(join(dataDir(), file), 'utf8')
  const records: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    records.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
    if (end !== ',') records.push([])
  }
  const at = records[0]!.indexOf(name)
  return records.slice(1).flatMap((record) => (record.length > at ? [record[at]!.trim()] : []))
}

describe.each([
  ['text/banking77.csv', 'text'],
  ['text/stsb_en.csv', 'sentence1'],
  ['text/sst2.csv', 'sentence'],
  ['text/ag_news.csv', 'title'],
])('%s', (file, column) => {
  const there = hasData(file)
  test.skipIf(!there)(
    `typed edits stay above all but one in a thousand unrelated pairs: 98 % on average${there ? '' : ' (skipped: no file)'}`,
    () => {
      // One text for each normal form; texts that nearly agree stay in, as unrelated ones.
      const texts = [...new Map(columnOf(file, column).map((text) => [normalizeText(text), text])).values()]
        .filter((text) => text !== '')
        .slice(0, 600)
      expect(texts.length).toBe(600)
      const vectors = texts.map((text) => embedText(text))
      const unrelated: number[] = []
      for (let i = 0; i < vectors.length; i++) {
        for (let j = 0; j < i; j++) unrelated.push(dot(vectors[i]!, vectors[j]!))
      }
      const threshold = Float64Array.from(unrelated)
        .sort()
        .at(-Math.ceil(unrelated.length / 1000))!
      const words = texts.flatMap((text) => text.split(' '))
      const next = random(77)
      const rates = Object.entries(edits).map(([name, edit]) => {
        const pairs = texts.map((text, i) => ({ text, edited: edit(text, next, words), vector: vectors[i]! }))
        const changed = pairs.filter(({ text, edited }) => edited !== text)
        expect(changed.length, name).toBeGreaterThan(450)
        return (
          changed.filter(({ edited, vector }) => dot(vector, embedText(edited)) > threshold).length / changed.length
        )
      })
      expect(rates.reduce((a, b) => a + b, 0) / rates.length).toBeGreaterThanOrEqual(0.98)
      for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0.97)
    },
  )
})
