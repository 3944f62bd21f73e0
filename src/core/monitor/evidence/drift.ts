/**
 * Has the benign population changed? Then the calibration no longer holds, and it is time for a new one.
 *
 * Clients contribute a score now and then, as its height among typical ones, in [0, 1]: with their second query, their
 * fourth, eighth and so on, and otherwise after gaps that double from ten minutes to a day, so that a few busy ones do not
 * pass for a crowd. Typical are the scores of clients with about as many queries, for many detectors score a client's first
 * queries low. ADWIN looks whether the mean has moved, from the calibration's own on.
 */

import { placeAfter } from '../../sorted.ts'
import { readNumber, readState } from '../../state.ts'
import { Adwin } from '../../stats/adwin.ts'
import type { PlainData } from '../../types.ts'
import { SPANS, spanOf } from './book.ts'

/** Typical scores kept of each span. */
export const TYPICAL = 32
const FIRST_GAP_MS = 600_000
const LONGEST_GAP_MS = 86_400_000
/** Often enough asked that 0.002, the usual, would give false alarms: queries of clients are not independent. */
const DELTA = 1e-5
/** What ADWIN starts from, so that a population that is another from the first day on shows. */
const PRELOADED = 1024
/** A mean this near to ½ is that of the calibration again. */
const NEAR = 0.05

/** When a client's score counts next. */
export class DriftPace {
  /** The number of the query, and the time, of which one must be reached. */
  #next = 2
  #nextMs = Number.MAX_VALUE
  #gapMs = FIRST_GAP_MS

  /** True if the client's n-th query counts; the next one then counts later. */
  isDue(n: number, timeMs: number): boolean {
    if (n < this.#next && timeMs < this.#nextMs) return false
    this.#next = 2 * n
    this.#nextMs = timeMs + this.#gapMs
    this.#gapMs = Math.min(2 * this.#gapMs, LONGEST_GAP_MS)
    return true
  }

  save(): PlainData {
    return { next: this.#next, nextMs: this.#nextMs, gapMs: this.#gapMs }
  }

  /** Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['next', 'nextMs', 'gapMs'])
    const number = { max: Number.MAX_VALUE, fraction: true }
    const next = readNumber(fields['next'], 'drift.next', number)
    const nextMs = readNumber(fields['nextMs'], 'drift.nextMs', number)
    this.#gapMs = readNumber(fields['gapMs'], 'drift.gapMs', number)
    this.#next = next
    this.#nextMs = nextMs
  }
}

/** Scores of benign clients, ascending, by the span of the client; some may be empty, not all. */
export type Typical = readonly (readonly number[])[]

/** Which way the scores of a detector have gone. */
export type Direction = 'higher' | 'lower'

/** The drift of one detector's benign scores. State: 3 kB. */
export class Drift {
  readonly #typical: Typical
  #adwin: Adwin
  #direction: Direction | null = null
  #sinceMs = 0

  constructor(typical: Typical) {
    this.#typical = typical
    this.#adwin = preloaded(typical)
  }

  get direction(): Direction | null {
    return this.#direction
  }

  /** When it was found; 0 while there is none. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** The mean height among typical scores, ½ as calibrated. */
  get mean(): number {
    return this.#adwin.mean
  }

  /** Adds the score of a benign client's n-th query. Returns true when a drift begins, or turns round. */
  push(score: number, n: number, timeMs: number): boolean {
    const isCut = this.#adwin.push(heightAmong(typicalAt(this.#typical, spanOf(n)), score))
    if (!isCut && this.#direction === null) return false
    const apart = this.mean - 0.5
    const now = Math.abs(apart) < NEAR ? null : apart > 0 ? 'higher' : 'lower'
    if (now === this.#direction || !(isCut || now === null)) return false
    this.#direction = now
    this.#sinceMs = now === null ? 0 : timeMs
    return now !== null
  }

  save(): PlainData {
    return { adwin: this.#adwin.save(), direction: this.#direction, sinceMs: this.#sinceMs }
  }

  /** Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['adwin', 'direction', 'sinceMs'])
    const sinceMs = readNumber(fields['sinceMs'], 'drift.sinceMs', { max: Number.MAX_VALUE, fraction: true })
    const adwin = new Adwin({ delta: DELTA })
    adwin.load(fields['adwin']!)
    this.#adwin = adwin
    this.#direction = fields['direction'] === 'higher' || fields['direction'] === 'lower' ? fields['direction'] : null
    this.#sinceMs = sinceMs
  }
}

/** ADWIN as if it had seen typical scores, in an order without a trend. */
function preloaded(typical: Typical): Adwin {
  const adwin = new Adwin({ delta: DELTA })
  const heights = typical.flatMap((scores) => scores.map((score) => heightAmong(scores, score)))
  // Steps of 1/φ of the length visit a list evenly (Weyl).
  for (let i = 1; i <= PRELOADED; i++) adwin.push(heights[Math.floor(((i * 0.618033988749895) % 1) * heights.length)]!)
  return adwin
}

/** The scores of this span, or of the nearest known one below it, or else of the lowest. */
function typicalAt(typical: Typical, span: number): readonly number[] {
  const below = typical.slice(0, span + 1).findLast(({ length }) => length > 0)
  return below ?? typical.find(({ length }) => length > 0)!
}

/** How far up a score stands, in [0, 1]: ½ on average; equal ones count half. */
function heightAmong(typical: readonly number[], score: number): number {
  const above = placeAfter(typical, typical.length, score)
  let equal = 0
  while (equal < above && typical[above - 1 - equal] === score) equal++
  return (above - equal / 2) / typical.length
}

/** Makes {@link Typical} of the scores of each span. */
export function typicalOf(scores: readonly (readonly number[])[]): number[][] {
  return Array.from({ length: SPANS }, (_, span) => {
    const sorted = Float64Array.from(scores[span] ?? []).sort()
    const count = Math.min(TYPICAL, sorted.length)
    return Array.from({ length: count }, (_, i) => sorted[Math.floor(((i + 0.5) * sorted.length) / count)]!)
  })
}
