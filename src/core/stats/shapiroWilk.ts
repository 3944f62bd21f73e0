/** How normal a sample looks: the statistic of PRADA. */
import { refuse } from '../checkers.ts'
import { exp, log } from '../math.ts'
import { checkSample } from './checks.ts'
import { normalQuantile, normalTail, polynomial } from './normal.ts'

const SAMPLE = { least: 3, most: 5000, largest: Number.MAX_VALUE / 4 }

export interface ShapiroWilk {
  /** In (0, 1]; 1 for a sample spaced like normal quantiles. Lower is less normal. */
  readonly w: number
  /** The probability of a W as low or lower under a normal distribution, in [0, 1]. */
  readonly pValue: number
}

/**
 * The test of Shapiro and Wilk (Biometrika 1965) in Royston's form (Applied Statistics 1995, remark AS R94, with the
 * weights of 1992): W = (Σ aᵢ x₍ᵢ₎)² / Σ (xᵢ − mean)². The order of the sample does not matter, nor do shift and scale.
 *
 * W agrees with `scipy.stats.shapiro` to 1e-8; scipy takes normal quantiles from AS 111, good to 9 digits, we from
 * AS 241. The p-value is Royston's approximation, exact for n = 3; for n ≤ 11 it is 0 where the approximation ends.
 *
 * @param x 3 … 5000 finite numbers, not all the same: longer streams must be cut into windows. Throws `bad_query`.
 */
export function shapiroWilk(x: ArrayLike<number>): ShapiroWilk {
  checkSample(x, 'x', SAMPLE)
  const n = x.length
  const room = roomFor(2 * n)
  const sorted = room.subarray(0, n)
  sorted.set(x)
  sorted.sort()
  const range = sorted[n - 1]! - sorted[0]!
  if (range === 0) refuse('bad_query', 'must hold at least two different numbers', `${n} times ${sorted[0]}`, 'x')
  const middle = sorted[n >> 1]!
  for (let i = 0; i < n; i++) sorted[i] = (sorted[i]! - middle) / range
  const weights = room.subarray(n, 2 * n)
  setWeights(weights)
  const rest = unexplained(sorted, weights)
  return { w: 1 - rest, pValue: n === 3 ? exactOfThree(rest) : approximate(rest, n) }
}

/** 1 − W, without the cancellation of computing W first. */
function unexplained(sorted: Float64Array, a: Float64Array): number {
  const n = sorted.length
  let mean = 0
  for (let i = 0; i < n; i++) mean += sorted[i]!
  mean /= n
  let squares = 0
  let weighted = 0
  for (let i = 0; i < n; i++) {
    const d = sorted[i]! - mean
    squares += d * d
    weighted += a[i]! * d
  }
  let length = 0
  for (let i = 0; i < n; i++) length += a[i]! * a[i]!
  const both = Math.sqrt(length * squares)
  return Math.max(0, ((both - weighted) * (both + weighted)) / (length * squares))
}

let room = /* @__PURE__ */ new Float64Array(256)

/** Working memory of all tests: a PRADA of thousands of clients tests every tenth query. */
function roomFor(length: number): Float64Array {
  if (room.length < length) room = new Float64Array(Math.max(length, 2 * room.length))
  return room
}

/** The weights aᵢ, ascending and antisymmetric: Royston 1992, equations 2 and 3. */
function setWeights(a: Float64Array): void {
  const n = a.length
  if (n === 3) a.set(OF_THREE)
  else setUpperWeights(a)
  for (let i = 0; 2 * i < n; i++) a[i] = -a[n - 1 - i]!
}

function setUpperWeights(a: Float64Array): void {
  const n = a.length
  let squares = 0
  for (let i = n >> 1; i < n; i++) {
    a[i] = normalQuantile((i + 0.625) / (n + 0.25))
    squares += 2 * a[i]! * a[i]!
  }
  if (n % 2 === 1) a[n >> 1] = 0
  const root = Math.sqrt(squares)
  const u = 1 / Math.sqrt(n)
  const last = a[n - 1]!
  const next = a[n - 2]!
  const lastWeight = last / root + u * polynomial(LAST, u)
  const nextWeight = next / root + u * polynomial(NEXT, u)
  const apart = n > 5 ? 2 : 1
  const left = squares - 2 * last * last - (apart === 2 ? 2 * next * next : 0)
  const share = 1 - 2 * lastWeight * lastWeight - (apart === 2 ? 2 * nextWeight * nextWeight : 0)
  const scale = Math.sqrt(left / share)
  for (let i = n >> 1; i < n - apart; i++) a[i] = a[i]! / scale
  a[n - 1] = lastWeight
  if (apart === 2) a[n - 2] = nextWeight
}

/** 1 − (6/π) · arccos √W; no sample of three has W below ¾. The series is that of arcsin √(1 − W). */
function exactOfThree(rest: number): number {
  const square = Math.min(rest, 0.25)
  let term = Math.sqrt(square)
  let sum = term
  for (let n = 1; n < 40; n++) {
    term *= (square * (2 * n - 1)) / (2 * n)
    sum += term / (2 * n + 1)
  }
  return Math.max(0, 1 - (6 / Math.PI) * sum)
}

/** ln(1 − W), or for n ≤ 11 −ln(γ − ln(1 − W)), is about normal. */
function approximate(rest: number, n: number): number {
  const y = log(rest)
  if (n > 11) {
    const size = log(n)
    return normalTail((y - polynomial(LARGE_MEAN, size)) / exp(polynomial(LARGE_DEVIATION, size)))
  }
  const end = polynomial(SMALL_END, n)
  if (y >= end) return 0
  return normalTail((-log(end - y) - polynomial(SMALL_MEAN, n)) / exp(polynomial(SMALL_DEVIATION, n)))
}

const OF_THREE = [-Math.SQRT1_2, 0, Math.SQRT1_2]
// AS R94, the constants c1 … c6 and g.
const LAST = [0.221157, -0.147981, -2.07119, 4.434685, -2.706056]
const NEXT = [0.042981, -0.293762, -1.752461, 5.682633, -3.582633]
const SMALL_MEAN = [0.544, -0.39978, 0.025054, -6.714e-4]
const SMALL_DEVIATION = [1.3822, -0.77857, 0.062767, -0.0020322]
const LARGE_MEAN = [-1.5861, -0.31082, -0.083751, 0.0038915]
const LARGE_DEVIATION = [-0.4803, -0.082676, 0.0030302]
const SMALL_END = [-2.273, 0.459]
