/**
 * Quantiles of the beta distribution, the source of the Clopper–Pearson interval and of Student's critical values.
 *
 * Idea: everything in logarithms and in z = ln(x / (1 − x)), where the logarithm of the distribution function is concave
 * and far to the left a straight line: Newton's method leaps there once at most, then comes from the left without
 * overshooting. The density is Loader's saddle-point form, which loses no digits at large a and b (Loader 2000, "Fast and
 * Accurate Computation of Binomial Probabilities"), the distribution function the even part of the continued fraction
 * DLMF 8.17.22.
 */
import { exp, log } from '../math.ts'
import { normalQuantile } from './normal.ts'

/** A number of (0, 1) and its complement, each with full relative accuracy. */
export interface Proportion {
  readonly x: number
  readonly y: number
}

/**
 * The x with P(X ≤ x) = p for X ~ Beta(a, b): a and b in [½, 1e9], p in (0, 0.9]. Relative error of x and y below 1e-12 for
 * a and b up to a million, below 1e-9 for a billion.
 */
export function betaQuantile(p: number, a: number, b: number): Proportion {
  const target = log(p)
  let z = log(a / b) + normalQuantile(p) * Math.sqrt(1 / a + 1 / b)
  for (let round = 0; round < 100; round++) {
    const { x, y } = fromLogit(z)
    if (x === 0) break // smaller than any number
    const density = logDensity(x, y, a, b)
    const below = logLower(x, y, a, b, density)
    const step = (target - below) * exp(below - density)
    z += step
    if (Math.abs(step) <= 1e-12 * Math.max(1, Math.abs(z))) break
  }
  return fromLogit(z)
}

function fromLogit(z: number): Proportion {
  return { x: 1 / (1 + exp(-z)), y: 1 / (1 + exp(z)) }
}

/** ln of the density of z: ln(xᵃ yᵇ / B(a, b)). */
function logDensity(x: number, y: number, a: number, b: number): number {
  const n = a + b
  const scale = 0.5 * log((a / n) * b * INVERSE_TWO_PI)
  return scale + stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * y)
}

const INVERSE_TWO_PI = 0.15915494309189535

/** m ln(m / mean) + mean − m without cancellation where the two are close. */
function deviance(m: number, mean: number): number {
  const v = (m - mean) / (m + mean)
  if (Math.abs(v) >= 0.1) return m * log(m / mean) + mean - m
  // 2m · artanh v − (m − mean), by the series of artanh.
  let sum = (m - mean) * v
  let power = 2 * m * v
  for (let n = 3; n < 25; n += 2) {
    power *= v * v
    sum += power / n
  }
  return sum
}

/** ln Γ(z) − (z − ½) ln z + z − ½ ln 2π: Stirling's series from 16 on, below it one step at a time. */
function stirlingError(z: number): number {
  let sum = 0
  let at = z
  for (; at < 16; at++) sum += (at + 0.5) * log((at + 1) / at) - 1
  const r = 1 / (at * at)
  const series = 1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360)))))
  return sum + series / at
}

/** ln P(X ≤ x), given the logarithm of the density of z. */
function logLower(x: number, y: number, a: number, b: number, density: number): number {
  return a * y > b * x ? density - log(fraction(x, y, a, b)) : log(1 - exp(density) / fraction(y, x, b, a))
}

/**
 * The density of z over P(X ≤ x) for x below the mean: the continued fraction b₀ + a₁ / (b₁ + a₂ / (b₂ + …)), by the
 * method of Lentz. Written with a y − b x, which keeps its digits where x or y is tiny.
 */
function fraction(x: number, y: number, a: number, b: number): number {
  let c = (a * (a * y - b * x + 1)) / (a + 1)
  let d = 0
  let value = c
  for (let m = 1; m < 1_000_000; m++) {
    const at = a + 2 * m - 1
    const above = ((a + m - 1) / at) * ((a + b + m - 1) / at) * m * (b - m) * x * x
    const beside = m + (m * (b - m) * x) / at + ((a + m) * (a * y - b * x + 1 + m * (2 - x))) / (at + 2)
    d = 1 / (beside + above * d)
    c = beside + above / c
    const change = c * d
    value *= change
    if (Math.abs(change - 1) <= 4e-16) break
  }
  return value
}
