/** The capital of a client's bets: the evidence against it. */
import { refuse } from '../../checkers.ts'
import { exp, log } from '../../math.ts'
import { readDoubles, readNumber, readState } from '../../state.ts'
import type { PlainData } from '../../types.ts'
import { type Book, spanOf } from './book.ts'

/** Less evidence is none, in nats. */
export const LEAST_EVIDENCE = 1e-9
/** Beyond it more capital says no more. */
const MOST = 1e100
// biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere, Math.LN2 need not
const LN2 = 0.6931471805599453

/**
 * The stake that is not laid yet after n queries. It is laid bit by bit, so that a change that comes late starts from
 * about 1/n and not from what a long quiet time has left: ln E is then lower by ln n and a little, and no more.
 */
function reserve(n: number): number {
  return 1 / (1 + log(1 + n))
}

/**
 * One client's capital over the bets of a book. State: 8 bytes a bet. A query costs a multiplication for each.
 *
 * Evidence fades by time: the logarithm of a capital above 1 halves in the book's half-life. That takes from an e-process
 * what it has won, which leaves it one.
 */
export class Wealth {
  readonly #book: Book
  readonly #capital: Float64Array
  #count: number

  /** @param queries Asked before, of which nothing is known: a new record must not take an old client for a new one. */
  constructor(book: Book, queries = 0) {
    this.#count = queries
    this.#book = book
    this.#capital = new Float64Array(book.bets.length)
  }

  /** Queries so far. */
  get count(): number {
    return this.#count
  }

  /** Lets time pass. */
  fade(elapsedMs: number): void {
    const share = this.#shareLeft(elapsedMs)
    if (share === 1) return
    for (let i = 0; i < this.#capital.length; i++) this.#capital[i] = faded(this.#capital[i]!, share)
  }

  /** @param readings One for each detector of the monitor; NaN where it did not judge, which changes no bet. */
  learn(readings: Float64Array): void {
    const { bets } = this.#book
    const capital = this.#capital
    const laid = reserve(this.#count) - reserve(this.#count + 1)
    this.#count++
    for (let i = 0; i < capital.length; i++) {
      const { slot, above, hit, miss } = bets[i]!
      const reading = readings[slot]!
      const factor = reading > above ? hit : reading <= above ? miss : 1
      capital[i] = Math.min((capital[i]! + laid) * factor, MOST)
    }
  }

  /** ln E after `elapsedMs` more without a query: 0 at the start; below it there is no evidence. */
  logE(elapsedMs = 0): number {
    const weights = this.#weights
    const share = this.#shareLeft(elapsedMs)
    let sum = reserve(this.#count) * weights.reduce((total, weight) => total + weight, 0)
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * faded(this.#capital[i]!, share)
    return log(sum)
  }

  /** ln E, at least 0: below there is no evidence, nor in the last digits of a sum of weights. */
  evidence(elapsedMs = 0): number {
    const logE = this.logE(elapsedMs)
    return logE > LEAST_EVIDENCE ? logE : 0
  }

  /** What each bet has, by its weight. */
  worths(): Float64Array {
    const weights = this.#weights
    return this.#capital.map((capital, i) => capital * weights[i]!)
  }

  /** Of each bet without its weight. */
  get capital(): Float64Array {
    return this.#capital
  }

  /** Back to the start, but for the number of queries: what follows must be earned anew. */
  clear(): void {
    this.#capital.fill(0)
  }

  save(): PlainData {
    return { count: this.#count, capital: this.#capital.slice() }
  }

  /** Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['count', 'capital'])
    const count = readNumber(fields['count'], 'evidence.count')
    const capital = readDoubles(fields['capital'], 'evidence.capital', this.#capital.length)
    const isCapital = capital.length === this.#capital.length && capital.every((one) => one >= 0 && one <= MOST)
    if (!isCapital) refuse('bad_snapshot', `must be ${this.#capital.length} numbers`, capital, 'evidence.capital')
    this.#capital.set(capital)
    this.#count = count
  }

  bytes(): number {
    return 8 * this.#capital.length + 64
  }

  get #weights(): Float64Array {
    return this.#book.weights[spanOf(Math.max(1, this.#count))]!
  }

  #shareLeft(elapsedMs: number): number {
    return elapsedMs > 0 ? exp((-LN2 * elapsedMs) / this.#book.halfLifeMs) : 1
  }
}

function faded(capital: number, share: number): number {
  return capital > 1 && share < 1 ? exp(share * log(capital)) : capital
}
