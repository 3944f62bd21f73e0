/** Chooses what runs a model, and loads models on it. */
import { checkNumber, checkObject, MonitorError, refuse } from '../../core/index.ts'
import type { Backend } from '../embedder.ts'
import { isCompiled, onCompiled } from './compiled.ts'
import { defaultThreads, isNode } from './host.ts'
import { openSession } from './live.ts'
import { absolute, importRuntime } from './packages.ts'
import type { ArtifactOptions, Artifacts, OrtModule, Runtime, RuntimeOptions } from './types.ts'
import { adapterName, requestAdapter, requestDevice } from './webgpu.ts'

const BACKENDS: readonly Backend[] = ['native', 'webgpu', 'wasm']

/** The option names of {@link RuntimeOptions}. */
export const RUNTIME_KEYS = ['backend', 'artifacts', 'wasmModule', 'threads', 'timeoutMs']

/** Checks the options that choose a runtime. Throws `bad_config`. */
export function checkRuntimeOptions(options: RuntimeOptions): void {
  const { backend, artifacts, wasmModule, threads, timeoutMs } = options
  if (backend !== undefined && backend !== 'auto' && !BACKENDS.includes(backend)) {
    refuse('bad_config', "must be 'auto', 'native', 'webgpu' or 'wasm'", backend, 'backend')
  }
  if (threads !== undefined) checkNumber(threads, { min: 1, max: 64, integer: true }, 'threads')
  if (timeoutMs !== undefined) checkNumber(timeoutMs, { min: 1, max: 2 ** 31 - 1 }, 'timeoutMs')
  if (wasmModule !== undefined) checkCompiled(options)
  if (artifacts === undefined) return
  checkObject(artifacts, ['module', 'wasm', 'mjs', 'webgpu'], 'artifacts')
  if (artifacts.webgpu !== undefined) checkObject(artifacts.webgpu, ['module', 'wasm', 'mjs'], 'artifacts.webgpu')
}

function checkCompiled({ backend = 'auto', artifacts, wasmModule, threads = 1 }: RuntimeOptions): void {
  if (!isCompiled(wasmModule)) refuse('bad_config', 'must be a WebAssembly.Module', wasmModule, 'wasmModule')
  if (backend !== 'auto' && backend !== 'wasm')
    refuse('bad_config', "must be 'wasm' with wasmModule", backend, 'backend')
  if (threads !== 1) refuse('bad_config', 'must be 1 with wasmModule', threads, 'threads')
  if (artifacts !== undefined) throw new MonitorError('bad_config', 'must not be given with wasmModule', 'artifacts')
}

/** The backends to try, best first. */
export function candidates({ backend = 'auto', wasmModule }: RuntimeOptions): readonly Backend[] {
  if (wasmModule !== undefined) return ['wasm']
  if (backend !== 'auto') return [backend]
  return isNode() ? ['native', 'wasm'] : ['webgpu', 'wasm']
}

/**
 * A backend, ready to load models. `life` counts how often this one had to be opened for the same model; `load` imports
 * the module, handed in for tests.
 *
 * @throws `missing_package` or `backend_unavailable` with the reason in words.
 */
export async function openRuntime(
  backend: Backend,
  options: RuntimeOptions,
  life: number,
  load: typeof importRuntime = importRuntime,
): Promise<Runtime> {
  if (backend === 'native' && !isNode()) {
    throw new MonitorError('backend_unavailable', 'the native runtime is for Node, Deno and Bun')
  }
  const adapter = backend === 'webgpu' ? await requestAdapter() : undefined // before anything large is fetched
  const artifacts = artifactsOf(backend, options.artifacts ?? {})
  const ort = await loadFor(backend, options, life, load)
  if (backend !== 'native') configure(ort, artifacts, options.wasmModule === undefined ? options.threads : 1)
  return {
    backend,
    threads: backend === 'native' ? 1 : (ort.env.wasm.numThreads ?? 1),
    ...(adapter === undefined ? {} : { adapter: adapterName(adapter) }),
    createSession: (model) =>
      openSession(ort, model, {
        ...options,
        backend,
        ...(adapter === undefined ? {} : { newDevice: async () => requestDevice(await requestAdapter()) }),
      }),
  }
}

/** A lost device is replaced in the same instance; only a crashed WASM needs a new one. */
async function loadFor(
  backend: Backend,
  { artifacts = {}, wasmModule }: RuntimeOptions,
  life: number,
  load: typeof importRuntime,
): Promise<OrtModule> {
  // By name: a host that compiles nothing cannot import anything by an address, and may yet look like Node.
  if (wasmModule !== undefined) return onCompiled(await load('wasm', {}, 1, 'onnxruntime-web/wasm'), wasmModule)
  return load(backend, artifactsOf(backend, artifacts), backend === 'wasm' ? life : 1)
}

/** The WebGPU build runs WASM as well, so that its files serve both where no others are given. */
export function artifactsOf(backend: Backend, { webgpu, ...plain }: ArtifactOptions): Artifacts {
  if (backend === 'native') return {}
  return backend === 'webgpu' || Object.keys(plain).length === 0 ? (webgpu ?? plain) : plain
}

/** Fixed at the first session of a module instance; what the page has set itself is left alone. */
function configure(ort: OrtModule, { wasm, mjs }: Artifacts, threads: number | undefined): void {
  const { env } = ort
  if (threads !== undefined || !(Number(env.wasm.numThreads) > 0)) env.wasm.numThreads = threads ?? defaultThreads()
  if (wasm === undefined && mjs === undefined) return
  env.wasm.wasmPaths = {
    ...(wasm === undefined ? {} : { wasm: absolute(wasm) }),
    ...(mjs === undefined ? {} : { mjs: absolute(mjs) }),
  }
}
