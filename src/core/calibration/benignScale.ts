/**
 * Where a score stands among those of benign traffic, as a table that can be kept: every distinct score of the upper tail,
 * where small p-values are read, and below it ever fewer. For this a p-value is never too small, and at most 1 % too large.
 */
import { checkNumber, checkObject, refuse } from '../checkers.ts'
import { nextUp } from '../math.ts'
import { placeOf } from '../sorted.ts'
import { mostAbove, type Promised } from './promise.ts'

/** A scale as plain data. */
export interface SavedScale {
  /** Benign scores. */
  readonly n: number
  /** Some of their values, ascending, each once. */
  readonly values: readonly number[]
  /** How many scores lie above each of these values. */
  readonly above: readonly number[]
}

/** Scores above a value up to which every distinct value is kept. */
const EXACT = 1024
/** Below, the next value kept has this many times as many scores above it. */
const GROWTH = 1.01
/** 10 million scores take 2000 values. */
const MOST_VALUES = 4096
const MOST_SCORES = 10_000_000

export class BenignScale {
  readonly n: number
  readonly #values: Float64Array
  readonly #above: Float64Array

  private constructor(n: number, values: Float64Array, above: Float64Array) {
    this.n = n
    this.#values = values
    this.#above = above
  }

  /** @param scores At least one, finite; copied. */
  static of(scores: ArrayLike<number>): BenignScale {
    const sorted = new Float64Array(scores).sort()
    const n = sorted.length
    const values: number[] = []
    const above: number[] = []
    let next = 0
    for (let i = n - 1; i >= 0; i--) {
      const isNew = i === n - 1 || sorted[i] !== sorted[i + 1]
      const count = n - 1 - i
      if (!isNew || (count > EXACT && count < next)) continue
      values.push(sorted[i]!)
      above.push(count)
      next = GROWTH * count
    }
    return new BenignScale(n, Float64Array.from(values).reverse(), Float64Array.from(above).reverse())
  }

  /** Reads a saved scale. Throws `bad_config`. */
  static read(value: unknown, path: string): BenignScale {
    const { n, values, above } = checkObject(value, ['n', 'values', 'above'], path)
    const count = checkNumber(n, { min: 1, max: MOST_SCORES, integer: true }, `${path}.n`)
    const scores = readNumbers(values, `${path}.values`)
    const counts = readNumbers(above, `${path}.above`)
    const isScale =
      scores.length === counts.length &&
      counts.at(-1) === 0 &&
      counts[0]! < count &&
      scores.every((score, i) => i === 0 || scores[i - 1]! < score) &&
      counts.every((c, i) => Number.isInteger(c) && (i === 0 || counts[i - 1]! > c))
    if (!isScale) refuse('bad_config', 'must be ascending values and how many scores lie above each', value, path)
    return new BenignScale(count, scores, counts)
  }

  toJSON(): SavedScale {
    return { n: this.n, values: [...this.#values], above: [...this.#above] }
  }

  /** (1 + #{benign ≥ score}) / (n + 1): the conservative conformal p-value, in [1/(n + 1), 1]. */
  pValue(score: number): number {
    return (1 + this.#atLeast(score)) / (this.n + 1)
  }

  /**
   * The smallest score that is suspicious under this promise. Undefined where n is too small for it; see `requireUnits`.
   */
  threshold(promise: Required<Promised>): number | undefined {
    const most = mostAbove(this.n, promise)
    if (most < 0) return undefined
    const i = this.#above.findIndex((count) => count <= most)
    return nextUp(this.#values[i]!)
  }

  /** The benign scores that are at least this high, and a few more where not all values are kept. */
  #atLeast(score: number): number {
    const place = placeOf(this.#values, this.#values.length, score)
    return place === 0 ? this.n : this.#above[place - 1]!
  }
}

function readNumbers(value: unknown, path: string): Float64Array {
  const isList = Array.isArray(value) && value.length >= 1 && value.length <= MOST_VALUES
  if (!isList) refuse('bad_config', `must be a list of 1 … ${MOST_VALUES} numbers`, value, path)
  return Float64Array.from(value as unknown[], (one, i) => checkNumber(one, {}, `${path}[${i}]`))
}
