/** A pipeline of transformers.js on one backend, and every way in which it cannot be had in words. */
import type { Backend, ProgressEvent } from '../embedder.ts'
import { defaultThreads, type GpuDevice, isIsolated, isNode } from '../onnx/host.ts'
import { withRuntimeLock } from '../onnx/lock.ts'
import { absolute } from '../onnx/packages.ts'
import { explain } from './explain.ts'
import { type HubFiles, hubFiles } from './files.ts'
import type { DeviceLoss } from './loss.ts'
import type { Extractor, TransformersEnv, TransformersModule } from './module.ts'
import { withEnv } from './module.ts'
import type { Settings } from './options.ts'

/** The share of a load that is downloading. */
const DOWNLOAD = 0.9

/** What a pipeline runs on. */
export interface Target {
  readonly backend: Backend
  /** Our own, in browsers: the one that onnxruntime makes itself cannot be made again once it is lost. */
  readonly device: GpuDevice | undefined
  readonly loss: DeviceLoss
}

/**
 * Loads the pipeline. The network is waited for before anything is locked.
 *
 * @throws `model_unavailable`, `model_mismatch`, `model_truncated` or `backend_unavailable`; `BackendLost`.
 */
export async function loadExtractor(
  module: TransformersModule,
  settings: Settings,
  { backend, device, loss }: Target,
  onProgress: (event: ProgressEvent) => void,
): Promise<Extractor> {
  const { env, pipeline, ModelRegistry } = module
  const { task, model, dtype, timeoutMs } = settings
  const session = device === undefined ? {} : { executionProviders: [{ name: 'webgpu', device }] }
  const options = { dtype, device: backend === 'native' ? 'cpu' : backend, session_options: session }
  const tell = (event: ProgressEvent) => onProgress({ ...event, overall: DOWNLOAD * event.overall })
  // In a turn of its own, for it looks at the global settings.
  const files = await withEnv(env, {}, async () => hubFiles(settings, env, tell))
  const changes = changesOf(settings, files)
  try {
    if (!isLocal(settings) && ModelRegistry !== undefined) {
      const list = await withEnv(env, changes, () => ModelRegistry.get_pipeline_files(task, model, options))
      await files.prefetch(list)
    }
    onProgress({ phase: 'compile', file: '', loaded: 0, overall: DOWNLOAD })
    // In Node nothing is locked, and it may be at a download that only the user's login can get: that takes what it takes.
    const make = () => loss.beside(pipeline(task, model, options), isNode() ? undefined : timeoutMs)
    const extractor = await withEnv(env, changes, () => withRuntime(env, settings, () => locked(make)))
    onProgress({ phase: 'ready', file: '', loaded: 0, overall: 1 })
    return extractor
  } catch (thrown) {
    throw explain(thrown, settings, { backend, env, files })
  }
}

/** In browsers everything that uses onnxruntime waits for everything else; native sessions do not mind each other. */
export function locked<R>(work: () => Promise<R>): Promise<R> {
  return isNode() ? work() : withRuntimeLock(work)
}

/** Files that Node reads from a disk itself. */
function isLocal({ localPath }: Settings): boolean {
  return localPath !== undefined && isNode()
}

/** The global settings of a load: where files come from, and that nothing is kept beside our own cache. */
function changesOf(settings: Settings, files: HubFiles): Readonly<Record<string, unknown>> {
  // With it the module of onnxruntime would be started from a blob: URL, which a strict page forbids.
  const wasm = settings.artifacts === undefined ? {} : { useWasmCache: false }
  if (isLocal(settings)) {
    return { ...wasm, allowRemoteModels: false, allowLocalModels: true, localModelPath: settings.localPath }
  }
  const { host, template, fetch } = files
  const remote = { allowRemoteModels: true, allowLocalModels: false, remoteHost: host, remotePathTemplate: template }
  return { ...wasm, ...remote, useCustomCache: true, customCache: files, fetch }
}

/** Sets where onnxruntime-web finds its files and how many threads it has; puts the old settings back. */
async function withRuntime<R>(
  { backends }: TransformersEnv,
  { artifacts, threads }: Settings,
  work: () => Promise<R>,
): Promise<R> {
  const { wasm } = backends.onnx
  if (wasm === undefined || isNode()) return work()
  const { wasmPaths, numThreads } = wasm
  const { wasm: binary, mjs } = artifacts?.webgpu ?? artifacts ?? {}
  if (binary !== undefined || mjs !== undefined) {
    wasm.wasmPaths = {
      ...(binary === undefined ? {} : { wasm: absolute(binary) }),
      ...(mjs === undefined ? {} : { mjs: absolute(mjs) }),
    }
  } else if (isPublicCdn(wasmPaths)) {
    delete wasm.wasmPaths // then onnxruntime looks beside its own module, where bundlers put the files
  }
  wasm.numThreads = threadsOf({ artifacts, threads })
  try {
    return await work()
  } finally {
    Object.assign(wasm, { wasmPaths, numThreads })
  }
}

/** Threads that WASM gets. Without its `.mjs` file each of them would run the module of the page's own worker again. */
export function threadsOf({ artifacts, threads }: Pick<Settings, 'artifacts' | 'threads'>): number {
  if (!isIsolated()) return 1
  return threads ?? ((artifacts?.webgpu ?? artifacts)?.mjs === undefined ? 1 : defaultThreads())
}

/** What transformers.js sets when nobody says where the files are. */
function isPublicCdn(wasmPaths: unknown): boolean {
  return String((wasmPaths as { wasm?: unknown } | undefined)?.wasm ?? '').startsWith('https://cdn.jsdelivr.net/')
}
