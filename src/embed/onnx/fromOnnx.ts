/** Any ONNX model as an embedder. */
import { checkFunction, checkNumber, checkObject, MonitorError, type Pixels, refuse } from '../../core/index.ts'
import type { EmbedderEvent, LoadOptions, ModelEmbedder } from '../embedder.ts'
import { modelEmbedder } from '../modelEmbedder.ts'
import type { CallOptions } from '../order.ts'
import { type CacheChoice, loadModel, type ModelSource } from '../store/index.ts'
import { describeAs } from './description.ts'
import { loadOnnx, outlook, type Prepare, SAMPLE } from './onnxModel.ts'
import { greyPicture, type PictureOptions, pictureFeed, pictureRule, thumbnailFeed } from './picture.ts'
import { checkRuntimeOptions, RUNTIME_KEYS } from './runtime.ts'
import type { Feeds, RuntimeOptions } from './types.ts'

/** Makes the inputs of a run, each a batch of one: `{ name: { data, dims: [1, …], type } }`. */
export type FeedMaker<In> = (input: In, options: CallOptions) => Feeds | Promise<Feeds>

/** How pictures become the model's one input: `pixels`, resized and normalised as the options say. */
export type PixelInput = { readonly input: 'pixels' } & PictureOptions

/**
 * `thumbnail`: the core's small picture, `[1, 3, 64, 64]`, planes of red, green and blue from 0 to 255, as our own network
 * wants it.
 */
export interface ThumbnailInput {
  readonly input: 'thumbnail'
}

/** Inputs of any kind, made by a function. */
export interface FeedInput<In> {
  readonly input: FeedMaker<In>
}

/** Options of every input. */
export interface OnnxOptions extends RuntimeOptions {
  /** URL, path or bytes of the file. Its bytes stay in memory, so that the model outlives a lost backend. */
  readonly model: ModelSource
  /** SHA-256 of the file, 64 hexadecimal digits: then nothing else is used, and the cache needs no network. */
  readonly sha256?: string
  /** Where a fetched file is kept; see `loadModel`. */
  readonly cache?: CacheChoice
  /**
   * The tensor that is the embedding, flattened to one vector: an output, or an inner tensor by its name, which is then
   * added to the outputs. Default: the first output.
   */
  readonly output?: string
  /**
   * Most inputs of a batch. Default 8. One by one go models whose batch is fixed, and those that are quantized while they
   * run (`DynamicQuantizeLinear`), because there each vector would depend on its neighbours.
   */
  readonly maxBatch?: number
  /** Most inputs that wait; one more is refused as `overloaded`. Default 256. */
  readonly maxQueue?: number
  /** Told of progress and of lost backends, as those who `listen`. */
  readonly onEvent?: (event: EmbedderEvent) => void
}

/** Options of {@link fromOnnx}. */
export type FromOnnxOptions<In = Pixels> = OnnxOptions & (PixelInput | ThumbnailInput | FeedInput<In>)

const COMMON_KEYS = ['model', 'sha256', 'cache', 'output', 'maxBatch', 'maxQueue', 'onEvent', 'input']
const PICTURE_KEYS = ['size', 'shorterSide', 'scale', 'mean', 'std', 'layout']

export function fromOnnx(options: OnnxOptions & (PixelInput | ThumbnailInput)): ModelEmbedder<Pixels>
export function fromOnnx<In>(options: OnnxOptions & FeedInput<In>): ModelEmbedder<In>
/**
 * An embedder over an ONNX model, on WebGPU, WASM or Node's native runtime:
 *
 *     fromOnnx({ model: '/models/mobilenet.onnx', input: 'pixels', shorterSide: 256, size: 224,
 *       mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], output: 'features' })
 *
 * The package onnxruntime-web or onnxruntime-node is needed and loaded on first use. Vectors of one backend are not bit
 * for bit those of another.
 *
 * @throws `bad_config` for a wrong option. Calls reject with `embedder_failed` for inputs that do not fit the model,
 * `model_unavailable` and its like for a file that cannot be had, `missing_package`, `backend_unavailable`,
 * `overloaded`, `aborted`; an unknown `output` is `bad_config` with the names that the model has.
 */
export function fromOnnx<In>(options: FromOnnxOptions<In>): ModelEmbedder<In> {
  if (typeof options === 'string') refuse('bad_config', 'takes options: fromOnnx({ model, … })', options, 'options')
  const isOfPixels = options?.input !== 'thumbnail' && typeof options?.input !== 'function'
  checkObject(options, [...COMMON_KEYS, ...RUNTIME_KEYS, ...(isOfPixels ? PICTURE_KEYS : [])], '')
  checkCommon(options)
  const feedsOf = feedMaker(options)
  const { onEvent, ...rest } = options
  const { model, sha256, cache, maxBatch = 8, maxQueue = 256 } = rest
  const source = (load: LoadOptions) => loadModel(model, { ...load, sha256, cache })
  const sample = typeof options.input === 'function' ? {} : { sample: greyPicture() as In }
  const parts = { ...options, source, feedsOf, ...sample, maxBatch, maxQueue }
  return modelEmbedder<In | typeof SAMPLE>({
    load: (telling) => loadOnnx(parts, telling),
    outlook: () => outlook(options),
    sample: SAMPLE,
    description: describeAs('onnx', rest),
    onEvent,
  })
}

function checkCommon({ output, maxBatch, maxQueue, onEvent, ...rest }: OnnxOptions): void {
  if (rest.model === undefined) throw new MonitorError('bad_config', 'is missing: URL, path or bytes', 'model')
  if (output !== undefined && typeof output !== 'string') refuse('bad_config', 'must be a name', output, 'output')
  if (maxBatch !== undefined) checkNumber(maxBatch, { min: 1, max: 1024, integer: true }, 'maxBatch')
  if (maxQueue !== undefined) checkNumber(maxQueue, { min: 1, max: 2 ** 20, integer: true }, 'maxQueue')
  checkFunction(onEvent, 'onEvent')
  checkRuntimeOptions(rest)
}

function feedMaker<In>(options: FromOnnxOptions<In>): Prepare<In> {
  const { input } = options
  if (typeof input === 'function') return async (item, call) => input(item, call)
  if (input === 'thumbnail') return async (item) => thumbnailFeed(item as Pixels)
  if (input !== 'pixels') return refuse('bad_config', "must be 'pixels', 'thumbnail' or a function", input, 'input')
  const rule = pictureRule(options as PixelInput)
  return async (item) => pictureFeed(item as Pixels, rule)
}
