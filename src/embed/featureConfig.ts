/** The options of featurizers: what they are and how they are checked. */
import {
  checkFunction,
  checkNumber,
  checkObject,
  checkRowSchema,
  type Feature,
  isPlainObject,
  type Modality,
  type Pixels,
  type Row,
  type RowSchema,
  refuse,
  type Specs,
} from '../core/index.ts'
import type { EmbedderDescription } from './makers.ts'
import type { CallOptions } from './order.ts'
import type { Parts } from './parts.ts'

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
} & (Need extends 'embedding' | 'row'
  ? {
      /** A function, an embedder with a model such as `fromOnnx(…)`, or the description of one as JSON. */
      readonly embedder?: Embedder<FeatureInput[Input]> | EmbedderDescription
    }
  : Need extends 'fingerprint'
    ? { readonly hash?: Hash<FeatureInput[Input]> }
    : unknown) &
  (Input extends 'image' ? (Need extends 'embedding' ? ImageConfig : unknown) : unknown) &
  (Input extends 'tabular' | 'any' ? (Need extends Inputless ? unknown : TabularConfig<Need>) : unknown)

/** Features that are not taken from the input. */
type Inputless = 'probabilities' | 'timeMs'

interface ImageConfig {
  /** Looks for the mirrored picture in the past as well: two comparisons, so twice the chance of a false alarm. Default false. */
  readonly mirrored?: boolean
}

type TabularConfig<Need extends Feature> = {
  /**
   * Types and scales of the columns, such as the profile of `fitTabular`. Without it the types are inferred cell by cell,
   * and `tabular_similarity` learns the scales from the stream.
   */
  readonly schema?: RowSchema
} & (Need extends 'embedding' | 'row'
  ? {
      /** `none`: the raw numbers in key order, as the reference; nearly every row is then similar. Default `features`. */
      readonly scaling?: 'features' | 'none'
    }
  : unknown)

/** The options of one featurizer, checked. */
export interface Settings {
  readonly limits: Required<Limits>
  readonly schema: RowSchema | undefined
  readonly scaling: 'features' | 'none'
  readonly mirrored: boolean
  readonly plugin: Embedder | Hash | undefined
}

/** The option names of the featurizer that goes with a spec. */
export function featureKeys({ modality, needs, defaults }: Specs[string]): string[] {
  const isVector = needs === 'embedding' || needs === 'row'
  const plugin = isVector ? ['embedder'] : needs === 'fingerprint' ? ['hash'] : []
  const tables = needs !== 'probabilities' && needs !== 'timeMs' && (modality === 'tabular' || modality === 'any')
  // A detector that compares rows has the schema among its own options; the featurizer reads it there.
  const schema = tables && !Object.hasOwn(defaults, 'schema') ? ['schema'] : []
  const mirrored = modality === 'image' && isVector ? ['mirrored'] : []
  return ['limits', ...plugin, ...mirrored, ...schema, ...(tables && isVector ? ['scaling'] : [])]
}

/** Reads a featurizer's own options; `detector` holds those of the detector. Throws `bad_config`. */
export function readSettings(
  {
    options,
    detector,
    parts,
  }: {
    readonly options: Readonly<Record<string, unknown>>
    readonly detector: Readonly<Record<string, unknown>>
    readonly parts: Parts
  },
  path: string,
): Settings {
  const schema = (options['schema'] ?? detector['schema']) as RowSchema | undefined
  if (schema !== undefined) checkRowSchema(schema, `${path}.schema`)
  return {
    limits: checkLimits(options['limits'] as Limits | undefined, `${path}.limits`),
    schema,
    scaling: checkScaling(options['scaling'], `${path}.scaling`),
    mirrored: checkFlag(options['mirrored'], `${path}.mirrored`),
    plugin: (checkEmbedder(options['embedder'], parts, `${path}.embedder`) ??
      checkFunction(options['hash'], `${path}.hash`)) as Embedder | Hash | undefined,
  }
}

function checkLimits(limits: Limits | undefined, path: string): Required<Limits> {
  if (limits === undefined) return LIMITS
  checkObject(limits, Object.keys(LIMITS), path)
  for (const [key, value] of Object.entries(limits))
    checkNumber(value, { min: 1, max: 2 ** 32, integer: true }, `${path}.${key}`)
  return { ...LIMITS, ...limits }
}

function checkEmbedder(embedder: unknown, parts: Parts, path: string): Embedder | undefined {
  if (isPlainObject(embedder)) return parts.embedderFrom(embedder, path) as unknown as Embedder
  return checkFunction(embedder, path) as Embedder | undefined
}

function checkFlag(value: unknown, path: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  return refuse('bad_config', 'must be true or false', value, path)
}

function checkScaling(value: unknown, path: string): 'features' | 'none' {
  if (value === undefined || value === 'features') return 'features'
  return value === 'none' ? value : refuse('bad_config', "must be 'features' or 'none'", value, path)
}
