/** Streams of windows' hashes, of one model's answers, and of times. */
import type { Pixels, Row } from 'monitaur'
import { pictureShingles, type Shingles, scaledRow, shingleOptionsOf } from 'monitaur/core'
import { distribution, normal, random } from '../../tools/random.ts'
import { ODD_NUMBERS } from './odd.ts'
import { pick, stream, withOdd } from './values.ts'

const CLASSES = 5

/** Of pictures of several sizes, some of them near to earlier ones; under a detector's options. */
export function shingles(config: Readonly<Record<string, unknown>> = {}): () => object[] {
  return () => {
    const options = shingleOptionsOf(config)
    const pictures = stream<Pixels>((next, seen) => {
      if (seen.length === 0 || next() < 0.4) return noise(next, pick([4, 30, 200], next))
      const { data, ...shape } = pick(seen, next)
      return { ...shape, data: (data as Uint8Array).map((v) => (next() < 0.03 ? 256 * next() : v)) }
    })
    const good = pictures.map((pixels) => pictureShingles(pixels, options))
    return withOdd(good, oddShingles(good[0]!)).map((one) => ({ shingles: one }))
  }
}

function noise(next: () => number, width: number): Pixels {
  return { data: Uint8Array.from({ length: 3 * width }, () => 256 * next()), width, height: 1, channels: 3 }
}

function oddShingles(good: Shingles): unknown[] {
  return [
    null,
    7,
    [],
    good.hashes,
    { hashes: good.hashes },
    { windows: good.windows },
    { hashes: new Uint32Array(0), windows: 0 },
    { hashes: new Uint32Array(0), windows: -1 },
    { hashes: new Uint32Array(1), windows: 9 },
    { hashes: new Uint32Array(16), windows: 9 },
    { hashes: new Uint32Array(16).map((_, i) => 99 - i), windows: 2 ** 53 },
    { hashes: new Uint32Array(16).map((_, i) => 99 - i), windows: 50 },
    { hashes: new Uint32Array(2000).map((_, i) => 9999 - i), windows: 5000 },
    { hashes: new Float64Array(good.hashes), windows: good.windows },
    { hashes: Array.from(good.hashes), windows: good.windows },
    { hashes: good.hashes, windows: Number.NaN },
  ]
}

/** Of five classes, sure ones and unsure ones. */
export function answers(): unknown[] {
  const good = stream((next) => {
    const p = distribution(next, CLASSES, 1 + 30 * next() * next())
    const turn = Math.floor(CLASSES * next() * next())
    const turned = [...p.slice(turn), ...p.slice(0, turn)]
    return pick([turned, Float32Array.from(turned), turned.map((v) => 100 * v), [0, 0, 1, 0, 0]], next)
  })
  return withOdd(good, ODD_NUMBERS)
}

/** The same as logits. */
export function scoresOfOne(): unknown[] {
  const good = stream((next) => Array.from({ length: CLASSES }, () => pick([1, 10, 1000], next) * normal(next)))
  return withOdd(good, ODD_NUMBERS)
}

const ODD_TIMES: readonly unknown[] = [null, -1, Number.NaN, Infinity, 8.64e15 + 1, '5', new Date(5), {}, 0, 1e12]

/** Now apart, now a crowd, now a clock; steps back among them. A time of the future would stop the stream. */
export function times(): object[] {
  const next = random(11)
  let timeMs = 1_790_000_000_000
  const good = Array.from({ length: 200 }, (_, i) => {
    timeMs += [90_000 * next() - 3000, 30 * next(), 1000][Math.floor(i / 20) % 3]!
    return timeMs
  })
  return withOdd(good, ODD_TIMES).map((one) => ({ timeMs: one }))
}

/** Inputs with falling answers of two classes; as observations the windows of pictures. */
export function answered(
  make: () => unknown[],
  config: Readonly<Record<string, unknown>> = {},
): readonly [observations: () => unknown[], queries: () => object[]] {
  const answer = (i: number) => {
    const sure = 0.98 - 0.6 * ((i % 90) / 90)
    return i % 41 === 40 ? ODD_NUMBERS[i % ODD_NUMBERS.length] : [sure, 1 - sure]
  }
  return [
    () => shingles(config)().map((one, i) => ({ ...one, probabilities: answer(i) })),
    () => make().map((input, i) => ({ input, modelOutput: answer(i) })),
  ]
}

const CITIES = ['Bonn', 'Köln', 'Łódź']

/** Rows, now and then a repeated one, with the answers of a model of three classes that can be learned. */
function taught(): { readonly row: Row; readonly answer: number[] }[] {
  const rows = stream<Row>((next, seen) => {
    if (seen.length > 0 && next() < 0.15) return pick(seen, next)
    return { age: Math.floor(80 * next()), city: pick(CITIES, next), score: normal(next) }
  })
  return rows.map((row) => {
    const likely = row['city'] === 'Łódź' ? 2 : Number(row['age']) < 40 ? 0 : 1
    return { row, answer: Array.from({ length: 3 }, (_, k) => (k === likely ? 0.75 : 0.125)) }
  })
}

/** The same as observations. */
export function taughtVectors(): object[] {
  const good = taught().map(({ row, answer }) => ({ vector: scaledRow(row), probabilities: answer }))
  const { vector, probabilities } = good[0]!
  const odd = [
    ...ODD_NUMBERS.map((p) => ({ vector, probabilities: p })),
    { vector: [], probabilities },
    { vector: [1, Number.NaN], probabilities },
    { vector },
  ]
  return withOdd(good, odd) as object[]
}

/** The same as queries. */
export function taughtRows(): object[] {
  const good = taught().map(({ row, answer }) => ({ input: row, modelOutput: answer }))
  const { input, modelOutput } = good[0]!
  return withOdd(good, [{ input }, { input: {}, modelOutput }, { input, modelOutput: [1] }]) as object[]
}
