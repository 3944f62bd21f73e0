/** Streams for the detectors that follow small steps: attacks that go down, and inputs that nobody builds on. */
import { random } from '../../tools/random.ts'
import { ODD_NUMBERS, oddVectors } from './odd.ts'
import { GOOD, withOdd } from './values.ts'

const SEED = 20_261_127
const CLASSES = 3

/** An input as numbers in 0 … 1, and what the model made of it. */
interface Descent {
  readonly vector: Float64Array
  readonly probabilities: readonly number[]
}

/** Which steps an attack goes on from: every fourth, whatever it gives, or each that the model is less sure of. */
type Takes = 'every fourth' | 'lower'

/** Observations of inputs of `size` numbers. */
export function steps(size: number, takes: Takes = 'every fourth'): () => unknown[] {
  return () => {
    const good = descents(size, GOOD, takes)
    const { vector, probabilities } = good[0]!
    const odd = [
      ...ODD_NUMBERS.map((p) => ({ vector, probabilities: p })),
      ...oddVectors(size).map((v) => ({ vector: v, probabilities })),
    ]
    return withOdd(good, odd) as object[]
  }
}

/** Pictures of 10 × 10 pixels, in small steps. */
export function stepsInPictures(takes: Takes = 'every fourth'): object[] {
  const inputOf = (vector: Float64Array) => {
    return { data: Uint8Array.from(vector, (value) => 255 * value), width: 10, height: 10, channels: 3 }
  }
  return queries(300, inputOf, takes)
}

export function stepsInRows(takes: Takes = 'every fourth'): object[] {
  return queries(3, ([a, b, c]) => ({ a: a!, b: 1000 * b!, c: -c!, job: 'cook' }), takes)
}

function queries(size: number, inputOf: (vector: Float64Array) => object, takes: Takes): object[] {
  const good = descents(size, GOOD, takes).map(({ vector, probabilities }) => {
    return { input: inputOf(vector), modelOutput: probabilities }
  })
  const { input, modelOutput } = good[0]!
  const odd = [
    { input },
    { modelOutput },
    { input: 'a text', modelOutput },
    { input, modelOutput: [1] },
    { input: {}, modelOutput },
  ]
  return withOdd(good, odd) as object[]
}

/** `count` queries of inputs of `size` numbers; after some forty steps an attack begins anew elsewhere. */
function descents(size: number, count: number, takes: Takes): Descent[] {
  const next = random(SEED)
  const fresh = (sure: number): Descent => ({
    vector: Float64Array.from({ length: size }, next),
    probabilities: of(sure),
  })
  let best = fresh(0.98)
  let steps = 0
  return Array.from({ length: count }, (_, i) => {
    if (i % 6 === 5) return fresh(0.4 + 0.5 * next())
    const sure = Math.max(best.probabilities[0]! * (0.95 + 0.06 * next()), 0.34)
    const child = { vector: best.vector.map((value) => near(value, next)), probabilities: of(sure) }
    const isTaken = takes === 'lower' ? sure < best.probabilities[0]! : (steps + 1) % 4 === 0
    if (++steps % 160 === 0) best = fresh(0.98)
    else if (isTaken) best = child
    return child
  })
}

/** Within 8/255, in steps of half of 1/255. */
function near(value: number, next: () => number): number {
  return Math.min(Math.max(value + (Math.floor(33 * next()) - 16) / 510, 0), 1)
}

function of(sure: number): number[] {
  return Array.from({ length: CLASSES }, (_, i) => (i === 0 ? sure : (1 - sure) / (CLASSES - 1)))
}
