/**
 * From a query of a session to what a detector eats, at once and as a host of the library takes it: see `embed`. A picture is
 * a vector as it is and hashed by its 8-bit pixels; features that several detectors share are taken once.
 */
import {
  type DetectorSpec,
  embedPixels,
  embedRow,
  embedText,
  MonitorError,
  type Observation,
  type Pixels,
  perceptualHash,
  pictureShingles,
  pictureVector,
  type Row,
  type RowSchema,
  rowFingerprint,
  rowShingles,
  rowVector,
  type Specs,
  scaledRow,
  shingleOptionsOf,
  simHash,
  softmax,
  textFingerprint,
  textShingles,
  toPixelBytes,
} from '../core/index.ts'
import type { Asked, InputOf, Kind, Picture, Shape } from './types.ts'

/** Options of a detector that say how its feature is taken, as `embed` has them. */
const OWN = ['schema', 'scaling', 'mirrored'] as const

/** What the features of one session are taken from. */
export interface Scene {
  readonly kind: Kind
  readonly shape: Shape
  /** A clock in ms. */
  readonly now: () => number
}

/** One query, with each of its features taken at most once. */
export class QueryFeatures {
  readonly asked: Asked<InputOf[Kind]>
  readonly scene: Scene
  /** What the features taken since it was last set have cost, in ms, whoever took them first. */
  spentMs = 0
  readonly #made = new Map<string, { readonly value: unknown; readonly ms: number }>()

  constructor(asked: Asked<InputOf[Kind]>, scene: Scene) {
    this.asked = asked
    this.scene = scene
  }

  /** What `make` gives, which takes no other feature itself. */
  once<T>(name: string, make: () => T): T {
    let made = this.#made.get(name)
    if (made === undefined) {
      const from = this.scene.now()
      const value = make()
      made = { value, ms: this.scene.now() - from }
      this.#made.set(name, made)
    }
    this.spentMs += made.ms
    return made.value as T
  }

  /** The picture with numbers 0 … 1. */
  get pixels(): Pixels {
    return { ...this.scene.shape, data: this.asked.input as Picture, maxValue: 1 }
  }

  /** The picture as a file has it. */
  get bytes(): Pixels {
    return this.once('bytes', () => ({ ...this.scene.shape, data: toPixelBytes(this.pixels) }))
  }

  get text(): string {
    return this.asked.input as string
  }

  get row(): Row {
    return this.asked.input as Row
  }

  get probabilities(): ArrayLike<number> {
    return this.once('probabilities', () => softmax(this.asked.logits))
  }
}

/** What one detector eats of a query. Throws what its feature throws. */
export type Observe = (features: QueryFeatures) => Observation

interface Wish {
  readonly spec: Specs[string]
  readonly kind: Kind
  readonly schema: RowSchema | undefined
  readonly scaling: unknown
  readonly mirrored: boolean
  /** The detector's own options. */
  readonly options: Readonly<Record<string, unknown>>
}

/** The feature's options apart from the detector's own. */
export function splitOptions(spec: Specs[string], config: Readonly<Record<string, unknown>>) {
  const isOwn = (key: string) => (OWN as readonly string[]).includes(key) && !Object.hasOwn(spec.defaults, key)
  const entries = Object.entries(config)
  return {
    feature: Object.fromEntries(entries.filter(([key]) => isOwn(key))),
    options: Object.fromEntries(entries.filter(([key]) => !isOwn(key))),
  }
}

/** True if a detector has something to say of inputs of this kind. */
export function isFor({ modality, needs, isNearHash }: DetectorSpec, kind: Kind): boolean {
  if (modality !== 'any' && modality !== kind) return false
  if (needs === 'vector') return kind !== 'text'
  return !(isNearHash === true && kind === 'tabular')
}

/** How a detector's observation is made. Throws `bad_config` for one that is not for this kind of input. */
export function observerOf(
  spec: Specs[string],
  config: Readonly<Record<string, unknown>>,
  kind: Kind,
  path: string,
): Observe {
  if (!isFor(spec, kind)) {
    throw new MonitorError('bad_config', `does not work on ${WORDS[kind]}; leave it out`, path)
  }
  const { feature, options } = splitOptions(spec, config)
  const { schema = options['schema'], scaling, mirrored = false } = feature
  const wish: Wish = {
    spec,
    kind,
    schema: schema as RowSchema | undefined,
    scaling,
    mirrored: mirrored === true,
    options,
  }
  const take = TAKERS[spec.needs]
  const readsAnswer = spec.needsAnswer ?? (spec.needs === 'probabilities' || spec.needs === 'vector')
  return (features) => {
    const { timeMs, logits } = features.asked
    const answer = options['outputs'] === 'logits' ? logits : readsAnswer ? features.probabilities : undefined
    const taken = take(features, wish)
    return answer === undefined || !readsAnswer ? { ...taken, timeMs } : { ...taken, timeMs, probabilities: answer }
  }
}

const WORDS = { image: 'pictures', text: 'texts', tabular: 'rows' } as const

type Taker = (features: QueryFeatures, wish: Wish) => Observation

const TAKERS: Readonly<Record<Specs[string]['needs'], Taker>> = {
  probabilities: () => ({}),
  timeMs: () => ({}),
  fingerprint,
  embedding,
  row,
  vector,
  shingles,
}

function fingerprint(features: QueryFeatures, { kind, spec, schema }: Wish): Observation {
  if (kind === 'image') {
    const { bytes } = features
    return { fingerprint: features.once('phash', () => perceptualHash(bytes)) }
  }
  if (kind === 'tabular') {
    return { fingerprint: features.once(keyOf('row hash', schema), () => rowFingerprint(features.row, schema)) }
  }
  if (spec.isNearHash === true) return { fingerprint: features.once('simhash', () => simHash(features.text)) }
  return { fingerprint: features.once('text hash', () => textFingerprint(features.text)) }
}

function embedding(features: QueryFeatures, { kind, schema, scaling, mirrored }: Wish): Observation {
  if (kind === 'text') return { embedding: features.once('embedding', () => embedText(features.text)) }
  if (kind === 'tabular') {
    if (scaling === 'none') return { embedding: features.once('row vector', () => rowVector(features.row)) }
    const options = schema === undefined ? {} : { schema }
    return { embedding: features.once(keyOf('embedding', schema), () => embedRow(features.row, options)) }
  }
  const { bytes } = features
  const plain = { embedding: features.once('embedding', () => embedPixels(bytes)) }
  if (!mirrored) return plain
  return { ...plain, mirrored: features.once('mirrored', () => embedPixels(bytes, { mirrored: true })) }
}

function row(features: QueryFeatures, wish: Wish): Observation {
  const isPlain = wish.scaling !== 'none' && wish.options['similarity'] === undefined
  return isPlain ? { row: features.row } : embedding(features, wish)
}

function vector(features: QueryFeatures, { kind, schema }: Wish): Observation {
  if (kind === 'image') return { vector: features.once('vector', () => pictureVector(features.pixels)) }
  return { vector: features.once(keyOf('numbers', schema), () => scaledRow(features.row, schema)) }
}

function shingles(features: QueryFeatures, { kind, schema, options }: Wish): Observation {
  const own = shingleOptionsOf(options)
  return {
    shingles: features.once(keyOf('shingles', own, schema), () => {
      if (kind === 'text') return textShingles(features.text, own)
      if (kind === 'image') return pictureShingles(features.pixels, own)
      return rowShingles(features.row, { ...own, schema })
    }),
  }
}

/** A feature's name with the settings that it was taken under. */
function keyOf(name: string, ...settings: readonly unknown[]): string {
  return settings.every((one) => one === undefined) ? name : `${name} ${JSON.stringify(settings)}`
}
