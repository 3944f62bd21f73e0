/** How hard the inputs of honest clients are, as `hardness_histogram` wants it told. */
import { checkChoice, checkNumber, refuse } from '../../checkers.ts'
import { TENTHS } from '../../coverage/cells.ts'
import type { Observation } from '../../types.ts'
import { benignThreshold } from '../benignThreshold.ts'
import { binOf, binsOf, checkForm, DISTANCES, type HardnessForm, histogramDistance, sumOf } from './histogram.ts'

/** Plain data, made by {@link fitHardness}. */
export interface HardnessReference {
  readonly form: HardnessForm
  /** Honest queries in each bin. */
  readonly counts: readonly number[]
  /** Queries of one histogram. */
  readonly queries: number
  readonly distance: (typeof DISTANCES)[number]
  /** The distance that an honest client's histograms exceed with a probability of at most the `alpha` of the fit. */
  readonly threshold: number
}

export interface FitHardnessOptions {
  /** Default: the margin in tenths. */
  readonly form?: HardnessForm
  /** Default 100. */
  readonly queries?: number
  /** `pearson`, as published, or `jensen_shannon`, which bears a flat histogram, as deciles make it. Default `pearson`. */
  readonly distance?: (typeof DISTANCES)[number]
  /** Share of honest clients whose histogram may ever exceed the threshold, 1e-9 … 0.5. Default 0.01. */
  readonly alpha?: number
  readonly outputs?: 'probabilities' | 'logits'
}

/**
 * The reference of `hardness_histogram`. Of the clients every second one makes the benign histogram, each with the same weight; the others' largest distance to it,
 * over all of their windows, sets the threshold (a new honest client exceeds it with a probability of at most `alpha`, if it
 * is of their kind and asks no more than they do). The published threshold, the largest distance of 40 000 random draws
 * of one pool, is too small for real clients, each of which is a narrow part of the pool.
 *
 * @param clients The observations of each honest client in their order, at least `queries` of each, from 2 · (1/alpha − 1)
 * clients on. Throws `bad_query`, `bad_config`.
 */
export function fitHardness(
  clients: readonly (readonly Observation[])[],
  {
    form = { kind: 'margin', edges: TENTHS },
    queries = 100,
    distance = 'pearson',
    alpha = 0.01,
    outputs = 'probabilities',
  }: FitHardnessOptions = {},
): HardnessReference {
  const checked = checkForm(form, 'form')
  checkNumber(queries, { min: 2, max: 1_000_000, integer: true }, 'queries')
  checkChoice(distance, DISTANCES, 'distance')
  const bins = clients.map((client, i) => {
    if (client.length < queries)
      refuse('bad_query', `must have ${queries} queries at least`, client.length, `clients[${i}]`)
    return client.map((observation) => binOf(observation, checked, outputs))
  })
  const shares = new Float64Array(binsOf(checked))
  for (const own of bins.filter((_, i) => i % 2 === 0)) for (const bin of own) shares[bin]! += 1 / own.length
  if (sumOf(shares) === 0) refuse('bad_query', 'must not be empty', clients.length, 'clients')
  const counts = Array.from(shares, (share) => Math.round(1e6 * share))
  const largest = bins.filter((_, i) => i % 2 === 1).map((own) => largestDistance(own, counts, queries, distance))
  return { form: checked, counts, queries, distance, threshold: benignThreshold(largest, alpha) }
}

function largestDistance(
  bins: readonly number[],
  counts: readonly number[],
  queries: number,
  distance: HardnessReference['distance'],
): number {
  const window = new Float64Array(counts.length)
  let largest = -Infinity
  for (const [i, bin] of bins.entries()) {
    window[bin]!++
    if (i >= queries) window[bins[i - queries]!]!--
    if (i >= queries - 1) largest = Math.max(largest, histogramDistance(counts, window, distance))
  }
  return largest
}
