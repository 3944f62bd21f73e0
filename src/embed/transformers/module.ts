/** transformers.js as far as it is used here. Structural, so that no declaration of ours needs an optional package. */
import { MonitorError } from '../../core/index.ts'
import { messageOf } from '../onnx/explain.ts'
import { absolute } from '../onnx/packages.ts'
import type { TensorLike } from '../onnx/types.ts'

/** A session of onnxruntime. */
export interface Session {
  run(...args: readonly unknown[]): Promise<Readonly<Record<string, unknown>>>
}

/** A pipeline that extracts features. */
export interface Extractor {
  (inputs: unknown, options: Readonly<Record<string, unknown>>): Promise<TensorLike>
  readonly model: { readonly sessions?: Readonly<Record<string, Session>> }
  dispose(): Promise<unknown>
}

/** The global settings. */
export interface TransformersEnv {
  remoteHost: string
  remotePathTemplate: string
  readonly backends: {
    readonly onnx: {
      readonly wasm?: { wasmPaths?: unknown; numThreads?: number }
      readonly webgpu?: { readonly device?: Promise<{ readonly lost: Promise<{ message: string }> } | undefined> }
    }
  }
}

/** The package `@huggingface/transformers`, version 4.3 or later. */
export interface TransformersModule {
  readonly env: TransformersEnv
  pipeline(task: string, model: string, options: Readonly<Record<string, unknown>>): Promise<Extractor>
  readonly RawImage: new (
    data: Uint8Array | Uint8ClampedArray,
    width: number,
    height: number,
    channels: number,
  ) => object
  readonly ModelRegistry?: {
    get_pipeline_files(task: string, model: string, options: Readonly<Record<string, unknown>>): Promise<string[]>
  }
}

/** The module that was given, or is found at its address, or else the package. Throws `missing_package` or `bad_config`. */
export async function getModule(given: unknown): Promise<TransformersModule> {
  const found = typeof given === 'string' || given instanceof URL ? await importFrom(given) : given
  const module = (found ?? (await importPackage())) as Partial<TransformersModule> | null
  if (typeof module?.pipeline === 'function' && typeof module.env === 'object') return module as TransformersModule
  throw new MonitorError('bad_config', 'must be the module @huggingface/transformers, version 4.3 or later', 'module')
}

async function importFrom(place: string | URL): Promise<unknown> {
  const url = absolute(place)
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ url)
  } catch (cause) {
    const message = `transformers.js cannot be loaded from ${url}: ${messageOf(cause)}`
    throw new MonitorError('missing_package', message, '', { cause })
  }
}

async function importPackage(): Promise<unknown> {
  try {
    return await import('@huggingface/transformers') // by name and inside `try`: bundlers find it, or forgive its absence
  } catch (cause) {
    const install = 'npm i @huggingface/transformers'
    const closed = `in closed networks: ONNXRUNTIME_NODE_INSTALL=skip ${install}`
    const message = `hub models need the package '@huggingface/transformers': ${install} (${closed})`
    throw new MonitorError('missing_package', `${message}. ${messageOf(cause)}`, '', { cause })
  }
}

const queues = /* @__PURE__ */ new WeakMap<object, Promise<unknown>>()

/**
 * Does the work with other global settings, and puts the old ones back afterwards. Since they are global, one such work
 * begins when the one before has ended.
 */
export function withEnv<R>(
  env: TransformersEnv,
  changes: Readonly<Record<string, unknown>>,
  work: () => Promise<R>,
): Promise<R> {
  const mine = (queues.get(env) ?? Promise.resolve()).then(async () => {
    const settings = env as unknown as Record<string, unknown>
    const old = Object.fromEntries(Object.keys(changes).map((key) => [key, settings[key]]))
    Object.assign(settings, changes)
    try {
      return await work()
    } finally {
      Object.assign(settings, old)
    }
  })
  queues.set(
    env,
    mine.catch(() => {}),
  )
  return mine
}
