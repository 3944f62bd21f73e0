/** Evidence against uniform p-values that grows while they stay small. */
import { refuse } from '../checkers.ts'
import { log } from '../math.ts'
import { readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'
import { checkShare } from './checks.ts'
import { checkP, meanLogE } from './eValues.ts'

export interface PowerProcessOptions {
  /** The bets ε, each in (0, 1); one makes the power martingale, several a mixture. Default 0.1, 0.2 … 0.9. */
  readonly exponents?: readonly number[]
  /** The capital put on each bet at the start, in any unit. Default: equal. */
  readonly weights?: readonly number[]
}

const GRID = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
/** Their logarithms, once somebody has asked: there may be a process for every client. */
let gridLogs: Float64Array | undefined
const MOST_EXPONENTS = 256

/**
 * The power martingale and its mixtures, for p-values that are independent and uniform under the null hypothesis:
 *
 *     E_t = Σ w_ε Π_{s ≤ t} ε p_s^(ε − 1)
 *
 * Starts at 1 and is a martingale: P(ever E_t ≥ 1/alpha) ≤ alpha, for streams of any length and without a correction for
 * looking often (Ville). Of the p-values only their number and the sum of their logarithms matter, so the state is two
 * numbers. A mixture grows almost like the best bet in it. Source: Vovk, Nouretdinov and Gammerman, ICML 2003.
 *
 * It has a long memory: after a long quiet time it has lost most of its capital, and a change is seen late; see
 * `SimpleJumper`.
 */
export class PowerProcess {
  readonly #exponents: readonly number[]
  readonly #weights: readonly number[] | undefined
  /** ln ε of each bet. */
  readonly #logs: Float64Array
  /** Working memory: ln of the capital on each bet. */
  readonly #capital: Float64Array
  #count = 0
  /** Sum of ln p; 0 or less. */
  #sum = 0

  /** Throws `bad_config`. */
  constructor({ exponents = GRID, weights }: PowerProcessOptions = {}) {
    if (!(Array.isArray(exponents) && exponents.length >= 1 && exponents.length <= MOST_EXPONENTS)) {
      refuse('bad_config', `must be a list of 1 … ${MOST_EXPONENTS} exponents`, exponents, 'exponents')
    }
    const isGrid = exponents === GRID
    this.#exponents = isGrid ? GRID : exponents.map((exponent, i) => checkShare(exponent, `exponents[${i}]`))
    this.#weights = weights?.slice()
    this.#logs = isGrid ? logsOfGrid() : Float64Array.from(exponents, (exponent) => log(exponent))
    this.#capital = new Float64Array(exponents.length)
    meanLogE(this.#capital, weights)
  }

  /** p-values so far. */
  get count(): number {
    return this.#count
  }

  /** ln E_t: 0 at the start. Compare it by `rejectsAt`. */
  get logE(): number {
    for (let i = 0; i < this.#capital.length; i++) {
      this.#capital[i] = this.#count * this.#logs[i]! + (this.#exponents[i]! - 1) * this.#sum
    }
    return meanLogE(this.#capital, this.#weights)
  }

  /** Bets on one p-value in (0, 1]. Throws `bad_query`. */
  push(p: number): void {
    this.#sum += log(checkP(p))
    this.#count++
  }

  save(): PlainData {
    return { count: this.#count, sum: this.#sum }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['count', 'sum'])
    const count = readNumber(fields['count'], 'state.count')
    // No p-value has a logarithm below −745.2.
    this.#sum = readNumber(fields['sum'], 'state.sum', { min: -746 * count, max: 0, fraction: true })
    this.#count = count
  }
}

function logsOfGrid(): Float64Array {
  gridLogs ??= Float64Array.from(GRID, (exponent) => log(exponent))
  return gridLogs
}
