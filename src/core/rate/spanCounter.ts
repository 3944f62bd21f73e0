/** How many queries came within the last span of time. */
import { elementType, refuse } from '../checkers.ts'
import { readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'

/** Cells that a span is divided into. */
const CELLS = 60

/** The part of a span that its count covers at least. */
export const COVERED = (CELLS - 1) / CELLS
/** Estimated bytes of a counter. */
export const COUNTER_BYTES = 4 * CELLS + 64

/**
 * Counts by cells of a sixtieth of the span, the oldest of which leaves as a whole: the count covers the last 59/60 to
 * 60/60 of the span, in memory that does not depend on how many there are. Times must not fall.
 */
export class SpanCounter {
  readonly #cellMs: number
  /** Cell number n lies in place n modulo 60. */
  readonly #counts = new Uint32Array(CELLS)
  /** The number of the newest cell. */
  #newest = 0
  #sum = 0

  constructor(spanMs: number) {
    this.#cellMs = spanMs / CELLS
  }

  /** Queries within the span before the latest one, that one included. */
  get count(): number {
    return this.#sum
  }

  add(timeMs: number): void {
    const cell = Math.floor(timeMs / this.#cellMs)
    const passed = Math.min(cell - this.#newest, CELLS)
    for (let i = 0; i < passed; i++) {
      const place = (cell - i) % CELLS
      this.#sum -= this.#counts[place]!
      this.#counts[place] = 0
    }
    this.#newest = cell
    this.#counts[cell % CELLS]!++
    this.#sum++
  }

  save(): PlainData {
    return { counts: this.#counts.slice(), newest: this.#newest }
  }

  /** Throws `bad_snapshot`. */
  static read(spanMs: number, state: PlainData, path: string): SpanCounter {
    const saved = readState(state, ['counts', 'newest'])
    const counts = saved['counts'] as Uint32Array
    const isWhole = elementType(counts) === 'Uint32Array' && counts.length === CELLS
    if (!isWhole) refuse('bad_snapshot', `must be a Uint32Array of ${CELLS}`, counts, `${path}.counts`)
    const counter = new SpanCounter(spanMs)
    counter.#newest = readNumber(saved['newest'], `${path}.newest`)
    counter.#counts.set(counts)
    counter.#sum = counts.reduce((sum, count) => sum + count, 0)
    return counter
  }
}
