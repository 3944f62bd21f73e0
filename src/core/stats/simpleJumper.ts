/** Evidence against uniform p-values that follows a change of their distribution. */
import { checkChoice, checkNumber, refuse } from '../checkers.ts'
import { log } from '../math.ts'
import { readDoubles, readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'

export interface SimpleJumperOptions {
  /** The share J of the capital that is spread anew at each step, in (0, 1]. Default 0.01. */
  readonly jump?: number
  /** `'low'` (default) bets on small p-values only; `'both'` on small and on large ones, as published. */
  readonly sides?: 'low' | 'both'
}

const P_VALUE = { min: 0, max: 1 }

/**
 * The Simple Jumper martingale, for p-values that are independent and uniform under the null hypothesis. Its capital lies
 * on bets e, equally at the start, that win by the factor 1 + e(p − ½):
 *
 *     C_e ← (1 − J) C_e + J/3 Σ C ;  C_e ← C_e (1 + e(p_t − ½)) ;  E_t = Σ C        e = −1, 0, 1
 *
 * For `'low'` e is −1 or 0 and J/3 becomes J/2. P(ever E_t ≥ 1/alpha) ≤ alpha (Ville). It grows by at most half at a
 * step, so that 1 000 takes 18 steps at least; in exchange one extreme p-value means little, and a late change is seen.
 * Source: Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman, COPA 2021 ("Retrain or not retrain"), algorithm 1.
 */
export class SimpleJumper {
  readonly #jump: number
  readonly #bets: number
  /** Shares of the capital on e = −1, 0, 1; they add up to 1. */
  #shares: Float64Array
  #logE = 0

  /** Throws `bad_config`. */
  constructor({ jump = 0.01, sides = 'low' }: SimpleJumperOptions = {}) {
    this.#jump = checkNumber(jump, { min: Number.MIN_VALUE, max: 1 }, 'jump')
    this.#bets = checkChoice(sides, ['low', 'both'], 'sides') === 'low' ? 2 : 3
    this.#shares = Float64Array.of(1, 1, this.#bets - 2).map((share) => share / this.#bets)
  }

  /** ln E_t: 0 at the start. Compare it by `rejectsAt`. */
  get logE(): number {
    return this.#logE
  }

  /** Bets on one p-value in [0, 1]. Throws `bad_query`. */
  push(p: number): void {
    checkNumber(p, P_VALUE, 'p', 'bad_query')
    const shares = this.#shares
    const spread = this.#jump / this.#bets
    let sum = 0
    for (let i = 0; i < this.#bets; i++) {
      shares[i] = ((1 - this.#jump) * shares[i]! + spread) * (1 + (i - 1) * (p - 0.5))
      sum += shares[i]!
    }
    for (let i = 0; i < this.#bets; i++) shares[i] = shares[i]! / sum
    this.#logE += log(sum)
  }

  save(): PlainData {
    return { shares: this.#shares.slice(), logE: this.#logE }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['shares', 'logE'])
    const shares = readDoubles(fields['shares'], 'state.shares', 3)
    const fits = shares.length === 3 && shares.every((share, i) => share >= 0 && (i < this.#bets || share === 0))
    const sum = shares.reduce((a, b) => a + b, 0)
    if (!(fits && Math.abs(sum - 1) < 1e-9)) {
      refuse('bad_snapshot', `must be three shares that add up to 1, on ${this.#bets} bets`, shares, 'state.shares')
    }
    const logE = readNumber(fields['logE'], 'state.logE', { min: -1e16, max: 1e16, fraction: true })
    this.#shares = shares.slice()
    this.#logE = logE
  }
}
