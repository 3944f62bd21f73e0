/** What is taken from raw input: every function, over inputs good and bad. A new one adds a line. */
import { createRegistry, fitTabular, listDetectors, type Pixels, type Row } from 'monitaur'
import {
  canonicalRow,
  embedPixels,
  embedRow,
  embedText,
  hammingDistance,
  mirrorPixels,
  normalizeText,
  perceptualHash,
  pictureShingles,
  pictureVector,
  rowFingerprint,
  rowShingles,
  rowVector,
  scaledRow,
  sha256Hex,
  softmax,
  textFingerprint,
  textShingles,
} from 'monitaur/core'
import { random } from '../../tools/random.ts'
import { type FeatureLine, feature } from './feature.ts'
import { ODD_ROWS } from './odd.ts'
import { amounts, people, pictures, rows, schema, scores, texts, wellFormed, withOdd } from './values.ts'

const ADULTS = {
  age: { type: 'number', scale: 4 },
  income: { type: 'number', spread: 20_000, step: 1, missing: ['n/a'] },
} as const

export const FEATURES: readonly FeatureLine[] = [
  feature('texts', 'textFingerprint', texts, (text: string) => textFingerprint(text)),
  feature('texts', 'textFingerprint, a low limit', texts, (text: string) => textFingerprint(text, { maxLength: 20 })),
  feature('texts', 'normalizeText', wellFormed, (text: string) => normalizeText(text)),
  feature('texts', 'embedText', texts, (text: string) => embedText(text)),
  feature('texts', 'textShingles', texts, (text: string) => textShingles(text)),
  feature('Unicode', 'every character', everyCharacter, (text: string) => [textFingerprint(text), normalizeText(text)]),
  feature('Unicode', 'every character beside a sigma', besideSigma, (text: string) => textFingerprint(text)),
  feature('rows', 'canonicalRow', rows, (row: Row) => canonicalRow(row)),
  feature('rows', 'rowFingerprint, a schema', rows, (row: Row) => rowFingerprint(row, schema())),
  feature('rows', 'embedRow', rows, (row: Row) => embedRow(row)),
  feature('rows', 'embedRow, a scale and a spread', rows, (row: Row) => embedRow(row, { schema: ADULTS })),
  feature('rows', 'rowVector', amounts, (row: Row) => rowVector(row)),
  feature('rows', 'scaledRow', rows, (row: Row) => scaledRow(row)),
  feature('rows', 'scaledRow, a scale and a spread', rows, (row: Row) => scaledRow(row, ADULTS)),
  feature('rows', 'rowShingles', rows, (row: Row) => rowShingles(row)),
  feature('rows', 'rowShingles, a schema', rows, (row: Row) => rowShingles(row, { schema: ADULTS, rowWindow: 1 })),
  feature('rows', 'fitTabular', tables, (table: Row[]) => fitTabular(table)),
  feature('rows', 'fitTabular, few names', tables, (table: Row[]) =>
    fitTabular(table, { ids: 'keep', maxCategories: 2 }),
  ),
  feature('pictures', 'perceptualHash', pictures, (pixels: Pixels) => perceptualHash(pixels)),
  feature('pictures', 'embedPixels', pictures, (pixels: Pixels) => embedPixels(pixels)),
  feature('pictures', 'embedPixels, mirrored', pictures, (pixels: Pixels) => embedPixels(pixels, { mirrored: true })),
  feature('pictures', 'mirrorPixels', realPictures, (pixels: Pixels) => sha256Hex(bytesOf(mirrorPixels(pixels).data))),
  feature('pictures', 'pictureVector', pictures, (pixels: Pixels) => pictureVector(pixels)),
  feature('pictures', 'pictureShingles', pictures, (pixels: Pixels) => pictureShingles(pixels)),
  feature('pictures', 'pictureShingles, SHA-256', pictures, (pixels: Pixels) =>
    pictureShingles(pixels, { digest: 'sha256', stride: 9, key: 2 ** 40 }),
  ),
  feature('pictures', 'hammingDistance', pairsOfHashes, ([a, b]: [string, string]) => hammingDistance(a, b)),
  feature('numbers', 'softmax', lists, (list: number[]) => softmax(list)),
  feature('numbers', 'as text', anyDoubles, (x: number) => canonicalRow({ x })),
  feature('numbers', 'of text', longDecimals, (x: string) => scaledRow({ x })),
  feature('options', 'every detector', configurations, ([name, config]: [string, object]) =>
    createRegistry()
      .createDetector(name as never, config as never)
      .describe(),
  ),
]

/** The characters of every plane that has any but the private ones: 0 … 3 and 14. */
function everyCharacter(): string[] {
  return [...textsOf(0, 0x40000, (character) => character), ...textsOf(0xe0000, 0xf0000, (character) => character)]
}

/** The lower case of Σ depends on the letters before and behind it. Beyond plane 1 there are none that have a case. */
function besideSigma(): string[] {
  return textsOf(0, 0x20000, (character) => `${character}Σ A${character}Σ AΣ${character} `)
}

/** The characters of a range, 512 a text. */
function textsOf(from: number, to: number, around: (character: string) => string): string[] {
  return Array.from({ length: (to - from) / 512 }, (_, block) => {
    const codes = Array.from({ length: 512 }, (_, i) => from + 512 * block + i).filter((c) => c < 0xd800 || c > 0xdfff)
    return codes.map((code) => around(String.fromCodePoint(code))).join('')
  })
}

/** Tables of growing length, some of them with an odd row. */
function tables(): unknown[] {
  const rows = people()
  return withOdd(
    rows.map((_, i) => rows.slice(0, i + 1)),
    ODD_ROWS.map((odd) => [...rows.slice(0, 3), odd]),
  )
}

/** Without the odd ones. */
function realPictures(): unknown[] {
  return pictures().filter((_, i) => i % 6 !== 5)
}

function pairsOfHashes(): unknown[] {
  const hashes = (realPictures() as Pixels[]).map((pixels) => perceptualHash(pixels))
  return withOdd(
    hashes.map((hash, i) => [hash, hashes[(7 * i) % hashes.length]]),
    [
      ['', ''],
      ['ab', 'abc'],
      ['xy', 'ab'],
      ['AB', 'ab'],
      [7, 'ab'],
      ['\ud800', 'ab'],
    ],
  )
}

function lists(): unknown[] {
  return scores().filter((list) => Object(list).length > 0 && Array.from(list as number[]).every(Number.isFinite))
}

/** Doubles of every size: random bits, NaN and infinities among them. */
function anyDoubles(): unknown[] {
  const next = random(8)
  const bits = () => Math.floor(next() * 2 ** 32)
  return Array.from({ length: 1000 }, () => new Float64Array(Uint32Array.of(bits(), bits()).buffer)[0]!)
}

/** With more digits than a double holds. */
function longDecimals(): unknown[] {
  const next = random(9)
  const digits = (count: number) => Array.from({ length: count }, () => Math.floor(10 * next())).join('')
  return Array.from(
    { length: 1000 },
    () => `-0.${digits(1 + Math.floor(40 * next()))}e${Math.floor(640 * next()) - 320}`,
  )
}

const ODD_OPTIONS = [null, -1, 0, 0.5, 7, 1e9, 'x', '', 'logits', Number.NaN, [], {}, true, { a: { type: 'number' } }]

/** Each option of each detector, and one that is none, with values that fit and values that do not. */
function configurations(): unknown[] {
  return listDetectors().flatMap(({ name, defaults }) =>
    [...Object.keys(defaults), 'similarity', 'schema', 'treshold'].flatMap((key) =>
      ODD_OPTIONS.map((value) => [name, { [key]: value }]),
    ),
  )
}

function bytesOf(data: Pixels['data']): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
