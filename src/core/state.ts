/** Reading a snapshot's state: typed access that refuses whatever does not fit. */
import { checkNumber, elementType, isPlainObject, refuse } from './checkers.ts'
import type { PlainData } from './types.ts'

/** The fields of a saved state; exactly these, no more and no fewer. */
export function readState(state: PlainData, fields: readonly string[]): Readonly<Record<string, PlainData>> {
  const keys = isPlainObject(state) ? Object.keys(state) : []
  if (keys.length !== fields.length || !fields.every((field) => keys.includes(field))) {
    refuse('bad_snapshot', `must have exactly the fields ${fields.join(', ')}`, state, 'state')
  }
  return state as Readonly<Record<string, PlainData>>
}

/** A finite number in [min, max]; whole unless `fraction`. */
export function readNumber(
  value: unknown,
  path: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, fraction = false }: { min?: number; max?: number; fraction?: boolean } = {},
): number {
  return checkNumber(value, { min, max, integer: !fraction }, path, 'bad_snapshot')
}

/** A list of at most `max` items, each read by `item`. */
export function readList<T>(value: unknown, path: string, max: number, item: (v: unknown, path: string) => T): T[] {
  if (!Array.isArray(value) || value.length > max)
    refuse('bad_snapshot', `must be a list of at most ${max}`, value, path)
  return Array.from(value as unknown[], (v, i) => item(v, `${path}[${i}]`)) // `map` would pass over gaps, unread
}

/** A string of at most `max` characters. */
export function readText(value: unknown, path: string, max: number): string {
  if (typeof value !== 'string' || value.length > max)
    refuse('bad_snapshot', `must be a string up to ${max}`, value, path)
  return value as string
}

/** An array of at most `max` doubles, all finite. */
export function readDoubles(value: unknown, path: string, max: number): Float64Array {
  const doubles = value as Float64Array
  const ok = elementType(value) === 'Float64Array' && doubles.length <= max && doubles.every(Number.isFinite)
  if (!ok) refuse('bad_snapshot', `must be at most ${max} finite doubles`, value, path)
  return doubles
}
