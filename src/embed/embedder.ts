/** Embedders that stand on a model: a function as any other, with a life of its own. */
import type { CallOptions } from './order.ts'

/** What runs a model: the native runtime of Node, WebGPU, or WebAssembly. */
export type Backend = 'native' | 'webgpu' | 'wasm'

/** What loading a model is busy with. */
export interface ProgressEvent {
  /** `download`: bytes from the network or a disk · `compile`: the runtime prepares the model · `ready`: done. */
  readonly phase: 'download' | 'compile' | 'ready'
  /** The file, without the folders; '' where there is none. */
  readonly file: string
  /** Bytes of this file so far. */
  readonly loaded: number
  /** Bytes of this file; undefined where the server does not say. */
  readonly total?: number
  /** Share of the whole, all files and phases together, 0 … 1; never falls. */
  readonly overall: number
}

/** What an embedder runs on, and why on nothing better. */
export interface Capabilities {
  /** In use; undefined before the model is loaded. */
  readonly backend?: Backend
  /** The GPU as the browser names it, such as `google swiftshader`; undefined without WebGPU. */
  readonly adapter?: string
  /** Threads of the WASM backend. */
  readonly threads: number
  /** Whether WebAssembly has SIMD here. */
  readonly simd: boolean
  /** `crossOriginIsolated`: without it WASM has one thread. */
  readonly isolated: boolean
  /** Backends that were wanted before the one in use, and why they were not taken. */
  readonly refused: readonly { readonly backend: Backend; readonly reason: string }[]
  /** Times that a lost backend was made again or replaced, since the embedder was made. */
  readonly recoveries: number
}

/** A backend was lost and made again (`from` equals `to`), or the next one took over. */
export interface BackendChange {
  readonly kind: 'backendchange'
  readonly from: Backend
  readonly to: Backend
  readonly reason: string
}

/** What an embedder tells while it lives. */
export type EmbedderEvent = BackendChange | ({ readonly kind: 'progress' } & ProgressEvent)

/** Options of everything that loads. */
export interface LoadOptions {
  /** Aborting stops the wait; what has been downloaded stays in the cache. */
  readonly signal?: AbortSignal
  readonly onProgress?: (event: ProgressEvent) => void
}

/**
 * An embedder that loads a model on its first use. Concurrent calls are put together in batches; answers keep the order
 * of the calls.
 */
export interface ModelEmbedder<In = string> {
  (input: In, options?: CallOptions): Promise<Float32Array>
  /** Loads the model and runs it once. Rejects with `model_unavailable`, `backend_unavailable`, `missing_package` … */
  warmup(options?: LoadOptions): Promise<Capabilities>
  capabilities(): Promise<Capabilities>
  /** Tells a listener of every later event; gives the function that ends it. */
  listen(listener: (event: EmbedderEvent) => void): () => void
  /** Frees the model once the calls in flight are answered. A later call loads it again. */
  dispose(): Promise<void>
  /** How to make the same one elsewhere, as JSON: `{ "from": "transformers", … }`; undefined if it holds functions or bytes. */
  readonly description?: Readonly<Record<string, unknown>>
}
