/** What a detector tells the laws about itself. */
import type { Detection, Detector, Snapshot } from '../core/index.ts'

/** What the laws need to know of a detector. */
export interface LawSubject<Obs> {
  /** Says which detector and which options. */
  readonly name: string
  /** A fresh detector, always configured alike. */
  readonly make: () => Detector<Obs, unknown>
  /** `count` valid observations, the same at every call, fresh objects each time; some of them repeat. */
  readonly queries: (count: number) => Obs[]
  /** Observations that must be refused after a few valid ones, by what is wrong with them. */
  readonly bad: Readonly<Record<string, unknown>>
  /** Queries after which the memory no longer grows. */
  readonly window: number
  /** Where the doc states another rule than `score >= threshold`. */
  readonly isSuspicious?: (detection: Detection, index: number) => boolean
  /** A stream in which somebody knows what is suspicious. */
  readonly labelled?: () => readonly { readonly observation: Obs; readonly suspicious: boolean }[]
  /** Another detector's snapshot. */
  readonly foreign: Snapshot
  /** The same detector behind promises: law 12. */
  readonly async?: AsyncSubject
}

/** An asynchronous detector whose features finish out of order. */
export interface AsyncSubject {
  /** `slow` waits longer for earlier queries; `instant` does not wait. Both must judge alike. */
  readonly make: (speed: 'slow' | 'instant') => AsyncLike
  readonly queries: (count: number) => unknown[]
  /** A query whose features cannot be had. */
  readonly failing: unknown
}

interface AsyncLike {
  process(query: never): Promise<Detection>
  snapshot(): Promise<Snapshot>
}

export interface Law {
  readonly name: string
  readonly check: () => void | Promise<void>
}
