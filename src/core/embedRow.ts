/**
 * Rows of a table as vectors without a model or a training set.
 *
 * Idea: every column has an equal share of the vector, so that the cosine of two rows is about the mean over the columns
 * of "how alike are these two cells", 0 … 1. A category is alike only to itself. A number lies on a line that is cut
 * into bins, and is given in part to its bin and in part to the next one, so that near numbers share bins. Names of
 * columns and of bins are hashed to places and signs (feature hashing, Weinberger et al. 2009, arXiv:0902.2206), so
 * that any columns fill the same 512 numbers, at the price of a random error of about 0.04 in the cosine of rows that
 * have nothing in common, and less the more alike they are.
 */
import { type Column, columnsOf, type RowSchema } from './canonical.ts'
import { finish32, fold32, hash32 } from './hash.ts'
import { log } from './math.ts'
import { type Bounds, boundsOf, RATIO } from './tableStatistics.ts'
import type { Row } from './types.ts'

/** Length of a row's embedding. */
export const ROW_DIMENSIONS = 512

/** How {@link embedRow} reads the columns. */
export interface EmbedRowOptions {
  /** What the columns hold. Default: told by the cells. */
  readonly schema?: RowSchema
}

const CATEGORY_SEED = 0x2545f491
const NUMBER_SEED = 0x68e31da4
const NEGATIVE_SEED = 0x1b56c4e9
// Places per category and per bin: a single one could meet another column's and cancel both.
const COPIES = 4

/**
 * A row as a fresh unit vector of 512 numbers. Its cosine to another row is about the mean over the columns of the
 * likeness of two cells: equal cells 1, different categories 0, a number and a category 0, numbers about as follows.
 * - Without a schema the *ratio* counts: 1 % apart 0.98, 3 % 0.86, 5 % 0.66, 10 % 0.17, 18 % and more 0. Zero is like
 *   nothing but zero, and opposite signs are unlike. A column in which all values have nearly one ratio (a year, a
 *   density) needs a schema with a `scale`.
 * - With `scale` the *difference* counts: a quarter of the scale 0.93, half 0.75, the whole 0.3, twice and more 0.
 * - With `spread` and `step` (see `fitTabular`) the ratio counts between bounds: numbers that differ by less than a twentieth
 *   of the spread or by one step stay alike, those that differ by more than 0.8 of the spread are unlike.
 *
 * A column that only one of the rows has counts as different. The order of the columns does not count, their names do:
 * `{ age: 25, income: 30000 }` is unlike `{ b: 30000, a: 25 }`. Throws `bad_query` as `canonicalRow` does.
 */
export function embedRow(row: Row, options?: EmbedRowOptions): Float32Array {
  const columns = columnsOf(row, options?.schema)
  const sums = new Float64Array(ROW_DIMENSIONS)
  for (const column of columns) addColumn(sums, column)
  return toUnit(sums, columns)
}

function addColumn(sums: Float64Array, { name, value, scale, spread, step = 0 }: Column): void {
  const seed = hash32(name)
  const isRatio = scale === undefined && spread === undefined
  if (typeof value === 'string' || (value === 0 && isRatio)) {
    addCopies(sums, fold32(fold32(seed, CATEGORY_SEED), hash32(String(value))), 1)
  } else if (scale !== undefined) {
    addNumber(sums, fold32(seed, NUMBER_SEED), value / scale)
  } else if (spread !== undefined) {
    addNumber(sums, fold32(seed, NUMBER_SEED), positionWithin(value, boundsOf({ spread, step })))
  } else {
    // Bins of the line of natural logarithms.
    addNumber(sums, fold32(seed, value < 0 ? NEGATIVE_SEED : NUMBER_SEED), log(Math.abs(value)) / RATIO)
  }
}

/**
 * The place of a number on a line whose unit is the tolerance there: even where the tolerance is at its lower bound, near
 * zero, then logarithmic, and even again from where it is at its upper bound.
 */
export function positionWithin(value: number, { low, high }: Bounds): number {
  const size = Math.abs(value)
  const [from, to] = [low / RATIO, high / RATIO]
  let position = Math.min(size, from) / low
  if (size > from) position += log(Math.min(size, to) / from) / RATIO
  if (size > to) position += (size - to) / high
  return value < 0 ? -position : position
}

/** A number in bins of width 1, on two lines half a bin apart so that it matters little where the bins are cut. */
function addNumber(sums: Float64Array, seed: number, position: number): void {
  addOnLine(sums, fold32(seed, 1), position)
  addOnLine(sums, fold32(seed, 2), position + 0.5)
}

function addOnLine(sums: Float64Array, seed: number, position: number): void {
  // Beyond 2^52 there are no halves left, and the end of the line is as good as any place.
  const clamped = Math.min(Math.max(position, -4503599627370496), 4503599627370496)
  const bin = Math.floor(clamped)
  const { here, next } = shares(clamped - bin)
  addCopies(sums, binHash(seed, bin), here * Math.SQRT1_2)
  addCopies(sums, binHash(seed, bin + 1), next * Math.SQRT1_2)
}

/**
 * Cosine and sine of a quarter turn times `part`, to 1e-3, from the half-angle formulas: their squares add up to 1
 * wherever the number lies in its bin, and no engine's `Math.cos` is asked.
 */
function shares(part: number): { here: number; next: number } {
  const t = part * (0.7712 + 0.2288 * part * part)
  const scale = 1 / (1 + t * t)
  return { here: (1 - t * t) * scale, next: 2 * t * scale }
}

function binHash(seed: number, bin: number): number {
  const high = Math.floor(bin / 0x100000000)
  return fold32(fold32(seed, (bin - high * 0x100000000) | 0), high | 0)
}

function addCopies(sums: Float64Array, hash: number, weight: number): void {
  for (let i = 1; i <= COPIES; i++) {
    const place = finish32(fold32(hash, i))
    sums[(place >>> 1) % ROW_DIMENSIONS]! += (place & 1) === 1 ? weight : -weight
  }
}

function toUnit(sums: Float64Array, columns: readonly Column[]): Float32Array {
  let total = 0
  for (let i = 0; i < ROW_DIMENSIONS; i++) total += sums[i]! * sums[i]!
  // Places can cancel each other: then the row's own hash stands for it.
  if (total < 1e-12) {
    const whole = columns.reduce(
      (hash, { name, value }) => fold32(fold32(hash, hash32(name)), hash32(String(value))),
      0,
    )
    addCopies(sums, whole, 1)
    return toUnit(sums, [])
  }
  const factor = 1 / Math.sqrt(total)
  const unit = new Float32Array(ROW_DIMENSIONS)
  for (let i = 0; i < ROW_DIMENSIONS; i++) unit[i] = sums[i]! * factor
  return unit
}
