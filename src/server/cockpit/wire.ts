/** What the server sends, as far as this page looks at it. */
import type {
  Action,
  ClientSummary,
  DescribedCalibration,
  MonitorDescription,
  MonitorEvent,
  Policy,
} from '../../core/monitor/index.ts'
import type { DetectionSummary, VerdictSummary } from '../http/recent.ts'
import type { ScoreUnit, WatchedDetector } from '../http/watched.ts'

export type { Action, ClientSummary, DetectionSummary, Policy, ScoreUnit, VerdictSummary }

/** What became of a query: the action that enforcement takes or would take, or a suspended client turned away. */
export type Decision = Action | 'refused'

/** A histogram: upper bounds, inclusive, and a count for each, with one more for what lies above all of them. */
export interface Scores {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

export interface StatusDetector extends WatchedDetector {
  readonly backend: string | null
  /** These and the scores since the server's start. */
  readonly judged: number
  readonly suspicious: number
  readonly errors: number
  readonly scores: Scores
}

export interface StatusModel {
  readonly name: string
  readonly calibratedAt: string | null
  readonly calibration: DescribedCalibration | null
  /** The rule by which evidence is counted. */
  readonly evidence: MonitorDescription['evidence']
  readonly policy: Policy
  readonly detectors: readonly StatusDetector[]
}

/** `GET /v1/status` */
export interface Status {
  readonly build: { readonly version: string; readonly runtime: string }
  readonly startedMs: number
  readonly state: 'starting' | 'ready' | 'stopping'
  readonly limits: Readonly<Record<string, number>>
  readonly models: readonly StatusModel[]
}

/** One model in a tick. Counts since the server's start. */
export interface TickModel {
  readonly name: string
  readonly counts: { readonly queries: number; readonly suspicious: number }
  readonly decisions: Readonly<Record<Decision, number>>
  readonly active: number
  readonly suspended: number
}

/** What the stream of events says each second, and first of all. */
export interface Tick {
  readonly timeMs: number
  readonly models: readonly TickModel[]
  readonly inFlight: number
}

/** `GET /v1/clients` */
export interface Clients {
  /** How many are remembered; the list may be shorter. */
  readonly total: number
  readonly clients: readonly (ClientSummary & { readonly reason?: string })[]
}

/** `GET /v1/clients/:id` */
export interface ClientDetail {
  readonly client: ClientSummary
  /** Newest first. */
  readonly queries: readonly VerdictSummary[]
}

/** An event that people want to know of. */
export type Happening =
  | ({ readonly kind: 'verdict'; readonly model: string; readonly client: string } & VerdictSummary)
  | (MonitorEvent & { readonly model: string })
  | { readonly kind: 'reload'; readonly timeMs: number }
  | { readonly kind: 'backendchange'; readonly model: string; readonly timeMs: number; readonly text: string }
