/** Scores of a distribution over classes, as the reference computes them. */
import { checkNumbers, lengthOf, refuse } from './checkers.ts'
import { sharedMemory } from './kernels/memory.ts'
import { exp, powerOfTwo, sumOfLogs } from './math.ts'

/** The reference adds this inside each logarithm. */
const INSIDE_LOG = 1e-10
/** The reference rescales in entropy mode when the sum is further from 1 than this. */
const SUM_TOLERANCE = 1e-3
/** One over a smaller sum may be no number. */
const LEAST_SUM = 1e-300
/** With so many classes it pays to copy them to the kernels; that many fit. See bench/kernels.mjs. */
const LEAST_CLASSES = 32
const MOST_CLASSES = 65_536
const SCORES = { most: 1_000_000, min: -Number.MAX_VALUE, max: Number.MAX_VALUE }
const PROBABILITIES = { ...SCORES, min: 0, remedy: "; for scores set outputs: 'logits'" }

/**
 * Checks a list of class probabilities and returns their sum: at least one, at most a million, all finite and none
 * negative. Values that do not add up to 1 are allowed, as in the reference. Throws `bad_query`.
 */
export function checkProbabilities(p: ArrayLike<number>, path = 'probabilities'): number {
  const good = sumOfGood(p)
  if (good < Infinity) return good
  const sum = checkNumbers(p, PROBABILITIES, path)
  if (sum === Infinity) refuse('bad_query', 'must have a finite sum', sum, path)
  return sum
}

/**
 * The sum of a list as it should be; NaN or Infinity for any other. Beside the general check it is a loop that sees
 * nothing but probabilities, which engines compile better: it pays with many classes.
 */
function sumOfGood(p: ArrayLike<unknown> | null): number {
  const length = lengthOf(p)
  if (!(length >= 1 && length <= SCORES.most)) return Number.NaN
  let sum = 0
  for (let i = 0; i < length; i++) {
    const value = p![i]
    if (typeof value !== 'number' || !(value >= 0)) return Number.NaN
    sum += value
  }
  return sum
}

/** Checks any list of class scores (logits): at least one, at most a million, all finite. Throws `bad_query`. */
export function checkScores(p: ArrayLike<number>, path = 'probabilities'): void {
  checkNumbers(p, SCORES, path)
}

/** Probabilities of logits: exp(l − max l), divided by their sum. The input is not changed. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const p = new Float64Array(logits)
  let max = -Infinity
  for (const l of p) max = Math.max(max, l)
  let sum = 0
  for (let i = 0; i < p.length; i++) {
    p[i] = exp(p[i]! - max)
    sum += p[i]!
  }
  for (let i = 0; i < p.length; i++) p[i]! /= sum
  return p
}

/**
 * Shannon entropy of K class probabilities, in nats: 0 … ln K, too low by at most K · 1e-10, since 1e-10 is added
 * inside each logarithm, as in the reference; a certain distribution gives −1e-10. `sum` is their sum, greater than 0;
 * when it is more than 1e-3 away from 1 the values are divided by it first.
 */
export function entropy(p: ArrayLike<number>, sum: number): number {
  if (sum < LEAST_SUM) return entropy(Float64Array.from(p, raise), raise(sum))
  const scale = Math.abs(sum - 1) > SUM_TOLERANCE ? 1 / sum : 1
  const memory = p.length < LEAST_CLASSES || p.length > MOST_CLASSES ? undefined : sharedMemory()
  if (memory === undefined) return -sumOfLogs(p, scale, INSIDE_LOG)
  memory.f64.set(p)
  return -memory.kernels.sumOfLogs(0, p.length, scale, INSIDE_LOG)
}

/** By a power of two, which changes no digit. */
function raise(value: number): number {
  return value * powerOfTwo(600)
}

export function largestOf(p: ArrayLike<number>): number {
  let largest = -Infinity
  for (let i = 0; i < p.length; i++) if (p[i]! > largest) largest = p[i]!
  return largest
}

/** The largest value less the second largest, of two values at least. */
export function marginOf(p: ArrayLike<number>): number {
  let first = -Infinity
  let second = -Infinity
  for (let i = 0; i < p.length; i++) {
    const value = p[i]!
    if (value > first) {
      second = first
      first = value
    } else if (value > second) {
      second = value
    }
  }
  return first - second
}
