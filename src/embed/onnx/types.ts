/** onnxruntime as far as it is used here. Structural, so that no declaration of ours needs an optional package. */
import type { Backend } from '../embedder.ts'

/** The values of a tensor. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array

/** One input of a model. */
export interface Feed {
  readonly data: TensorData
  /** The batch comes first: `[1, 3, 224, 224]` for one picture. */
  readonly dims: readonly number[]
  /** As onnxruntime names it. Default: what the array says, such as `float32` or `int64`; `float16` must be said. */
  readonly type?: string
}

/** The inputs of one run, by name. */
export type Feeds = Readonly<Record<string, Feed>>

/** One output of a model. */
export interface TensorLike {
  readonly data: unknown
  readonly dims: readonly number[]
  readonly type: string
}

/** The outputs of one run, by name. */
export type Outputs = Readonly<Record<string, TensorLike>>

/** What a model says of an input or output. A dimension that is free has a name in place of a number. */
export interface ValueMetadata {
  readonly name: string
  readonly isTensor?: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}

/** What {@link monitorOnnx} needs of a user's session: an `InferenceSession` of any onnxruntime has it. */
export interface SessionLike<In, Out> {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: In): Promise<Out>
}

/** An `InferenceSession`. */
export interface OrtSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata?: readonly ValueMetadata[]
  run(feeds: Readonly<Record<string, unknown>>, outputs: readonly string[]): Promise<Outputs>
  release?(): Promise<void>
}

/** The module that onnxruntime-web or onnxruntime-node is. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>
  }
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => TensorLike
  readonly env: {
    wasm: { numThreads?: number; wasmPaths?: unknown; wasmBinary?: unknown }
    versions?: Readonly<Record<string, string | undefined>>
  }
}

/** Where the files of onnxruntime-web are. None is needed where a bundler or Node finds them. */
export interface Artifacts {
  /**
   * The module to import, in place of the package: for hosts without a bundler, such as a prebuilt worker. One of the
   * files `ort.*.bundle.min.mjs`; that of WebGPU also runs WASM.
   */
  readonly module?: string | URL
  /** The `.wasm` file that belongs to the module: `ort-wasm-simd-threaded.asyncify.wasm` for WebGPU. */
  readonly wasm?: string | URL
  /** The `.mjs` file beside it. With it threads load 24 kB in place of the whole module. */
  readonly mjs?: string | URL
}

/** Where the files of onnxruntime-web are; `webgpu`: those of the WebGPU build, where they differ. */
export interface ArtifactOptions extends Artifacts {
  readonly webgpu?: Artifacts
}

/** How to choose and find a runtime. */
export interface RuntimeOptions {
  /**
   * Default `auto`: in browsers WebGPU, else WASM; in Node, Deno and Bun the native runtime if it is installed, else
   * WASM. A backend by name is used or refused: no other takes its place.
   */
  readonly backend?: 'auto' | Backend
  readonly artifacts?: ArtifactOptions
  /**
   * Experimental. The file `ort-wasm-simd-threaded.wasm` as a module that was compiled beforehand, for hosts that compile
   * nothing while they run, such as Cloudflare's: see docs/edge.md. The backend is then WASM, with one thread. Only with
   * onnxruntime-web 1.30.0; `WebAssembly.instantiate` is replaced while the runtime starts.
   */
  readonly wasmModule?: WebAssembly.Module
  /**
   * Threads of WASM, at least 1. Default: the number of cores, at most 4, where the page is cross-origin isolated; else
   * 1, also in Node, where more were slower on small models. The first model loaded in a realm decides for all.
   */
  readonly threads?: number
  /** A load or run that takes longer, in ms, counts as a crash of the backend. Default 120 000. */
  readonly timeoutMs?: number
}

/** A model that is loaded and can run. */
export interface LiveSession {
  readonly backend: Backend
  /** False once its backend is lost. */
  readonly isUsable: boolean
  readonly inputs: readonly ValueMetadata[]
  readonly outputNames: readonly string[]
  /** Rejects with `BackendLost` when the backend is gone, else with what the runtime threw. */
  run(feeds: Feeds, outputs: readonly string[]): Promise<Outputs>
  /** Frees what can be freed. Never rejects. */
  dispose(): Promise<void>
}

/** Loads a model on one backend. */
export interface Runtime {
  readonly backend: Backend
  readonly adapter?: string
  readonly threads: number
  createSession(model: Uint8Array): Promise<LiveSession>
}
