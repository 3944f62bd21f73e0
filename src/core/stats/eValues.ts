/**
 * Evidence that may be added up. An e-value is a number ≥ 0 whose mean under the null hypothesis is at most 1: large is
 * evidence against it. Any weighted mean of e-values is one, however they depend on each other; a product only of
 * independent ones, or when each is one given those before. Here they come as natural logarithms, so that long products
 * neither overflow nor vanish; −Infinity is the e-value 0.
 *
 * Source: Vovk and Wang, Annals of Statistics 2021; e-BH: Wang and Ramdas, JRSS B 2022.
 */
import { refuse } from '../checkers.ts'
import { expEach, log } from '../math.ts'
import { workDoubles } from '../plainRows.ts'
import { checkShare, MOST } from './checks.ts'
import { expRest } from './expRest.ts'

/** A p-value in (0, 1]. Throws `bad_query`. */
export function checkP(p: number): number {
  if (!(typeof p === 'number' && p > 0 && p <= 1)) {
    const remedy = 'a smoothed p-value is above 0 when its u is'
    refuse('bad_query', `must be a number above 0 and up to 1 (${remedy})`, p, 'p')
  }
  return p
}

/**
 * ln(κ p^(κ − 1)): the e-value that bets with one exponent on small p-values.
 *
 * @param p In (0, 1]. Throws `bad_query`.
 * @param kappa In (0, 1): small for rare but strong evidence. Throws `bad_config`.
 */
export function powerLogE(p: number, kappa: number): number {
  checkP(p)
  return log(checkShare(kappa, 'kappa')) + (kappa - 1) * log(p)
}

/** ln((1 − p + p ln p) / (p ln² p)): the mean of the above over all exponents, ln ½ at p = 1. Throws `bad_query`. */
export function mixtureLogE(p: number): number {
  const size = -log(checkP(p))
  return size < 700 ? log(expRest(size)) : size - 2 * log(size)
}

/**
 * ln of the weighted mean of e-values.
 *
 * @param logE 1 … 10 million logarithms; none NaN or +Infinity. Throws `bad_query`.
 * @param weights As many, finite, ≥ 0, not all 0, and fixed before the evidence was seen; equal where not given. Throws
 * `bad_config`.
 */
export function meanLogE(logE: ArrayLike<number>, weights?: ArrayLike<number>): number {
  checkLogs(logE)
  if (weights !== undefined && weights.length !== logE.length) {
    refuse('bad_config', `must be ${logE.length} weights`, weights.length, 'weights')
  }
  let largest = -Infinity
  for (let i = 0; i < logE.length; i++) largest = Math.max(largest, logE[i]!)
  const shares = workDoubles(logE.length)
  for (let i = 0; i < logE.length; i++) shares[i] = logE[i]! - largest
  expEach(shares, logE.length)
  let sum = 0
  let total = 0
  for (let i = 0; i < logE.length; i++) {
    const weight = weights === undefined ? 1 : weights[i]!
    if (!(weight >= 0 && weight <= 1e100)) {
      refuse('bad_config', 'must be a number in [0, 1e100]', weight, `weights[${i}]`)
    }
    total += weight
    if (logE[i]! > -Infinity) sum += weight * shares[i]!
  }
  if (total === 0) refuse('bad_config', 'must not all be 0', total, 'weights')
  return sum === 0 ? -Infinity : largest + log(sum / total)
}

/**
 * True when an e-value is at least 1/alpha. For an e-process, asked at any time and as often as wanted, that happens to
 * at most a share alpha of streams under the null hypothesis (Ville 1939), whatever their length. Throws `bad_config`.
 */
export function rejectsAt(logE: number, alpha: number): boolean {
  checkLog(logE, 'logE')
  return logE >= -log(checkShare(alpha, 'alpha'))
}

/**
 * The e-BH procedure: which of K hypotheses (clients) to reject, so that among those rejected the expected share of true
 * ones is at most alpha, however the e-values depend on each other. With e₍₁₎ ≥ e₍₂₎ ≥ … it rejects the k largest, where k
 * is the largest with k e₍ₖ₎ / K ≥ 1/alpha.
 *
 * @param logE Logarithms of 1 … 10 million e-values; none NaN or +Infinity. Throws `bad_query`.
 * @returns The places of the rejected ones, ascending.
 */
export function eBenjaminiHochberg(logE: ArrayLike<number>, alpha: number): number[] {
  checkLogs(logE)
  checkShare(alpha, 'alpha')
  const sorted = new Float64Array(logE).sort()
  const count = sorted.length
  let k = count
  while (k > 0 && sorted[count - k]! < log(count / k / alpha)) k--
  const rejected: number[] = []
  if (k > 0) for (let i = 0; i < count; i++) if (logE[i]! >= sorted[count - k]!) rejected.push(i)
  return rejected
}

function checkLogs(logE: ArrayLike<number>): void {
  const length = (logE as ArrayLike<number> | undefined)?.length
  if (!(length !== undefined && length >= 1 && length <= MOST)) {
    refuse('bad_query', `must be an array of 1 … ${MOST} numbers`, length ?? logE, 'logE')
  }
  for (let i = 0; i < length; i++) {
    // Here once more by hand: passing doubles on makes objects of them.
    const value: unknown = logE[i]
    if (!(typeof value === 'number' && value < Infinity)) checkLog(logE[i]!, `logE[${i}]`)
  }
}

function isLog(value: unknown): boolean {
  return typeof value === 'number' && value < Infinity
}

function checkLog(logE: number, path: string): void {
  if (!isLog(logE)) refuse('bad_query', 'must be a number below Infinity', logE, path)
}
