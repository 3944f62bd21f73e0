/** Rank correlation: does one number rise or fall with another, whatever the scale. */
import { checkNumber, refuse } from '../checkers.ts'
import { Ring } from '../ring.ts'
import { placeOf } from '../sorted.ts'
import { readDoubles, readState } from '../state.ts'
import type { PlainData } from '../types.ts'
import { MOST, readSample } from './checks.ts'
import { SortedNumbers } from './sortedNumbers.ts'

const SAMPLE = { least: 2, most: MOST, largest: Number.MAX_VALUE }

/**
 * Kendall's tau-b, in [−1, 1]; 1 when both lists have one order, −1 when they have opposite ones:
 *
 *     τ = (C − D) / √((n₀ − n₁)(n₀ − n₂)),  n₀ = n(n − 1)/2,  n₁, n₂ = pairs tied in x, in y
 *
 * with C concordant and D discordant pairs. 0 where one list is constant (there tau is undefined, and shows no trend).
 * −0 equals 0. O(n log n) (Knight, JASA 1966). Source of tau-b: Kendall, Biometrika 1945.
 *
 * @param x 2 … 10 million finite numbers.
 * @param y As many. Throws `bad_query`.
 */
export function kendallTau(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const xs = ranksOf(readSample(x, 'x', SAMPLE))
  const ys = ranksOf(readSample(y, 'y', SAMPLE))
  const n = xs.length
  if (ys.length !== n) refuse('bad_query', `must have ${n} numbers like x`, ys.length, 'y')
  // One sort by x, and among equals by y: both ranks in one number, exact below 2^53.
  const keys = new Float64Array(n)
  for (let i = 0; i < n; i++) keys[i] = xs[i]! * n + ys[i]!
  keys.sort()
  const inOrder = new Uint32Array(n)
  for (let i = 0; i < n; i++) inOrder[i] = keys[i]! % n
  const pairs = pairsOf(n)
  const tiedX = tiedPairs(xs)
  const tiedY = tiedPairs(ys)
  return tau(pairs - tiedX - tiedY + runs(keys) - 2 * inversions(inOrder), pairs - tiedX, pairs - tiedY)
}

/** `difference` is C − D; the others are the pairs not tied in x, and in y. */
function tau(difference: number, untiedX: number, untiedY: number): number {
  if (untiedX === 0 || untiedY === 0) return 0
  return Math.min(Math.max(difference / Math.sqrt(untiedX * untiedY), -1), 1)
}

function pairsOf(n: number): number {
  return (n * (n - 1)) / 2
}

/** For each number, how many are below it. */
function ranksOf(values: Float64Array): Uint32Array {
  const sorted = values.slice().sort()
  const ranks = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) ranks[i] = placeOf(sorted, sorted.length, values[i]!)
  return ranks
}

/** Pairs of equal ranks. */
function tiedPairs(ranks: Uint32Array): number {
  const seen = new Uint32Array(ranks.length)
  let pairs = 0
  for (const rank of ranks) pairs += seen[rank]!++
  return pairs
}

/** Pairs of equal neighbours and their like, in a sorted list. */
function runs(sorted: Float64Array): number {
  let pairs = 0
  let start = 0
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) pairs += i - start
    else start = i
  }
  return pairs
}

/** Pairs i < j with a larger number at i: a merge sort that counts. Overwrites the list. */
function inversions(list: Uint32Array): number {
  const n = list.length
  let from = list
  let to: Uint32Array = new Uint32Array(n)
  let count = 0
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) count += merge(from, to, start, width)
    const swapped = from
    from = to
    to = swapped
  }
  return count
}

function merge(from: Uint32Array, to: Uint32Array, start: number, width: number): number {
  const middle = Math.min(start + width, from.length)
  const end = Math.min(start + 2 * width, from.length)
  let left = start
  let right = middle
  let count = 0
  for (let at = start; at < end; at++) {
    if (left < middle && (right === end || from[left]! <= from[right]!)) {
      to[at] = from[left++]!
    } else {
      to[at] = from[right++]!
      count += middle - left
    }
  }
  return count
}

/** The longest window: pairs stay exact, and adding one number stays a matter of microseconds. */
const MOST_REMEMBERED = 65_536

/**
 * Tau-b of the last numbers of a stream against their order of arrival: 1 while they rise, −1 while they fall. To the
 * bit what {@link kendallTau} gives for (0, 1, 2, …) and the window. 8 bytes a number twice; see {@link SortedNumbers}
 * for the cost of one.
 */
export class KendallWindow {
  readonly #capacity: number
  #ring: Ring<number>
  #sorted = new SortedNumbers()
  /** Concordant less discordant pairs. */
  #difference = 0
  #tied = 0

  /** @param capacity Numbers remembered, 2 … 65 536; the oldest leaves. Throws `bad_config`. */
  constructor(capacity: number) {
    this.#capacity = checkNumber(capacity, { min: 2, max: MOST_REMEMBERED, integer: true }, 'capacity')
    this.#ring = new Ring(capacity)
  }

  get size(): number {
    return this.#sorted.count
  }

  /** Tau-b in [−1, 1]; 0 while there are fewer than two different numbers. */
  get tau(): number {
    const pairs = pairsOf(this.size)
    return tau(this.#difference, pairs, pairs - this.#tied)
  }

  /** Adds a finite number. Throws `bad_query`. */
  push(value: number): void {
    checkNumber(value, FINITE, 'value', 'bad_query')
    const left = this.#ring.push(value)
    if (left !== undefined) {
      this.#sorted.remove(left)
      this.#pair(left, -1)
    }
    this.#pair(value, 1)
    this.#sorted.add(value)
  }

  /**
   * Pairs of one number with all those remembered, as they come (1) or go (−1). One that comes is newer than all and
   * concordant with those below it; one that goes is older than all, and concordant with those above.
   */
  #pair(value: number, change: number): void {
    const below = this.#sorted.below(value)
    const above = this.#sorted.above(value)
    this.#difference += below - above
    this.#tied += change * (this.#sorted.count - below - above)
  }

  /** The numbers, oldest first: everything else follows from them. */
  save(): PlainData {
    return { values: new Float64Array(this.#ring.list()) }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const values = readDoubles(readState(state, ['values'])['values'], 'state.values', this.#capacity)
    this.#ring = new Ring(this.#capacity)
    this.#sorted = new SortedNumbers()
    this.#difference = 0
    this.#tied = 0
    for (const value of values) this.push(value)
  }

  /** Of what is remembered, not of the spare room. */
  bytes(): number {
    return 16 * this.size
  }
}

const FINITE = {}
