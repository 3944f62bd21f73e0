/** What honest clients' embeddings look like, as `distribution_shift` wants it told. */
import { checkChoice, checkNumber, checkObject, refuse } from '../../checkers.ts'
import { FeatureMean, FixedSample, RandomFeatures } from '../../stats/index.ts'
import { MOST_NUMBERS } from '../../stats/kernel.ts'
import { requireReference } from '../benignThreshold.ts'
import { type PreparedBets, prepareBets, type ShiftEvidence } from './bets.ts'

export const FORMS = ['stream', 'window', 'bets'] as const
/** In a window, or to remember. */
export const MOST_QUERIES = 10_000

/** Plain data, made by {@link fitShift}. */
export interface ShiftReference {
  /**
   * `window`: the last queries against all of `vectors`. `stream`: means of random features, the older the less. `bets`: evidence
   * from every query, see shift/bets.ts.
   */
  readonly form: (typeof FORMS)[number]
  /** Honest embeddings of length 1. */
  readonly vectors: readonly (readonly number[])[]
  /** Others of them, set aside. Of bets only. */
  readonly calibration?: readonly (readonly number[])[]
  /** Evidence that alarms, in nats: an honest client ever has more with a probability of `alpha`. Of bets only. */
  readonly limits?: ShiftEvidence
  /** Widths of the Gaussian kernels. */
  readonly bandwidths: readonly number[]
  /** Queries of a window; of a stream, and of the mean that bets learn from, those that weigh about as much as all before. */
  readonly queries: number
  /** Queries from one comparison to the next; of bets, from one direction that is learned to the next. */
  readonly every: number
  /** Random directions and what chooses them; an attacker should not know the seed. Of a stream only. */
  readonly frequencies: number
  readonly seed: number
  /** What an honest client ever exceeds with a probability of at most the `alpha` of the fit. */
  readonly threshold: number
}

interface Prepared {
  readonly reference: ShiftReference
  /** Working memory: a query scaled to length 1. */
  readonly scaled: Float64Array
}

export interface PreparedWindow extends Prepared {
  readonly form: 'window'
  /** The honest embeddings. */
  readonly honest: FixedSample
  /** Working memory: the embeddings of a window, one behind the other. */
  readonly windowed: Float64Array
}

export interface PreparedStream extends Prepared {
  readonly form: 'stream'
  readonly features: RandomFeatures
  /** Of the honest embeddings. */
  readonly mean: FeatureMean
  /** Working memory: the features of a query. */
  readonly mapped: Float64Array
}

export interface PreparedEvidence extends Prepared {
  readonly form: 'bets'
  readonly limits: ShiftEvidence
  readonly bets: PreparedBets
}

/** A reference that has been read: what all clients of a detector share. */
export type PreparedShift = PreparedWindow | PreparedStream | PreparedEvidence

/** Scaled to length 1; zeros stay zeros. */
export function unit(vector: ArrayLike<number>): Float64Array {
  return unitInto(vector, new Float64Array(vector.length))
}

/** The same, in place of what `scaled` held, which is returned. */
export function unitInto(vector: ArrayLike<number>, scaled: Float64Array): Float64Array {
  let largest = 0
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]!))
  scaled.set(vector)
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
const KEYS_OF_BETS = [...KEYS, 'calibration', 'limits']

/** What was made of a reference, for all detectors that are given the same object. */
const prepared = /* @__PURE__ */ new WeakMap<ShiftReference, PreparedShift>()

/** Checks a reference; once, for as long as the object lives. Throws `bad_config`. */
export function readShift(given: ShiftReference | undefined, path: string): PreparedShift {
  if (given === undefined) return requireReference(path, 'fitShift(clients)')
  checkObject(given, given?.form === 'bets' ? KEYS_OF_BETS : KEYS, path)
  const known = prepared.get(given) ?? prepareShift(given, path)
  prepared.set(given, known)
  return known
}

export function prepareShift(given: ShiftReference, path: string): PreparedShift {
  const form = checkChoice(given.form, FORMS, `${path}.form`)
  const queries = checkNumber(given.queries, { min: 2, max: MOST_QUERIES, integer: true }, `${path}.queries`)
  const every = checkNumber(given.every, { min: 1, max: queries, integer: true }, `${path}.every`)
  const threshold = checkNumber(given.threshold, { min: 0, max: 2 }, `${path}.threshold`)
  const vectors = readVectors(given.vectors, `${path}.vectors`)
  const { bandwidths, frequencies, seed } = given
  const shared = { vectors, bandwidths: [...bandwidths] }
  const reference = { form, ...shared, queries, every, frequencies, seed, threshold }
  const scaled = new Float64Array(vectors[0]!.length)
  if (form === 'window') {
    const numbers = queries * scaled.length
    if (numbers > MOST_NUMBERS)
      refuse('bad_config', `must be at most ${MOST_NUMBERS} numbers`, numbers, `${path}.queries`)
    const honest = new FixedSample(vectors, bandwidths)
    return { form, reference, scaled, honest, windowed: new Float64Array(numbers) }
  }
  if (form === 'bets') {
    const calibration = readVectors(given.calibration, `${path}.calibration`, vectors[0]!.length)
    const limits = readLimits(given.limits, `${path}.limits`)
    const bets = prepareBets(vectors.map(unit), calibration.map(unit))
    return { form, reference: { ...reference, calibration, limits }, limits, bets, scaled }
  }
  const features = new RandomFeatures({ dimension: vectors[0]!.length, bandwidths, frequencies, seed })
  const mean = new FeatureMean({ length: features.length })
  for (const vector of vectors) mean.push(features.map(vector))
  return { form, reference, features, mean, scaled, mapped: new Float64Array(features.length) }
}

function readLimits(limits: unknown, path: string): ShiftEvidence {
  const { novelty, drift } = checkObject(limits as ShiftEvidence, ['novelty', 'drift'], path)
  const nats = { min: 0.1, max: 1e9 }
  return { novelty: checkNumber(novelty, nats, `${path}.novelty`), drift: checkNumber(drift, nats, `${path}.drift`) }
}

function readVectors(vectors: unknown, path: string, length?: number): number[][] {
  if (!(Array.isArray(vectors) && vectors.length >= 2 && vectors.length <= 10_000)) {
    refuse('bad_config', 'must be a list of 2 … 10 000 embeddings', vectors, path)
  }
  return (vectors as unknown[]).map((vector, i) => {
    const numbers = vector as number[]
    const isList = Array.isArray(vector) && numbers.length >= 1
    const expected = length ?? (vectors as number[][])[0]!.length
    if (!(isList && numbers.length === expected)) {
      refuse('bad_config', 'must be a list of numbers, as long as the first', vector, `${path}[${i}]`)
    }
    return numbers.map((value, k) => checkNumber(value, { min: -1, max: 1 }, `${path}[${i}][${k}]`))
  })
}
