/**
 * From a query to what a detector eats. Features that several detectors share are computed once per query.
 */
import {
  checkFunction,
  checkNumber,
  checkObject,
  checkPixels,
  checkProbabilities,
  checkRow,
  checkRowSchema,
  checkScores,
  checkVector,
  embedPixels,
  embedRow,
  embedText,
  type Feature,
  flattenAlpha,
  isMonitorError,
  isPlainObject,
  type Modality,
  MonitorError,
  type Observation,
  type Pixels,
  perceptualHash,
  type Row,
  type RowSchema,
  refuse,
  rowFingerprint,
  rowVector,
  type Specs,
  textFingerprint,
  withPath,
} from '../core/index.ts'
import type { ModelEmbedder } from './embedder.ts'
import { decodeImage, type ImageInput } from './image.ts'
import { type EmbedderDescription, embedderFrom } from './makers.ts'
import { isModelEmbedder } from './models.ts'
import type { CallOptions } from './order.ts'
import { copyOf, type InputKind, kindOf, type Query, requireInput } from './query.ts'

/** What a plug-in function gets: a text (lists joined by a space), a checked row, or decoded pixels (alpha over white). */
export interface FeatureInput {
  readonly any: string | Row | Pixels
  readonly text: string
  readonly tabular: Row
  readonly image: Pixels
}

/** Makes a vector of an input; all of one length. What it throws arrives as `embedder_failed`. */
export type Embedder<In = string | Row | Pixels> = (
  input: In,
  options: CallOptions,
) => ArrayLike<number> | Promise<ArrayLike<number>>

/** Makes a name for "the same query" of an input, 1 … 256 characters. What it throws arrives as `plugin_failed`. */
export type Hash<In = string | Row | Pixels> = (input: In, options: CallOptions) => string | Promise<string>

/** What an input may cost. A larger one is refused as `bad_query`. */
export interface Limits {
  /** UTF-16 units of a text, all parts together. Default 1 000 000. */
  readonly maxTextLength?: number
  /** Columns of a row. Default 1000. */
  readonly maxColumns?: number
  /** Pixels of an image, looked up in its header before it is decoded. Default 40 million. */
  readonly maxPixels?: number
  /** Bytes of an encoded image. Default 64 MiB. */
  readonly maxBytes?: number
}

const LIMITS: Required<Limits> = { maxTextLength: 1e6, maxColumns: 1000, maxPixels: 4e7, maxBytes: 64 * 2 ** 20 }

/** Options of the featurizer, beside those of the detector. Which of them apply depends on modality and feature. */
export type FeatureConfig<Input extends Modality, Need extends Feature> = {
  readonly limits?: Limits
} & (Need extends 'embedding'
  ? {
      /** A function, an embedder with a model such as `fromOnnx(…)`, or the description of one as JSON. */
      readonly embedder?: Embedder<FeatureInput[Input]> | EmbedderDescription
    }
  : Need extends 'fingerprint'
    ? { readonly hash?: Hash<FeatureInput[Input]> }
    : unknown) &
  (Input extends 'tabular' | 'any' ? (Need extends 'probabilities' ? unknown : TabularConfig<Need>) : unknown)

type TabularConfig<Need extends Feature> = {
  /** Types and scales of the columns; without it they are inferred cell by cell. */
  readonly schema?: RowSchema
} & (Need extends 'embedding'
  ? {
      /** `none`: the raw numbers in key order, as the reference; nearly every row is then similar. Default `features`. */
      readonly scaling?: 'features' | 'none'
    }
  : unknown)

/** Takes the one feature of a query that a detector needs. */
export interface Featurizer {
  /** False for an input of another kind than the detector's: it does not apply. */
  applies(query: Query): boolean
  /** The embedder, where it stands on a model. */
  readonly model: ModelEmbedder<never> | undefined
  observe(features: QueryFeatures, options: CallOptions): Promise<Observation>
}

/** One query, with each of its features computed at most once. */
export class QueryFeatures {
  readonly query: Query
  readonly #made = new Map<unknown, Map<unknown, Promise<unknown>>>()

  constructor(query: Query) {
    this.query = query
  }

  /** The result of `make` for this pair of keys: how, and with which settings. */
  once<T>(how: unknown, settings: unknown, make: () => Promise<T>): Promise<T> {
    const bySettings = this.#made.get(how) ?? new Map<unknown, Promise<unknown>>()
    this.#made.set(how, bySettings)
    const known = bySettings.get(settings) ?? make()
    bySettings.set(settings, known)
    return known as Promise<T>
  }
}

interface Settings {
  readonly limits: Required<Limits>
  readonly schema: RowSchema | undefined
  readonly scaling: 'features' | 'none'
  readonly plugin: Embedder | Hash | undefined
}

/** The option names of the featurizer that goes with a spec. */
export function featureKeys({ modality, needs }: Specs[string]): string[] {
  const plugin = needs === 'embedding' ? ['embedder'] : needs === 'fingerprint' ? ['hash'] : []
  const tables = needs !== 'probabilities' && (modality === 'tabular' || modality === 'any')
  return ['limits', ...plugin, ...(tables ? ['schema'] : []), ...(tables && needs === 'embedding' ? ['scaling'] : [])]
}

/** The featurizer of a spec. `options` holds its own options; `detector` those of the detector. Throws `bad_config`. */
export function createFeaturizer(
  spec: Specs[string],
  options: Readonly<Record<string, unknown>>,
  detector: Readonly<Record<string, unknown>>,
  path: string,
): Featurizer {
  const settings: Settings = {
    limits: checkLimits(options['limits'] as Limits | undefined, `${path}.limits`),
    schema: options['schema'] as RowSchema | undefined,
    scaling: checkScaling(options['scaling'], `${path}.scaling`),
    plugin: (checkEmbedder(options['embedder'], `${path}.embedder`) ??
      checkFunction(options['hash'], `${path}.hash`)) as Embedder | Hash | undefined,
  }
  if (settings.schema !== undefined) checkRowSchema(settings.schema, `${path}.schema`)
  const observe = { probabilities, fingerprint, embedding }[spec.needs]
  return {
    applies: (query) => applies(spec, query),
    model: isModelEmbedder(settings.plugin) ? settings.plugin : undefined,
    observe: (features, call) => observe(features, { spec, settings, detector, call }),
  }
}

interface Need {
  readonly spec: Specs[string]
  readonly settings: Settings
  readonly detector: Readonly<Record<string, unknown>>
  readonly call: CallOptions
}

function applies({ modality, needs }: Specs[string], { input, embedding, modelOutput }: Query): boolean {
  if (needs === 'probabilities') return true
  if (needs === 'embedding' && embedding !== undefined)
    return modality === 'any' || input === undefined || kindOf(input) === modality
  if (input === undefined) return modelOutput === undefined // a query of outputs alone is no business of an input detector
  const kind = kindOf(input)
  return modality === 'any' || kind === undefined || kind === modality
}

async function probabilities({ query }: QueryFeatures, { detector }: Need): Promise<Observation> {
  const { modelOutput } = query
  if (modelOutput === undefined) {
    throw new MonitorError('bad_query', 'is missing: pass the class probabilities of the model', 'modelOutput')
  }
  if (detector['outputs'] === 'logits') checkScores(modelOutput, 'modelOutput')
  else checkProbabilities(modelOutput, 'modelOutput')
  return { probabilities: new Float64Array(modelOutput) }
}

async function fingerprint(features: QueryFeatures, need: Need): Promise<Observation> {
  const { plugin } = need.settings
  const { kind, value } = await inputOf(features, need)
  if (plugin !== undefined) return { fingerprint: await hashBy(plugin as Hash, value, need.call) }
  return {
    fingerprint: await features.once('fingerprint', need.settings.schema, async () =>
      hashOf(kind, value, need.settings),
    ),
  }
}

function hashOf(kind: InputKind, value: string | Row | Pixels, { schema, limits }: Settings): string {
  if (kind === 'text') return textFingerprint(value as string, { maxLength: limits.maxTextLength })
  if (kind === 'tabular') return rowFingerprint(value as Row, schema)
  return perceptualHash(value as Pixels)
}

async function hashBy(hash: Hash, value: string | Row | Pixels, call: CallOptions): Promise<string> {
  const made: unknown = await plugged(() => hash(value, call), 'plugin_failed', 'hash')
  if (typeof made === 'string' && made.length >= 1 && made.length <= 256) return made
  return refuse('plugin_failed', 'must return a string of 1 … 256 characters', made, 'hash')
}

async function embedding(features: QueryFeatures, need: Need): Promise<Observation> {
  const { plugin } = need.settings
  const given = features.query.embedding
  if (given !== undefined) {
    checkVector(given, 0)
    return { embedding: copyOf(given) }
  }
  const { kind, value } = await inputOf(features, need)
  if (plugin !== undefined) {
    return { embedding: await features.once(plugin, 'embedding', () => embedBy(plugin as Embedder, value, need.call)) }
  }
  const { schema, scaling } = need.settings
  const settings = scaling === 'none' ? scaling : schema
  return { embedding: await features.once('embedding', settings, async () => vectorOf(kind, value, need.settings)) }
}

function vectorOf(kind: InputKind, value: string | Row | Pixels, { schema, scaling }: Settings): ArrayLike<number> {
  if (kind === 'text') return embedText(value as string)
  if (kind === 'image') return embedPixels(value as Pixels)
  if (scaling === 'none') return rowVector(value as Row)
  return embedRow(value as Row, schema === undefined ? {} : { schema })
}

async function embedBy(
  embedder: Embedder,
  value: string | Row | Pixels,
  call: CallOptions,
): Promise<ArrayLike<number>> {
  const vector = await plugged(() => embedder(value, call), 'embedder_failed', 'embedder')
  try {
    checkVector(vector, 0, 'embedder')
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    throw new MonitorError('embedder_failed', `its result ${thrown.message.slice(thrown.path.length + 2)}`, thrown.path)
  }
  return copyOf(vector)
}

/** Calls a user's function; what it throws is reported as its failure, except an abort. */
async function plugged<T>(
  call: () => T | Promise<T>,
  code: 'embedder_failed' | 'plugin_failed',
  path: string,
): Promise<T> {
  try {
    return await call()
  } catch (thrown) {
    if (isMonitorError(thrown)) throw thrown.path === '' ? withPath(thrown, path) : thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    throw new MonitorError(code, `the ${path} threw: ${message}`, path, { cause: thrown })
  }
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

function checkLimits(limits: Limits | undefined, path: string): Required<Limits> {
  if (limits === undefined) return LIMITS
  checkObject(limits, Object.keys(LIMITS), path)
  for (const [key, value] of Object.entries(limits))
    checkNumber(value, { min: 1, max: 2 ** 32, integer: true }, `${path}.${key}`)
  return { ...LIMITS, ...limits }
}

function checkEmbedder(embedder: unknown, path: string): Embedder | undefined {
  if (isPlainObject(embedder)) return embedderFrom(embedder, path) as unknown as Embedder
  return checkFunction(embedder, path) as Embedder | undefined
}

function checkScaling(value: unknown, path: string): 'features' | 'none' {
  if (value === undefined || value === 'features') return 'features'
  return value === 'none' ? value : refuse('bad_config', "must be 'features' or 'none'", value, path)
}
