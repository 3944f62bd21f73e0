/** What goes into a monitor and what comes out of it: plain data, all of it. */

import type { PlainError } from '../errors.ts'
import type { Detection, Detector, Observation, Snapshot } from '../types.ts'
import type { CalibratedDetector } from './calibration/calibrator.ts'
import type { MonitorCalibration } from './calibration/record.ts'
import type { ClientLimits, ClientsConfig } from './clients.ts'
import type { Direction } from './evidence/drift.ts'
import type { EvidenceRule } from './evidence/evidence.ts'
import type { Action, Policy, PolicyConfig } from './policy.ts'
import type { Scope } from './slots.ts'
import type { Suspension } from './suspensions.ts'

/** A detector of any kind inside a monitor. */
export type StreamDetector = Detector<Observation, unknown>

/** One detector of a monitor: its registry name, its options, and where it stands. */
export interface MonitoredDetector {
  readonly name: string
  /** Tells two detectors of one name apart; letters, digits, `_`, `.`, `-`. Default: the name. */
  readonly label?: string
  /**
   * `client`: a memory of its own for each client · `group`: one for each group of clients that a query names, for which
   * alone it speaks; it does not apply to queries that name none · `global`: one for all of them. Default `client`.
   */
  readonly scope?: Scope
  /** The detector's own options. */
  readonly [option: string]: unknown
}

export interface StreamMonitorConfig {
  /** At least one, at most 64; a bare name stands for `{ name }`. */
  readonly detectors: readonly (string | MonitoredDetector)[]
  readonly clients?: ClientsConfig
  readonly policy?: PolicyConfig
  /** What benign traffic does here, as `calibrateStreamMonitor` found it: for these detectors, in this order. Default: none. */
  readonly calibration?: MonitorCalibration
}

/** One query as a monitor's log holds it: plain data. */
export interface QueryEntry {
  readonly kind: 'query'
  /** Who asked; '' when unknown. At most 256 characters. */
  readonly client: string
  /**
   * What links the client to others: a prefix of its key or address, the hash of a template, the account that pays. At
   * most 256 characters; '' or none where nothing does.
   */
  readonly group?: string
  readonly id?: string
  /** ms since the epoch, at most 8.64e15. A time earlier than the stream's latest counts as the latest. */
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
  /** Forgets one client: its memories, evidence and suspension. */
  | { readonly kind: 'erase'; readonly client: string; readonly timeMs: number }
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
  /** How the policy wants a refusal to look, where it is not an open one; see `PolicyConfig.reply`. */
  readonly reply?: 'silent' | 'delayed'
  /** Why the client is throttled or suspended, in words and numbers; there where its evidence led to it. For the operator. */
  readonly explanation?: string
  /** Of the detectors that judged it, in their order; `detector` is the label. */
  readonly detections: readonly Detection[]
  /** Labels of the detectors that do not apply to this kind of query. */
  readonly skipped: readonly string[]
  /** Of the detectors that failed on it; the path begins with the label. */
  readonly errors: readonly PlainError[]
  readonly client: {
    readonly id: string
    /** After this query, before a suspension has spent it: suspicious queries, or nats with calibration; at least 0. */
    readonly evidence: number
    /** With calibration of the whole: at most this share of benign clients ever has as much evidence. */
    readonly pValue?: number
    readonly suspendedUntilMs?: number
    /** Where the policy made it longer than the first one: when it began. */
    readonly suspendedSinceMs?: number
  }
  /** The same of the client's group, where groups have evidence. */
  readonly group?: { readonly id: string; readonly evidence: number; readonly pValue?: number }
  readonly id?: string
  readonly timeMs: number
}

/** What `admit` says, before the model runs. */
export type Admission =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      readonly suspendedUntilMs: number
      /** Where the policy made it longer than the first one: when it began. */
      readonly suspendedSinceMs?: number
    }

/** Something that happened to a client. Never carries a query's content. */
export type MonitorEvent =
  | {
      readonly kind: 'suspended'
      readonly client: string
      readonly untilMs: number
      readonly timeMs: number
      /** Why, where the policy did it; see {@link Verdict.explanation}. */
      readonly reason?: string
    }
  | { readonly kind: 'released'; readonly client: string; readonly timeMs: number }
  | { readonly kind: 'erased'; readonly client: string; readonly timeMs: number }
  | { readonly kind: 'evicted'; readonly client: string; readonly timeMs: number }
  | { readonly kind: 'eviction_storm'; readonly evictions: number; readonly timeMs: number }
  /** Benign scores of a detector are no longer those of the calibration: calibrate again. `mean` was ½ then. */
  | {
      readonly kind: 'drift'
      readonly detector: string
      readonly direction: Direction
      readonly mean: number
      readonly timeMs: number
    }

/** A look at a monitor for people and dashboards. Counts since the start or the last reset. */
export interface MonitorDescription {
  readonly detectors: readonly DescribedDetector[]
  readonly policy: Policy
  readonly clients: ClientLimits & { readonly active: number; readonly suspended: number; readonly bytes: number }
  readonly counts: Readonly<Record<CountName, number>>
  /** By which rule evidence is counted, and so in which unit. */
  readonly evidence: EvidenceRule['kind']
  /** What the calibration of the whole promises; undefined without one. */
  readonly calibration?: DescribedCalibration
}

/** A calibration in short, and whether it still holds. */
export interface DescribedCalibration {
  /** The share of benign clients that may ever be suspended. */
  readonly alpha: number
  /** With which probability over calibrations; 0: on average over them. */
  readonly assurance: number
  /** Benign clients it was made on. */
  readonly clients: number
  readonly date: string | null
  /** Names the record. */
  readonly checksum: string
  /** Detectors whose benign scores have moved since. */
  readonly drift: readonly {
    readonly detector: string
    readonly direction: Direction
    readonly mean: number
    readonly sinceMs: number
  }[]
  /** True while nobody is suspended because of drift. */
  readonly isHeld: boolean
}

/** A detector of a monitor, and what it remembers of all clients together. */
export interface DescribedDetector {
  readonly label: string
  readonly name: string
  readonly scope: Scope
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
  /** Now: suspicious queries, or nats with calibration. */
  readonly evidence: number
  readonly lastMs: number
  readonly queries: number
  readonly suspicious: number
  readonly suspendedUntilMs?: number
}

/** All that is held under the name of one client: numbers and features, for whoever asks what is known of them. */
export interface ClientExport {
  readonly id: string
  /** Its group, as of the last query; '' for none, or where only a suspension is left. */
  readonly group: string
  /** As in {@link StreamMonitor.clients}; null where only a suspension is left. */
  readonly summary: ClientSummary | null
  readonly suspension: Suspension | null
  /** What its detectors remember, by label, as their snapshots have it. Detectors that clients share hold no names. */
  readonly memories: readonly { readonly label: string; readonly snapshot: Snapshot }[]
}

/** What came of an entry: a verdict on a query, and events in their order. */
export interface Applied {
  readonly verdict?: Verdict
  readonly events: readonly MonitorEvent[]
}

/** The synchronous monitor over observations. */
export interface StreamMonitor {
  /** The detectors in order, as they were configured. */
  readonly detectors: readonly { readonly label: string; readonly name: string; readonly scope: Scope }[]
  /** Whether a client may ask at this time; O(1), changes nothing. In mode `observe` always. */
  admit(client: string, timeMs: number): Admission
  /** Learns one entry and judges it. Throws `bad_query` for an entry that is malformed as a whole, state unchanged. */
  apply(entry: QueryEntry): { readonly verdict: Verdict; readonly events: readonly MonitorEvent[] }
  apply(entry: Entry): Applied
  /** Most recently seen last. */
  clients(): ClientSummary[]
  /** Every suspension in force, oldest first: what a mirror needs to answer `admit`. */
  suspensions(): { readonly client: string; readonly untilMs: number; readonly sinceMs: number | null }[]
  /** All that is held under a client's name; undefined where nothing is. O(its memories). Throws `bad_query`. */
  exportClient(client: string): ClientExport | undefined
  /** What a calibration of each detector is bound to. */
  subjects(): CalibratedDetector[]
  snapshot(): Snapshot
  /** Throws `bad_snapshot` and keeps its state if the snapshot is of other detectors or damaged. */
  restore(snapshot: Snapshot): void
  reset(): void
  describe(): MonitorDescription
}
