/**
 * Queries close to an earlier one: the small steps of an adversarial search, the variations of a prompt attack.
 *
 * Scores against the past, then learns. Catches whatever the embedding places close together. Does not see an attacker
 * who stays apart from its own past, nor steps further apart than the window; flags honest near-duplicates too. Keeps
 * one vector per query; costs O(window · dimension). Source: the reference toolkit, `similarity_detector`.
 *
 * A strict rule: a query without a past has score 0 and is never suspicious, also under a threshold of 0 or less.
 */
import { checkFunction, checkNumber, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { toMonitorError } from '../errors.ts'
import { readVectors } from '../savedVectors.ts'
import { readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Modality, Observation, PlainData } from '../types.ts'
import { checkVector, type Nearest, VectorRing } from '../vectorRing.ts'
import { checkHistory, toConfidence } from './limits.ts'

/** How alike two vectors of one length are; finite, higher is more alike. Must not keep or change its arguments. */
export type SimilarityFunction = (a: ArrayLike<number>, b: ArrayLike<number>) => number

export interface SimilarityConfig {
  /** Similarity to the nearest remembered query that makes a query suspicious, inclusive. Default 0.9. */
  readonly threshold: number
  /** Queries remembered, 1 … 10 million. Default 100. */
  readonly maxHistorySize: number
  /** Replaces the cosine; `undefined` (the default) is the cosine, several times faster. */
  readonly similarity: SimilarityFunction | undefined
}

export interface SimilarityMetadata {
  /** Position of the most similar past query, counted from the oldest, before this query was learned; null without a past. */
  readonly mostSimilarIndex: number | null
  /** Similarity to it; null without a past. */
  readonly similarityScore: number | null
  /** Past queries compared with. */
  readonly historySize: number
}

interface Incident {
  readonly similarityScore: number
  readonly closestIndex: number
}

export const similarity = spec('any', 'nearest past embedding of any kind of query')
export const imageSimilarity = spec('image', 'nearest past picture')
export const textSimilarity = spec('text', 'nearest past text')

function spec<Input extends Modality>(modality: Input, summary: string) {
  return defineDetector({
    family: 'similarity',
    modality,
    needs: 'embedding',
    version: 1,
    summary,
    techniques: [BLACK_BOX_OPTIMIZATION],
    paper: 'darusik/monitoring_toolkit, similarity_detector',
    defaults: { threshold: 0.9, maxHistorySize: 100, similarity: undefined },
    logic: (config: SimilarityConfig, path) => similarityLogic(config, path, vectorMemory(config, path)),
  })
}

/** The nearest remembered query; `isMirrored` if it is the mirrored picture that is near. */
export type Found = Nearest & { readonly isMirrored?: boolean }

/** The queries that a similarity detector remembers, and how it finds the nearest. */
export interface Memory<Checked> {
  size(): number
  /** Throws `bad_query`; changes nothing. */
  check(observation: Observation): Checked
  /** Throws `bad_query` if queries that are good one by one do not go together. */
  checkBatch(checked: readonly Checked[]): void
  /** As `keep` of a detector's `logic`. */
  keep?(checked: Checked): Checked
  /** True if {@link nearest} calls a user's function. */
  readonly mayThrow: boolean
  /** The remembered query most like this one; learns nothing. Good until the next call. */
  nearest(query: Checked): Found | undefined
  /** Remembers the query; `nearest` is what was found for it. */
  learn(query: Checked, nearest: Found | undefined): void
  /** The names of its fields in a saved state. */
  readonly fields: readonly string[]
  save(): Readonly<Record<string, PlainData>>
  /** Reads its fields completely, then replaces what is remembered once the returned function is called. */
  read(fields: Readonly<Record<string, PlainData>>): () => void
  clear(): void
  bytes(): number
  /** What it adds to a description: options of its own, and details. */
  config(): Readonly<Record<string, PlainData>>
  details(): Readonly<Record<string, PlainData>>
}

/** The rule of all similarity detectors, over any memory. */
export function similarityLogic<Checked>(
  config: SimilarityConfig,
  path: string,
  memory: Memory<Checked>,
): Logic<Observation, Checked, SimilarityMetadata> {
  const range = config.similarity === undefined ? { min: -1, max: 1 } : {}
  const threshold = checkNumber(config.threshold, range, `${path}.threshold`)
  const capacity = checkHistory(config, path)
  const thresholdWords = threshold.toFixed(4)
  let incident: Incident | null = null

  const { check, checkBatch, mayThrow, size } = memory
  const keep = memory.keep ?? ((checked: Checked) => checked)
  return {
    check,
    keep,
    checkBatch,
    mayThrow,
    apply,
    save,
    load,
    clear,
    size,
    bytes: () => memory.bytes() + 32,
    describe,
  }

  function apply(query: Checked) {
    const historySize = memory.size()
    const nearest = memory.nearest(query)
    memory.learn(query, nearest)
    const score = nearest?.cosine ?? 0
    const suspicious = nearest !== undefined && score >= threshold
    if (nearest !== undefined && suspicious) incident = { similarityScore: score, closestIndex: nearest.index }
    return {
      suspicious,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: `Similarity score${nearest?.isMirrored ? ' when mirrored' : ''}: ${score.toFixed(4)}, threshold: ${thresholdWords}.`,
      metadata: { mostSimilarIndex: nearest?.index ?? null, similarityScore: nearest?.cosine ?? null, historySize },
    }
  }

  function save(): PlainData {
    return { ...memory.save(), incident: incident === null ? null : { ...incident } }
  }

  function load(state: PlainData): void {
    const fields = readState(state, [...memory.fields, 'incident'])
    const replace = memory.read(fields)
    incident = readIncident(fields['incident']!, capacity)
    replace()
  }

  function clear(): void {
    memory.clear()
    incident = null
  }

  function describe() {
    return {
      config: { threshold, maxHistorySize: capacity, ...memory.config() },
      details: { ...memory.details(), lastIncident: incident === null ? null : { ...incident } },
    }
  }
}

/** A vector to compare and to learn, and that of the mirrored picture, which is compared only. */
export type VectorQuery = Pick<Observation, 'embedding' | 'mirrored'>

/** The last vectors, by the cosine or by a function of the user's. Throws `bad_config`. */
export function vectorMemory(config: SimilarityConfig, path: string): Memory<VectorQuery> {
  const custom = checkFunction(config.similarity, `${path}.similarity`)
  const capacity = checkHistory(config, path)
  let ring = new VectorRing(capacity)
  return {
    size: () => ring.size,
    check(observation) {
      const { length } = embeddingOf(observation, ring.dimension)
      const { mirrored } = observation
      if (mirrored !== undefined) checkVector(mirrored, length, 'mirrored')
      return observation
    },
    checkBatch: (queries) => checkLengths(queries.map(({ embedding }) => embedding!)),
    mayThrow: custom !== undefined,
    nearest({ embedding, mirrored }) {
      const found = nearestTo(embedding!)
      if (found === undefined || mirrored === undefined) return found
      const { index, cosine } = found
      const other = nearestTo(mirrored)!
      return other.cosine > cosine ? { ...other, isMirrored: true } : { index, cosine }
    },
    learn: ({ embedding }) => ring.push(embedding!),
    fields: ['vectors'],
    save: () => ({ vectors: { ...ring.save() } }),
    read(fields) {
      const read = readVectors(fields['vectors']!, capacity)
      return () => {
        ring = read
      }
    },
    clear() {
      ring = new VectorRing(capacity)
    },
    bytes: () => ring.bytes(),
    config: () => ({}),
    details: () => ({ dimension: ring.dimension }),
  }

  function nearestTo(vector: ArrayLike<number>): Found | undefined {
    return custom === undefined ? ring.nearest(vector) : nearestBy(custom, ring, vector, path)
  }
}

/** The embedding of an observation, as long as `dimension` where that is not 0. Throws `bad_query`. */
export function embeddingOf({ embedding }: Observation, dimension: number): ArrayLike<number> {
  if (embedding === undefined) {
    refuse(
      'bad_query',
      'pass a vector, such as embedText(text), embedRow(row) or embedPixels(pixels)',
      embedding,
      'embedding',
    )
  }
  checkVector(embedding, dimension)
  return embedding
}

/** Throws `bad_query` if the vectors of a batch have not all one length. */
export function checkLengths(vectors: readonly ArrayLike<number>[]): void {
  const length = vectors[0]?.length
  const odd = vectors.findIndex((vector) => vector.length !== length)
  if (odd !== -1) checkVector(vectors[odd]!, length!, `[${odd}].embedding`)
}

function nearestBy(
  custom: SimilarityFunction,
  ring: VectorRing,
  query: ArrayLike<number>,
  path: string,
): Nearest | undefined {
  let best: Nearest | undefined
  const copy = Float64Array.from(query)
  for (let index = 0; index < ring.size; index++) {
    const cosine = call(custom, copy, ring.at(index), `${path}.similarity`)
    if (best === undefined || cosine > best.cosine) best = { index, cosine }
  }
  return best
}

function call(custom: SimilarityFunction, a: ArrayLike<number>, b: ArrayLike<number>, path: string): number {
  try {
    return checkNumber(custom(a, b), {}, path, 'plugin_failed')
  } catch (thrown) {
    throw toMonitorError(thrown, 'plugin_failed', path)
  }
}

function readIncident(state: PlainData, capacity: number): Incident | null {
  if (state === null) return null
  const { similarityScore, closestIndex } = readState(state, ['similarityScore', 'closestIndex'])
  const slots = { min: 0, max: capacity - 1, integer: true }
  return {
    similarityScore: checkNumber(similarityScore, {}, 'state.incident.similarityScore', 'bad_snapshot'),
    closestIndex: checkNumber(closestIndex, slots, 'state.incident.closestIndex', 'bad_snapshot'),
  }
}
