/**
 * A monitor's entry as a log holds it: who wrote it, its number among that writer's, and what the monitor eats. Features
 * only: never a text or a picture. (A detector that compares rows has their cells for its features.)
 */
import {
  elementType,
  fromFrame,
  isMonitorError,
  isPlainObject,
  MonitorError,
  type PlainData,
  refuse,
  toFrame,
} from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'

const LETTERS = 'MTEN'

/** An entry and its name: one that was written twice counts once. */
export interface LoggedEntry {
  readonly writer: string
  /** Grows with every entry of the writer. */
  readonly number: number
  readonly entry: Entry
}

/** A compact binary form with a checksum. Throws `bad_query` for an entry that is no {@link plainEntry}. */
export function encodeEntry({ writer, number, entry }: LoggedEntry): Uint8Array<ArrayBuffer> {
  try {
    return toFrame(LETTERS, [writer, number, ...listOf(entry)])
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    throw new MonitorError('bad_query', `cannot be kept in a log: ${thrown.message}`, 'entry', { cause: thrown })
  }
}

/** Back to the entry. Throws `bad_snapshot`, the path naming the position. */
export function decodeEntry(bytes: Uint8Array, position: string): LoggedEntry {
  const path = `log[${position}]`
  let list: PlainData
  try {
    list = fromFrame(LETTERS, bytes)
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    const remedy = 'take the store from a copy, or move it away to start with an empty memory'
    throw new MonitorError('bad_snapshot', `is damaged: ${thrown.message}; ${remedy}`, path, { cause: thrown })
  }
  const [writer, number, ...rest] = Array.isArray(list) ? (list as readonly unknown[]) : []
  const entry = entryOf(rest)
  if (typeof writer === 'string' && typeof number === 'number' && entry !== undefined) return { writer, number, entry }
  return refuse('bad_snapshot', 'must be an entry of a monitor', list, path)
}

function listOf(entry: Entry): PlainData[] {
  if (entry.kind === 'query') {
    const { client, timeMs, id = null, observations, group } = entry
    const list = ['query', client, timeMs, id, observations as unknown as PlainData]
    return group === undefined ? list : [...list, group]
  }
  if (entry.kind === 'suspend') return ['suspend', entry.client, entry.timeMs, entry.untilMs]
  if (entry.kind === 'release' || entry.kind === 'erase') return [entry.kind, entry.client, entry.timeMs]
  return ['expire', entry.timeMs, entry.unseenMs]
}

/** What it holds is checked by the monitor. */
function entryOf([kind, ...rest]: readonly unknown[]): Entry | undefined {
  if (kind === 'query') {
    const [client, timeMs, id, observations, group] = rest
    const names = { ...(group === undefined ? {} : { group }), ...(id === null ? {} : { id }) }
    return { kind, client, ...names, timeMs, observations } as Entry
  }
  if (kind === 'suspend') return { kind, client: rest[0], timeMs: rest[1], untilMs: rest[2] } as Entry
  if (kind === 'release' || kind === 'erase') return { kind, client: rest[0], timeMs: rest[1] } as Entry
  return kind === 'expire' ? ({ kind, timeMs: rest[0], unseenMs: rest[1] } as Entry) : undefined
}

/**
 * The entry as it will be read back: what is judged now is then exactly what a replay judges. Kinds of typed arrays that
 * the binary form does not know become doubles.
 */
export function plainEntry(entry: Entry): Entry {
  if (entry.kind !== 'query') return entry
  return { ...entry, observations: plain(entry.observations) as typeof entry.observations }
}

const KNOWN = ['Uint8Array', 'Uint32Array', 'Float32Array', 'Float64Array']

/** A value without its gaps, every list of numbers in a kind that the binary form knows. What is so already is not copied. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const type = elementType(value)
  if (type !== '') return KNOWN.includes(type) ? value : Float64Array.from(value as ArrayLike<number>)
  if (Array.isArray(value)) return plainList(value)
  return isPlainObject(value) ? plainObject(value) : value
}

function plainList(list: readonly unknown[]): readonly unknown[] {
  let made: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const item = plain(list[i])
    if (item !== list[i]) made ??= [...list]
    if (made !== undefined) made[i] = item
  }
  return made ?? list
}

function plainObject(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const keys = Object.keys(object)
  const fields = keys.map((key) => plain(object[key]))
  if (keys.every((key, i) => fields[i] === object[key] && fields[i] !== undefined)) return object
  return Object.fromEntries(keys.map((key, i) => [key, fields[i]] as const).filter(([, field]) => field !== undefined))
}
