/** Rows as the numbers that small steps are taken in. */
import { type Column, columnsOf, type RowSchema } from './canonical.ts'
import { positionWithin } from './embedRow.ts'
import { hash32 } from './hash.ts'
import { log } from './math.ts'
import { declaredBounds } from './rowCoder.ts'
import type { Row } from './types.ts'

/** The largest step of `descent_lineage`: one tolerance of a declared column. */
const STEP = 20 / 255
/** Numbers are cut at this size, and categories lie beyond it: 2^19 places, further apart than the largest step. */
const EDGE = 65_536
// biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere, Math.LN2 need not
const LN2 = 0.6931471805599453

/**
 * A row as numbers for `descent_lineage`: one for the names of the columns, then one a column in the order of the names.
 * What counts as a small step (20/255 there) is
 * - for a column with `scale`, a difference of that scale; with `spread` and `step`, the tolerance that `tabular_similarity`
 *   uses;
 * - for any other number about 8 % of it, or 0.08 where it is smaller than 1 (the inverse hyperbolic sine of the number).
 *
 * A category is near to itself only, and so is a missing value. Rows of different columns are never near. Throws
 * `bad_query` as `canonicalRow` does.
 */
export function scaledRow(row: Row, schema?: RowSchema): Float64Array {
  const columns = columnsOf(row, schema, 'input')
  const numbers = new Float64Array(columns.length + 1)
  numbers[0] = placeOf(JSON.stringify(columns.map(({ name }) => name)))
  for (const [i, column] of columns.entries()) numbers[i + 1] = scaledNumber(column)
  return numbers
}

/** A cell on the scale of {@link scaledRow}: within 65 536 of 0, and beyond that for a category. */
export function scaledNumber(column: Column): number {
  const { value } = column
  if (typeof value === 'string') return placeOf(value)
  const bounds = declaredBounds(column)
  const number = bounds === null ? asinh(value) : STEP * positionWithin(value, bounds)
  return Math.min(Math.max(number, -EDGE), EDGE)
}

function placeOf(text: string): number {
  return EDGE + (hash32(text) >>> 13) / 8
}

function asinh(value: number): number {
  const size = Math.abs(value)
  // From 1e8 on the 1 under the root is lost, and its square could overflow.
  const result = size < 1e8 ? log(size + Math.sqrt(size * size + 1)) : log(size) + LN2
  return value < 0 ? -result : result
}
