/** What the streams are made of: seeded values of every kind, with exact arithmetic only, and the odd ones among them. */
import type { Pixels, Row } from 'monitaur'
import { embedText, mirrorPixels, rowVector, simHash } from 'monitaur/core'
import { distribution, normal, random, vector } from '../../tools/random.ts'
import { samplePictures, sampleTexts } from '../app/samples.ts'
import { ODD_FINGERPRINTS, ODD_NUMBERS, ODD_PICTURES, ODD_ROWS, ODD_TEXTS, oddVectors } from './odd.ts'

const SEED = 20_261_126
/** Values of a stream that are meant to be good; every fifth is followed by an odd one. */
export const GOOD = 200
export const DIMENSION = 24

/** `make` sees what the stream has had so far, in order to repeat it. */
export function stream<T>(make: (next: () => number, seen: readonly T[]) => T): T[] {
  const next = random(SEED)
  const seen: T[] = []
  for (let i = 0; i < GOOD; i++) seen.push(make(next, seen))
  return seen
}

export function pick<T>(list: readonly T[], next: () => number): T {
  return list[Math.floor(next() * list.length)]!
}

export function withOdd(good: readonly unknown[], odd: readonly unknown[]): unknown[] {
  return good.flatMap((one, i) => (i % 5 === 4 ? [one, odd[Math.floor(i / 5) % odd.length]] : [one]))
}

export function shares(): unknown[] {
  const good = stream((next) => {
    const p = distribution(next, 2 + Math.floor(9 * next()), 1 + 30 * next())
    return pick([p, Float32Array.from(p), Float64Array.from(p), p.map((v) => 100 * v)], next)
  })
  return withOdd([...good, distribution(random(SEED), 1000, 200)], ODD_NUMBERS)
}

export function scores(): unknown[] {
  const good = stream((next) => {
    const size = pick([1, 10, 1000, 1e300], next)
    const spread = Array.from({ length: 1 + Math.floor(9 * next()) }, () => size * normal(next))
    return pick([spread, Float64Array.from(spread)], next)
  })
  return withOdd(good, ODD_NUMBERS)
}

export function fingerprints(): unknown[] {
  const good = stream((next) =>
    Math.floor(60 * next())
      .toString(16)
      .padStart(16, '0'),
  )
  return withOdd(good, ODD_FINGERPRINTS)
}

export function hashes(): unknown[] {
  const digit = (next: () => number) => Math.floor(16 * next()).toString(16)
  const good = stream<string>((next, seen) => {
    if (seen.length === 0 || next() < 0.4) return Array.from({ length: 16 }, () => digit(next)).join('')
    const [near, at] = [pick(seen, next), Math.floor(16 * next())]
    return near.slice(0, at) + digit(next) + near.slice(at + 1)
  })
  return withOdd(good, ODD_FINGERPRINTS)
}

export function nearHashes(): unknown[] {
  return withOdd(
    wellFormed().map((text) => simHash(text || ' ')),
    ODD_FINGERPRINTS,
  )
}

export function vectors(): unknown[] {
  const good = stream<ArrayLike<number>>((next, seen) => {
    const isNear = seen.length > 0 && next() < 0.4
    const v = isNear ? Float64Array.from(pick(seen, next), (x) => x + 0.2 * (next() - 0.5)) : vector(next, DIMENSION)
    return pick([v, Float32Array.from(v), Array.from(v)], next)
  })
  return withOdd(good, oddVectors(DIMENSION))
}

/** 32-bit floats, so long that forty of them are more than a small window holds. */
export function longVectors(): unknown[] {
  const good = stream<Float32Array>((next, seen) => {
    if (seen.length > 0 && next() < 0.4) return pick(seen, next).map((x) => x + 0.2 * (next() - 0.5))
    return Float32Array.from({ length: 1640 }, () => next() - 0.5)
  })
  return withOdd(good, oddVectors(1640))
}

/** Now and then the mirrored picture is the one that is near to an earlier one. */
export function mirroredVectors(): unknown[] {
  const good = stream<{ readonly embedding: Float64Array; readonly mirrored: Float64Array }>((next, seen) => {
    const near = seen.length > 0 && next() < 0.4 ? pick(seen, next).embedding.map((x) => x + 0.2 * next()) : undefined
    const other = vector(next, DIMENSION)
    const pair = [near ?? vector(next, DIMENSION), other] as const
    return next() < 0.5 ? { embedding: pair[0], mirrored: pair[1] } : { embedding: pair[1], mirrored: pair[0] }
  })
  const odd = oddVectors(DIMENSION).map((mirrored) => ({ embedding: good[0]!.embedding, mirrored }))
  return withOdd(good, odd)
}

export function textVectors(): unknown[] {
  return withOdd(
    wellFormed().map((text) => embedText(text || ' ')),
    [[], [1]],
  )
}

/** The texts whose surrogates all have their partner. */
export function wellFormed(): string[] {
  return texts().filter((text): text is string => typeof text === 'string' && !/\p{Surrogate}/u.test(text))
}

const JOBS = ['clerk', 'nurse', 'cook', 'pilot', 'пилот', 'パイロット', 'clérk']

function person(next: () => number): Row {
  return {
    id: Math.floor(1e6 * next()),
    age: next() < 0.2 ? null : `${18 + Math.floor(60 * next())}`,
    income: next() < 0.1 ? ' n/a ' : Math.floor(90_000 * next()),
    score: normal(next),
    job: pick(JOBS, next),
    ...(next() < 0.2 ? { phone: next() < 0.5 } : {}),
  }
}

/** Rows of a table, some of them near to earlier ones, or the same in other words. */
export function people(): Row[] {
  return stream<Row>((next, seen) => {
    if (seen.length === 0 || next() < 0.5) return person(next)
    const row = pick(seen, next)
    if (next() < 0.5) return Object.fromEntries(Object.entries(row).reverse())
    return { ...row, score: Number(row['score']) + pick([0, 1e-9, 0.01], next), age: ` ${row['age'] ?? 30}.0` }
  })
}

export function schema() {
  return {
    id: { type: 'ignore' },
    age: { type: 'number', spread: 19, step: 1 },
    income: { type: 'number', scale: 1000, missing: ['n/a'] },
    job: { type: 'category', values: ['clerk', 'pilot'] },
  } as const
}

export function rows(): unknown[] {
  return withOdd(people(), ODD_ROWS)
}

/** Rows of numbers alone. */
function plainAmounts(): Row[] {
  return people().map((row, i) => ({ age: (7 * i) % 60, score: row['score']!, text: `${i % 9}.50`, flag: i % 2 === 0 }))
}

export function amounts(): unknown[] {
  return withOdd(plainAmounts(), ODD_ROWS)
}

/** Rows of numbers as vectors, in place of rows. */
export function rawRows(): unknown[] {
  const embedded = plainAmounts().map((row) => ({ embedding: rowVector(row) }))
  return withOdd(embedded, [{ row: { age: 5 } }, { embedding: [] }, {}, { embedding: [1], row: { age: 5 } }])
}

/** Any assigned or unassigned character, most of them of the first plane. */
function character(next: () => number): string {
  const code = Math.floor(next() * pick([0x300, 0x10000, 0x10000, 0x34000, 0x110000], next))
  return String.fromCodePoint(code >= 0xd800 && code < 0xe000 ? code - 0xd800 : code)
}

export function texts(): unknown[] {
  const samples = sampleTexts(60)
  const good = stream<string>((next, seen) => {
    const kind = next()
    if (seen.length === 0 || kind < 0.3) return pick(samples, next)
    if (kind < 0.5) return Array.from({ length: 1 + Math.floor(40 * next()) }, () => character(next)).join('')
    // ASCII alone, so that the streams do not depend on an engine's Unicode tables.
    const letters = [...pick(seen, next)]
    if (kind < 0.7) return ` ${letters.join('').replace(/[a-z]/g, (letter) => letter.toUpperCase())}\n`
    letters[Math.floor(next() * letters.length)] = character(next)
    return letters.join('')
  })
  return withOdd(good, ODD_TEXTS)
}

export function pictures(): unknown[] {
  const samples = samplePictures(24, 48)
  const good = stream<Pixels>((next, seen) => {
    if (seen.length < 10 || next() < 0.3) return pick(samples, next)
    if (next() < 0.2) return mirrorPixels(pick(seen, next))
    const { data, ...shape } = pick(seen, next)
    return { ...shape, data: (data as Uint8Array).map((value) => Math.min(255, value + Math.floor(4 * next()))) }
  })
  return withOdd(good, ODD_PICTURES)
}

/** Inputs of all kinds in turns. */
export function anything(): unknown[] {
  const kinds = [texts(), rows(), pictures()]
  return kinds[0]!.map((_, i) => kinds[i % 3]![i])
}
