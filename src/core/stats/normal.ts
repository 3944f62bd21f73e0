/** The standard normal distribution, with the same bits on every engine. */
import { exp, log } from '../math.ts'

const SQRT_TWO_PI = 2.5066282746310002

/**
 * P(Z > z), relative error below 1e-12 down to z = 37; beyond 38.6 it is 0. Near 0 by the power series of the integral
 * (all terms of one sign), further out by Laplace's continued fraction (Abramowitz and Stegun 26.2.11 and 26.2.14).
 */
export function normalTail(z: number): number {
  const size = Math.abs(z)
  const density = exp(-0.5 * z * z) / SQRT_TWO_PI
  const tail = size < 2.5 ? 0.5 - density * seriesToMean(size) : density * millsRatio(size)
  return z < 0 ? 1 - tail : tail
}

/** z + z³/3 + z⁵/15 + …: the area between 0 and z over the density at z. */
function seriesToMean(z: number): number {
  let term = z
  let sum = z
  for (let n = 3; term > 1e-17 * sum; n += 2) {
    term *= (z * z) / n
    sum += term
  }
  return sum
}

/** Tail over density: 1/(z + 1/(z + 2/(z + 3/(z + …)))). From z = 2.5 on 100 levels are enough for the last place. */
function millsRatio(z: number): number {
  let below = z
  for (let n = 100; n >= 1; n--) below = z + n / below
  return 1 / below
}

/**
 * The number z with P(Z ≤ z) = p, for p in (0, 1); relative error about 1e-15. Source: Wichura 1988, algorithm AS 241,
 * PPND16.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * polynomial(CENTRE, r)) / polynomial(CENTRE_BELOW, r)
  }
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p))
  const z =
    r <= 5
      ? polynomial(SHOULDER, r - 1.6) / polynomial(SHOULDER_BELOW, r - 1.6)
      : polynomial(TAIL, r - 5) / polynomial(TAIL_BELOW, r - 5)
  return q < 0 ? -z : z
}

/** c₀ + c₁ x + c₂ x² + … */
export function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i]!
  return sum
}

// AS 241, cut to doubles: numerators and denominators for |p − ½| ≤ 0.425, for √(−ln tail) ≤ 5, and beyond.
const CENTRE = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
]
const CENTRE_BELOW = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852854,
]
const SHOULDER = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
]
const SHOULDER_BELOW = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
]
const TAIL = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
]
const TAIL_BELOW = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548,
  1.421511758316446e-7, 2.0442631033899397e-15,
]
