/** The exact interval for a share, such as that of benign sessions with an alarm. */
import { checkNumber } from '../checkers.ts'
import { betaQuantile } from './beta.ts'
import { checkShare } from './checks.ts'

/** Trials at most: a billion. */
const MOST_TRIALS = 1_000_000_000

/** Both ends lie in [0, 1] and belong to the interval. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * The two-sided interval of Clopper and Pearson (Biometrika 1934) for the share behind `k` successes in `n` trials: it
 * holds the true share with probability at least 1 − alpha, whatever that share is.
 *
 *     low  = Beta⁻¹(alpha / 2; k, n − k + 1)        0 at k = 0
 *     high = Beta⁻¹(1 − alpha / 2; k + 1, n − k)    1 at k = n
 *
 * Relative error below 1e-12 up to a million trials. For a one-sided limit pass 2 · alpha and take one end.
 *
 * @param k Whole, 0 … n. Throws `bad_query`.
 * @param n Whole, 1 … 1e9. Throws `bad_query`.
 * @param alpha In (0, 1), such as 0.05. Throws `bad_config`.
 */
export function clopperPearson(k: number, n: number, alpha: number): Interval {
  checkNumber(n, { min: 1, max: MOST_TRIALS, integer: true }, 'n', 'bad_query')
  checkNumber(k, { min: 0, max: n, integer: true }, 'k', 'bad_query')
  const tail = checkShare(alpha, 'alpha') / 2
  return {
    low: k === 0 ? 0 : betaQuantile(tail, k, n - k + 1).x,
    high: k === n ? 1 : betaQuantile(tail, n - k, k + 1).y,
  }
}
