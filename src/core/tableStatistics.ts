/**
 * How alike two numbers of one column are, and what the column's other numbers say about it.
 *
 * Idea: two numbers are alike while they differ by less than a tolerance. The tolerance is a share of the number itself,
 * as people read amounts, ages and measures: 25 and 26 differ as 25 000 and 26 000 do. Where more is known of the column
 * it is kept within bounds: not below a small part of the column's spread or about one step of its grid (near zero a
 * share of the number is nothing), and not above a good part of the spread (a year, a density: all values have nearly
 * one ratio). Spread and step come from a profile or from the numbers seen so far; they are robust: quantiles, no means.
 */
import { placeOf } from './sorted.ts'

/** What is known of a column of numbers. */
export interface ColumnStatistics {
  /** How far apart the middle half of the numbers lies (the interquartile range); above 0, finite. */
  readonly spread: number
  /** The smallest difference of two numbers, such as 1 for whole years; 0 or more, finite. */
  readonly step: number
}

/** Between them lies the tolerance, in the unit of the column; above 0. Equal for a fixed one. */
export interface Bounds {
  readonly low: number
  readonly high: number
}

/** Of a column of which nothing is known: the ratio alone counts. */
export const NO_BOUNDS: Bounds = { low: Number.MIN_VALUE, high: Infinity }

/**
 * The tolerance as a share of the number: as narrow as makes fewer than 1 % of the people of UCI's Adult table near (0.9)
 * to one of the 100 before, as wide as keeps a row of 5 columns near when one number moves by 5 %.
 */
export const RATIO = 0.08

// Chosen on the ten tables of the tests (see test/tabularSimilarity.test.ts): 0.1 of the spread makes 2 % of the
// standardised mammograms near to each other, 0.05 fewer than 1 %, and keeps near who moves all numbers by 2 % of it.
const LEAST_SHARE = 0.05
// Half of all pairs of values lie further apart than 0.7 spreads; those must be unlike.
const LARGEST_SHARE = 0.4
// One step alone leaves a likeness of 0.53: a row of 5 columns stays at 0.9.
const STEP_SHARE = 1.3

/** The bounds that a column's spread and step give. A step that is wide beside the spread (0 and 1) counts for less. */
export function boundsOf({ spread, step }: ColumnStatistics): Bounds {
  const bounds = { low: 0, high: 0 }
  setBounds(bounds, spread, step)
  return bounds
}

function setBounds(bounds: { low: number; high: number }, spread: number, step: number): void {
  const high = Math.max(LARGEST_SHARE * spread, Number.MIN_VALUE)
  bounds.low = Math.max(LEAST_SHARE * spread, Math.min(STEP_SHARE * step, high), Number.MIN_VALUE)
  bounds.high = high
}

/**
 * The likeness of two numbers: 1 for equal ones, then by their difference in tolerances: a quarter 0.94, half 0.77, the
 * whole 0.32, twice and more 0.
 */
export function likeness(a: number, b: number, low: number, high: number): number {
  // Of every second pair of numbers it is as good as random whether they lie within two tolerances, and a branch guessed
  // wrong costs more than all the rest: so there is none. No step overflows, and the divisor is never 0.
  const half = Math.abs(0.5 * a - 0.5 * b)
  let tolerance = 0.5 * RATIO * Math.abs(a) + 0.5 * RATIO * Math.abs(b)
  if (tolerance > high) tolerance = high
  if (tolerance < low) tolerance = low
  const distance = half / (tolerance + 1e-100 * half)
  const rest = 1 - distance * distance
  const kept = 0.5 * (rest + Math.abs(rest))
  return kept * kept * (kept * kept)
}

/**
 * Spread and step of the first `count` numbers, in ascending order. Where the middle half is one number, the spread is that of
 * the middle 80 or 90 %; `undefined` where those are one number too, or their range overflows.
 */
export function statisticsOf(sorted: ArrayLike<number>, count = sorted.length): ColumnStatistics | undefined {
  const spread = spreadOf(sorted, count)
  return isSpread(spread) ? { spread, step: stepOf(sorted, count) } : undefined
}

function isSpread(spread: number): boolean {
  return spread > 0 && spread < Infinity
}

/** Shares that are cut off on both sides, one after the other until the rest is more than one number. */
const TAILS = [0.25, 0.1, 0.05]

function spreadOf(sorted: ArrayLike<number>, count: number): number {
  const last = count - 1
  for (let i = 0; i < TAILS.length; i++) {
    const cut = Math.floor(TAILS[i]! * last)
    const spread = sorted[last - cut]! - sorted[cut]!
    if (spread > 0) return spread
  }
  return 0
}

function stepOf(sorted: ArrayLike<number>, count: number): number {
  let step = Infinity
  for (let i = 1; i < count; i++) {
    const gap = sorted[i]! - sorted[i - 1]!
    if (gap > 0 && gap < step) step = gap
  }
  return step
}

/** Numbers that a column must have shown before its spread is trusted. */
const FEWEST = 20

/** The numbers of one column, in order: what was added and not removed. O(count) a change. */
class SortedNumbers {
  count = 0
  #values = new Float64Array(8)
  /** Bounds of what is held; not while `#isMeasured` is false, as they were not asked for since the last change. */
  readonly #bounds = { low: 0, high: 0 }
  #isMeasured = false

  /** Adds `numbers[at]`: a double that is passed on would be made an object of. */
  add(numbers: Float64Array, at: number): void {
    const value = numbers[at]!
    if (this.count === this.#values.length) {
      const larger = new Float64Array(2 * this.count)
      larger.set(this.#values)
      this.#values = larger
    }
    const place = placeOf(this.#values, this.count, value)
    this.#values.copyWithin(place + 1, place, this.count)
    this.#values[place] = value
    this.count++
    this.#isMeasured = false
  }

  /** Takes out one number equal to `numbers[at]`, which must be there. */
  remove(numbers: Float64Array, at: number): void {
    const place = placeOf(this.#values, this.count, numbers[at]!)
    this.#values.copyWithin(place, place + 1, this.count)
    this.count--
    this.#isMeasured = false
  }

  get statistics(): ColumnStatistics | undefined {
    return this.count < FEWEST ? undefined : statisticsOf(this.#values, this.count)
  }

  /** Good until the next change. */
  get bounds(): Bounds {
    if (this.count < FEWEST) return NO_BOUNDS
    if (!this.#isMeasured) this.#measure()
    return this.#bounds
  }

  #measure(): void {
    const bounds = this.#bounds
    const spread = spreadOf(this.#values, this.count)
    if (isSpread(spread)) setBounds(bounds, spread, stepOf(this.#values, this.count))
    else Object.assign(bounds, NO_BOUNDS)
    this.#isMeasured = true
  }
}

/** Estimated size of a column's table entry, beside its numbers. */
const ENTRY_BYTES = 64

/** The numbers of the columns of a few rows. Depends on which rows are in it, not on their order. */
export class TableStatistics {
  readonly #columns = new Map<string, SortedNumbers>()
  /** Estimated size in bytes. */
  bytes = 0

  /** Adds `numbers[at]`. */
  add(name: string, numbers: Float64Array, at: number): void {
    let column = this.#columns.get(name)
    if (column === undefined) {
      column = new SortedNumbers()
      this.#columns.set(name, column)
      this.bytes += ENTRY_BYTES + 2 * name.length
    }
    column.add(numbers, at)
    this.bytes += 8
  }

  /** Takes out `numbers[at]`, which was added. */
  remove(name: string, numbers: Float64Array, at: number): void {
    const column = this.#columns.get(name)!
    column.remove(numbers, at)
    this.bytes -= 8
    if (column.count > 0) return
    this.#columns.delete(name)
    this.bytes -= ENTRY_BYTES + 2 * name.length
  }

  /** The bounds of a column's tolerance; none before it has shown 20 numbers that are not all the same. */
  bounds(name: string): Bounds {
    return this.#columns.get(name)?.bounds ?? NO_BOUNDS
  }

  /** The spread of every column that has one, in the order of the names. */
  spreads(): Record<string, number> {
    const known: [string, number][] = []
    for (const [name, column] of this.#columns) {
      const { statistics } = column
      if (statistics !== undefined) known.push([name, statistics.spread])
    }
    return Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
