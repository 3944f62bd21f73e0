/** What the story's engine tells, in plain data: the worker sends it, the page plays it. */
import type { AnswerFollowingMetadata } from '../../src/core/index.ts'
import type { MonitorDescription, MonitorEvent, Verdict } from '../../src/core/monitor/index.ts'
import type { AttackName, CastName, RoleName } from './names.ts'

/** What a visitor can set, also by the address of the page. */
export interface StoryConfig {
  readonly cast: CastName
  readonly attack: AttackName
  /** Whether a suspicious client is suspended, or only watched. */
  readonly protection: boolean
  /** 0 … 4294967295. */
  readonly seed: number
}

/** One who asks, as the story knows them; the role is told to the visitor at the end. */
export interface LaneInfo {
  readonly role: RoleName
  readonly isAttacker: boolean
}

/** The first of all: who sits in which lane. */
export interface CastEvent {
  readonly kind: 'cast'
  readonly lanes: readonly LaneInfo[]
  /** The monitor before the first query. */
  readonly description: MonitorDescription
  /** Lanes that a state which was loaded knows as suspended. */
  readonly remembered: readonly number[]
}

/** A picture with what the model says of it. */
export interface Shown {
  /** 28 × 28, 8 bits. */
  readonly picture: Uint8Array
  readonly label: number
  /** Probability of the label, 0 … 1. */
  readonly sure: number
}

/** An earlier query of the same lane. */
export interface Near {
  readonly number: number
  /** Largest change of one pixel between the two, in 1/255. */
  readonly change: number
}

/** What the monitor said of a query, for its operator. */
export interface Watched {
  readonly verdict: Verdict
  readonly events: readonly MonitorEvent[]
  /** The monitor as it was then. */
  readonly description: MonitorDescription
  /** Time that the detectors took, in ms. */
  readonly detectMs: number
}

export interface QueryEvent extends Shown {
  readonly kind: 'query'
  readonly lane: number
  /** Counted from 1 in each lane. */
  readonly number: number
  /** ms since the start, in the stream's own time. */
  readonly timeMs: number
  /** Where it lies on the map, −1 … 1. */
  readonly place: readonly [x: number, y: number]
  /** The nearest earlier query of the lane; null for the first. */
  readonly nearest: Near | null
  /** Of answer following: 1 alarms. */
  readonly score: number
  /** How far the first label stands above the others, in nats. */
  readonly margin: number
  /** True where a check for likeness alone would have spoken. */
  readonly isAlike: boolean
  /** Time that the model and the detectors took, in ms. */
  readonly ms: number
  readonly watched: Watched
}

/** A query that was refused before the model saw it. */
export interface RefusedEvent {
  readonly kind: 'refused'
  readonly lane: number
  readonly timeMs: number
}

/** The first alarm of a lane. */
export interface CaughtEvent {
  readonly kind: 'caught'
  readonly lane: number
  readonly number: number
  /** The detector's own sentence. */
  readonly reason: string
  /** What it has found on the path of that query. */
  readonly following: AnswerFollowingMetadata
}

/** The attack has reached its aim: in this run, or, with `isElsewhere`, in the same run without protection. */
export interface SuccessEvent {
  readonly kind: 'success'
  readonly lane: number
  readonly number: number
  readonly isElsewhere: boolean
  readonly original: Shown
  readonly adversarial: Shown
  /** Largest change of one pixel, in 1/255. */
  readonly change: number
}

/** The run is over. */
export interface DoneEvent {
  readonly kind: 'done'
  readonly queries: readonly number[]
  /** Per lane: queries that a check for likeness alone would have spoken of. */
  readonly alike: readonly number[]
}

export type StoryEvent = CastEvent | QueryEvent | RefusedEvent | CaughtEvent | SuccessEvent | DoneEvent
