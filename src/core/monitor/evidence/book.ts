/**
 * The bets by which detections become evidence against a client.
 *
 * A bet says: the scores of this detector lie above this level more often than at this rate. It starts with a stake, and
 * each query multiplies its capital: by q/rate where the score is above, by (1 − q)/(1 − rate) where it is not, q being the
 * rate that it bets on. For a client whose rate is no higher than that, the capital does not grow on average: it is an
 * e-process, and so is any mean of several with weights fixed beforehand, whatever the detectors have to do with each
 * other (Vovk and Wang 2021). Ville (1939): such a client ever turns 1 into 1/alpha with a probability of at most alpha.
 *
 * A harmless query costs a bet on twice the rate no more than the rate itself: filler is all but useless to an attacker.
 * Source: our own, from e-processes by betting (Shafer 2021; Waudby-Smith and Ramdas 2024).
 */
import { nextUp } from '../../math.ts'

/** Shares of benign queries that lie above a level. */
export const RATES = [4, 8, 16, 32, 64, 128, 256, 512].map((queries) => 1 / queries)
/** What a bet expects of an attacker, in multiples of the rate, and at most. */
const MULTIPLES = [2, 8]
const MOST_RATE = 0.75

/** Lengths of a client's stream have weights of their own: 1 … 3 queries, 4 … 15, 16 … 63 and so on, the last without end. */
export const SPANS = 9

/** Which {@link SPANS | span} a client is in at its n-th query, n ≥ 1. */
export function spanOf(n: number): number {
  return Math.min(SPANS - 1, (31 - Math.clz32(Math.min(n, 1 << 30))) >> 1)
}

export interface Bet {
  /** The place of the detector in the monitor. */
  readonly slot: number
  readonly rate: number
  /** A reading must lie above it, strictly. */
  readonly above: number
  /** What the capital is multiplied by. */
  readonly hit: number
  readonly miss: number
}

/** The bets of a monitor on one kind of unit, clients or groups. */
export interface Book {
  readonly bets: readonly Bet[]
  /** By span: the weight of each bet. They add up to 1 in the first span, and never grow from one to the next. */
  readonly weights: readonly Float64Array[]
  /** Evidence halves in this time, in ms. */
  readonly halfLifeMs: number
}

/** The bets on one detector whose levels are these, one for each of {@link RATES}; null: there is no such level. */
export function betsOn(slot: number, levels: readonly (number | null)[]): Bet[] {
  return RATES.flatMap((rate, k) => {
    const above = levels[k]
    if (above === null || above === undefined) return []
    return MULTIPLES.map((multiple) => {
      const q = Math.min(multiple * rate, MOST_RATE)
      return { slot, rate, above, hit: q / rate, miss: (1 - q) / (1 - rate) }
    })
  })
}

/** The levels of a reading that is a p-value with its sign turned: above a level exactly where p ≤ rate. */
export const P_LEVELS: readonly number[] = RATES.map((rate) => -nextUp(rate))

/** A book without knowledge of what benign clients reach: equal weights, whatever the span. */
export function evenBook(bets: readonly Bet[], halfLifeMs: number): Book {
  const weights = new Float64Array(bets.length).fill(1 / bets.length)
  return { bets, weights: Array.from({ length: SPANS }, () => weights), halfLifeMs }
}
