/** What speaks against a client or a group, whatever the rule by which it is counted. */
import type { Detection, PlainData } from '../../types.ts'

/** How much of the evidence one detector brought. */
export interface Cause {
  /** The place of the detector in the monitor. */
  readonly slot: number
  /** In (0, 1]. */
  readonly share: number
  /** What it saw, in words: the end of a sentence. */
  readonly what: string
}

/** The state of one client or group. */
export interface Evidence {
  /**
   * Learns what the detectors said of a query; undefined where one said nothing. `elapsedMs` is the time since the query
   * before. Returns whether the query has added to the evidence.
   */
  learn(detections: readonly (Detection | undefined)[], elapsedMs: number): boolean
  /** After `elapsedMs` more without a query; at least 0. Compare it with the rule's limits. */
  value(elapsedMs: number): number
  /** The detectors that brought it, the weightiest first. */
  causes(): Cause[]
  /** Takes it back. */
  clear(): void
  save(): PlainData
  /** Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void
  bytes(): number
}

/** How evidence is counted, and from where it leads to what. */
export interface EvidenceRule {
  /**
   * `count`: suspicious queries, in a bucket that leaks · `e-process`: nats, for calibrated detectors, by Ville's bound ·
   * `calibrated`: nats, by what benign clients ever reach.
   */
  readonly kind: 'count' | 'e-process' | 'calibrated'
  readonly throttleAt: number
  readonly suspendAt: number
  /** None against a client that has asked so many queries before. */
  make(queries: number): Evidence
  /** Benign clients that ever reach this much, and one, by as many and one; undefined where that is not known. */
  pValue(value: number): number | undefined
}
