/**
 * Distribution shift: whether a client's queries, taken together, come from elsewhere than those of honest clients.
 *
 * The squared maximum mean discrepancy between the embeddings of the last queries and honest ones, with Gaussian kernels of
 * four widths, over vectors scaled to length 1. Two forms: a `window` of the last queries, as published; or a `stream`,
 * where random features stand for the kernel and older queries weigh less, in constant memory. Learns first, then scores.
 * Catches extraction, distillation and scraping with inputs of another kind: as published, with windows of 1500, on average 90 %
 * of windows at 0.3 % false alarms; at 100 queries a client that does nothing else. Does not see shares of an attack below 5 %, an
 * attacker whose inputs are like honest ones, an attack split over accounts; flags honest clients of a kind that is not
 * in the reference, and everybody once the population drifts: renew it, from clients that nothing else accuses. Needs an embedding, and
 * honest traffic (`fitShift`). Keeps the window, or 16 bytes for each of `frequencies` directions; costs O((queries +
 * references)² · dimension) at each comparison, or O(frequencies · dimension) a query. Source: Liu, Guo and Dong 2026, arXiv
 * 2606.05725, with a threshold from whole clients; Rahimi and Recht 2007 for the features.
 *
 * The score is the unbiased estimate, −2 … 2, and 0 where nothing is compared: before `queries` queries, and between two
 * comparisons. A strict rule, as published: suspicious is `score > threshold`, which is never below 0.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readNumber, readState } from '../state.ts'
import type { FeatureMean } from '../stats/index.ts'
import { EXTRACT_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { readVectors, VectorRing } from '../vectorRing.ts'
import { toConfidence } from './limits.ts'
import { decayedMean, readShift, type ShiftReference, streamScore, unit, windowScore } from './shift/reference.ts'
import { embeddingOf } from './similarity.ts'

export interface DistributionShiftConfig {
  /** What `fitShift` made of honest traffic. Required; read once, so do not change it. */
  readonly reference: ShiftReference | undefined
  /** Discrepancy above which a query is suspicious, 0 … 2. Default null: that of the reference. */
  readonly threshold: number | null
}

export interface DistributionShiftMetadata {
  /** Null where nothing was compared. */
  readonly discrepancy: number | null
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

/** The queries of one client, in either form. */
interface Memory {
  size(): number
  push(vector: Float64Array): void
  score(): number
  save(): PlainData
  /** Reads completely before anything is changed. Throws `bad_snapshot`. */
  load(state: PlainData): void
  bytes(): number
}

function logic(
  config: DistributionShiftConfig,
  path: string,
): Logic<Observation, ArrayLike<number>, DistributionShiftMetadata> {
  const prepared = readShift(config.reference, `${path}.reference`)
  const { reference } = prepared
  const { queries, every } = reference
  const dimension = reference.vectors[0]!.length
  const threshold = checkNumber(config.threshold ?? reference.threshold, { min: 0, max: 2 }, `${path}.threshold`)
  const open = (): Memory => (prepared.features === undefined ? openWindow() : openStream(decayedMean(prepared)))
  let memory = open()
  let seen = 0

  return {
    check: (observation) => embeddingOf(observation, dimension),
    apply,
    save: () => ({ seen, memory: memory.save() }),
    load,
    clear() {
      memory = open()
      seen = 0
    },
    size: () => memory.size(),
    bytes: () => memory.bytes() + 32,
    describe,
  }

  function openWindow(): Memory {
    let ring = new VectorRing(queries)
    return {
      size: () => ring.size,
      push: (vector) => ring.push(vector),
      score: () =>
        windowScore(
          Array.from({ length: ring.size }, (_, age) => ring.at(age)),
          prepared,
        ),
      save: () => ({ ...ring.save() }),
      load(state) {
        const vectors = readVectors(state, queries)
        const fits = vectors.dimension === 0 || vectors.dimension === dimension
        if (!fits) refuse('bad_snapshot', `must be ${dimension}`, vectors.dimension, 'state.memory.dimension')
        ring = new VectorRing(queries, vectors)
      },
      bytes: () => ring.bytes(),
    }
  }

  function openStream(mean: FeatureMean): Memory {
    return {
      size: () => mean.count,
      push: (vector) => mean.push(prepared.features!.map(vector)),
      score: () => streamScore(mean, prepared),
      save: () => mean.save(),
      load: (state) => mean.load(state),
      bytes: () => 8 * prepared.features!.length + 64,
    }
  }

  function apply(vector: ArrayLike<number>) {
    memory.push(unit(vector))
    seen++
    const isCompared = seen >= queries && seen % every === 0
    const discrepancy = isCompared ? memory.score() : null
    const score = discrepancy ?? 0
    return {
      suspicious: score > threshold,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: reasonFor(discrepancy),
      metadata: { discrepancy, historySize: memory.size() },
    }
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
    const next = open()
    next.load(saved['memory']!)
    const expected = prepared.features === undefined ? Math.min(count, queries) : count
    if (next.size() !== expected) refuse('bad_snapshot', `must hold ${expected}`, next.size(), 'state.memory')
    memory = next
    seen = count
  }

  function describe() {
    const { vectors, bandwidths, ...rest } = reference
    return {
      config: { reference: { ...rest, vectors: vectors.length, bandwidths: [...bandwidths] }, threshold },
      details: { seen, dimension },
    }
  }
}
