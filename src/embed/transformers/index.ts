/** Embedders from the hub, by the optional package `@huggingface/transformers`. */
export { fromTransformers } from './embedder.ts'
export type { Dtype, TransformersOptions, TransformersTask } from './options.ts'
