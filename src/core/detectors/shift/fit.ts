/** The reference of `distribution_shift` from honest traffic. */
import { checkChoice, checkNumber, refuse } from '../../checkers.ts'
import { log } from '../../math.ts'
import { medianBandwidth } from '../../stats/index.ts'
import { checkVector } from '../../vectorRing.ts'
import { benignThreshold } from '../benignThreshold.ts'
import { Bets, type ShiftEvidence } from './bets.ts'
import { openMemory } from './memory.ts'
import {
  FORMS,
  MOST_QUERIES,
  type PreparedEvidence,
  type PreparedShift,
  prepareShift,
  type ShiftReference,
  unit,
} from './reference.ts'

/** Widths of the kernels, as multiples of the median distance. */
const WIDTHS = [0.5, 1, 2, 4]
/** For bets: a direction learned from so many queries, and as often. */
const BETS = { queries: 1000, every: 40 }

export type FitShiftOptions = Partial<
  Omit<ShiftReference, 'vectors' | 'calibration' | 'limits' | 'bandwidths' | 'threshold'>
> & {
  /** Honest embeddings kept, 2 … 10 000; for bets as many again are set aside. Default 200. */
  readonly references?: number
  /** Share of honest clients that may ever exceed the threshold, 1e-9 … 0.5. Default 0.01. */
  readonly alpha?: number
}

type Client = readonly ArrayLike<number>[]

/**
 * The reference of `distribution_shift`. Every second client gives embeddings, evenly taken; the others' largest score sets the
 * threshold, one score a client: a real client is a narrow part of the pool, so that thresholds from random draws of the
 * pool, as published, accuse honest ones. For bets each kind of evidence has a limit of its own, for alpha/2, and never below
 * ln(2/alpha).
 *
 * @param clients The embeddings of each honest client in their order, all of one length, from 2 · (1/alpha − 1) clients on and
 * at least `queries` of each; for bets from 2 · (2/alpha − 1) clients on, and 1 at least of each. Throws `bad_query`, `bad_config`.
 */
export function fitShift(clients: readonly Client[], options: FitShiftOptions = {}): ShiftReference {
  const { references = 200, alpha = 0.01, seed = 0, frequencies = 128 } = options
  const form = checkChoice(options.form ?? 'stream', FORMS, 'form')
  const isBets = form === 'bets'
  const { queries = isBets ? BETS.queries : 100 } = options
  checkNumber(queries, { min: 2, max: MOST_QUERIES, integer: true }, 'queries')
  checkNumber(references, { min: 2, max: 10_000, integer: true }, 'references')
  checkNumber(alpha, { min: 1e-9, max: 0.5 }, 'alpha')
  checkClients(clients, isBets ? 1 : queries)
  const pool = clients.filter((_, i) => (isBets ? i % 4 === 0 : i % 2 === 0)).flat()
  if (pool.length < 2) refuse('bad_query', 'must not be empty', clients.length, 'clients')
  const vectors = evenly(pool, references)
  const median = medianBandwidth(vectors)
  const bandwidths = WIDTHS.map((width) => width * median)
  const every =
    options.every ?? { stream: 1, window: Math.ceil(queries / 4), bets: Math.min(BETS.every, queries) }[form]
  const open = { form, vectors, bandwidths, queries, every, frequencies, seed, threshold: 0 }
  const others = clients.filter((_, i) => i % 2 === 1)
  const calibration = isBets ? evenly(clients.filter((_, i) => i % 4 === 2).flat(), references) : []
  const ofBets = isBets ? { calibration, limits: { novelty: 1, drift: 1 } } : {}
  const prepared = prepareShift({ ...open, ...ofBets }, 'reference')
  if (prepared.form !== 'bets') {
    const scores = others.map((client) => largestScore(client, prepared))
    return { ...open, threshold: Math.max(benignThreshold(scores, alpha), 0) }
  }
  const evidence = others.map((client) => mostEvidence(client, prepared))
  const limitOf = (kind: keyof ShiftEvidence) =>
    Math.max(
      benignThreshold(
        evidence.map((one) => one[kind]),
        alpha / 2,
      ),
      log(2 / alpha),
    )
  return { ...open, calibration, limits: { novelty: limitOf('novelty'), drift: limitOf('drift') }, threshold: 1 }
}

function checkClients(clients: readonly Client[], least: number): void {
  const short = clients.findIndex((client) => client.length < least)
  if (short !== -1) refuse('bad_query', `must have ${least} at least`, clients[short]!.length, `clients[${short}]`)
  const length = clients[0]?.[0]?.length ?? 0
  for (const [i, client] of clients.entries()) {
    for (const [j, vector] of client.entries()) checkVector(vector, length, `clients[${i}][${j}]`)
  }
}

function evenly(pool: Client, most: number): number[][] {
  const count = Math.min(most, pool.length)
  return Array.from({ length: count }, (_, i) => Array.from(unit(pool[Math.floor((i * pool.length) / count)]!)))
}

function largestScore(client: Client, prepared: PreparedShift): number {
  const { queries, every } = prepared.reference
  const memory = openMemory(prepared)
  let largest = -Infinity
  for (const [i, vector] of client.entries()) {
    memory.push(unit(vector))
    if (i + 1 >= queries && (i + 1) % every === 0) largest = Math.max(largest, memory.score())
  }
  return largest === -Infinity ? memory.score() : largest
}

function mostEvidence(client: Client, { bets: shared, reference }: PreparedEvidence): ShiftEvidence {
  const bets = new Bets(shared, reference)
  const most = { novelty: 0, drift: 0 }
  for (const vector of client) {
    bets.push(unit(vector))
    const { novelty, drift } = bets.evidence
    most.novelty = Math.max(most.novelty, novelty)
    most.drift = Math.max(most.drift, drift)
  }
  return most
}
