/**
 * Queries and their answers as they cross: batches as columns, their vectors in buffers that are moved, and what the page has
 * anyway not at all.
 *
 * The log on the page needs the entry of each query. An embedding that came with the query is the largest part of it and is
 * still there, so the worker names it instead of sending it back. It moves back the buffers that it was sent: the page fills
 * them again, as new memory of that size costs more than to judge what is in it.
 */
import { isPlainObject } from '../core/index.ts'
import type { Query } from '../embed/index.ts'
import { type Column, fromColumn, type MakeBuffer, toColumn } from './columns.ts'
import type { Applied, LogEntry } from './protocol.ts'

/** Stands for the embedding of the query, or for an entry that is nothing else. */
const GIVEN = 'given'

/** A batch, or the one query of a call. Whatever is moved anew is in `buffers`. */
export interface PackedQueries {
  readonly queries: Column | Query
  readonly batch: boolean
  /** True if whoever asks still has them when the answer comes. */
  readonly isKept: boolean
  readonly buffers: readonly ArrayBuffer[]
}

/** Columns for a batch, else the one entry and the one result. */
export interface PackedApplied {
  readonly entries: Column | LogEntry | typeof GIVEN
  readonly results: unknown
  readonly applied: number
  readonly buffers: readonly ArrayBuffer[]
}

const NONE: readonly ArrayBuffer[] = []

/** Queries that are not kept are moved by their sender, so they stay one by one. `makeBuffer` may give used ones. */
export function packQueries(
  queries: readonly Query[],
  { batch, isKept }: Pick<PackedQueries, 'batch' | 'isKept'>,
  makeBuffer: MakeBuffer,
): PackedQueries {
  if (!batch) return { queries: queries[0]!, batch, isKept, buffers: NONE }
  if (!isKept) return { queries: { kind: 'list', values: queries }, batch, isKept, buffers: NONE }
  const { column, buffers } = packed(queries, makeBuffer)
  return { queries: column, batch, isKept, buffers }
}

export function unpackQueries({ queries, batch }: PackedQueries): readonly Query[] {
  return batch ? (Array.from(fromColumn(queries as Column)) as Query[]) : [queries as Query]
}

/** The answer to `sent`, whose queries these are. Those are no longer to be read then: their buffers are moved. */
export function packApplied(
  { entries, results, applied }: Applied,
  queries: readonly Query[],
  { batch, isKept, buffers }: PackedQueries,
): PackedApplied {
  const bare = isKept ? entries.map((entry, i) => bareEntry(entry, queries[i]!)) : entries
  if (!batch) return { entries: bare[0]!, results: results[0], applied, buffers }
  const own = packed(bare, newBuffer)
  const found = packed(results, newBuffer)
  return {
    entries: own.column,
    results: found.column,
    applied,
    buffers: [...buffers, ...own.buffers, ...found.buffers],
  }
}

/** `queries` as they were packed. */
export function unpackApplied(
  { entries, results, applied }: PackedApplied,
  queries: readonly Query[],
  batch: boolean,
): Applied {
  if (!batch) return { entries: [wholeEntry(entries as LogEntry, queries[0]!)], results: [results], applied }
  const bare = Array.from(fromColumn(entries as Column)) as LogEntry[]
  return {
    entries: bare.map((entry, i) => wholeEntry(entry, queries[i]!)),
    results: Array.from(fromColumn(results as Column)),
    applied,
  }
}

function packed(values: readonly unknown[], makeBuffer: MakeBuffer) {
  const buffers: ArrayBuffer[] = []
  const column = toColumn(values, (bytes) => {
    const buffer = makeBuffer(bytes)
    buffers.push(buffer)
    return buffer
  })
  return { column, buffers }
}

function newBuffer(bytes: number): ArrayBuffer {
  return new ArrayBuffer(bytes)
}

function bareEntry(entry: LogEntry, { embedding }: Query): LogEntry | typeof GIVEN {
  if (embedding === undefined) return entry
  const keys = Object.keys(entry)
  const isNothingElse = keys.length === 1 && (entry as Query).embedding === embedding
  return isNothingElse ? GIVEN : exchanged(entry, embedding, GIVEN)
}

function wholeEntry(entry: LogEntry | typeof GIVEN, { embedding }: Query): LogEntry {
  if (entry === GIVEN) return { embedding: embedding! }
  return embedding === undefined ? entry : exchanged(entry, GIVEN, embedding)
}

/** The entry with another embedding wherever it has this one. */
function exchanged(entry: LogEntry, from: unknown, to: unknown): LogEntry {
  if (!('observations' in entry)) return exchangedIn(entry, from, to) as LogEntry
  return { ...entry, observations: entry.observations.map((one) => exchangedIn(one, from, to)) } as LogEntry
}

function exchangedIn(observation: unknown, from: unknown, to: unknown): unknown {
  const isSame = isPlainObject(observation) && observation['embedding'] === from
  return isSame ? { ...observation, embedding: to } : observation
}
