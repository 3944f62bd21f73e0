/** P-values of a stream against its own past, without any calibration. */
import { checkNumber } from '../checkers.ts'
import { readDoubles, readState } from '../state.ts'
import type { PlainData } from '../types.ts'
import { SortedNumbers } from './sortedNumbers.ts'

const MOST_REMEMBERED = 65_536
const SHARE = { min: 0, max: 1 }
const ANY = {}

/**
 * The rank of each score among itself and those before it, as a smoothed p-value, low for a high score:
 *
 *     p_t = (#{s ≤ t : a_s > a_t} + u #{s ≤ t : a_s = a_t}) / t
 *
 * While the scores are exchangeable and u is uniform and independent of them, the p-values are independent and uniform
 * on [0, 1], exactly (Vovk, Gammerman and Shafer 2005, theorem 8.2): what the e-processes eat. So who has joined the
 * stream must not depend on the scores.
 *
 * Memory is bounded by beginning anew: once `capacity` scores are remembered, all are forgotten. The order within each
 * such block is independent of the other blocks, so the p-values stay independent and uniform; dropping the oldest score
 * alone would break that. The first p-value of a block is u itself.
 */
export class SequentialRanks {
  readonly #capacity: number
  #sorted = new SortedNumbers()

  /** @param capacity Scores in a block, 2 … 65 536. Throws `bad_config`. */
  constructor(capacity: number) {
    this.#capacity = checkNumber(capacity, { min: 2, max: MOST_REMEMBERED, integer: true }, 'capacity')
  }

  /** Scores remembered. */
  get size(): number {
    return this.#sorted.count
  }

  /**
   * The p-value of a score, which then is remembered.
   *
   * @param score Finite, higher is stranger. Throws `bad_query`.
   * @param u The coin that breaks ties, in [0, 1]; above 0 for a p-value above 0. Throws `bad_query`.
   */
  push(score: number, u: number): number {
    checkNumber(score, ANY, 'score', 'bad_query')
    checkNumber(u, SHARE, 'u', 'bad_query')
    if (this.size === this.#capacity) this.#sorted = new SortedNumbers()
    const above = this.#sorted.above(score)
    const equal = this.size - above - this.#sorted.below(score)
    this.#sorted.add(score)
    return (above + u * (1 + equal)) / this.size
  }

  /** The scores of this block, ascending: their order of arrival no longer matters. */
  save(): PlainData {
    return { scores: this.#sorted.list() }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const scores = readDoubles(readState(state, ['scores'])['scores'], 'state.scores', this.#capacity)
    this.#sorted = new SortedNumbers()
    for (const score of scores) this.#sorted.add(score)
  }

  /** Of what is remembered, not of the spare room. */
  bytes(): number {
    return 8 * this.size
  }
}
