/**
 * Nearest neighbours: a query whose embedding lies close to many earlier ones, the cloud of probes around one input.
 *
 * The mean distance to the k = 50 nearest remembered embeddings is compared with a threshold; before 50 are remembered
 * nothing is decided. Scores against the past, then learns; an alarm then forgets everything, as published ("the account is
 * cancelled"), unless `resetOnAlarm` is off. Catches searches that stay around one input, for what the embedding places
 * close together. Does not see the first 50 queries, several inputs attacked in turn, an attack split over accounts; flags
 * near-duplicates of honest clients (sweeps, video, explainers) too. Needs an embedding. Keeps one vector a query, a byte a
 * number; costs O(window · dimension). Source: stateful detection (Chen, Carlini, Wagner 2019, arXiv 1907.05587) and its released code.
 *
 * The score is 1 / (1 + mean distance), since higher must mean more suspicious; 0 before anything is decided. A strict rule,
 * as published: suspicious is `score > threshold`, that is a mean distance below the option `threshold`.
 */
import { ByteRing, readBytes } from '../byteRing.ts'
import { checkChoice, checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readVectors } from '../savedVectors.ts'
import { readNumber, readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { VectorRing } from '../vectorRing.ts'
import { checkHistory } from './limits.ts'
import { checkLengths, embeddingOf } from './similarity.ts'

export interface NeighbourDistanceConfig {
  /**
   * Mean distance to the nearest below which a query is suspicious, in the unit of the embedding, at least 1e-9. Default 0.45, a
   * guess for unit vectors: fifty cosines of 0.9. The published 1.44 belongs to its own encoder; take the 0.1 % quantile of
   * benign traffic.
   */
  readonly threshold: number
  /** Neighbours that are looked at, K in the paper, 1 … 10 000. Default 50. */
  readonly k: number
  /** Queries remembered, at least `k`, at most 10 million; the published code remembers all. Default 90. */
  readonly maxHistorySize: number
  /**
   * `bytes`: vectors are rounded to 255 steps, each by its largest number; the mean distance of unit vectors is then off by
   * 0.01 near 0, and by 0.001 near the default threshold. `exact`: as they are, as published, in four or eight times as many
   * bytes. Default `bytes`.
   */
  readonly storage: 'bytes' | 'exact'
  /** Forget all queries after an alarm, as published. Off, an attacker gets no fresh start. Default true. */
  readonly resetOnAlarm: boolean
}

export interface NeighbourDistanceMetadata {
  /** Mean distance to the `k` nearest; null while fewer are remembered. */
  readonly meanDistance: number | null
  /** Distance to the nearest; null while fewer than `k` are remembered. */
  readonly nearestDistance: number | null
  /** Past queries compared with. */
  readonly historySize: number
  /** True if this query was suspicious and everything was forgotten. */
  readonly reset: boolean
}

export const neighbourDistance = defineDetector({
  family: 'neighbours',
  modality: 'any',
  needs: 'embedding',
  version: 2,
  summary: 'queries close to many earlier ones',
  techniques: [BLACK_BOX_OPTIMIZATION],
  paper: 'Chen, Carlini and Wagner 2019, arXiv 1907.05587',
  thresholdChangesScores: true,
  defaults: { threshold: 0.45, k: 50, maxHistorySize: 90, storage: 'bytes', resetOnAlarm: true },
  threshold: ({ threshold }) => scoreOf(threshold),
  logic,
})

function meanOf(distances: Float64Array): number {
  let sum = 0
  for (let i = 0; i < distances.length; i++) sum += distances[i]!
  return sum / distances.length
}

/** The score of a mean distance, and of a threshold on it. */
function scoreOf(distance: number): number {
  return 1 / (1 + distance)
}

function logic(
  config: NeighbourDistanceConfig,
  path: string,
): Logic<Observation, ArrayLike<number>, NeighbourDistanceMetadata> {
  const distance = checkNumber(config.threshold, { min: 1e-9 }, `${path}.threshold`)
  const k = checkNumber(config.k, { min: 1, max: 10_000, integer: true }, `${path}.k`)
  const capacity = checkHistory(config, path)
  if (capacity < k) refuse('bad_config', `must be at least k = ${k}`, capacity, `${path}.maxHistorySize`)
  const { resetOnAlarm } = config
  if (typeof resetOnAlarm !== 'boolean') {
    refuse('bad_config', 'must be true or false', resetOnAlarm, `${path}.resetOnAlarm`)
  }
  const isExact = checkChoice(config.storage, ['bytes', 'exact'], `${path}.storage`) === 'exact'
  const threshold = scoreOf(distance)
  const empty = () => (isExact ? new VectorRing(capacity) : new ByteRing(capacity))
  let ring = empty()
  /** Of all vectors since the start, 0 before the first: an alarm does not change it. */
  let dimension = 0
  let alarms = 0

  const check = (observation: Observation) => embeddingOf(observation, dimension)
  const bytes = () => ring.bytes() + 32
  return { check, checkBatch: checkLengths, apply, save, load, clear, size: () => ring.size, bytes, describe }

  function apply(vector: ArrayLike<number>) {
    const historySize = ring.size
    const distances = historySize < k ? undefined : ring.nearestDistances(vector, k)
    const mean = distances === undefined ? null : meanOf(distances)
    const score = mean === null ? 0 : scoreOf(mean)
    const suspicious = score > threshold
    learn(vector, suspicious)
    return {
      suspicious,
      score,
      threshold,
      confidence: score,
      reason: reasonFor(mean, historySize),
      metadata: {
        meanDistance: mean,
        nearestDistance: distances?.[0] ?? null,
        historySize,
        reset: suspicious && resetOnAlarm,
      },
    }
  }

  function learn(vector: ArrayLike<number>, suspicious: boolean): void {
    dimension = vector.length
    if (suspicious) alarms++
    if (suspicious && resetOnAlarm) ring = empty()
    else ring.push(vector)
  }

  function reasonFor(mean: number | null, historySize: number): string {
    if (mean === null) return `Queries remembered: ${historySize}. Nothing is decided before there are ${k}.`
    return `Mean distance to the ${k} nearest: ${mean.toFixed(4)}; below ${distance} it is suspicious.`
  }

  function save(): PlainData {
    return { vectors: { ...ring.save() }, dimension, alarms }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['vectors', 'dimension', 'alarms'])
    const next = readRing(saved['vectors']!)
    const length = readNumber(saved['dimension'], 'state.dimension', { max: 65_536 })
    const fits = next.dimension === 0 || next.dimension === length
    if (!fits) refuse('bad_snapshot', 'must be that of the vectors', length, 'state.dimension')
    alarms = readNumber(saved['alarms'], 'state.alarms')
    dimension = length
    ring = next
  }

  function readRing(state: PlainData): VectorRing | ByteRing {
    return isExact ? readVectors(state, capacity) : new ByteRing(capacity, readBytes(state, capacity))
  }

  function clear(): void {
    ring = empty()
    dimension = 0
    alarms = 0
  }

  function describe() {
    return {
      config: { threshold: distance, k, maxHistorySize: capacity, storage: config.storage, resetOnAlarm },
      details: { dimension, alarms },
    }
  }
}
