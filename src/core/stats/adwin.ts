/**
 * Has the mean of a stream changed? For the pooled score of benign traffic: drift asks for a new calibration. Never an
 * alarm about one client: it looks both ways, and says nothing of who.
 *
 * ADWIN (Bifet and Gavaldà, SDM 2007): a window grows while it looks like one distribution, and loses its oldest part
 * as soon as two parts of it have means too far apart:
 *
 *     |mean₀ − mean₁| > √(2/m · σ² · L) + 2/(3m) · L,   L = ln(2 ln n / delta),   1/m = 1/(n₀ − 4) + 1/(n₁ − 4)
 *
 * with σ² the variance of the window of n values and n₀, n₁ ≥ 5. Cuts are tried between buckets, oldest first, every 32
 * values. Constants as in the library River, which leaves out the newest bucket of each size when it looks for cuts; here
 * all are tried.
 */
import { checkNumber } from '../checkers.ts'
import { log } from '../math.ts'
import { readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'
import { BucketRows } from './bucketRows.ts'
import { checkShare } from './checks.ts'

export interface AdwinOptions {
  /** Bound on the chance of a false alarm at one check, in (0, 1). Default 0.002. */
  readonly delta?: number
  /** A check comes every so many values, 1 … 1 million. Default 32. */
  readonly clock?: number
}

const LEAST_PART = 5
const UNIT = { min: 0, max: 1 }

/** State: 3 kB at most, whatever the length of the stream. A value costs O(1) on average, a check O(log n). */
export class Adwin {
  readonly #delta: number
  readonly #clock: number
  #sinceCheck = 0
  #window = new BucketRows()

  /** Throws `bad_config`. */
  constructor({ delta = 0.002, clock = 32 }: AdwinOptions = {}) {
    this.#delta = checkShare(delta, 'delta')
    this.#clock = checkNumber(clock, { min: 1, max: 1_000_000, integer: true }, 'clock')
  }

  /** Values in the window. */
  get size(): number {
    return this.#window.size
  }

  /** Mean of the window, in [0, 1]; 0 when empty. */
  get mean(): number {
    return this.size === 0 ? 0 : this.#totals().sum / this.size
  }

  /**
   * Adds a value, and says whether the window had to be cut.
   *
   * @param value In [0, 1]: scale scores to it first, the bound is for that range. Throws `bad_query`.
   */
  push(value: number): boolean {
    this.#window.add(checkNumber(value, UNIT, 'value', 'bad_query'))
    this.#sinceCheck++
    if (this.#sinceCheck < this.#clock) return false
    this.#sinceCheck = 0
    let isDrift = false
    while (this.#hasCut()) {
      this.#window.dropOldest()
      isDrift = true
    }
    return isDrift
  }

  /** True when some cut between two buckets separates means that are too far apart. */
  #hasCut(): boolean {
    const n = this.size
    if (n < 2 * LEAST_PART) return false
    const { sum, squares } = this.#totals()
    const level = log((2 * log(n)) / this.#delta)
    let n0 = 0
    let sum0 = 0
    return this.#window.some((bucketSize, bucketSum) => {
      n0 += bucketSize
      sum0 += bucketSum
      const n1 = n - n0
      if (n0 < LEAST_PART || n1 < LEAST_PART) return false
      const rate = 1 / (n0 - LEAST_PART + 1) + 1 / (n1 - LEAST_PART + 1)
      const apart = Math.abs(sum0 / n0 - (sum - sum0) / n1)
      return apart > Math.sqrt(2 * rate * (squares / n) * level) + (2 / 3) * rate * level
    })
  }

  /** Sum of the window and squared deviations from its mean (Chan, Golub and LeVeque 1979). */
  #totals(): { readonly sum: number; readonly squares: number } {
    let n = 0
    let sum = 0
    let squares = 0
    this.#window.some((bucketSize, bucketSum, bucketSquares) => {
      const apart = n === 0 ? 0 : sum / n - bucketSum / bucketSize
      squares += bucketSquares + (apart * apart * n * bucketSize) / (n + bucketSize)
      n += bucketSize
      sum += bucketSum
      return false
    })
    return { sum, squares }
  }

  save(): PlainData {
    return { sinceCheck: this.#sinceCheck, window: this.#window.save() }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['sinceCheck', 'window'])
    const sinceCheck = readNumber(fields['sinceCheck'], 'state.sinceCheck', { max: this.#clock - 1 })
    this.#window.load(fields['window']!)
    this.#sinceCheck = sinceCheck
  }
}
