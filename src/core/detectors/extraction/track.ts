/** The track record of both surrogates: the last queries, each foretold before it was learned. */

import { refuse } from '../../checkers.ts'
import { Ring } from '../../ring.ts'
import { readDoubles } from '../../state.ts'
import type { PlainData } from '../../types.ts'
import { type Agreement, MOST_CLASSES, Pairs } from './agreement.ts'
import type { Kind } from './surrogates.ts'

/** The pair of an outcome lies above two bits: whether each surrogate was right. */
const TREE = 1
const LINEAR = 2
const FLAGS = 4

export class Track {
  readonly #outcomes: Ring<number>
  readonly #pairs = new Pairs()
  #tree = 0
  #linear = 0

  constructor(capacity: number) {
    this.#outcomes = new Ring(capacity)
  }

  get size(): number {
    return this.#outcomes.items.length
  }

  /** Which has foretold more; the tree of equals. */
  get leader(): Kind {
    return this.#linear > this.#tree ? 'linear' : 'tree'
  }

  /** Notes the model's label beside the guesses; the leader's, by what went before, is the one that was made. */
  push(label: number, guesses: Readonly<Record<Kind, number>>): void {
    const hits = (guesses.tree === label ? TREE : 0) + (guesses.linear === label ? LINEAR : 0)
    this.#push(FLAGS * Pairs.codeOf(label, guesses[this.leader]) + hits)
  }

  agreement(): Agreement {
    return this.#pairs.agreement()
  }

  save(): PlainData {
    return Float64Array.from(this.#outcomes.list())
  }

  /** Throws `bad_snapshot`. */
  static read(state: PlainData, capacity: number, classes: number): Track {
    const path = 'state.outcomes'
    const outcomes = readDoubles(state, path, capacity)
    const isGood = (code: number) => {
      const pair = Math.floor(code / FLAGS)
      return Number.isInteger(code) && code >= 0 && pair / MOST_CLASSES < classes && pair % MOST_CLASSES < classes
    }
    if (!outcomes.every(isGood)) refuse('bad_snapshot', `must be outcomes of ${classes} classes`, state, path)
    const track = new Track(capacity)
    for (const outcome of outcomes) track.#push(outcome)
    return track
  }

  #push(outcome: number): void {
    const left = this.#outcomes.push(outcome)
    if (left !== undefined) this.#count(left, -1)
    this.#count(outcome, 1)
  }

  #count(outcome: number, times: 1 | -1): void {
    this.#pairs.add(Math.floor(outcome / FLAGS), times)
    if (((outcome % FLAGS) & TREE) !== 0) this.#tree += times
    if (((outcome % FLAGS) & LINEAR) !== 0) this.#linear += times
  }
}
