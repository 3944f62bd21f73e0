/**
 * Where a monitor's log and its snapshots are kept. A log holds bytes in one order; what they mean is the journal's
 * business. Every store obeys one suite of tests, `test/stores/suite.ts`.
 */
import { MonitorError } from '../../core/index.ts'

/** An entry and where it stands. */
export interface LogRecord {
  readonly position: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Where an append went. */
export interface Appended {
  /** One for each entry, in order. */
  readonly positions: readonly string[]
  /**
   * The end of the log before it: who has read up to there has missed nothing. Undefined where the log cannot tell, or
   * where entries of others stand in between.
   */
  readonly after: string | undefined
  /** What stands between `since` and these, where it was asked for and is short: it need not be read then. */
  readonly between?: readonly LogRecord[]
}

/**
 * An ordered log. Positions are texts that order as the entries do (`<`), and '' is before all of them; a position is never
 * given twice. Calls may overlap: appends take effect in the order they were made.
 */
export interface LogStore {
  /** True where other writers append as well, so that an entry's place is known only afterwards. */
  readonly isShared: boolean
  /** The largest entry that it takes. */
  readonly maxBytes: number
  /**
   * Adds at least one entry; resolves once they are durable. After a rejection some of them may be there: who needs to know
   * reads. Entries are copied or written before it returns. `since` is how far the caller has read.
   */
  append(entries: readonly Uint8Array[], since?: string): Promise<Appended>
  /**
   * All entries behind a position, in order, as they are when it is asked. Rejects with `bad_snapshot` where one is damaged
   * or missing; only an entry that was cut short by a crash at the very end, and so never acknowledged, is left out.
   */
  read(after: string): AsyncIterable<LogRecord>
  /** Everything up to this position may go; how much of it goes is the store's choice, unless all of it must. */
  trim(upTo: string, options?: { readonly all?: boolean }): Promise<void>
  /** Entries up to this position are gone, '' if none is: who has not read so far must start from a snapshot. */
  trimmed(): Promise<string>
  /** The position of the last entry, '' where there was none. A log that others write to has it. */
  end?(): Promise<string>
}

/** The last snapshot and the position in the log that it stands for. */
export interface SnapshotStore {
  load(): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly position: string } | undefined>
  /** Replaces the snapshot as a whole or not at all. One of an earlier position than that which is there is ignored. */
  save(bytes: Uint8Array, position: string): Promise<void>
  /** False where another writer has begun to write one a moment ago, so that this one may wait. */
  claim?(): Promise<boolean>
}

/**
 * Who is suspended, for whoever has not read the log so far: a note for each client with the position of its entry. The
 * latest counts.
 */
export interface SuspensionBoard {
  /** Until when; 0 for one that was released. Nobody waits for it. */
  post(client: string, untilMs: number, position: string): void
  /** As far as it is known here: O(1). */
  of(client: string): { readonly untilMs: number; readonly position: string } | undefined
}

/** Both of one monitor. */
export interface Stores {
  readonly log: LogStore
  readonly snapshots: SnapshotStore
  readonly suspensions?: SuspensionBoard
  /** Tells the end of the log when others have written, until the returned function is called. */
  onNews?(listener: (end: string) => void): () => void
  /**
   * The latest time that an entry may have, ms since the epoch, by the clock of the log: an entry from the far future would
   * end everybody's suspensions.
   */
  latestMs?(): number
  /** Frees what it holds: files, connections, the lock. Waits for calls under way. */
  close(): Promise<void>
}

/** The number of an entry, which must be the one behind `before`. Throws `bad_snapshot` where one is missing. */
export function checkFollows(number: unknown, before: number): number {
  if (number === before + 1) return number
  const found = number === undefined ? 'the log ends' : `entry ${positionOf(Number(number))} comes next`
  const message = `entry ${positionOf(before + 1)} is missing: ${found}; take the store from a copy, or move it away`
  throw new MonitorError('bad_snapshot', message, 'log')
}

/** Digits of a position that is a running number: those of 2^53. */
const DIGITS = 16

/** The position of the entry of this number; the first entry has number 1. */
export function positionOf(number: number): string {
  return number === 0 ? '' : String(number).padStart(DIGITS, '0')
}

/** Back to the number; 0 for ''. */
export function numberOf(position: string): number {
  return Number(position)
}

/** Where entries went that were numbered on from `last`. */
export function appendedAfter(last: number, count: number): Appended {
  return { positions: Array.from({ length: count }, (_, i) => positionOf(last + 1 + i)), after: positionOf(last) }
}
