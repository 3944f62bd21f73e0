/** The same inputs on every runtime: seeded, and made with exact arithmetic only. */
import type { Pixels, Query, Row } from 'monitaur'
import { random } from '../../tools/random.ts'

const SEED = 20_261_124

const ALPHABET = [...'abc XYZ.,\n\t0129äßÉñçŒÅΣσςІж漢字かなعربي👩‍👩‍👧🏽ﬁ\u00a0\u2003\ufeff']

/** Texts of 0 … 200 characters in many scripts, with white space inside and around. */
export function sampleTexts(count: number): string[] {
  const next = random(SEED)
  return Array.from({ length: count }, () =>
    Array.from({ length: Math.floor(next() * 200) }, () => ALPHABET[Math.floor(next() * ALPHABET.length)]).join(''),
  )
}

const scales = [1e-20, 1e-9, 1e-4, 0.01, 1, 30, 1e3, 1e6, 1e15, 1e21] // a power differs between versions of an engine

/** Rows with numbers of all sizes, words, truth values and gaps. */
export function sampleRows(count: number): Row[] {
  const next = random(SEED + 1)
  return Array.from({ length: count }, () => ({
    amount: (next() - 0.5) * scales[Math.floor(next() * scales.length)]!,
    age: Math.floor(next() * 100),
    zero: next() < 0.5 ? 0 : -0,
    city: ['Zürich', 'New York', '東京', ''][Math.floor(next() * 4)]!,
    member: next() < 0.5,
    note: next() < 0.5 ? null : next(),
  }))
}

/** Pictures from one pixel to `widest` × ¾ of it, smooth with noise; every third is grey, every fourth has an alpha channel. */
export function samplePictures(count: number, widest = 200): Pixels[] {
  const next = random(SEED + 2)
  return Array.from({ length: count }, (_, i) => {
    const width = i === 0 ? 1 : 1 + Math.floor(next() * widest)
    const height = i === 0 ? 1 : 1 + Math.floor(next() * widest * 0.75)
    return picture(next, width, height, i % 3 === 1 ? 1 : i % 4 === 2 ? 4 : 3)
  })
}

/** One opaque picture of four channels. */
export function samplePicture(width = 120, height = 90): Pixels {
  const pixels = picture(random(SEED + 3), width, height, 4)
  for (let i = 3; i < pixels.data.length; i += 4) (pixels.data as Uint8Array)[i] = 255
  return pixels
}

function picture(next: () => number, width: number, height: number, channels: 1 | 3 | 4): Pixels {
  const [right, down] = [next() * 2, next() * 2]
  const data = new Uint8Array(width * height * channels)
  for (let i = 0; i < data.length; i++) {
    const at = Math.floor(i / channels)
    const smooth = 60 + right * (at % width) + down * Math.floor(at / width) + 40 * (i % channels)
    data[i] = Math.floor(smooth + next() * 30) % 256
  }
  return { data, width, height, channels }
}

/** Class probabilities; they add up to 1 as well as doubles can. */
export function sampleOutputs(count: number): number[][] {
  const next = random(SEED + 4)
  return Array.from({ length: count }, () => {
    const weights = Array.from({ length: 2 + Math.floor(next() * 9) }, () => cube(next()))
    const sum = weights.reduce((a, b) => a + b)
    return weights.map((weight) => weight / sum)
  })
}

function cube(value: number): number {
  return value * value * value
}

/** Queries of every kind from a few clients, some of them repeated. */
export function sampleStream(count: number): Query[] {
  const next = random(SEED + 5)
  const [texts, rows, pictures, outputs] = [sampleTexts(12), sampleRows(12), samplePictures(12), sampleOutputs(12)]
  const pools = [texts, rows, pictures, outputs]
  return Array.from({ length: count }, (_, i) => {
    const pool = pools[Math.floor(next() * pools.length)]!
    const chosen = pool[Math.floor(next() * pool.length)]!
    const input = pool === outputs ? { modelOutput: chosen as number[] } : { input: chosen }
    return { ...input, client: `client ${Math.floor(next() * 3)}`, id: `q${i}`, timeMs: 1000 * i }
  })
}

/** Queries that suit a detector, some of them repeated. */
export function sampleQueries(detector: string, count: number): Query<never>[] {
  const next = random(SEED + 6)
  const pool = poolOf(detector)
  return Array.from({ length: count }, () => pool[Math.floor(next() * pool.length)] as Query<never>)
}

function poolOf(detector: string): Query[] {
  if (detector === 'confidence') return sampleOutputs(40).map((modelOutput) => ({ modelOutput }))
  if (detector.startsWith('image')) return samplePictures(10).map((input) => ({ input }))
  if (detector.startsWith('tabular')) return sampleRows(20).map((input) => ({ input }))
  return sampleTexts(20).map((input) => ({ input }))
}
