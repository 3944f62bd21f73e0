/** What honest clients' embeddings look like, as `distribution_shift` wants it told. */
import { checkChoice, checkNumber, checkObject, refuse } from '../../checkers.ts'
import { FeatureMean, medianBandwidth, mmdSquared, mmdSquaredOfMeans, RandomFeatures } from '../../stats/index.ts'
import { checkVector } from '../../vectorRing.ts'
import { benignThreshold, requireReference } from '../benignThreshold.ts'

export const FORMS = ['stream', 'window'] as const
/** Widths of the kernels, as multiples of the median distance. */
const WIDTHS = [0.5, 1, 2, 4]
const MOST_QUERIES = 10_000

/** Plain data, made by {@link fitShift}. */
export interface ShiftReference {
  /** `window`: the last queries against all of `vectors`. `stream`: means of random features, the older the less. */
  readonly form: (typeof FORMS)[number]
  /** Honest embeddings of length 1. */
  readonly vectors: readonly (readonly number[])[]
  /** Widths of the Gaussian kernels. */
  readonly bandwidths: readonly number[]
  /** Queries of a window; of a stream, those that weigh about as much as all before them. */
  readonly queries: number
  /** Queries from one comparison to the next. */
  readonly every: number
  /** Random directions and what chooses them; an attacker should not know the seed. Of a stream only. */
  readonly frequencies: number
  readonly seed: number
  /** What an honest client ever exceeds with a probability of at most the `alpha` of the fit. */
  readonly threshold: number
}

export type FitShiftOptions = Partial<Omit<ShiftReference, 'vectors' | 'bandwidths' | 'threshold'>> & {
  /** Honest embeddings kept, 2 … 10 000. Default 200. */
  readonly references?: number
  /** Share of honest clients that may ever exceed the threshold, 1e-9 … 0.5. Default 0.01. */
  readonly alpha?: number
}

/** A reference that has been read: what all clients of a detector share. */
export interface PreparedShift {
  readonly reference: ShiftReference
  readonly features: RandomFeatures | undefined
  readonly mean: FeatureMean | undefined
}

/**
 * The reference of `distribution_shift`. Every second client gives embeddings, evenly taken; the others' largest score sets the
 * threshold, one score a client: a real client is a narrow part of the pool, so that thresholds from random draws of the
 * pool, as published, accuse honest ones.
 *
 * @param clients The embeddings of each honest client in their order, all of one length, at least `queries` of each, from
 * 2 · (1/alpha − 1) clients on. Throws `bad_query`, `bad_config`.
 */
export function fitShift(
  clients: readonly (readonly ArrayLike<number>[])[],
  {
    references = 200,
    alpha = 0.01,
    form = 'stream',
    queries = 100,
    seed = 0,
    frequencies = 128,
    every,
  }: FitShiftOptions = {},
): ShiftReference {
  const isStream = checkChoice(form, FORMS, 'form') === 'stream'
  checkNumber(queries, { min: 2, max: MOST_QUERIES, integer: true }, 'queries')
  checkNumber(references, { min: 2, max: 10_000, integer: true }, 'references')
  const pool = clients.filter((_, i) => i % 2 === 0).flat()
  const short = clients.findIndex((client) => client.length < queries)
  if (short !== -1) refuse('bad_query', `must have ${queries} at least`, clients[short]!.length, `clients[${short}]`)
  if (pool.length < 2) refuse('bad_query', 'must not be empty', clients.length, 'clients')
  const length = pool[0]!.length
  for (const [i, client] of clients.entries()) {
    for (const [j, vector] of client.entries()) checkVector(vector, length, `clients[${i}][${j}]`)
  }
  const count = Math.min(references, pool.length)
  const vectors = Array.from({ length: count }, (_, i) =>
    Array.from(unit(pool[Math.floor((i * pool.length) / count)]!)),
  )
  const median = medianBandwidth(vectors)
  const bandwidths = WIDTHS.map((width) => width * median)
  const steps = every ?? (isStream ? 1 : Math.ceil(queries / 4))
  const open = { form, vectors, bandwidths, queries, every: steps, frequencies, seed, threshold: 0 }
  const prepared = prepareShift(open, 'reference')
  const largest = clients.filter((_, i) => i % 2 === 1).map((client) => largestScore(client, prepared))
  return { ...open, threshold: Math.max(benignThreshold(largest, alpha), 0) }
}

function largestScore(client: readonly ArrayLike<number>[], prepared: PreparedShift): number {
  const { queries, every } = prepared.reference
  const recent = openRecent(prepared)
  let largest = -Infinity
  for (const [i, vector] of client.entries()) {
    recent.push(unit(vector))
    if (i + 1 >= queries && (i + 1) % every === 0) largest = Math.max(largest, recent.score())
  }
  return largest === -Infinity ? recent.score() : largest
}

/** The last queries of one client, compared with a reference. */
export interface Recent {
  push(vector: Float64Array): void
  /** The squared mean discrepancy; there must be two queries at least. */
  score(): number
}

function openRecent(prepared: PreparedShift): Recent {
  if (prepared.features !== undefined) {
    const mean = decayedMean(prepared)
    return { push: (vector) => mean.push(prepared.features!.map(vector)), score: () => streamScore(mean, prepared) }
  }
  const window: Float64Array[] = []
  return {
    push(vector) {
      window.push(vector)
      if (window.length > prepared.reference.queries) window.shift()
    },
    score: () => windowScore(window, prepared),
  }
}

/** The mean in which a query weighs 1 − 1/`queries` times as much as the one after it. */
export function decayedMean({ reference: { queries }, features }: PreparedShift): FeatureMean {
  return new FeatureMean({ length: features!.length, decay: 1 - 1 / queries })
}

export function streamScore(mean: FeatureMean, { mean: benign }: PreparedShift): number {
  return mmdSquaredOfMeans(benign!, mean)
}

export function windowScore(window: readonly ArrayLike<number>[], { reference }: PreparedShift): number {
  return mmdSquared(reference.vectors, window, reference)
}

/** Scaled to length 1; zeros stay zeros. */
export function unit(vector: ArrayLike<number>): Float64Array {
  let largest = 0
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]!))
  const scaled = Float64Array.from(vector)
  if (largest === 0) return scaled
  let squares = 0
  for (let i = 0; i < scaled.length; i++) {
    scaled[i]! /= largest
    squares += scaled[i]! * scaled[i]!
  }
  const norm = Math.sqrt(squares)
  for (let i = 0; i < scaled.length; i++) scaled[i]! /= norm
  return scaled
}

const KEYS = ['form', 'vectors', 'bandwidths', 'queries', 'every', 'frequencies', 'seed', 'threshold']

/** What was made of a reference, for all detectors that are given the same object. */
const prepared = /* @__PURE__ */ new WeakMap<ShiftReference, PreparedShift>()

/** Checks a reference; once, for as long as the object lives. Throws `bad_config`. */
export function readShift(given: ShiftReference | undefined, path: string): PreparedShift {
  if (given === undefined) return requireReference(path, 'fitShift(clients)')
  checkObject(given, KEYS, path)
  const known = prepared.get(given) ?? prepareShift(given, path)
  prepared.set(given, known)
  return known
}

function prepareShift(given: ShiftReference, path: string): PreparedShift {
  const form = checkChoice(given.form, FORMS, `${path}.form`)
  const queries = checkNumber(given.queries, { min: 2, max: MOST_QUERIES, integer: true }, `${path}.queries`)
  const every = checkNumber(given.every, { min: 1, max: queries, integer: true }, `${path}.every`)
  const threshold = checkNumber(given.threshold, { min: 0, max: 2 }, `${path}.threshold`)
  const vectors = readVectors(given.vectors, `${path}.vectors`)
  const { bandwidths, frequencies, seed } = given
  const shared = { vectors, bandwidths: [...bandwidths] }
  const reference = { form, ...shared, queries, every, frequencies, seed, threshold }
  if (form === 'window') {
    mmdSquared(vectors.slice(0, 2), vectors.slice(0, 2), shared) // checks the widths
    return { reference, features: undefined, mean: undefined }
  }
  const features = new RandomFeatures({ dimension: vectors[0]!.length, bandwidths, frequencies, seed })
  const mean = new FeatureMean({ length: features.length })
  for (const vector of vectors) mean.push(features.map(vector))
  return { reference, features, mean }
}

function readVectors(vectors: unknown, path: string): number[][] {
  if (!(Array.isArray(vectors) && vectors.length >= 2 && vectors.length <= 10_000)) {
    refuse('bad_config', 'must be a list of 2 … 10 000 embeddings', vectors, path)
  }
  return (vectors as unknown[]).map((vector, i) => {
    const numbers = vector as number[]
    const isList = Array.isArray(vector) && numbers.length >= 1 && numbers.length === (vectors as number[][])[0]!.length
    if (!isList) refuse('bad_config', 'must be a list of numbers, as long as the first', vector, `${path}[${i}]`)
    return numbers.map((value, k) => checkNumber(value, { min: -1, max: 1 }, `${path}[${i}][${k}]`))
  })
}
