/**
 * A profile of a table from example rows: what the columns hold and how far their numbers spread, as a small schema.
 *
 * Quantiles are used, not means and deviations: a few enormous amounts must not make all others alike.
 */
import {
  type ColumnSchema,
  checkRow,
  MAX_MISSING,
  MAX_VALUES,
  plainValue,
  type RowLimits,
  type RowSchema,
} from './canonical.ts'
import { checkChoice, checkNumber, checkObject, refuse } from './checkers.ts'
import { isMonitorError, MonitorError } from './errors.ts'
import { statisticsOf } from './tableStatistics.ts'
import type { Cell, Row } from './types.ts'

/** How {@link fitTabular} reads the rows. */
export interface FitTabularOptions {
  /** Names that are kept of a column of categories, the most frequent ones; 0 … 1000. Default 50. */
  readonly maxCategories?: number
  /** What becomes of columns that number or name the rows: `ignore` (the default), or `keep` them as what they hold. */
  readonly ids?: 'ignore' | 'keep'
  /** As for any row. */
  readonly limits?: RowLimits
}

const MAX_ROWS = 1_000_000
/** Rows below which no column is taken for an id. */
const FEWEST_IDS = 20
/** Texts of at least this length that are all different name rows; shorter ones may be postal codes. */
const ID_LENGTH = 8
/** Share of a column's cells that must be numbers for the others to count as missing. */
const NUMBER_SHARE = 0.8

/** The cells of a column that hold something, in the order of the rows. */
interface ColumnCells {
  readonly numbers: number[]
  /** The categories as text, trimmed where they stand among numbers; each with how often it occurred. */
  readonly texts: Map<string, number>
  /** Cells of text and booleans. */
  textCount: number
  isAscending: boolean
  last: number | string | undefined
}

/**
 * The profile of a table: a plain object, one entry a column in the order of the names, that goes through JSON and is a
 * `schema` for `embedRow`, `rowFingerprint` and the tabular detectors. The order of the rows counts for ids only.
 * - A column whose cells are numbers, or text that is a plain decimal literal, is a `number`, with `spread` and `step`
 *   rounded to 6 digits; without them if nearly all numbers are the same. Cells that are `null`, blank or absent are
 *   passed over. Up to 16 other texts ("?", "n/a") in at most a fifth of the cells are listed as `missing`.
 * - Every other column is a `category`: words, booleans, "01234". Its most frequent names are listed, and no more.
 * - A column that numbers the rows, or names each with a text of its own (a key, a hash, a time stamp: no white space,
 *   a digit in it, 8 characters or more, or ascending), is `ignore`; 20 rows are needed to tell. Free text is no id.
 *
 * Throws `bad_config` for anything but a list of 1 … 1 000 000 rows, with the path of the cell. O(cells · log cells).
 */
export function fitTabular(rows: readonly Row[], options: FitTabularOptions = {}): RowSchema {
  checkObject(options, ['maxCategories', 'ids', 'limits'], 'options')
  const { maxCategories = 50, ids = 'ignore', limits = {} } = options
  checkNumber(maxCategories, { min: 0, max: MAX_VALUES, integer: true }, 'options.maxCategories')
  checkChoice(ids, ['ignore', 'keep'], 'options.ids')
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > MAX_ROWS) {
    refuse('bad_config', `must be a list of 1 … ${MAX_ROWS} rows (take a sample of more)`, rows, 'rows')
  }
  const columns = new Map<string, ColumnCells>()
  for (let i = 0; i < rows.length; i++) {
    for (const [name, cell] of Object.entries(rowAt(rows, i, limits))) addCell(columns, name, cell)
  }
  const names = [...columns.keys()].sort()
  return Object.fromEntries(
    names.map((name) => {
      const cells = columns.get(name)!
      const isIgnored = ids === 'ignore' && isId(cells)
      return [name, isIgnored ? { type: 'ignore' } : schemaOf(cells, maxCategories)]
    }),
  )
}

function rowAt(rows: readonly unknown[], index: number, limits: RowLimits): Row {
  try {
    return checkRow(rows[index], `rows[${index}]`, limits)
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    const message = thrown.message.slice(thrown.path.length + 2)
    throw new MonitorError('bad_config', `${message}; leave the row out or mend it`, thrown.path)
  }
}

function addCell(columns: Map<string, ColumnCells>, name: string, cell: Cell): void {
  let column = columns.get(name)
  if (column === undefined) {
    column = { numbers: [], texts: new Map(), textCount: 0, isAscending: true, last: undefined }
    columns.set(name, column)
  }
  if (cell === null || (typeof cell === 'string' && cell.trim() === '')) return
  const value = plainValue(cell)
  if (typeof value === 'number') column.numbers.push(value)
  else {
    const text = String(cell)
    column.texts.set(text, (column.texts.get(text) ?? 0) + 1)
    column.textCount++
  }
  const held = typeof value === 'number' ? value : String(cell)
  column.isAscending &&= column.last === undefined || (typeof column.last === typeof held && column.last < held)
  column.last = held
}

function isId({ numbers, texts, textCount, isAscending }: ColumnCells): boolean {
  if (textCount === 0) return numbers.length >= FEWEST_IDS && isAscending && numbers.every(Number.isSafeInteger)
  if (numbers.length > 0 || textCount < FEWEST_IDS || texts.size < textCount) return false
  const isKey = [...texts.keys()].every((text) => /^\S*\d\S*$/.test(text))
  return isKey && (isAscending || [...texts.keys()].every((text) => text.length >= ID_LENGTH))
}

function schemaOf({ numbers, texts, textCount }: ColumnCells, maxCategories: number): ColumnSchema {
  const missing = new Set([...texts.keys()].map((text) => text.trim()))
  const isNumber = numbers.length >= NUMBER_SHARE * (numbers.length + textCount) && missing.size <= MAX_MISSING
  if (isNumber && numbers.length > 0 && ![...missing].some(isValue)) {
    const statistics = statisticsOf(Float64Array.from(numbers).sort())
    return {
      type: 'number',
      ...(statistics && { spread: rounded(statistics.spread), step: rounded(statistics.step) }),
      ...(missing.size > 0 && { missing: [...missing].sort() }),
    }
  }
  const counts = new Map(texts)
  for (const value of numbers) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return { type: 'category', values: byCount.slice(0, maxCategories).map(([name]) => name) }
}

/** Text that is no mark for a missing number: "007" and "+49" make a column of names, and so do booleans. */
function isValue(text: string): boolean {
  return text === 'true' || text === 'false' || Number.isFinite(Number(text))
}

function rounded(value: number): number {
  return Number(value.toPrecision(6))
}
