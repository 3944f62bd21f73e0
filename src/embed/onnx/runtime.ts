/** Chooses what runs a model, and loads models on it. */
import { checkNumber, checkObject, MonitorError, refuse } from '../../core/index.ts'
import type { Backend } from '../embedder.ts'
import { defaultThreads, isNode } from './host.ts'
import { openSession } from './live.ts'
import { absolute, importRuntime } from './packages.ts'
import type { ArtifactOptions, Artifacts, OrtModule, Runtime, RuntimeOptions } from './types.ts'
import { adapterName, requestAdapter, requestDevice } from './webgpu.ts'

const BACKENDS: readonly Backend[] = ['native', 'webgpu', 'wasm']

/** The option names of {@link RuntimeOptions}. */
export const RUNTIME_KEYS = ['backend', 'artifacts', 'threads', 'timeoutMs']

/** Checks the options that choose a runtime. Throws `bad_config`. */
export function checkRuntimeOptions({ backend, artifacts, threads, timeoutMs }: RuntimeOptions): void {
  if (backend !== undefined && backend !== 'auto' && !BACKENDS.includes(backend)) {
    refuse('bad_config', "must be 'auto', 'native', 'webgpu' or 'wasm'", backend, 'backend')
  }
  if (threads !== undefined) checkNumber(threads, { min: 1, max: 64, integer: true }, 'threads')
  if (timeoutMs !== undefined) checkNumber(timeoutMs, { min: 1, max: 2 ** 31 - 1 }, 'timeoutMs')
  if (artifacts === undefined) return
  checkObject(artifacts, ['module', 'wasm', 'mjs', 'webgpu'], 'artifacts')
  if (artifacts.webgpu !== undefined) checkObject(artifacts.webgpu, ['module', 'wasm', 'mjs'], 'artifacts.webgpu')
}

/** The backends to try, best first. */
export function candidates(backend: RuntimeOptions['backend'] = 'auto'): readonly Backend[] {
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
  // A lost device is replaced in the same instance; only a crashed WASM needs a new one.
  const ort = await load(backend, artifacts, backend === 'wasm' ? life : 1)
  if (backend !== 'native') configure(ort, artifacts, options.threads)
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
