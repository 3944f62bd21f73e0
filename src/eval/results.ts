/** What is written down of a run: plain data, one line of JSON a session. */
import type { Figures, Kind, Profile, Role } from './types.ts'

/** How one detector took one session. */
export interface Watched {
  /**
   * Every score that exceeded all scores before it, with its query counted from 1: enough to know the first alarm at any
   * threshold without the session.
   */
  readonly records: readonly (readonly [query: number, score: number])[]
  /** The first query that was suspicious under the configuration as given; undefined if none was. */
  readonly firstAlarm: number | undefined
  /** Queries that were suspicious under the configuration as given. */
  readonly flagged: number
  /** Scores at the shares 0, 1/20 … 1 of the session, ascending. */
  readonly quantiles: readonly number[]
  /** Queries that the detector refused; a session with any is no evidence. */
  readonly errors: number
  /** What the first refusal said. */
  readonly error?: string
  /** The most that it kept, in bytes. */
  readonly peakBytes: number
  /** CPU, µs per query, feature and all: the median and the 99th percentile. */
  readonly micros: { readonly median: number; readonly p99: number }
}

export interface SessionResult {
  /** The client's label in the plan, such as `simba` or `nes_b step=0.0039`. */
  readonly client: string
  readonly kind: Kind
  readonly role: Role
  readonly profile?: Profile
  /** Name of the model. */
  readonly victim: string
  /** Which input of the data it works on. */
  readonly source: number
  readonly split: Split
  /** The run's seed, before client and source are mixed in. */
  readonly seed: number
  readonly queries: number
  readonly success?: number
  /** SHA-256, hex, of all queries and answers. */
  readonly hash: string
  /** What the client noted. */
  readonly figures?: Figures
  /** By the detector's label. */
  readonly detectors: Readonly<Record<string, Watched>>
}

/** Split by source, so that nothing of one is in two: on `calibration` everything is chosen, `heldout` is looked at once. */
export type Split = 'calibration' | 'heldout'

/** What makes a run again. */
export interface RunRecord {
  readonly format: 1
  /** Version of the package, and the revision of its source where it is known. */
  readonly version: string
  readonly revision?: string
  readonly seeds: readonly number[]
  readonly budget: number
  readonly victims: readonly { readonly name: string; readonly hash: string; readonly accuracy?: number }[]
  readonly data: readonly { readonly name: string; readonly hash: string; readonly count: number }[]
  /** Label to name and configuration. */
  readonly detectors: Readonly<Record<string, unknown>>
  readonly clients: Readonly<Record<string, unknown>>
  readonly machine: string
  readonly startedAt: string
}
