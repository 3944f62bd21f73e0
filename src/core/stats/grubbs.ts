/** Is the largest of many numbers too large for the others? */
import { betaQuantile } from './beta.ts'
import { checkShare, LARGEST, MOST, readSample } from './checks.ts'

const SAMPLE = { least: 3, most: MOST, largest: LARGEST }

export interface Grubbs {
  /** (max − mean) / s with s the standard deviation (divisor n − 1); 0 when all numbers are the same. */
  readonly g: number
  /** What `g` must exceed; in the same unit. */
  readonly critical: number
  /** Place of the largest number, the first among equals. */
  readonly index: number
  /** Exactly g > critical: strict, as published. */
  readonly isOutlier: boolean
}

/**
 * Grubbs' test of the largest number, one-sided (Grubbs, Technometrics 1969):
 *
 *     G > (n − 1)/√n · √(t² / (n − 2 + t²)),  t = the upper alpha/n point of Student's t with n − 2 degrees
 *
 * Assumes that the others are normal. It knows one outlier: two alike hide each other. Relative error below 1e-11.
 *
 * @param x 3 … 10 million numbers up to 1e150 in size. Throws `bad_query`.
 * @param alpha The share of normal samples in which the largest is called an outlier, in (0, 1). Throws `bad_config`.
 */
export function grubbs(x: ArrayLike<number>, alpha: number): Grubbs {
  const sample = readSample(x, 'x', SAMPLE)
  const critical = criticalValue(sample.length, checkShare(alpha, 'alpha'))
  let index = 0
  for (let i = 1; i < sample.length; i++) if (sample[i]! > sample[index]!) index = i
  const g = distanceOfLargest(sample, sample[index]!)
  return { g, critical, index, isOutlier: g > critical }
}

/** With distances d = max − x, which cancel nothing: G = mean(d) / s(d). */
function distanceOfLargest(sample: Float64Array, max: number): number {
  const n = sample.length
  let mean = 0
  for (let i = 0; i < n; i++) mean += max - sample[i]!
  mean /= n
  let squares = 0
  for (let i = 0; i < n; i++) {
    const d = max - sample[i]! - mean
    squares += d * d
  }
  return squares === 0 ? 0 : mean / Math.sqrt(squares / (n - 1))
}

/** t² / (n − 2 + t²) is the complement of a beta quantile, so t itself is not needed. */
function criticalValue(n: number, alpha: number): number {
  return ((n - 1) / Math.sqrt(n)) * Math.sqrt(betaQuantile((2 * alpha) / n, (n - 2) / 2, 0.5).y)
}

/**
 * Grubbs' test again and again, each time without the outliers found: stops at the first largest number that is none, or
 * when two are left. Each round spends `alpha` anew. O(n log n).
 *
 * @returns The places of the outliers, ascending. Equal numbers are outliers together: without one of them the other
 * stands out more.
 */
export function grubbsOutliers(x: ArrayLike<number>, alpha: number): number[] {
  const sample = readSample(x, 'x', SAMPLE)
  const sorted = sample.slice().sort()
  const kept = keep(sorted, checkShare(alpha, 'alpha'))
  const places: number[] = []
  if (kept < sorted.length) for (let i = 0; i < sample.length; i++) if (sample[i]! >= sorted[kept]!) places.push(i)
  return places
}

/** How many of the smallest numbers stay. Means and squares of all beginnings of the list, in one pass (Welford 1962). */
function keep(sorted: Float64Array, alpha: number): number {
  const least = sorted[0]!
  const means = new Float64Array(sorted.length)
  const squares = new Float64Array(sorted.length)
  for (let i = 1; i < sorted.length; i++) {
    const d = sorted[i]! - least - means[i - 1]!
    means[i] = means[i - 1]! + d / (i + 1)
    squares[i] = squares[i - 1]! + d * (sorted[i]! - least - means[i]!)
  }
  let n = sorted.length
  for (; n >= 3; n--) {
    const g = (sorted[n - 1]! - least - means[n - 1]!) / Math.sqrt(squares[n - 1]! / (n - 1))
    if (!(g > criticalValue(n, alpha))) break
  }
  return n
}
