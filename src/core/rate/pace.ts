/** How even a client's queries are in time: crowded into a moment, or ticking like a clock. */
import { logEach } from '../math.ts'
import type { Ring } from '../ring.ts'

/** Working memory of whoever asks. */
const logs = /* @__PURE__ */ new Float64Array(2)

/**
 * How unlikely it is that of `total` queries, each at any time of a stretch alike, `count` or more fall into a given part
 * of it: −ln of a bound of the probability (Chernoff's, by the relative entropy of two coins), in nats. 0 where the part
 * has no more than its share. `part` is the part's length as a share of the stretch, above 0 and below 1.
 */
export function crowding(count: number, total: number, part: number): number {
  if (count <= total * part) return 0
  const rest = total - count
  logs[0] = count / (total * part)
  logs[1] = rest / (total * (1 - part))
  logEach(logs, 2)
  const inside = count * logs[0]
  return rest === 0 ? inside : inside + rest * logs[1]
}

/** Gaps that say something of how regular they are. */
const LEAST_GAPS = 8

export interface Pace {
  /**
   * 1 − standard deviation ÷ mean of the gaps: 1 for a clock, 0 for queries that know nothing of each other (their deviation
   * is their mean) or come in bursts, for fewer than {@link LEAST_GAPS} gaps, and for queries at one moment.
   */
  readonly regularity: number
  /** Null without a gap. */
  readonly meanGapMs: number | null
}

/** What the gaps between queries tell. */
export function paceOf(gaps: Ring<number>): Pace {
  const { length } = gaps.items
  if (length === 0) return { regularity: 0, meanGapMs: null }
  let mean = 0
  for (let age = 0; age < length; age++) mean += gaps.at(age)
  mean /= length
  if (length < LEAST_GAPS || mean === 0) return { regularity: 0, meanGapMs: mean }
  let variance = 0
  for (let age = 0; age < length; age++) variance += (gaps.at(age) - mean) * (gaps.at(age) - mean)
  variance /= length
  return { regularity: Math.max(1 - Math.sqrt(variance) / mean, 0), meanGapMs: mean }
}
