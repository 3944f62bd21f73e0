/** A row of a table and the model's answer to it, as the surrogates of `extraction_status` learn them. */
import { checkNumbers, refuse } from '../../checkers.ts'
import { finish32, fold32 } from '../../hash.ts'
import type { Observation } from '../../types.ts'

/** Columns beyond this one are not read. */
export const MOST_COLUMNS = 256
/** From here on a number is the name of a category, as `scaledRow` makes them. */
export const NAMES = 65_536
const VECTOR = { most: 65_536, min: -1e30, max: 1e30, remedy: '; scale it first' }

export interface Example {
  /** Of the values: where the example stands in every order, and whether it is kept. */
  readonly hash: number
  /** The class that the model answers. */
  readonly label: number
  /** Columns in 32-bit floats; not changed. */
  readonly values: Float32Array
}

/** An observation's vector as fresh 32-bit floats. Throws `bad_query`. */
export function readVector(vector: Observation['vector'], path = 'vector'): Float32Array {
  return readInto(NONE, vector, path)
}

const NONE: Float32Array = /* @__PURE__ */ new Float32Array(0)

/** The same in place of what `values` held, where that has the same length. Returns `values`, or fresh ones. */
export function readInto(given: Float32Array, vector: Observation['vector'], path = 'vector'): Float32Array {
  if (vector === undefined) refuse('bad_query', 'pass the row as numbers: scaledRow(row)', vector, path)
  checkNumbers(vector, VECTOR, path)
  const length = Math.min(vector.length, MOST_COLUMNS)
  const values = given.length === length ? given : new Float32Array(length)
  // Adding 0 makes −0 the same number as 0.
  for (let i = 0; i < length; i++) values[i] = vector[i]! + 0
  return values
}

/** A number as 32-bit float, and its bits. Their content never outlives a call. */
const bytes = /* @__PURE__ */ new ArrayBuffer(4)
const float = /* @__PURE__ */ new Float32Array(bytes)
const word = /* @__PURE__ */ new Uint32Array(bytes)

export function hashOf(values: Float32Array, key: number): number {
  let hash = fold32(key | 0, Math.floor(key / 0x100000000))
  for (let i = 0; i < values.length; i++) {
    float[0] = values[i]!
    hash = fold32(hash, word[0]!)
  }
  return finish32(hash ^ values.length) >>> 0
}

/** A cell; rows that lack the column have a name of its own there. */
export function cellOf(values: ArrayLike<number>, column: number): number {
  return column < values.length ? values[column]! : Infinity
}

export function isName(cell: number): boolean {
  return cell >= NAMES
}
