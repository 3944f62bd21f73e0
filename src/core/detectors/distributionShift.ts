/**
 * Distribution shift: whether a client's queries, taken together, come from elsewhere than those of honest clients.
 *
 * Three forms, all over vectors scaled to length 1. `window` and `stream`: the squared maximum mean discrepancy between the
 * embeddings of the last queries and honest ones, with Gaussian kernels of four widths; of a window, as published, or of random
 * features where older queries weigh less, in constant memory. `bets`, our own: a conformal test martingale, which bets on every query
 * that it is unlike honest ones, or lies where the client's own queries so far tend to (shift/bets.ts).
 * Learns first, then scores. Catches extraction, distillation and scraping with inputs of another kind: bench/results/extraction.md.
 * Bets need some 10 queries of a client that does nothing else; a window of 1500, as published, sees shares of an attack down
 * to 5 %. Does not see an attacker whose inputs are like honest ones, an attack split over accounts; flags honest clients
 * of a kind that is not in the reference, and everybody once the population drifts: renew it, from clients that nothing
 * else accuses. Needs an embedding, and honest traffic (`fitShift`). Keeps the window, or 16 bytes for each of `frequencies`
 * directions, or of bets 16 bytes a number of the embedding; costs O((queries + references)² · dimension) at each comparison, or
 * O(frequencies · dimension) a query, or of bets O(references · dimension). Source: Liu, Guo and Dong 2026, arXiv 2606.05725, with a
 * threshold from whole clients; Rahimi and Recht 2007 for the features; Vovk, Nouretdinov and Gammerman, ICML 2003 for bets.
 *
 * The score is the unbiased estimate, −2 … 2, and 0 where nothing is compared: before `queries` queries, and between two
 * comparisons; of bets the share of the evidence that alarms, from 0 on. A strict rule: suspicious is `score > threshold`, which is
 * never below 0.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readNumber, readState } from '../state.ts'
import { EXTRACT_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { toConfidence } from './limits.ts'
import type { ShiftEvidence } from './shift/bets.ts'
import { openMemory } from './shift/memory.ts'
import { readShift, type ShiftReference, unitInto } from './shift/reference.ts'
import { embeddingOf } from './similarity.ts'

export interface DistributionShiftConfig {
  /** What `fitShift` made of honest traffic. Required; read once, so do not change it. */
  readonly reference: ShiftReference | undefined
  /** Discrepancy above which a query is suspicious, 0 … 2. Default null: that of the reference. */
  readonly threshold: number | null
}

export interface DistributionShiftMetadata {
  /** Null where nothing was compared, and for bets. */
  readonly discrepancy: number | null
  /** In nats; null but for bets. */
  readonly evidence: ShiftEvidence | null
  /** Queries that count: those in the window, or all of the stream. */
  readonly historySize: number
}

export const distributionShift = defineDetector({
  family: 'shift',
  modality: 'any',
  needs: 'embedding',
  version: 1,
  summary: 'queries that together come from elsewhere than those of honest clients',
  techniques: [EXTRACT_MODEL],
  paper: 'Liu, Guo and Dong 2026, arXiv 2606.05725',
  defaults: { reference: undefined, threshold: null },
  threshold: ({ threshold, reference }) => threshold ?? reference?.threshold ?? 0,
  logic,
})

function logic(
  config: DistributionShiftConfig,
  path: string,
): Logic<Observation, ArrayLike<number>, DistributionShiftMetadata> {
  const prepared = readShift(config.reference, `${path}.reference`)
  const { reference } = prepared
  const { queries, every } = reference
  const dimension = reference.vectors[0]!.length
  const threshold = checkNumber(config.threshold ?? reference.threshold, { min: 0, max: 2 }, `${path}.threshold`)
  const isBets = reference.form === 'bets'
  let memory = openMemory(prepared)
  let seen = 0

  return {
    check: (observation) => embeddingOf(observation, dimension),
    apply,
    save: () => ({ seen, memory: memory.save() }),
    load,
    clear() {
      memory = openMemory(prepared)
      seen = 0
    },
    size: () => memory.size(),
    bytes: () => memory.bytes() + 32,
    describe,
  }

  function apply(vector: ArrayLike<number>) {
    memory.push(unitInto(vector, prepared.scaled))
    seen++
    const evidence = memory.evidence?.() ?? null
    const discrepancy = !isBets && seen >= queries && seen % every === 0 ? memory.score() : null
    const score = isBets ? memory.score() : (discrepancy ?? 0)
    return {
      suspicious: score > threshold,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: evidence === null ? reasonFor(discrepancy) : reasonOf(evidence),
      metadata: { discrepancy, evidence: evidence === null ? null : { ...evidence }, historySize: memory.size() },
    }
  }

  function reasonOf({ novelty, drift }: ShiftEvidence): string {
    const limits = reference.limits!
    const isNovelty = novelty / limits.novelty >= drift / limits.drift
    const what = isNovelty ? 'are unlike any honest one' : 'lie to one side of honest ones'
    const nats = isNovelty ? novelty : drift
    const allowed = (threshold * (isNovelty ? limits.novelty : limits.drift)).toFixed(2)
    return `Evidence that the queries ${what}: ${nats.toFixed(2)} nats; more than ${allowed} is suspicious.`
  }

  function reasonFor(discrepancy: number | null): string {
    if (discrepancy !== null) {
      return `The last queries lie ${discrepancy.toFixed(5)} away from honest ones; more than ${threshold.toFixed(5)} is suspicious.`
    }
    if (seen < queries) return `Only ${seen} queries were seen; nothing is decided before there are ${queries}.`
    return `Query ${seen}; the next comparison comes at query ${seen + every - (seen % every)}.`
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['seen', 'memory'])
    const count = readNumber(saved['seen'], 'state.seen')
    const next = openMemory(prepared)
    next.load(saved['memory']!)
    const expected = reference.form === 'window' ? Math.min(count, queries) : count
    if (next.size() !== expected) refuse('bad_snapshot', `must hold ${expected}`, next.size(), 'state.memory')
    memory = next
    seen = count
  }

  function describe() {
    const { vectors, calibration, limits, bandwidths, ...rest } = reference
    const ofBets = limits === undefined ? {} : { calibration: calibration!.length, limits: { ...limits } }
    return {
      config: { reference: { ...rest, ...ofBets, vectors: vectors.length, bandwidths: [...bandwidths] }, threshold },
      details: { seen, dimension },
    }
  }
}
