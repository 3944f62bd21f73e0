/** What a journal is told, and what it tells. */
import { checkChoice, checkNumber, type PlainError } from '../../core/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'
import type { Stores } from '../stores/store.ts'

export interface JournalOptions {
  readonly stores: Pick<Stores, 'log' | 'snapshots'>
  /**
   * What becomes of an entry that cannot be written. `closed`: it is refused with `store_failed` and not learned; `open`:
   * it is judged in memory, which the verdict's `errors` say, and written once the store answers again. Default `closed`.
   */
  readonly onError?: 'open' | 'closed'
  /** How long a write may take before it counts as failed. Default 5000. */
  readonly timeoutMs?: number
  /** Time between two attempts to reach a store that failed. Default 1000. */
  readonly retryMs?: number
  /**
   * Entries after which a snapshot is written; later if the state is more than eight times as large as they are, so that a
   * large one is not written all the time. Default 1000.
   */
  readonly snapshotEvery?: number
  /** Entries accepted and not yet settled; one more is refused as `overloaded`. Default 8192. */
  readonly maxWaiting?: number
  /** Bytes of entries judged in memory that wait for the store; of those beyond, only a snapshot is kept. Default 16 MiB. */
  readonly maxBacklogBytes?: number
  readonly onEvent?: (event: JournalEvent) => void
  /** Told of entries that others have written, once they are applied. */
  readonly onFollowed?: (applied: MonitorApplied) => void
}

/** Something that happened to a journal. */
export type JournalEvent =
  | { readonly kind: 'store_failed'; readonly error: PlainError }
  /** `unsaved` entries were judged in memory meanwhile; `lost` of them are in no log of several writers. */
  | { readonly kind: 'store_recovered'; readonly unsaved: number; readonly lost: number }
  | { readonly kind: 'snapshot_failed'; readonly error: PlainError }

/** A look at a journal for people and dashboards. Counts since it was opened. */
export interface JournalDescription {
  readonly state: 'open' | 'failing' | 'closed'
  /** Of the last entry in the state that is in the log. */
  readonly position: string
  /** Entries and bytes in the log behind the last snapshot. */
  readonly entries: number
  readonly bytes: number
  /** Entries not yet settled. */
  readonly waiting: number
  readonly failures: number
  /** Judged in memory only, and refused, because the store had failed. */
  readonly unsaved: number
  readonly refused: number
  readonly lost: number
  /** Queries that were delivered again, and counted once. */
  readonly duplicates: number
  readonly snapshots: number
  readonly snapshotFailures: number
}

/** All of them but the stores. */
export type Settings = Required<Omit<JournalOptions, 'stores'>>

const MAX_MS = 2 ** 31 - 1

const DEFAULTS: Settings = {
  onError: 'closed',
  timeoutMs: 5000,
  retryMs: 1000,
  snapshotEvery: 1000,
  maxWaiting: 8192,
  maxBacklogBytes: 16 * 2 ** 20,
  onEvent: () => {},
  onFollowed: () => {},
}

/** Checks the options and fills their gaps. Throws `bad_config`. */
export function checkOptions(given: Omit<JournalOptions, 'stores'>): Settings {
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  const options = { ...DEFAULTS, ...Object.fromEntries(known) } as typeof DEFAULTS
  checkChoice(options.onError, ['open', 'closed'], 'journal.onError')
  checkNumber(options.timeoutMs, { min: 1, max: MAX_MS }, 'journal.timeoutMs')
  checkNumber(options.retryMs, { min: 1, max: MAX_MS }, 'journal.retryMs')
  for (const key of ['snapshotEvery', 'maxWaiting'] as const) {
    checkNumber(options[key], { min: 1, integer: true }, `journal.${key}`)
  }
  checkNumber(options.maxBacklogBytes, { min: 0 }, 'journal.maxBacklogBytes')
  return options
}
