/**
 * A table as those see it who have examples of its rows: which numbers a column takes and which categories, and rows as
 * numbers of 0 … 1, one a column of numbers and one a category (1 for the one that holds).
 *
 * Numbers are placed between the smallest and the largest of the examples; those of a column that is nearly always the
 * same and now and then enormous (`fitTabular` finds no spread: amounts of capital gain) through the inverse hyperbolic
 * sine, as in the core's `scaledRow`.
 */
import { type Cell, type ColumnSchema, fitTabular, type Row } from '../../core/index.ts'
import { largest } from '../answers.ts'
import { clip } from '../picture.ts'
import type { Random } from '../random.ts'

export interface NumberColumn {
  readonly name: string
  readonly type: 'number'
  readonly min: number
  readonly max: number
  readonly isWhole: boolean
  readonly isSkewed: boolean
}

export interface CategoryColumn {
  readonly name: string
  readonly type: 'category'
  readonly values: readonly Cell[]
}

export type TableColumn = NumberColumn | CategoryColumn

export interface Table {
  readonly columns: readonly TableColumn[]
  numbersOf(row: Row): Float64Array
  /** Every number moved by `by` up or down; the largest number of a category's decides, the first of equals. */
  moved(row: Row, direction: Int8Array, by: number): Row
  /** Every number and category within its column's as likely as any other. */
  uniform(random: Random): Row
  /** Every cell as in some example, each of its own. */
  typical(random: Random): Row
}

/** Throws `bad_config` without an example, and for cells that are none. Columns that number the rows are not varied. */
export function createTable(examples: readonly Row[]): Table {
  const schema = fitTabular(examples)
  const columns = Object.entries(schema).flatMap(([name, column]) => columnOf(name, column, examples) ?? [])
  const size = columns.reduce((sum, column) => sum + widthOf(column), 0)
  return { columns, numbersOf, moved, uniform, typical }

  function numbersOf(row: Row): Float64Array {
    const numbers = new Float64Array(size)
    let at = 0
    for (const column of columns) {
      const cell = row[column.name] ?? null
      if (column.type === 'number') numbers[at] = placeIn(column, cell)
      else if (column.values.includes(cell)) numbers[at + column.values.indexOf(cell)] = 1
      at += widthOf(column)
    }
    return numbers
  }

  function moved(row: Row, direction: Int8Array, by: number): Row {
    const numbers = numbersOf(row).map((v, i) => clip(v + by * direction[i]!))
    const cells: Record<string, Cell> = { ...row }
    let at = 0
    for (const column of columns) {
      const here = numbers.subarray(at, at + widthOf(column))
      if (holds(column, row)) {
        cells[column.name] = column.type === 'number' ? numberAt(column, here[0]!) : column.values[largest(here)]!
      }
      at += here.length
    }
    return cells
  }

  function uniform(random: Random): Row {
    const cells: Record<string, Cell> = { ...random.pick(examples) }
    for (const column of columns) {
      cells[column.name] = column.type === 'number' ? numberAt(column, random.next()) : random.pick(column.values)
    }
    return cells
  }

  function typical(random: Random): Row {
    return Object.fromEntries(Object.keys(examples[0]!).map((name) => [name, random.pick(examples)[name]!]))
  }
}

function columnOf(name: string, schema: ColumnSchema, examples: readonly Row[]): TableColumn | undefined {
  if (schema.type === 'ignore') return undefined
  if (schema.type === 'category') {
    const values = [...new Set(examples.map((row) => row[name] ?? null))]
    return { name, type: 'category', values: values.filter((cell) => schema.values?.includes(String(cell))) }
  }
  const numbers = examples.map((row) => numberOf(row[name])).filter(Number.isFinite)
  return {
    name,
    type: 'number',
    min: numbers.reduce((a, b) => Math.min(a, b)),
    max: numbers.reduce((a, b) => Math.max(a, b)),
    isWhole: numbers.every(Number.isInteger),
    isSkewed: schema.spread === undefined,
  }
}

const widthOf = (column: TableColumn) => (column.type === 'number' ? 1 : column.values.length)

/** A number or the text of one; NaN for everything else. */
function numberOf(cell: Cell | undefined): number {
  if (typeof cell === 'string' && cell.trim() !== '') return Number(cell)
  return typeof cell === 'number' ? cell : Number.NaN
}

/** False for a cell without a value, or with one that the table does not know. */
function holds(column: TableColumn, row: Row): boolean {
  const cell = row[column.name] ?? null
  return column.type === 'number' ? Number.isFinite(numberOf(cell)) : column.values.includes(cell)
}

/** Where a number lies between the column's smallest and largest, 0 … 1; 0 for a column that has only one, or no number. */
export function placeIn({ min, max, isSkewed }: NumberColumn, cell: Cell): number {
  const value = numberOf(cell)
  if (!Number.isFinite(value) || max === min) return 0
  const f = isSkewed ? Math.asinh : Number
  return clip((f(value) - f(min)) / (f(max) - f(min)))
}

/** The number at a place of {@link placeIn}, whole where the column's are. */
export function numberAt({ min, max, isSkewed, isWhole }: NumberColumn, place: number): number {
  const value = isSkewed
    ? Math.sinh(Math.asinh(min) + place * (Math.asinh(max) - Math.asinh(min)))
    : min + place * (max - min)
  return isWhole ? Math.round(value) : value
}
