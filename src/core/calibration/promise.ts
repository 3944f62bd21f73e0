/**
 * What is promised of benign traffic, and what it takes to keep it.
 *
 * Among n benign scores the threshold is the (k + 1)-th largest: k of them lie above it. Without an assurance k is the
 * largest with (k + 1) / (n + 1) ≤ alpha, and the promise holds on average over calibration data (split conformal). With
 * one it is the largest with P(Binomial(n, alpha) ≤ k) ≤ 1 − assurance: then the share above the threshold is at most alpha
 * for all but a share 1 − assurance of calibration data. Both need exchangeable scores, one for each independent unit.
 */
import { refuse } from '../checkers.ts'
import { MonitorError } from '../errors.ts'
import { log } from '../math.ts'
import { checkShare } from '../stats/checks.ts'
import { clopperPearson } from '../stats/clopperPearson.ts'
import { conformalSize } from '../stats/conformal.ts'

/** The share of benign units that may be taken for malicious. */
export interface Promised {
  /** In (0, 1), such as 0.001. */
  readonly alpha: number
  /**
   * With which probability over the choice of the calibration data the promise shall hold for the threshold that came of
   * them, above 0.5 and below 1, such as 0.95; null (the default): on average over calibration data.
   */
  readonly assurance?: number | null
}

/** Checks both numbers and fills the gap. Throws `bad_config`. */
export function checkPromise({ alpha, assurance = null }: Promised, path = ''): Required<Promised> {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  checkShare(alpha, at('alpha'))
  const isKnown = assurance === null || (assurance > 0.5 && assurance < 1)
  if (!isKnown) refuse('bad_config', 'must be a number above 0.5 and below 1, or null', assurance, at('assurance'))
  return { alpha, assurance }
}

/** The fewest units with which the promise can be kept: 999 for 0.001 on average, 2995 with an assurance of 0.95. */
export function fewestUnits({ alpha, assurance }: Required<Promised>): number {
  if (assurance === null) return conformalSize(alpha)
  let n = Math.max(1, Math.floor(log(1 - assurance) / log(1 - alpha)) - 1)
  while (!isKept(0, n, { alpha, assurance })) n++
  return n
}

/** How many of n scores may lie above the threshold; −1 where there are too few. */
export function mostAbove(n: number, promise: Required<Promised>): number {
  let most = -1
  let step = 1
  while (step < n) step *= 2
  for (; step >= 1; step /= 2) if (most + step < n && isKept(most + step, n, promise)) most += step
  return most
}

/** Throws `bad_config`, saying how many units are needed, where `n` are too few. */
export function requireUnits(n: number, promise: Required<Promised>, unit: string, path: string): void {
  const needed = fewestUnits(promise)
  if (n >= needed) return
  const { alpha, assurance } = promise
  const more = assurance === null ? '' : ` and assurance ${assurance}`
  const message = `alpha ${alpha}${more} needs ${needed} benign ${unit}, got ${n}: give more, or a larger alpha`
  throw new MonitorError('bad_config', message, path)
}

function isKept(above: number, n: number, { alpha, assurance }: Required<Promised>): boolean {
  if (assurance === null) return (above + 1) / (n + 1) <= alpha
  return clopperPearson(above, n, 2 * (1 - assurance)).high <= alpha
}
