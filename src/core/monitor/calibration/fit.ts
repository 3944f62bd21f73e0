/** What the bets of a monitor are laid on: levels of scores, and weights by what benign clients reach. */
import { type Bet, RATES, SPANS, spanOf } from '../evidence/book.ts'

/** Each client stands for this many of its scores, so that a heavy one does not decide alone. */
const THINNED = 32

/**
 * For each of {@link RATES} the score that at most this share of benign queries lies above, both where every query counts
 * the same and where every client does; null where it is no higher than the one before.
 *
 * @param clients The scores of each client, in any order.
 */
export function fitLevels(clients: readonly Float64Array[]): (number | null)[] {
  const sorted = clients.filter(({ length }) => length > 0).map((scores) => scores.toSorted())
  const pooled = joined(sorted).sort()
  if (pooled.length === 0) return RATES.map(() => null)
  const thinned = joined(sorted.map(thin)).sort()
  let last = -Infinity
  return RATES.map((rate) => {
    const level = Math.max(tailOf(pooled, rate), tailOf(thinned, rate))
    if (level <= last) return null
    last = level
    return level
  })
}

/**
 * The most evidence of each of n groups, as n scores of which no smaller share lies above a level than of the groups, nor than
 * of their clients: a group of many clients stands there several times, for what it is suspended for falls on all of them.
 *
 * @param sizes The clients of each group.
 */
export function byClients(maxima: readonly number[], sizes: readonly number[]): number[] {
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  const descending = [...maxima.keys()].sort((a, b) => maxima[b]! - maxima[a]!)
  const scores: number[] = []
  let weight = 0
  for (const i of descending) {
    weight += Math.max(1, mean === 0 ? 1 : sizes[i]! / mean)
    while (scores.length < Math.min(weight, maxima.length)) scores.push(maxima[i]!)
  }
  return scores
}

/** The score that at most a share `rate` of these, ascending, lies above. */
function tailOf(sorted: Float64Array, rate: number): number {
  return sorted[sorted.length - 1 - Math.floor(rate * sorted.length)]!
}

/** Quantiles at equal distances, the largest score among them. */
function thin(sorted: Float64Array): Float64Array {
  return Float64Array.from({ length: THINNED }, (_, i) => {
    return sorted[Math.ceil(((i + 1) * sorted.length) / THINNED) - 1]!
  })
}

function joined(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all
}

/** The most capital that each bet of a client ever had up to the end of each span that the client has reached. */
export class Heights {
  readonly #bets: number
  readonly #heights: Float64Array
  #spans = 0

  constructor(bets: number) {
    this.#bets = bets
    this.#heights = new Float64Array(SPANS * bets)
  }

  /** Spans that the client has reached. */
  get spans(): number {
    return this.#spans
  }

  /** After the client's n-th query. */
  see(capital: Float64Array, n: number): void {
    const span = spanOf(n)
    const from = span * this.#bets
    if (span === this.#spans) {
      if (span > 0) this.#heights.copyWithin(from, from - this.#bets, from)
      this.#spans = span + 1
    }
    for (let i = 0; i < this.#bets; i++) {
      if (capital[i]! > this.#heights[from + i]!) this.#heights[from + i] = capital[i]!
    }
  }

  at(span: number, bet: number): number {
    return this.#heights[span * this.#bets + bet]!
  }
}

/**
 * The weight of each bet in each span: in inverse proportion to the capital that all but a share of the benign clients
 * who came so far have ever had in it. What benign clients are used to do then counts for little, and what none of them
 * does counts at once; a long stream is measured by long ones. Where too few clients are known for that share, their
 * highest capital is taken times what an e-process may exceed it by with the probability that is left (Ville).
 */
export function fitWeights(heights: readonly Heights[], bets: readonly Bet[], share: number): Float64Array[] {
  const level = new Float64Array(bets.length).fill(1)
  const weights = Array.from({ length: SPANS }, (_, span) => {
    const reached = heights.filter(({ spans }) => spans > span)
    const unknown = Math.max(1, 1 / (share * (reached.length + 1)))
    for (let i = 0; i < bets.length; i++) {
      const height = upperQuantile(
        Float64Array.from(reached, (one) => one.at(span, i)),
        share,
      )
      level[i] = Math.max(level[i]!, height * unknown)
    }
    return level.map((one) => 1 / one)
  })
  const total = weights[0]!.reduce((sum, weight) => sum + weight, 0)
  return weights.map((span) => span.map((weight) => weight / total))
}

/** The value that all but a share lie at or below; the largest where there are too few; 1 of none. */
function upperQuantile(values: Float64Array, share: number): number {
  const n = values.length
  if (n === 0) return 1
  const rank = Math.min(n, Math.ceil((n + 1) * (1 - share)))
  return values.sort()[rank - 1]!
}
