/**
 * Queries and their answers as they cross: batches as columns, and what the page has anyway not at all.
 *
 * The log on the page needs the entry of each query. An embedding that came with the query is the largest part of it and is
 * still there, so the worker names it instead of sending it back.
 */
import { isPlainObject, type Observation } from '../core/index.ts'
import type { Query } from '../embed/index.ts'
import { type Column, fromColumn, toColumn } from './columns.ts'
import type { Applied, LogEntry } from './protocol.ts'

/** Stands for the embedding of the query. */
const GIVEN = 'given'

export interface PackedQueries {
  readonly list: Column
  /** True if whoever asks still has them when the answer comes. */
  readonly isKept: boolean
}

export interface PackedApplied {
  readonly entries: Column
  readonly results: Column
  readonly applied: number
}

/** Moved queries are not kept, and stay one by one: their buffers go as they are. */
export function packQueries(queries: readonly Query[], isKept: boolean): PackedQueries {
  return { list: isKept ? toColumn(queries) : { kind: 'list', values: queries }, isKept }
}

export function unpackQueries({ list }: PackedQueries): readonly Query[] {
  return Array.from(fromColumn(list)) as Query[]
}

/** `queries` are those that `isKept` was said of; without them entries go whole. */
export function packApplied(
  { entries, results, applied }: Applied,
  queries: readonly Query[] | undefined,
): PackedApplied {
  const bare = queries === undefined ? entries : entries.map((entry, i) => bareEntry(entry, queries[i]!))
  return { entries: toColumn(bare), results: toColumn(results), applied }
}

/** `queries` as they were packed. */
export function unpackApplied({ entries, results, applied }: PackedApplied, queries: readonly Query[]): Applied {
  const bare = Array.from(fromColumn(entries)) as LogEntry[]
  return {
    entries: bare.map((entry, i) => wholeEntry(entry, queries[i]!)),
    results: Array.from(fromColumn(results)),
    applied,
  }
}

function bareEntry(entry: LogEntry, { embedding }: Query): LogEntry {
  return embedding === undefined ? entry : exchanged(entry, embedding, GIVEN)
}

function wholeEntry(entry: LogEntry, { embedding }: Query): LogEntry {
  return embedding === undefined ? entry : exchanged(entry, GIVEN, embedding)
}

/** The entry with another embedding wherever it has this one. */
function exchanged(entry: LogEntry, from: unknown, to: unknown): LogEntry {
  if (!('observations' in entry)) return exchangedIn(entry as Observation, from, to) as LogEntry
  return { ...entry, observations: entry.observations.map((one) => exchangedIn(one, from, to)) } as LogEntry
}

function exchangedIn(observation: unknown, from: unknown, to: unknown): unknown {
  const isSame = isPlainObject(observation) && observation['embedding'] === from
  return isSame ? { ...observation, embedding: to } : observation
}
