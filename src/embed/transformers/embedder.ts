/** Embedders from the hub: any feature-extraction model of transformers.js. */
import { isMonitorError, type Pixels } from '../../core/index.ts'
import type { Backend, Capabilities, ModelEmbedder } from '../embedder.ts'
import { type LoadedModel, modelEmbedder, type Telling } from '../modelEmbedder.ts'
import { createBatcher, type Settled } from '../onnx/batcher.ts'
import { BackendChain } from '../onnx/chain.ts'
import { hasSimd, isIsolated, isNode } from '../onnx/host.ts'
import { threadsOf } from './load.ts'
import { getModule } from './module.ts'
import { checkOptions, describe, isInteger, type Settings, type TransformersOptions } from './options.ts'
import { type Input, openPipeline, type Pipeline, sampleOf } from './pipeline.ts'

/**
 * An embedder that stands on a model of a hub, run by the optional package `@huggingface/transformers`:
 * `getDetector('text_similarity', { embedder: fromTransformers('Xenova/all-MiniLM-L6-v2', { dtype: 'q8' }) })`. The package
 * is imported and the model fetched on first use or on `warmup`; files are kept, and needed from the network only once.
 * Concurrent calls are run in batches of up to `maxBatch`. A WebGPU device that is lost is replaced once, then WASM takes
 * over; the inputs in flight are answered by the new one. WASM that has crashed cannot be started again in the same page
 * or worker: run detectors in a worker, which is replaced. The global settings of transformers.js are as before once the
 * model is loaded.
 *
 * @throws `bad_config`. Loading rejects with `missing_package`, `model_unavailable`, `model_mismatch`, `model_truncated`
 * or `backend_unavailable`; embedding also with `embedder_failed`, `overloaded` or `aborted`.
 */
export function fromTransformers(
  model: string,
  options?: TransformersOptions<'feature-extraction'>,
): ModelEmbedder<string>
export function fromTransformers(
  model: string,
  options: TransformersOptions<'image-feature-extraction'> & { readonly task: 'image-feature-extraction' },
): ModelEmbedder<Pixels>
export function fromTransformers(model: string, options: TransformersOptions = {}): ModelEmbedder<never> {
  const settings = checkOptions(model, options)
  return modelEmbedder<Input>({
    load: (telling) => load(settings, telling),
    outlook: async () => capabilitiesOf(settings, undefined),
    sample: sampleOf(settings),
    description: describe(model, options),
  })
}

/** The backends to try, best first, and why WebGPU may not be among them. */
function plan({ backend, dtype }: Settings): { order: readonly Backend[]; refused: Capabilities['refused'] } {
  if (backend !== 'auto') return { order: [backend], refused: [] }
  if (isNode()) return { order: ['native'], refused: [] }
  if (!isInteger(dtype)) return { order: ['webgpu', 'wasm'], refused: [] }
  const reason = `weights of integers (${dtype}) are made for WASM; take fp32 or fp16, or name the backend`
  return { order: ['wasm'], refused: [{ backend: 'webgpu', reason }] }
}

async function load(settings: Settings, { progress, change }: Telling): Promise<LoadedModel<Input>> {
  const module = await getModule(settings.module)
  const chain = new BackendChain<Pipeline>({
    ...plan(settings),
    open: (backend, life) => openPipeline(module, settings, { backend, life }, progress),
    onChange: change,
  })
  await chain.get()
  const batcher = createBatcher<Input, Float32Array>({
    maxBatch: () => settings.maxBatch,
    maxQueue: settings.maxQueue,
    run: (inputs) => embedAll(chain, inputs),
  })
  return {
    embed: (input, { signal }) => batcher.add(input, signal),
    capabilities: () => capabilitiesOf(settings, chain),
    dispose: () => batcher.afterwards(() => chain.dispose()),
  }
}

/** All in one run; where that fails, each in its own, so that an input which cannot be embedded fails alone. */
async function embedAll(
  chain: BackendChain<Pipeline>,
  inputs: readonly Input[],
): Promise<readonly Settled<Float32Array>[]> {
  try {
    const vectors = await chain.use((pipeline) => pipeline.run(inputs))
    return vectors.map((value) => ({ value }))
  } catch (error) {
    if (!isMonitorError(error) || error.code !== 'embedder_failed') throw error
    if (inputs.length === 1) return [{ error }]
  }
  const outcomes: Settled<Float32Array>[] = []
  for (const input of inputs) outcomes.push(...(await embedAll(chain, [input])))
  return outcomes
}

function capabilitiesOf(settings: Settings, chain: BackendChain<Pipeline> | undefined): Capabilities {
  const { backend, adapter } = chain?.live ?? {}
  return {
    ...(backend === undefined ? {} : { backend }),
    ...(adapter === undefined ? {} : { adapter }),
    threads: threadsOf(settings),
    simd: hasSimd(),
    isolated: isIsolated(),
    refused: chain?.refused ?? plan(settings).refused,
    recoveries: chain?.recoveries ?? 0,
  }
}
