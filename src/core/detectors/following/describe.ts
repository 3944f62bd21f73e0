/** What answer following says of a query: its place, and what its path shows, as numbers and in a sentence. */
import type { Bisection } from './bisection.ts'
import {
  CHOICE,
  CORRELATION,
  LEFT_DOWN,
  LEFT_UP,
  type Memory,
  REFERENCE,
  SLOPE,
  SLOPES,
  TAKEN_DOWN,
  TAKEN_UP,
  WIDTH,
} from './memory.ts'

/** Queries are counted from 1, since the start or the last reset. */
export interface AnswerFollowingMetadata {
  /** `new`: near no remembered query, it begins a group · `repeat`: the same as its parent, not kept · `step`: a child. */
  readonly kind: 'new' | 'repeat' | 'step'
  /** The parent; null for a new group. */
  readonly parent: number | null
  /** The class whose margin is followed: that of the group's first query. */
  readonly referenceClass: number
  /** Margin of this query, in nats: how far that class stands above the strongest other. */
  readonly margin: number
  /** The test with the most evidence; null if none has any. */
  readonly test: 'choice' | 'slope' | 'bisection' | null
  /** Of that test, in nats. */
  readonly evidence: number
  /** Steps on the path that were taken, and how many of them lowered the margin; the same of those beside it that were left. */
  readonly taken: number
  readonly takenDown: number
  readonly left: number
  readonly leftDown: number
  /** Adoptions on the path whose slope was tested, and the rank correlation of the last: −1 straight downhill, 1 uphill. */
  readonly slopes: number
  readonly correlation: number
  /** Halvings of the client that were tested, and those that went to the half in which the class changes. */
  readonly halvings: number
  readonly towards: number
}

/** Where a query went. */
export interface Place {
  readonly kind: AnswerFollowingMetadata['kind']
  /** Its slot; the parent's for a repeat. */
  readonly slot: number
  readonly parent: number | null
  readonly margin: number
  /** True if it went on with a bisection. */
  readonly bisects: boolean
}

export function describePlace(
  memory: Memory,
  { kind, slot, parent, margin, bisects }: Place,
  { evidence: bisected, halvings, towards }: Bisection['state'],
): AnswerFollowingMetadata {
  const { rows } = memory
  const from = slot * WIDTH
  const at = (column: number) => rows[from + column]!
  let test: AnswerFollowingMetadata['test'] = null
  let evidence = 0
  if (at(CHOICE) > evidence) {
    test = 'choice'
    evidence = at(CHOICE)
  }
  if (at(SLOPE) > evidence) {
    test = 'slope'
    evidence = at(SLOPE)
  }
  if (bisects && bisected > evidence) {
    test = 'bisection'
    evidence = bisected
  }
  return {
    kind,
    parent,
    referenceClass: at(REFERENCE),
    margin,
    test,
    evidence,
    taken: at(TAKEN_DOWN) + at(TAKEN_UP),
    takenDown: at(TAKEN_DOWN),
    left: at(LEFT_DOWN) + at(LEFT_UP),
    leftDown: at(LEFT_DOWN),
    slopes: at(SLOPES),
    correlation: at(CORRELATION),
    halvings,
    towards,
  }
}

export function reasonFor(metadata: AnswerFollowingMetadata, limit: number): string {
  const { kind, parent, margin, test, evidence, slopes, correlation, halvings, towards } = metadata
  const { taken, takenDown, left, leftDown } = metadata
  const place =
    kind === 'new'
      ? `Near no remembered query; its margin is ${margin.toFixed(2)}.`
      : `${kind === 'repeat' ? 'Repeats' : 'Builds on'} query ${parent}.`
  if (test === null) return `${place} Nothing on its path follows the answers.`
  const words = {
    choice: `of ${taken} steps that it took ${takenDown} lowered the margin, of ${left} that it left ${leftDown}`,
    slope: `${slopes} steps were compared with the slope of the probes before them, the last with a correlation of ${correlation.toFixed(2)}`,
    bisection: `${towards} of ${halvings} halvings went to the side of the boundary`,
  }
  return `${place} ${words[test]}: evidence ${evidence.toFixed(2)} of ${limit.toFixed(2)}${evidence >= limit ? '; it follows the answers' : ''}.`
}
