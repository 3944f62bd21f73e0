/**
 * Rows of a table as the numbers that are compared. What follows from the names alone is kept from the last row, since the rows of
 * a stream nearly always have the same ones: such a row is coded without sorting or copying anything.
 */
import {
  type Column,
  type ColumnSchema,
  checkCell,
  columnsOf,
  declaredFor,
  type RowSchema,
  settledValue,
} from './canonical.ts'
import { isPlainObject } from './checkers.ts'
import { hash32 } from './hash.ts'
import { keyOf, type Layout } from './savedRows.ts'
import { type Bounds, boundsOf } from './tableStatistics.ts'
import type { Cell, Row } from './types.ts'

const CATEGORY_SEEDS = [0x7f4a7c15, 0x1ce4e5b9] as const
const HIGH_BITS = 0x1fffff

/** A row as it is compared. */
export interface CodedRow {
  readonly layout: Layout
  /** Numbers, and the hashes of categories. */
  readonly cells: Float64Array
  /** What a schema says of a column's tolerance; `null` where it says nothing. */
  readonly declared: readonly (Bounds | null)[]
}

export class RowCoder {
  readonly #schema: RowSchema | undefined
  /** The names of the last row as they came, and of each the place of its column; −1 of one that is ignored. */
  #names: readonly string[] = []
  #places: readonly number[] = []
  /** By place: what the schema says of the column. */
  #schemas: readonly (ColumnSchema | undefined)[] = []
  /** By place: the cell. Working memory. */
  #given: Cell[] = []
  #coded: CodedRow | undefined

  constructor(schema: RowSchema | undefined) {
    this.#schema = schema
  }

  /** The columns of a row as they are compared. Good until the next call. Throws `bad_query` as `columnsOf` does. */
  code(row: Row, path: string): CodedRow {
    if (this.#coded !== undefined && this.#hasNamesOf(row) && this.#fill(this.#coded, row, path)) return this.#coded
    const columns = columnsOf(row, this.#schema, path)
    const coded = codeColumns(columns)
    const { names } = coded.layout
    this.#names = Object.keys(row)
    this.#places = this.#names.map((name) => names.indexOf(name))
    this.#schemas = names.map((name) => declaredFor(name, this.#schema))
    this.#given = names.map(() => null)
    this.#coded = coded
    return coded
  }

  /** True if the row has the same columns as the last one, in the same order. */
  #hasNamesOf(row: Row): boolean {
    if (!isPlainObject(row)) return false
    const names = this.#names
    let count = 0
    for (const name in row) {
      if (name !== names[count] || !Object.hasOwn(row, name)) return false
      count++
    }
    return count === names.length
  }

  /** Puts the cells of such a row in place; false where a column holds another kind of value than before. */
  #fill({ layout, cells }: CodedRow, row: Row, path: string): boolean {
    const [names, given] = [this.#names, this.#given]
    for (let i = 0; i < names.length; i++) {
      const cell = checkCell(row[names[i]!], path, names[i]!)
      const place = this.#places[i]!
      if (place >= 0) given[place] = cell
    }
    for (let place = 0; place < given.length; place++) {
      const value = settledValue(given[place]!, this.#schemas[place], path, layout.names[place]!)
      given[place] = null
      if ((typeof value === 'number' ? 1 : 0) !== layout.isNumber[place]) return false
      cells[place] = typeof value === 'number' ? value : categoryCode(value)
    }
    return true
  }
}

function codeColumns(columns: readonly Column[]): CodedRow {
  const names = columns.map(({ name }) => name)
  const isNumber = Uint8Array.from(columns, ({ value }) => (typeof value === 'number' ? 1 : 0))
  const cells = Float64Array.from(columns, ({ value }) => (typeof value === 'number' ? value : categoryCode(value)))
  return { layout: { names, isNumber, key: keyOf(names, isNumber) }, cells, declared: columns.map(declaredBounds) }
}

function categoryCode(text: string): number {
  const [high, low] = CATEGORY_SEEDS
  return (hash32(text, 0, text.length, high) & HIGH_BITS) * 0x100000000 + (hash32(text, 0, text.length, low) >>> 0)
}

/** The bounds that a column's schema gives: a fixed tolerance, those of a profile, or none. */
export function declaredBounds({ scale, spread, step = 0 }: Column): Bounds | null {
  if (scale !== undefined) return { low: scale, high: scale }
  return spread === undefined ? null : boundsOf({ spread, step })
}
