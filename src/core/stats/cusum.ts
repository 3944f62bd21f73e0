/** A lasting shift of a stream's mean, found as early as can be. */
import { checkNumber } from '../checkers.ts'
import { readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'
import { checkValue } from './checks.ts'
import { expRest } from './expRest.ts'

export interface CusumOptions {
  /** What a value may exceed its mean by without being held against it, ≥ 0: half the shift to find, in deviations. */
  readonly allowance: number
  /** The sum that must be exceeded for an alarm, > 0; see {@link cusumRunLength}. */
  readonly limit: number
}

const OPTION = { min: 0, max: 1e100 }
const POSITIVE = { min: Number.MIN_VALUE, max: 1e100 }

/**
 * The one-sided cumulative sum S ← max(0, S + z − allowance), with an alarm while S > limit, strictly; S starts at 0. The
 * values must be standardised: mean 0 and deviation 1 in ordinary times, higher in suspicious ones. For falling values
 * pass −z. After an alarm it goes on; begin anew for a fresh start. State: one number.
 *
 * Finds a lasting shift; bounds the time between false alarms, not the chance of ever giving one. Values that depend on
 * those before them make it alarm more often. Source: Page, Biometrika 1954.
 */
export class Cusum {
  readonly #allowance: number
  readonly #limit: number
  #sum = 0

  /** Throws `bad_config`. */
  constructor({ allowance, limit }: CusumOptions) {
    this.#allowance = checkNumber(allowance, OPTION, 'allowance')
    this.#limit = checkNumber(limit, POSITIVE, 'limit')
  }

  /** S, in the unit of the values; at least 0. */
  get sum(): number {
    return this.#sum
  }

  get isAlarm(): boolean {
    return this.#sum > this.#limit
  }

  /** Adds a value up to 1e150 in size. Throws `bad_query`. */
  push(z: number): void {
    this.#sum = Math.max(0, this.#sum + checkValue(z, 'z') - this.#allowance)
  }

  save(): PlainData {
    return { sum: this.#sum }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const { sum } = readState(state, ['sum'])
    this.#sum = readNumber(sum, 'state.sum', { max: Number.MAX_VALUE, fraction: true })
  }
}

/**
 * About how many independent standard normal values lie between two false alarms of {@link Cusum} on average:
 *
 *     (e^v − v − 1) / 2k²,  v = 2kb,  b = limit + 1.166,  k = allowance        b² at k = 0
 *
 * 938 for k = ½ and a limit of 5, a million for 12: a limit of 4 or 5, usual in factories, is useless for thousands of
 * clients. Right to a few per cent; Infinity beyond 1e308. Source: Siegmund, Sequential Analysis, 1985, chapter 10.
 */
export function cusumRunLength({ allowance, limit }: CusumOptions): number {
  const b = checkNumber(limit, POSITIVE, 'limit') + 1.166
  return 2 * b * b * expRest(2 * checkNumber(allowance, OPTION, 'allowance') * b)
}
