/**
 * A list of alike values as columns. Structured clone pays for each object, field and array of a list; as columns the same
 * list is a handful of arrays. What does not fit a column stays the list that it is.
 */
import { elementType, isPlainObject } from '../core/index.ts'

type Floats = Float32Array | Float64Array

export type Column =
  | { readonly kind: 'list'; readonly values: readonly unknown[] }
  | { readonly kind: 'same'; readonly count: number; readonly value: unknown }
  | { readonly kind: 'numbers'; readonly values: Float64Array }
  /** Arrays of one length, one behind the other. */
  | { readonly kind: 'floats'; readonly count: number; readonly values: Floats }
  /** Objects with the same keys in the same order. */
  | {
      readonly kind: 'objects'
      readonly count: number
      readonly keys: readonly string[]
      readonly columns: readonly Column[]
    }

/** Objects inside of objects are taken apart down to here; what is deeper may even be a circle. */
const MAX_DEPTH = 3
/** Longer arrays cost more to join than to clone one by one. */
const MOST_BYTES = 16_384

/** Gives a buffer of at least so many bytes, which is then moved with the column. */
export type MakeBuffer = (bytes: number) => ArrayBuffer

/** Values as a column, which shares nothing with them that may be moved. */
export function toColumn(values: readonly unknown[], makeBuffer: MakeBuffer, depth = 0): Column {
  const first = values[0]
  if (values.length < 2) return { kind: 'list', values }
  if (typeof first === 'object' && first !== null) {
    const column = elementType(first) === '' ? toObjects(values, makeBuffer, depth) : toFloats(values, makeBuffer)
    return column ?? { kind: 'list', values }
  }
  if (values.every((value) => Object.is(value, first))) return { kind: 'same', count: values.length, value: first }
  if (values.every((value) => typeof value === 'number'))
    return { kind: 'numbers', values: new Float64Array(values as number[]) }
  return { kind: 'list', values }
}

function toObjects(values: readonly unknown[], makeBuffer: MakeBuffer, depth: number): Column | undefined {
  const first = values[0]
  if (depth === MAX_DEPTH || !isPlainObject(first)) return undefined
  const keys = Object.keys(first)
  // Set by its name it would be no field.
  if (keys.includes('__proto__') || !values.every((value) => hasKeys(value, keys))) return undefined
  const rows = values as readonly Record<string, unknown>[]
  const columns = keys.map((key) =>
    toColumn(
      rows.map((row) => row[key]),
      makeBuffer,
      depth + 1,
    ),
  )
  return { kind: 'objects', count: values.length, keys, columns }
}

function hasKeys(value: unknown, keys: readonly string[]): boolean {
  if (!isPlainObject(value)) return false
  const own = Object.keys(value)
  if (own.length !== keys.length) return false
  for (let i = 0; i < own.length; i++) if (own[i] !== keys[i]) return false
  return true
}

function toFloats(values: readonly unknown[], makeBuffer: MakeBuffer): Column | undefined {
  const kind = elementType(values[0])
  if (kind !== 'Float32Array' && kind !== 'Float64Array') return undefined
  const { length, byteLength } = values[0] as Floats
  const isAlike = (value: unknown) => elementType(value) === kind && (value as Floats).length === length
  if (byteLength > MOST_BYTES || !values.every(isAlike)) return undefined
  const count = values.length
  const Kind = kind === 'Float32Array' ? Float32Array : Float64Array
  const joined = new Kind(makeBuffer(count * byteLength), 0, count * length)
  for (let i = 0; i < count; i++) joined.set(values[i] as Floats, i * length)
  return { kind: 'floats', count, values: joined }
}

/** The values of a column. Arrays are views of one buffer. */
export function fromColumn(column: Column): ArrayLike<unknown> {
  switch (column.kind) {
    case 'same':
      return new Array<unknown>(column.count).fill(column.value)
    case 'floats':
      return fromFloats(column.values, column.count)
    case 'objects':
      return fromObjects(column)
    default:
      return column.values
  }
}

function fromFloats(values: Floats, count: number): Floats[] {
  const length = values.length / count
  return Array.from({ length: count }, (_, i) => values.subarray(i * length, (i + 1) * length))
}

/** Copies of one object with all the keys, of which the fields that differ are then set: they share a shape. */
function fromObjects({ count, keys, columns }: Extract<Column, { kind: 'objects' }>): unknown[] {
  const pattern: Record<string, unknown> = {}
  for (const [i, key] of keys.entries()) {
    const column = columns[i]!
    pattern[key] = column.kind === 'same' ? column.value : undefined
  }
  const rows = Array.from({ length: count }, () => ({ ...pattern }))
  for (const [i, key] of keys.entries()) {
    const column = columns[i]!
    if (column.kind === 'same') continue
    const values = fromColumn(column)
    for (let row = 0; row < count; row++) rows[row]![key] = values[row]
  }
  return rows
}
