/**
 * What is promised of benign traffic, and what it takes to keep it.
 *
 * Among n benign scores the threshold is the (k + 1)-th largest: k of them lie above it. On average over calibration data
 * the promise holds for the largest k with (k + 1) / (n + 1) ≤ alpha (split conformal). With an assurance k must also have
 * P(Binomial(n, alpha) ≤ k) ≤ 1 − assurance: then the share above the threshold is at most alpha for all but a share
 * 1 − assurance of calibration data (Vovk 2012, Wilks 1941). Both need exchangeable scores, one for each independent unit.
 */
import { refuse } from '../checkers.ts'
import { MonitorError } from '../errors.ts'
import { clopperPearson } from '../stats/clopperPearson.ts'

/** The share of benign units that may be taken for malicious. */
export interface Promised {
  /** In (0, 1), at least 1e-8, such as 0.001. */
  readonly alpha: number
  /**
   * With which probability over the choice of the calibration data the promise shall hold for the threshold that came of
   * them: above 0.5 and below 1; or 0: only on average over calibration data, which takes about a third of the clients.
   * Default 0.95, and 0 where single queries are counted.
   */
  readonly assurance?: number
}

/** What a score is of. */
export type Unit = 'query' | 'client' | 'group'

/** Several of a unit, in words. */
export const UNITS: Readonly<Record<Unit, string>> = { query: 'queries', client: 'clients', group: 'groups' }

/** The promise is to clients: whoever has made one calibration wants it of that one. */
const ASSURANCE: Readonly<Record<Unit, number>> = { query: 0, client: 0.95, group: 0.95 }

/** Far more units than can be counted. */
const LEAST_ALPHA = 1e-8

/** Checks both numbers and fills the gap. Throws `bad_config`. */
export function checkPromise(
  { alpha, assurance }: Promised,
  { unit = 'client', path = '' }: { readonly unit?: Unit; readonly path?: string } = {},
): Required<Promised> {
  const at = (key: string) => (path === '' ? key : `${path}.${key}`)
  const isShare = typeof alpha === 'number' && alpha >= LEAST_ALPHA && alpha < 1
  if (!isShare)
    refuse('bad_config', `must be a number above 0 (${LEAST_ALPHA} at least) and below 1`, alpha, at('alpha'))
  if (assurance === undefined) return { alpha, assurance: ASSURANCE[unit] }
  const isKnown = assurance === 0 || (typeof assurance === 'number' && assurance > 0.5 && assurance < 1)
  if (!isKnown) {
    refuse('bad_config', 'must be a number above 0.5 and below 1, or 0 (on average)', assurance, at('assurance'))
  }
  return { alpha, assurance }
}

/** The fewest units with which the promise can be kept: 999 for 0.001 on average, 2995 with an assurance of 0.95. */
export function fewestUnits(promise: Required<Promised>): number {
  let most = 1
  while (!isKept(0, most, promise)) most *= 2
  let needed = most
  for (let step = most / 2; step >= 1; step /= 2) if (isKept(0, needed - step, promise)) needed -= step
  return needed
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
export function requireUnits(n: number, promise: Required<Promised>, unit: Unit, path: string): void {
  if (n < fewestUnits(promise)) refuseTooFew(n, promise, { unit, path, needed: fewestUnits })
}

/** Throws `bad_config`: how many units it takes by `needed`, and what can be done. */
export function refuseTooFew(
  n: number,
  promise: Required<Promised>,
  { unit, path, needed }: { readonly unit: Unit; readonly path: string; needed(promise: Required<Promised>): number },
): never {
  const { alpha, assurance } = promise
  const asked = assurance === 0 ? `alpha ${alpha}` : `alpha ${alpha} with an assurance of ${assurance}`
  const fewer = needed({ alpha, assurance: 0 })
  const lower =
    assurance === 0
      ? ''
      : `, or a lower assurance: 0 takes ${fewer}, and promises alpha on average over calibrations only`
  const message = `${asked} needs ${needed(promise)} benign ${UNITS[unit]}, got ${n}: give more, or a larger alpha${lower}`
  throw new MonitorError('bad_config', message, path)
}

function isKept(above: number, n: number, { alpha, assurance }: Required<Promised>): boolean {
  if (above >= n || (above + 1) / (n + 1) > alpha) return false
  return assurance === 0 || clopperPearson(above, n, 2 * (1 - assurance)).high <= alpha
}
