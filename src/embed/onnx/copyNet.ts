/** Our own small network for copies of pictures, inside the library: no file, no download. */
import { checkFunction, checkObject, type Pixels } from '../../core/index.ts'
import type { EmbedderEvent, ModelEmbedder } from '../embedder.ts'
import { modelEmbedder } from '../modelEmbedder.ts'
import { describeAs } from './description.ts'
import { loadOnnx, outlook, SAMPLE } from './onnxModel.ts'
import { greyPicture, thumbnailFeed } from './picture.ts'
import { checkRuntimeOptions, RUNTIME_KEYS } from './runtime.ts'
import type { RuntimeOptions } from './types.ts'

/** Options of {@link copyNet}. */
export interface CopyNetOptions extends RuntimeOptions {
  readonly onEvent?: (event: EmbedderEvent) => void
}

/**
 * The embedder of pictures that is made for copies: crops, filters, compression, overlays. Its vectors have unit length,
 * and the cosine of two unrelated pictures is above 0.9, the default threshold of `image_similarity`, for one pair in ten
 * thousand; see the model card in `models/copy-net.md`. Needs onnxruntime-web or onnxruntime-node, loaded on first use;
 * the weights come with it as a module of their own.
 *
 * @throws `bad_config` for a wrong option.
 */
export function copyNet(options: CopyNetOptions = {}): ModelEmbedder<Pixels> {
  checkObject(options, [...RUNTIME_KEYS, 'onEvent'], '')
  checkRuntimeOptions(options)
  checkFunction(options.onEvent, 'onEvent')
  const { onEvent, ...runtime } = options
  const parts = { ...runtime, source: weights, feedsOf, sample: greyPicture(), maxBatch: 8, maxQueue: 256 }
  return modelEmbedder<Pixels | typeof SAMPLE>({
    load: (telling) => loadOnnx(parts, telling),
    outlook: () => outlook(runtime),
    sample: SAMPLE,
    description: describeAs('copyNet', runtime),
    onEvent,
  })
}

async function feedsOf(pixels: Pixels) {
  return thumbnailFeed(pixels)
}

async function weights(): Promise<Uint8Array> {
  const { COPY_NET } = await import('./copyNetWeights.ts')
  return Uint8Array.from(atob(COPY_NET), (character) => character.charCodeAt(0))
}
