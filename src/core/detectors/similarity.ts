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
import { readState } from '../state.ts'
import type { Modality, Observation, PlainData } from '../types.ts'
import { checkVector, type Nearest, readVectors, VectorRing } from '../vectorRing.ts'
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
export const tabularSimilarity = spec('tabular', 'nearest past row')
export const textSimilarity = spec('text', 'nearest past text')

function spec<Input extends Modality>(modality: Input, summary: string) {
  return defineDetector({
    family: 'similarity',
    modality,
    needs: 'embedding',
    version: 1,
    summary,
    defaults: { threshold: 0.9, maxHistorySize: 100, similarity: undefined },
    logic,
  })
}

function logic(config: SimilarityConfig, path: string): Logic<Observation, ArrayLike<number>, SimilarityMetadata> {
  const custom = checkFunction(config.similarity, `${path}.similarity`)
  const range = custom === undefined ? { min: -1, max: 1 } : {}
  const threshold = checkNumber(config.threshold, range, `${path}.threshold`)
  const capacity = checkHistory(config, path)
  let ring = new VectorRing(capacity)
  let incident: Incident | null = null

  const mayThrow = custom !== undefined
  return { check, checkBatch, mayThrow, apply, save, load, clear, bytes: () => ring.bytes() + 32, describe }

  function check({ embedding }: Observation): ArrayLike<number> {
    if (embedding === undefined) {
      refuse(
        'bad_query',
        'pass a vector, such as embedText(text), embedRow(row) or embedPixels(pixels)',
        embedding,
        'embedding',
      )
    }
    checkVector(embedding, ring.dimension)
    return embedding
  }

  function checkBatch(vectors: readonly ArrayLike<number>[]): void {
    const odd = vectors.findIndex((v) => v.length !== vectors[0]?.length)
    if (odd !== -1) checkVector(vectors[odd]!, vectors[0]!.length, `[${odd}].embedding`)
  }

  function apply(embedding: ArrayLike<number>) {
    const historySize = ring.size
    const nearest = custom === undefined ? ring.nearest(embedding) : nearestBy(custom, ring, embedding, path)
    ring.push(embedding)
    const score = nearest?.cosine ?? 0
    const suspicious = nearest !== undefined && score >= threshold
    if (nearest !== undefined && suspicious) incident = { similarityScore: score, closestIndex: nearest.index }
    return {
      suspicious,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: `Similarity score: ${score.toFixed(4)}, threshold: ${threshold.toFixed(4)}.`,
      metadata: { mostSimilarIndex: nearest?.index ?? null, similarityScore: nearest?.cosine ?? null, historySize },
    }
  }

  function save(): PlainData {
    return { vectors: { ...ring.save() }, incident: incident === null ? null : { ...incident } }
  }

  function load(state: PlainData): void {
    const fields = readState(state, ['vectors', 'incident'])
    const vectors = readVectors(fields['vectors']!, capacity)
    incident = readIncident(fields['incident']!, capacity)
    ring = new VectorRing(capacity, vectors)
  }

  function clear(): void {
    ring = new VectorRing(capacity)
    incident = null
  }

  function describe() {
    return {
      config: { threshold, maxHistorySize: capacity },
      historySize: ring.size,
      details: { dimension: ring.dimension, lastIncident: incident === null ? null : { ...incident } },
    }
  }
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
