/** How far two samples of vectors are apart as distributions. */
import { expEach } from '../math.ts'
import { checkBandwidths, readVectorList, squaredDistances, type Vectors } from './kernel.ts'

export interface MmdOptions {
  /** Widths σ of the Gaussian kernels exp(−‖x − y‖² / 2σ²), whose mean is the kernel; in the unit of the vectors. */
  readonly bandwidths: readonly number[]
}

/**
 * The squared maximum mean discrepancy, unbiased: 0 on average for two samples of one distribution (so it may be
 * negative), above 0 for two distributions. With k the mean of Gaussian kernels it lies in [−2, 2]:
 *
 *     Σ_{i≠j} k(xᵢ, xⱼ) / m(m − 1) + Σ_{i≠j} k(yᵢ, yⱼ) / n(n − 1) − 2 Σ k(xᵢ, yⱼ) / mn
 *
 * No vector may stand in both samples. Usual widths are ½, 1, 2 and 4 times what `medianBandwidth` gives for benign
 * vectors. O((m + n)² · dimension). Source: Gretton et al., JMLR 2012, lemma 6.
 *
 * @param x m = 2 … 10 000 vectors of one length. Throws `bad_query`.
 * @param y n = 2 … 10 000 vectors of the same length. Throws `bad_query`.
 */
export function mmdSquared(
  x: readonly ArrayLike<number>[],
  y: readonly ArrayLike<number>[],
  { bandwidths }: MmdOptions,
): number {
  const sample = new FixedSample(x, bandwidths)
  return sample.mmdSquared(readVectorList(y, 'y', sample.dimension))
}

/** The sample x, where one y after the other is compared with it: what depends on x alone is worked out once. */
export class FixedSample {
  readonly #x: Vectors
  readonly #rates: Float64Array
  /** Mean of the kernels within x; undefined before it is asked for. */
  #within: number | undefined
  /** Working memory: the kernels of one vector with all others. */
  #room = new Float64Array(0)

  /** Throws as {@link mmdSquared} does. */
  constructor(x: readonly ArrayLike<number>[], bandwidths: readonly number[]) {
    this.#rates = Float64Array.from(checkBandwidths(bandwidths, 'bandwidths'), (width) => -0.5 / width / width)
    this.#x = readVectorList(x, 'x')
  }

  get dimension(): number {
    return this.#x.dimension
  }

  /** What {@link mmdSquared} gives; y has two vectors at least, of the same length. */
  mmdSquared(y: Vectors): number {
    const x = this.#x
    const rates = this.#rates
    const length = Math.max(x.count, y.count) * rates.length
    if (this.#room.length < length) this.#room = new Float64Array(length)
    const across = sumOfKernels(x, y, rates, this.#room) / (x.count * y.count)
    this.#within ??= meanWithin(x, rates, this.#room)
    return (this.#within + meanWithin(y, rates, this.#room) - 2 * across) / rates.length
  }
}

/** Mean of the kernels over the pairs of one sample. */
function meanWithin(x: Vectors, rates: Float64Array, room: Float64Array): number {
  return (2 * sumOfKernels(x, undefined, rates, room)) / (x.count * (x.count - 1))
}

/** Sum of the kernels over all pairs of x and y; without y, over each pair of x once. */
function sumOfKernels(x: Vectors, y: Vectors | undefined, rates: Float64Array, room: Float64Array): number {
  const widths = rates.length
  let sum = 0
  for (let i = 0; i < x.count; i++) {
    const count = y?.count ?? i
    squaredDistances(x, i, y ?? x, count, room)
    // From the last distance on: its kernels then never lie over one that is still wanted.
    for (let j = count - 1; j >= 0; j--) {
      const distance = room[j]!
      for (let b = widths - 1; b >= 0; b--) room[j * widths + b] = distance * rates[b]!
    }
    expEach(room, count * widths)
    for (let at = 0; at < count * widths; at++) sum += room[at]!
  }
  return sum
}
