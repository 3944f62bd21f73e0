/** How far two samples of vectors are apart as distributions. */
import { exp } from '../math.ts'
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
  const rates = Float64Array.from(checkBandwidths(bandwidths, 'bandwidths'), (width) => -0.5 / width / width)
  const xs = readVectorList(x, 'x')
  const ys = readVectorList(y, 'y', xs.dimension)
  const room = new Float64Array(Math.max(xs.count, ys.count))
  const across = sumOfKernels(xs, ys, rates, room) / (xs.count * ys.count)
  return (meanWithin(xs, rates, room) + meanWithin(ys, rates, room) - 2 * across) / rates.length
}

/** Mean of the kernels over the pairs of one sample. */
function meanWithin(x: Vectors, rates: Float64Array, room: Float64Array): number {
  return (2 * sumOfKernels(x, undefined, rates, room)) / (x.count * (x.count - 1))
}

/** Sum of the kernels over all pairs of x and y; without y, over each pair of x once. */
function sumOfKernels(x: Vectors, y: Vectors | undefined, rates: Float64Array, room: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.count; i++) {
    const count = y?.count ?? i
    squaredDistances(x, i, y ?? x, count, room)
    for (let j = 0; j < count; j++) for (let b = 0; b < rates.length; b++) sum += exp(room[j]! * rates[b]!)
  }
  return sum
}
