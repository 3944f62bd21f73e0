/**
 * From a query to what a detector eats. Features that several detectors share are computed once per query.
 */
import {
  canonicalRow,
  checkPixels,
  checkProbabilities,
  checkRow,
  checkScores,
  checkVector,
  embedRow,
  embedText,
  flattenAlpha,
  MonitorError,
  mirrorPixels,
  type Observation,
  type Pixels,
  perceptualHash,
  pictureShingles,
  pictureVector,
  type Row,
  refuse,
  rowFingerprint,
  rowShingles,
  rowVector,
  type Shingles,
  type Specs,
  scaledRow,
  shingleOptionsOf,
  simHash,
  textFingerprint,
  textShingles,
} from '../core/index.ts'
import type { ModelEmbedder } from './embedder.ts'
import { type Embedder, type Hash, type Limits, readSettings, type Settings } from './featureConfig.ts'
import { decodeImage, type ImageInput } from './image.ts'
import { isModelEmbedder } from './models.ts'
import type { CallOptions } from './order.ts'
import type { Parts } from './parts.ts'
import { embedBy, hashBy } from './plugins.ts'
import { copyOf, type InputKind, isList, kindOf, type Query, requireInput } from './query.ts'

/** Takes the one feature of a query that a detector needs. */
export interface Featurizer {
  /** False for an input of another kind than the detector's: it does not apply. */
  applies(query: Query): boolean
  /** The embedder, where it stands on a model. */
  readonly model: ModelEmbedder<never> | undefined
  /** What `observe` promises, at once and unchecked, where the query brings the feature; else `undefined`. */
  ready(query: Query): Observation | undefined
  observe(features: QueryFeatures, options: CallOptions): Promise<Observation>
}

/** One query, with each of its features computed at most once. */
export class QueryFeatures {
  readonly query: Query
  /** A few: a list takes less than a table. */
  readonly #made: { readonly how: unknown; readonly settings: unknown; readonly result: Promise<unknown> }[] = []

  constructor(query: Query) {
    this.query = query
  }

  /** The result of `make` for this pair of keys: how, and with which settings. */
  once<T>(how: unknown, settings: unknown, make: () => Promise<T>): Promise<T> {
    for (const made of this.#made) if (made.how === how && made.settings === settings) return made.result as Promise<T>
    const result = make()
    this.#made.push({ how, settings, result })
    return result
  }
}

/** The featurizer of a spec. `options` holds its own options; `detector` those of the detector. Throws `bad_config`. */
export function createFeaturizer(
  {
    spec,
    options,
    detector,
    parts,
  }: Pick<Need, 'spec' | 'detector' | 'parts'> & { readonly options: Readonly<Record<string, unknown>> },
  path: string,
): Featurizer {
  const settings = readSettings({ options, detector, parts }, path)
  const observe = { probabilities, fingerprint, embedding, row, vector, shingles, timeMs }[spec.needs]
  return {
    applies: (query) => applies(spec, query),
    model: isModelEmbedder(settings.plugin) ? settings.plugin : undefined,
    ready: spec.needs === 'embedding' || spec.needs === 'row' ? givenList : () => undefined,
    observe: (features, call) => observe(features, { spec, settings, detector, parts, call }),
  }
}

interface Need {
  readonly spec: Specs[string]
  readonly settings: Settings
  readonly detector: Readonly<Record<string, unknown>>
  readonly parts: Parts
  readonly call: CallOptions
}

function applies({ modality, needs, isNearHash }: Specs[string], { input, embedding, modelOutput }: Query): boolean {
  if (needs === 'probabilities' || needs === 'timeMs') return true
  if ((needs === 'embedding' || needs === 'row') && embedding !== undefined)
    return modality === 'any' || input === undefined || kindOf(input) === modality
  if (input === undefined) return modelOutput === undefined // a query of outputs alone is no business of an input detector
  const kind = kindOf(input)
  if (needs === 'vector' && kind === 'text') return false
  if (isNearHash === true && kind === 'tabular') return false
  return modality === 'any' || kind === undefined || kind === modality
}

async function probabilities({ query }: QueryFeatures, { detector }: Need): Promise<Observation> {
  const { modelOutput } = query
  if (modelOutput === undefined) {
    throw new MonitorError('bad_query', 'is missing: pass the class probabilities of the model', 'modelOutput')
  }
  if (detector['outputs'] === 'logits') checkScores(modelOutput, 'modelOutput')
  else checkProbabilities(modelOutput, 'modelOutput')
  const answered = { probabilities: new Float64Array(modelOutput) }
  return readsCheckpoints(detector) ? { ...answered, ...checkpointsOf(query) } : answered
}

/** True for a hardness histogram over the stages of a model. */
function readsCheckpoints({ reference }: Need['detector']): boolean {
  return (reference as { readonly form?: { readonly kind?: unknown } } | undefined)?.form?.kind === 'checkpoints'
}

function checkpointsOf({ metadata }: Query): Observation {
  const labels = metadata?.['checkpoints']
  if (Array.isArray(labels)) return { checkpoints: [...labels] }
  return refuse('bad_query', 'must be the label of each checkpoint, the oldest first', labels, 'metadata.checkpoints')
}

async function fingerprint(features: QueryFeatures, need: Need): Promise<Observation> {
  const { plugin } = need.settings
  const { kind, value } = await inputOf(features, need)
  if (plugin !== undefined) return { fingerprint: await hashBy(plugin as Hash, value, need.call) }
  if (need.spec.isNearHash === true) {
    return { fingerprint: await features.once('near', kind, async () => nearHashOf(kind, value, need.settings)) }
  }
  return {
    fingerprint: await features.once('fingerprint', need.settings.schema, async () =>
      hashOf(kind, value, need.settings),
    ),
  }
}

function nearHashOf(kind: InputKind, value: string | Row | Pixels, { limits }: Settings): string {
  if (kind === 'text') return simHash(value as string, { maxLength: limits.maxTextLength })
  if (kind === 'image') return perceptualHash(value as Pixels)
  return refuse('bad_query', 'must be a text or an image', value, 'input')
}

function hashOf(kind: InputKind, value: string | Row | Pixels, { schema, limits }: Settings): string {
  if (kind === 'text') return textFingerprint(value as string, { maxLength: limits.maxTextLength })
  if (kind === 'tabular') return rowFingerprint(value as Row, schema)
  return perceptualHash(value as Pixels)
}

/** A list that is given is not copied again: the query is held, see `holdQuery`, or given away. */
function givenList({ embedding }: Query): Observation | undefined {
  return isList(embedding) ? { embedding } : undefined
}

async function embedding(features: QueryFeatures, need: Need): Promise<Observation> {
  const given = features.query.embedding
  if (given !== undefined) {
    checkVector(given, 0) // before it is copied: its length may be anything
    return givenList(features.query) ?? { embedding: copyOf(given) }
  }
  const { kind, value } = await inputOf(features, need)
  const embedding = await vectorFor(features, need, kind, value)
  if (!need.settings.mirrored) return { embedding }
  return { embedding, mirrored: await mirroredVector(features, need, value as Pixels) }
}

async function mirroredVector(features: QueryFeatures, need: Need, pixels: Pixels): Promise<ArrayLike<number>> {
  if (need.settings.plugin === undefined) {
    return features.once('mirrored', pixels, async () => {
      return (await need.parts.pictures()).embedPixels(pixels, { mirrored: true })
    })
  }
  return vectorFor(features, need, 'image', await features.once('mirrored', pixels, async () => mirrorPixels(pixels)))
}

/** The vector of an input, once for all detectors that want the same one. */
function vectorFor(
  features: QueryFeatures,
  { settings, parts, call }: Need,
  kind: InputKind,
  value: string | Row | Pixels,
): Promise<ArrayLike<number>> {
  const { plugin, schema, scaling } = settings
  if (plugin !== undefined) return features.once(plugin, value, () => embedBy(plugin as Embedder, value, call))
  const how = scaling === 'none' ? scaling : (schema ?? vectorOf)
  return features.once(how, value, () => vectorOf(kind, value, { settings, parts }))
}

/** The row itself, or an embedding of it where one is given, asked for, or compared by a function of the user's. */
async function row(features: QueryFeatures, need: Need): Promise<Observation> {
  const { plugin, scaling, schema } = need.settings
  const isPlain = features.query.embedding === undefined && plugin === undefined && scaling === 'features'
  if (!isPlain || need.detector['similarity'] !== undefined) return embedding(features, need)
  const value = (await inputOf(features, need)).value as Row
  // Here and not only in the detector, so that the error names the cell of the caller's input.
  if (schema !== undefined) await features.once('canonical', schema, async () => canonicalRow(value, schema))
  return { row: value }
}

/** The input as numbers, and what the model answered where that is read. */
async function vector(features: QueryFeatures, need: Need): Promise<Observation> {
  const answered = need.spec.needsAnswer === false ? {} : await probabilities(features, need)
  const { kind, value } = await inputOf(features, need)
  if (kind === 'text') refuse('bad_query', 'must be a row or an image: a text has no small steps', value, 'input')
  const { schema } = need.settings
  const numbers = await features.once('numbers', schema, async () =>
    kind === 'image' ? pictureVector(value as Pixels) : scaledRow(value as Row, schema),
  )
  return { vector: numbers, ...answered }
}

/** The fingerprint of the input's windows; which, the detector's own options say. With the answer where it is read. */
async function shingles(features: QueryFeatures, need: Need): Promise<Observation> {
  const answered = need.spec.needsAnswer === true ? await probabilities(features, need) : {}
  return { shingles: await windowsOf(features, need), ...answered }
}

async function windowsOf(features: QueryFeatures, need: Need): Promise<Shingles> {
  const { kind, value } = await inputOf(features, need)
  const { schema, limits } = need.settings
  const options = shingleOptionsOf(need.detector)
  if (kind === 'text') return textShingles(value as string, { ...options, maxLength: limits.maxTextLength })
  if (kind === 'image') return pictureShingles(value as Pixels, options)
  return rowShingles(value as Row, { ...options, schema })
}

/** The time, if the query has one: a monitor tells its detectors the time of its stream in any case. */
async function timeMs({ query }: QueryFeatures): Promise<Observation> {
  return query.timeMs === undefined ? {} : { timeMs: query.timeMs }
}

async function vectorOf(
  kind: InputKind,
  value: string | Row | Pixels,
  { settings: { schema, scaling }, parts }: Pick<Need, 'settings' | 'parts'>,
): Promise<ArrayLike<number>> {
  if (kind === 'text') return embedText(value as string)
  if (kind === 'image') return (await parts.pictures()).embedPixels(value as Pixels)
  if (scaling === 'none') return rowVector(value as Row)
  return embedRow(value as Row, schema === undefined ? {} : { schema })
}

interface Input {
  readonly kind: InputKind
  readonly value: string | Row | Pixels
}

/** The checked input: text joined, row copied, image decoded with its alpha over white. */
function inputOf(features: QueryFeatures, { spec, settings, call }: Need): Promise<Input> {
  const kind = spec.modality === 'any' ? kindOf(features.query.input) : spec.modality
  return features.once(`input:${kind}`, settings.limits, async () => {
    const input = requireInput(features.query)
    if (kind === undefined) refuse('bad_query', 'must be a text, a row or an image', input, 'input')
    if (kind === 'text') return { kind, value: checkText(input, settings.limits) }
    if (kind === 'tabular') return { kind, value: checkRow(input, 'input', settings.limits) }
    const pixels = await decodeImage(input as ImageInput, { ...settings.limits, ...call })
    return { kind, value: flattenAlpha(checkPixels(pixels, 'input', settings.limits.maxPixels)) }
  })
}

function checkText(input: unknown, { maxTextLength }: Required<Limits>): string {
  const isList = Array.isArray(input) && input.length > 0
  const text = isList && input.every((part) => typeof part === 'string') ? input.join(' ') : input
  if (typeof text !== 'string') refuse('bad_query', 'must be a string or a list of strings', input, 'input')
  if (text === '') throw new MonitorError('bad_query', 'must not be empty', 'input')
  if (text.length <= maxTextLength) return text
  const remedy = 'send a shorter text or raise limits.maxTextLength'
  throw new MonitorError(
    'bad_query',
    `must be at most ${maxTextLength} characters, got ${text.length}; ${remedy}`,
    'input',
  )
}
