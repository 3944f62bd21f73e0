/** How the inputs of honest clients follow each other, as `update_geometry` wants it told. */
import { checkNumber, checkObject, refuse } from '../../checkers.ts'
import { benignThreshold } from '../benignThreshold.ts'
import { histogramDistance, sumOf } from '../hardness/histogram.ts'
import { numbersOf, Turns } from './turns.ts'

const BINS = { min: 2, max: 256, integer: true }
const TURNS = { min: 2, max: 1_000_000, integer: true }

/** Plain data, made by {@link fitGeometry}. */
export interface GeometryReference {
  /** Honest turns in each of as many equal parts of −1 … 1, 2 … 256. */
  readonly counts: readonly number[]
  /** Turns of one histogram, 2 … a million. */
  readonly turns: number
  /** The distance that an honest client's histograms exceed with a probability of at most the `alpha` of the fit. */
  readonly threshold: number
}

export interface FitGeometryOptions {
  /** Turns of one histogram, 2 … a million. Default 64; published are 256. */
  readonly turns?: number
  /** Parts of −1 … 1, 2 … 256. Default 25; published are 200. The more, the more turns a histogram needs. */
  readonly bins?: number
  /** Share of honest clients whose histogram may ever exceed the threshold, 1e-9 … 0.5. Default 0.01. */
  readonly alpha?: number
}

/**
 * What is assumed without honest traffic: that clients send unrelated photos. The turns of 1000 pictures of CIFAR-10 in
 * twenty random orders (test/updateGeometrySessions.test.ts counts them again). The threshold is a guess, above what LIME, KernelSHAP
 * and RISE reached there and below most of NES.
 */
export const UNRELATED_PHOTOS: GeometryReference = {
  counts: [
    50, 523, 1440, 2299, 2767, 2774, 2593, 2099, 1626, 1299, 859, 622, 377, 240, 172, 115, 58, 27, 12, 6, 2, 0, 0, 0, 0,
  ],
  turns: 64,
  threshold: 0.3,
}

/**
 * The reference of `update_geometry`. Of the clients every second one makes the benign histogram, each with the same weight; the
 * others' largest distance to it, over all of their windows, sets the threshold: a new honest client exceeds it with a
 * probability of at most `alpha`, if it is of their kind and asks no more than they do.
 *
 * @param clients The inputs of each honest client as numbers, in their order, all of one length and with `turns` turns at
 * least (two queries more, repeats not counted); from 2 · (1/alpha − 1) clients on. Throws `bad_query`, `bad_config`.
 */
export function fitGeometry(
  clients: readonly (readonly ArrayLike<number>[])[],
  { turns = 64, bins = 25, alpha = 0.01 }: FitGeometryOptions = {},
): GeometryReference {
  checkNumber(turns, TURNS, 'turns')
  checkNumber(bins, BINS, 'bins')
  if (clients.length < 2) refuse('bad_query', 'must be two at least', clients.length, 'clients')
  const length = clients[0]![0]?.length ?? 0
  const all = clients.map((client, i) => binsOf(client, { bins, turns, length }, `clients[${i}]`))
  const shares = new Float64Array(bins)
  for (const own of all.filter((_, i) => i % 2 === 0)) for (const bin of own) shares[bin]! += 1 / own.length
  const counts = Array.from(shares, (share) => Math.round(1e6 * share))
  const largest = all.filter((_, i) => i % 2 === 1).map((own) => largestDistance(own, counts, turns))
  return { counts, turns, threshold: benignThreshold(largest, alpha) }
}

/** The bins of a client's turns. */
function binsOf(
  client: readonly ArrayLike<number>[],
  { bins, turns, length }: { readonly bins: number; readonly turns: number; readonly length: number },
  path: string,
): number[] {
  const inputs = new Turns()
  const own: number[] = []
  for (const [i, vector] of client.entries()) {
    const turn = inputs.push(numbersOf(vector, length, `${path}[${i}]`))
    if (turn !== null) own.push(binOf(turn, bins))
  }
  if (own.length < turns) refuse('bad_query', `must have ${turns} turns at least`, own.length, path)
  return own
}

/** The part of −1 … 1 that a turn falls into; 1 belongs to the last. */
export function binOf(turn: number, bins: number): number {
  return Math.min(Math.floor(((turn + 1) / 2) * bins), bins - 1)
}

function largestDistance(own: readonly number[], counts: readonly number[], turns: number): number {
  const window = new Uint32Array(counts.length)
  let largest = 0
  for (const [i, bin] of own.entries()) {
    window[bin]!++
    if (i >= turns) window[own[i - turns]!]!--
    if (i >= turns - 1) largest = Math.max(largest, distanceBetween(counts, window))
  }
  return largest
}

/** The divergence of Jensen and Shannon between two histograms in bits, 0 … 1. */
export function distanceBetween(reference: readonly number[], window: ArrayLike<number>): number {
  return histogramDistance(reference, window, 'jensen_shannon')
}

/** A copy of a reference. Throws `bad_config`. */
export function readReference(given: GeometryReference, path: string): GeometryReference {
  checkObject(given, ['counts', 'turns', 'threshold'], path)
  const turns = checkNumber(given.turns, TURNS, `${path}.turns`)
  const threshold = checkNumber(given.threshold, { min: 0, max: 1 }, `${path}.threshold`)
  if (!Array.isArray(given.counts)) refuse('bad_config', 'must be a list of numbers', given.counts, `${path}.counts`)
  checkNumber(given.counts.length, BINS, `${path}.counts.length`)
  const counts = given.counts.map((count, i) => checkNumber(count, { min: 0, max: 1e15 }, `${path}.counts[${i}]`))
  if (sumOf(counts) === 0) refuse('bad_config', 'must not all be 0', 0, `${path}.counts`)
  return { counts, turns, threshold }
}
