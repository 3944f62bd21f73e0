/** Rows of a table: the check at the door, one text for all spellings of a row, its fingerprint, and its raw numbers. */
import { checkChoice, checkObject, isPlainObject, isWellFormed, refuse, show } from './checkers.ts'
import type { ErrorCode } from './errors.ts'
import { sha256HexOfText } from './hash.ts'
import type { Cell, Row } from './types.ts'
import { checkWellFormed } from './utf8.ts'

/**
 * What a column holds.
 * - `number`: every cell is a number; text that spells one counts as the number, also with leading zeros or a sign, and
 *   `true` and `false` as 1 and 0. Blank text, and the texts in `missing` (at most 16), count as `null`: no value.
 *   What makes two numbers alike is told by `scale`, or by `spread` and `step`, or else by their ratio:
 *   - `scale` is a difference, in the column's own unit, at which two values are no longer alike (a fifth of the standard
 *     deviation is a fair start); finite, above 0.
 *   - `spread` is the interquartile range, `step` the smallest difference of two values; finite, above 0. Between bounds
 *     that follow from them the ratio counts. {@link fitTabular} finds them.
 * - `category`: cells are names, compared as text: 1 and "1" agree, "01" and "1" do not. `values` (at most 1000) tells
 *   which names are common; nothing is compared with it.
 * - `ignore`: the column says nothing of the query (a row id, a time stamp).
 */
export type ColumnSchema =
  | {
      readonly type: 'number'
      readonly scale?: number
      readonly spread?: number
      readonly step?: number
      readonly missing?: readonly string[]
    }
  | { readonly type: 'category'; readonly values?: readonly string[] }
  | { readonly type: 'ignore' }

/**
 * Column name to what the column holds. A column that is not in it is told by its cells: numbers, and text that is a
 * plain decimal literal, are numbers; everything else is a category.
 */
export type RowSchema = Readonly<Record<string, ColumnSchema>>

/** How large a row {@link checkRow} accepts. */
export interface RowLimits {
  /** Default 1000. */
  readonly maxColumns?: number
  /** Longest column name, in UTF-16 code units. Default 256. */
  readonly maxKeyLength?: number
  /** Longest text in a cell, in UTF-16 code units. Default 10 000. */
  readonly maxTextLength?: number
}

const MAX_NAME_LENGTH = 256
const MAX_TEXT_LENGTH = 10_000
/** Texts for "no value" that a column of numbers may have. */
export const MAX_MISSING = 16
/** Names of categories that a schema may list for a column. */
export const MAX_VALUES = 1000

const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype']

/**
 * Any value as a row: a fresh copy of the own enumerable columns of a plain object. Refused as `bad_query`, with the
 * path of the cell: another kind of object, no column or too many, the names `__proto__`, `constructor` and `prototype`,
 * cells other than number, string, boolean and null, NaN and the infinities, and text or names that are too long or have
 * a surrogate without partner.
 */
export function checkRow(value: unknown, path = 'input', limits: RowLimits = {}): Row {
  const { maxColumns = 1000, maxKeyLength = MAX_NAME_LENGTH, maxTextLength = MAX_TEXT_LENGTH } = limits
  if (!isPlainObject(value)) refuse('bad_query', 'must be a plain object: column name to cell', value, path)
  const keys = Object.keys(value)
  if (keys.length === 0 || keys.length > maxColumns) {
    refuse('bad_query', `must have at least one and at most ${maxColumns} columns`, keys.length, path)
  }
  const row: Record<string, Cell> = {}
  for (const key of keys) {
    checkColumnName(key, maxKeyLength, path)
    row[key] = checkCell(value[key], path, key, maxTextLength)
  }
  return row
}

/** Refuses the names `__proto__`, `constructor` and `prototype`, long ones, and those with a lone surrogate. */
export function checkColumnName(name: string, maxLength: number, path: string, code: ErrorCode = 'bad_query'): void {
  if (FORBIDDEN_KEYS.includes(name) || name.length > maxLength) {
    refuse(code, `must have column names up to ${maxLength} long, none of ${FORBIDDEN_KEYS}`, name, path)
  }
  if (!isWellFormed(name)) refuse(code, 'must have column names without a lone surrogate', name, path)
}

const SURROGATE = /[\ud800-\udfff]/

/** A cell of the column `key` as it is. Throws `bad_query`. */
export function checkCell(cell: unknown, path: string, key: string, maxLength = MAX_TEXT_LENGTH): Cell {
  if (typeof cell === 'string') {
    if (cell.length > maxLength) {
      refuse('bad_query', `must have at most ${maxLength} UTF-16 code units`, cell.length, cellPath(path, key))
    }
    if (SURROGATE.test(cell)) checkWellFormed(cell, cellPath(path, key))
    return cell
  }
  if (cell === null || typeof cell === 'boolean') return cell
  if (Number.isFinite(cell)) return cell as number
  refuse('bad_query', 'must be a finite number, a string, a boolean or null', cell, cellPath(path, key))
}

/** `input.age`, or `input["odd key"]`. */
function cellPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) && key.length <= 60 ? `${path}.${key}` : `${path}[${show(key)}]`
}

/** A schema as it is, if it is one; `bad_config` with the path of the column otherwise. For makers, once. */
export function checkRowSchema(value: unknown, path = 'schema'): RowSchema {
  if (!isPlainObject(value)) refuse('bad_config', 'must be a plain object: column name to { type }', value, path)
  for (const key of Object.keys(value)) {
    checkColumnName(key, MAX_NAME_LENGTH, path, 'bad_config')
    checkColumnSchema(value[key], cellPath(path, key))
  }
  return value as RowSchema
}

const COLUMN_OPTIONS = {
  number: ['type', 'scale', 'spread', 'step', 'missing'],
  category: ['type', 'values'],
  ignore: ['type'],
} as const

function checkColumnSchema(column: unknown, path: string): void {
  if (!isPlainObject(column)) refuse('bad_config', 'must be a plain object { type }', column, path)
  const type = checkChoice(column['type'] as ColumnSchema['type'], ['number', 'category', 'ignore'], `${path}.type`)
  checkObject(column, COLUMN_OPTIONS[type], path)
  for (const key of ['scale', 'spread', 'step']) {
    const size = column[key]
    const ok = size === undefined || (typeof size === 'number' && size > 0 && size < Infinity)
    if (!ok) refuse('bad_config', 'must be a finite number above 0', size, `${path}.${key}`)
  }
  checkTexts(column['missing'], MAX_MISSING, `${path}.missing`)
  checkTexts(column['values'], MAX_VALUES, `${path}.values`)
}

function checkTexts(value: unknown, most: number, path: string): void {
  if (value === undefined) return
  const ok = Array.isArray(value) && value.length <= most && value.every((text) => typeof text === 'string')
  if (!ok) refuse('bad_config', `must be a list of at most ${most} texts`, value, path)
}

/** A column with its meaning settled: `value` is a number, or the text of a category (`null` and booleans as JSON). */
export interface Column {
  readonly name: string
  readonly value: number | string
  /** As in {@link ColumnSchema}. */
  readonly scale?: number | undefined
  readonly spread?: number | undefined
  readonly step?: number | undefined
}

/** The columns of a row in the order of their names (by code units), the ignored ones left out. Checks the row. */
export function columnsOf(row: Row, schema?: RowSchema, path = 'input'): Column[] {
  const checked = checkRow(row, path)
  const columns: Column[] = []
  for (const name of Object.keys(checked).sort()) {
    const cell = checked[name]!
    const declared = declaredFor(name, schema)
    if (declared === undefined) columns.push({ name, value: plainValue(cell) })
    else if (declared.type === 'number' || declared.type === 'category') {
      columns.push({ ...declared, name, value: settledValue(cell, declared, path, name) })
    }
  }
  if (columns.length === 0) refuse('bad_query', 'must have a column that the schema does not ignore', row, path)
  return columns
}

/** What a schema says of a column. */
export function declaredFor(name: string, schema: RowSchema | undefined): ColumnSchema | undefined {
  return schema !== undefined && Object.hasOwn(schema, name) ? schema[name] : undefined
}

/** What a cell means, as in {@link Column}. Throws `bad_query` for a word in a column of numbers. */
export function settledValue(
  cell: Cell,
  declared: ColumnSchema | undefined,
  path: string,
  name: string,
): number | string {
  return declared === undefined ? plainValue(cell) : declaredValue(cell, declared, path, name)
}

// The text in quotes can never be mistaken for a number, `true` or `null`.
function quote(text: string): string {
  return JSON.stringify(text)
}

// Without superfluous zeros or a plus: "01234" and "+49…" are a postal code and a telephone number, not amounts.
const PLAIN_NUMBER = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/
const WHOLE_NUMBER = /^-?\d+$/
const ANY_NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

/**
 * The value of a cell of which nothing is declared: a number, or the text of a category as JSON (`null`, `true` and
 * `false` as they are, other text in quotes).
 */
export function plainValue(cell: Cell): number | string {
  if (typeof cell === 'number') return cell + 0
  if (typeof cell !== 'string') return String(cell)
  const text = cell.trim()
  if (!PLAIN_NUMBER.test(text)) return quote(cell)
  const value = Number(text)
  // Above 2^53 different long identifiers would become the same number.
  const exact = Number.isFinite(value) && (Number.isSafeInteger(value) || !WHOLE_NUMBER.test(text))
  return exact ? value + 0 : quote(cell)
}

function declaredValue(cell: Cell, column: ColumnSchema, path: string, name: string): number | string {
  if (cell === null) return 'null'
  if (column.type !== 'number') return quote(String(cell))
  const isMissing = typeof cell === 'string' && (cell.trim() === '' || column.missing?.includes(cell.trim()))
  return isMissing ? 'null' : toNumber(cell, path, name)
}

function toNumber(cell: Cell, path: string, name: string): number {
  if (typeof cell === 'number') return cell + 0
  if (typeof cell === 'boolean') return cell ? 1 : 0
  const value = cell !== null && ANY_NUMBER.test(cell.trim()) ? Number(cell.trim()) : NaN
  if (Number.isFinite(value)) return value + 0
  refuse('bad_query', 'must be a number, or text that spells one', cell, cellPath(path, name))
}

/**
 * One text for all spellings of a row, in the manner of JSON: names in the order of their code units, numbers in
 * JavaScript's shortest form. Without a schema 25, 25.0, "25" and " 25 " agree, so do 0 and −0; `true`, 1 and "true" are
 * three different values; "01234", "+5", "1e999" and whole numbers beyond 2^53 stay text; other text counts exactly, case
 * and spaces included. See {@link RowSchema} for columns that are declared. Throws `bad_query` as {@link checkRow} does,
 * and for a word in a column declared `number`.
 *
 * The reference hashes Python's repr of the sorted pairs instead, where 25 and 25.0 differ.
 */
export function canonicalRow(row: Row, schema?: RowSchema): string {
  let text = ''
  for (const { name, value } of columnsOf(row, schema)) text += `${text === '' ? '{' : ','}${quote(name)}:${value}`
  return `${text}}`
}

/** "The same row" as 64 hexadecimal digits: SHA-256 of {@link canonicalRow}. Throws as it does. */
export function rowFingerprint(row: Row, schema?: RowSchema): string {
  return sha256HexOfText(canonicalRow(row, schema))
}

/**
 * The cells as they are, in the order of the names: the reference's embedding (`scaling: 'none'`). Text that spells a
 * number counts as the number, `true` and `false` as 1 and 0. A word or null is `bad_query`, with the path of the cell.
 * The cosine of such vectors calls nearly all rows of a table alike, since the column with the largest numbers
 * decides it; prefer `embedRow`.
 */
export function rowVector(row: Row): Float64Array {
  const checked = checkRow(row)
  return Float64Array.from(Object.keys(checked).sort(), (name) => toNumber(checked[name]!, 'input', name))
}
