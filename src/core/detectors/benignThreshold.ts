/** A threshold from the scores of honest clients, one each. */
import { checkNumber, refuse } from '../checkers.ts'

/** Why a detector that compares with honest traffic cannot do without it. */
export function requireReference(path: string, maker: string): never {
  return refuse('bad_config', `is missing: make it of honest traffic with ${maker}`, undefined, path)
}

/**
 * The smallest of these scores that a new honest client exceeds with a probability of at most `alpha`, on average over such
 * samples (split conformal): the ⌈(n + 1)(1 − alpha)⌉-th smallest. Throws `bad_config`, `bad_query` where they are too few.
 */
export function benignThreshold(scores: readonly number[], alpha: number): number {
  checkNumber(alpha, { min: 1e-9, max: 0.5 }, 'alpha')
  const place = Math.ceil((scores.length + 1) * (1 - alpha) - 1e-9)
  if (place > scores.length) {
    const least = Math.ceil(1 / alpha - 1 - 1e-9)
    refuse(
      'bad_query',
      `must have ${least} clients at least to set a threshold for alpha = ${alpha}`,
      scores.length,
      'clients',
    )
  }
  return [...scores].sort((a, b) => a - b)[place - 1]!
}
