/**
 * How extreme a score is among those of benign traffic. Higher scores are stranger.
 *
 * P(p ≤ alpha) ≤ alpha holds for a new score that is exchangeable with the calibration scores: one score per independent
 * unit (a client, a source picture, a group), never one per query. It holds on average over calibration sets; for one
 * given set of n the true rate may exceed alpha by √(ln(1/δ) / 2n) with probability δ.
 * Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { placeAfter, placeOf } from '../sorted.ts'
import { checkShare, MOST, readSample } from './checks.ts'

const SCORES = { least: 1, most: MOST, largest: Number.MAX_VALUE }
const SHARE = { min: 0, max: 1 }

/**
 * The conservative conformal p-value (1 + #{sᵢ ≥ s}) / (n + 1), in [1/(n + 1), 1]: ties count against suspicion. O(n); for
 * many scores use {@link ConformalScale}.
 *
 * @param scores 1 … 10 million finite benign scores, in any order. Throws `bad_query`.
 * @param score Finite. Throws `bad_query`.
 */
export function conformalPValue(scores: ArrayLike<number>, score: number): number {
  const sample = readSample(scores, 'scores', SCORES)
  checkNumber(score, {}, 'score', 'bad_query')
  let atLeast = 0
  for (let i = 0; i < sample.length; i++) if (sample[i]! >= score) atLeast++
  return (1 + atLeast) / (sample.length + 1)
}

/** The fewest calibration scores with which a conservative p-value can be as low as alpha: 999 for 0.001. */
export function conformalSize(alpha: number): number {
  checkShare(alpha, 'alpha')
  let n = Math.max(1, Math.ceil(1 / alpha) - 2)
  // Beyond 2⁵³ one more is no more.
  while (1 / (n + 1) > alpha && n + 1 > n) n++
  return n
}

/** Calibration scores in order, so that a p-value takes O(log n). Keeps a copy: 8 bytes a score. */
export class ConformalScale {
  readonly #sorted: Float64Array

  /** @param scores 1 … 10 million finite benign scores, in any order. Throws `bad_query`. */
  constructor(scores: ArrayLike<number>) {
    this.#sorted = readSample(scores, 'scores', SCORES).sort()
  }

  /** Calibration scores. */
  get size(): number {
    return this.#sorted.length
  }

  /** The conservative p-value, to the bit that of {@link conformalPValue}. Throws `bad_query`. */
  pValue(score: number): number {
    checkNumber(score, {}, 'score', 'bad_query')
    const n = this.#sorted.length
    return (1 + n - placeOf(this.#sorted, n, score)) / (n + 1)
  }

  /**
   * The smoothed p-value (#{sᵢ > s} + u (1 + #{sᵢ = s})) / (n + 1): uniform on [0, 1] when u is, as martingales need it.
   *
   * @param u The coin that breaks ties, in [0, 1], independent of the score; 1 gives the conservative p-value.
   */
  smoothedPValue(score: number, u: number): number {
    checkNumber(score, {}, 'score', 'bad_query')
    checkNumber(u, SHARE, 'u', 'bad_query')
    const n = this.#sorted.length
    const above = n - placeAfter(this.#sorted, n, score)
    const equal = n - above - placeOf(this.#sorted, n, score)
    return (above + u * (1 + equal)) / (n + 1)
  }

  /**
   * The score that a suspicious one must exceed, strictly: `score > threshold(alpha)` exactly when `pValue(score) <= alpha`.
   * Throws `bad_config` where there are too few calibration scores for this alpha, and says how many are needed.
   */
  threshold(alpha: number): number {
    const n = this.#sorted.length
    const needed = conformalSize(alpha)
    if (n < needed) {
      refuse('bad_config', `needs ${needed} calibration scores: give more, or a larger alpha`, `${n} scores`, 'alpha')
    }
    let above = Math.floor(alpha * (n + 1)) - 1
    while ((2 + above) / (n + 1) <= alpha) above++
    while ((1 + above) / (n + 1) > alpha) above--
    return this.#sorted[n - 1 - above]!
  }
}
