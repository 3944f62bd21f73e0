/** The mean of a stream's random features, and the distance of two such means. */
import { checkNumber, refuse } from '../checkers.ts'
import { readDoubles, readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'

export interface FeatureMeanOptions {
  /** Length of the features: that of the `RandomFeatures`. */
  readonly length: number
  /**
   * What a vector's weight is multiplied by with each later vector, in [½, 1]: 0.99 remembers about the last hundred.
   * Default 1: all count the same.
   */
  readonly decay?: number
}

/** A weighted mean of features of length 1, as {@link mmdSquaredOfMeans} compares them. 8 bytes a feature. */
export class FeatureMean {
  readonly #decay: number
  #sums: Float64Array
  #count = 0
  #weight = 0
  /** Sum of the squared weights. */
  #squares = 0

  /** Throws `bad_config`. */
  constructor({ length, decay = 1 }: FeatureMeanOptions) {
    this.#decay = checkNumber(decay, { min: 0.5, max: 1 }, 'decay')
    this.#sums = new Float64Array(checkNumber(length, { min: 1, max: 1 << 24, integer: true }, 'length'))
  }

  /** Vectors added so far. */
  get count(): number {
    return this.#count
  }

  /** Adds what `RandomFeatures.map` gave. Throws `bad_query` for another length. */
  push(features: Float64Array): void {
    const sums = this.#sums
    if (features.length !== sums.length) refuse('bad_query', `must be ${sums.length} long`, features.length, 'features')
    const decay = this.#decay
    for (let i = 0; i < sums.length; i++) sums[i] = decay * sums[i]! + features[i]!
    this.#count++
    this.#weight = decay * this.#weight + 1
    this.#squares = decay * decay * this.#squares + 1
  }

  /** Mean of φ(a) · φ(b) over all pairs of one vector here and one there, by their weights. */
  product(other: FeatureMean): number {
    return dot(this.#sums, other.#sums) / this.#weight / other.#weight
  }

  /** The same over pairs of two different vectors of this stream. A vector with itself gives its squared weight. */
  productWithin(): number {
    return (dot(this.#sums, this.#sums) - this.#squares) / (this.#weight * this.#weight - this.#squares)
  }

  save(): PlainData {
    return { sums: this.#sums.slice(), count: this.#count, weight: this.#weight, squares: this.#squares }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['sums', 'count', 'weight', 'squares'])
    const length = this.#sums.length
    const sums = readDoubles(fields['sums'], 'state.sums', length)
    if (sums.length !== length) refuse('bad_snapshot', `must be ${length} long`, sums.length, 'state.sums')
    const count = readNumber(fields['count'], 'state.count')
    const weight = readNumber(fields['weight'], 'state.weight', { max: count, fraction: true })
    const squares = readNumber(fields['squares'], 'state.squares', { max: weight, fraction: true })
    this.#sums = sums.slice()
    this.#count = count
    this.#weight = weight
    this.#squares = squares
  }
}

/**
 * The unbiased squared maximum mean discrepancy of two streams: what `mmdSquared` gives, with the kernel that the random
 * features make, and with weights. O(length). Both must be means of features of one `RandomFeatures`.
 *
 * Throws `bad_query` while a stream has fewer than two vectors, or they differ in length.
 */
export function mmdSquaredOfMeans(x: FeatureMean, y: FeatureMean): number {
  if (x.count < 2) refuse('bad_query', 'must have two vectors at least', x.count, 'x')
  if (y.count < 2) refuse('bad_query', 'must have two vectors at least', y.count, 'y')
  return x.productWithin() + y.productWithin() - 2 * x.product(y)
}

function dot(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) refuse('bad_query', `must be ${a.length} long like x`, b.length, 'y')
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
