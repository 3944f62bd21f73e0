/** What goes into a monitor and what comes out of it: plain data, all of it. */

import type { PlainError } from '../errors.ts'
import type { Detection, Observation, Snapshot } from '../types.ts'
import type { ClientLimits, ClientsConfig } from './clients.ts'
import type { Action, Policy, PolicyConfig } from './policy.ts'

/** One detector of a monitor: its registry name, its options, and where it stands. */
export interface MonitoredDetector {
  readonly name: string
  /** Tells two detectors of one name apart; letters, digits, `_`, `.`, `-`. Default: the name. */
  readonly label?: string
  /** `client`: a memory of its own for each client · `global`: one for all of them. Default `client`. */
  readonly scope?: 'client' | 'global'
  /** The detector's own options. */
  readonly [option: string]: unknown
}

export interface StreamMonitorConfig {
  /** At least one, at most 64; a bare name stands for `{ name }`. */
  readonly detectors: readonly (string | MonitoredDetector)[]
  readonly clients?: ClientsConfig
  readonly policy?: PolicyConfig
}

/** One query as a monitor's log holds it: plain data. */
export interface QueryEntry {
  readonly kind: 'query'
  /** Who asked; '' when unknown. At most 256 characters. */
  readonly client: string
  readonly id?: string
  /** ms since the epoch. A time earlier than the stream's latest counts as the latest. */
  readonly timeMs: number
  /**
   * For each detector in order: what it shall eat, why that could not be had, or null where it does not apply. A detector
   * that needs the time gets the stream's.
   */
  readonly observations: readonly (Observation | PlainError | null)[]
}

/** All that a monitor eats, in one order. */
export type Entry =
  | QueryEntry
  | { readonly kind: 'suspend'; readonly client: string; readonly timeMs: number; readonly untilMs: number }
  | { readonly kind: 'release'; readonly client: string; readonly timeMs: number }
  /** Forgets every client that was not seen for `unseenMs`, and suspensions that have ended. */
  | { readonly kind: 'expire'; readonly timeMs: number; readonly unseenMs: number }

/** What a monitor says of one query. Plain data. */
export interface Verdict {
  /** Some detector found it suspicious, or none could judge it under `onError: 'closed'`. */
  readonly suspicious: boolean
  /** What the host shall do. Never more than `flag` in mode `observe`. */
  readonly action: Action
  /** What enforcement would do. Equal to `action` in mode `enforce`. */
  readonly proposed: Action
  /** Of the detectors that judged it, in their order; `detector` is the label. */
  readonly detections: readonly Detection[]
  /** Labels of the detectors that do not apply to this kind of query. */
  readonly skipped: readonly string[]
  /** Of the detectors that failed on it; the path begins with the label. */
  readonly errors: readonly PlainError[]
  readonly client: {
    readonly id: string
    /** After this query. See {@link PolicyConfig}. */
    readonly evidence: number
    readonly suspendedUntilMs?: number
  }
  readonly id?: string
  readonly timeMs: number
}

/** What `admit` says, before the model runs. */
export type Admission = { readonly allowed: true } | { readonly allowed: false; readonly suspendedUntilMs: number }

/** Something that happened to a client. Never carries a query's content. */
export type MonitorEvent =
  | { readonly kind: 'suspended'; readonly client: string; readonly untilMs: number; readonly timeMs: number }
  | { readonly kind: 'released'; readonly client: string; readonly timeMs: number }
  | { readonly kind: 'evicted'; readonly client: string; readonly timeMs: number }
  | { readonly kind: 'eviction_storm'; readonly evictions: number; readonly timeMs: number }

/** A look at a monitor for people and dashboards. Counts since the start or the last reset. */
export interface MonitorDescription {
  readonly detectors: readonly DescribedDetector[]
  readonly policy: Policy
  readonly clients: ClientLimits & { readonly active: number; readonly suspended: number; readonly bytes: number }
  readonly counts: Readonly<Record<CountName, number>>
}

/** A detector of a monitor, and what it remembers of all clients together. */
export interface DescribedDetector {
  readonly label: string
  readonly name: string
  readonly scope: 'client' | 'global'
  /** Queries remembered. */
  readonly entries: number
  /** Estimated bytes of them. */
  readonly bytes: number
}

/** What a monitor counts. */
export const COUNTS = ['queries', 'suspicious', 'errors', 'allow', 'flag', 'throttle', 'suspend', 'evictions'] as const
export type CountName = (typeof COUNTS)[number]

/** One line of `clients()`. */
export interface ClientSummary {
  readonly id: string
  readonly evidence: number
  readonly lastMs: number
  readonly queries: number
  readonly suspicious: number
  readonly suspendedUntilMs?: number
}

/** The synchronous monitor over observations. */
export interface StreamMonitor {
  /** The detectors in order, as they were configured. */
  readonly detectors: readonly { readonly label: string; readonly name: string; readonly scope: 'client' | 'global' }[]
  /** Whether a client may ask at this time; O(1), changes nothing. In mode `observe` always. */
  admit(client: string, timeMs: number): Admission
  /** Learns one entry and judges it. Throws `bad_query` for an entry that is malformed as a whole, state unchanged. */
  apply(entry: QueryEntry): { readonly verdict: Verdict; readonly events: readonly MonitorEvent[] }
  apply(entry: Entry): { readonly verdict?: Verdict; readonly events: readonly MonitorEvent[] }
  /** Most recently seen last. */
  clients(): ClientSummary[]
  /** Every suspension in force, oldest first: what a mirror needs to answer `admit`. */
  suspensions(): { readonly client: string; readonly untilMs: number }[]
  snapshot(): Snapshot
  /** Throws `bad_snapshot` and keeps its state if the snapshot is of other detectors or damaged. */
  restore(snapshot: Snapshot): void
  reset(): void
  describe(): MonitorDescription
}
