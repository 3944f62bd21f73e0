/**
 * onnxruntime-web over a module that was compiled beforehand, for hosts that compile nothing while they run. The runtime has
 * no option for it: it hands bytes to `WebAssembly.instantiate`. Hence it gets a buffer that stands for the module, and
 * `instantiate` is replaced until it comes with that buffer. The instance is made in the same turn: on Cloudflare a request
 * may end while it waits, and would leave those behind it without a runtime.
 */
import { MonitorError, sha256Hex } from '../../core/index.ts'
import type { OrtModule } from './types.ts'

/** The version of onnxruntime-web on which this was tested: how it starts is its own affair and may change. */
const VERSION = '1.30.0'
/** What `ort-wasm-simd-threaded.wasm` of that version imports and exports: 16 digits of the SHA-256 of both lists as JSON. */
const INTERFACE = '0a1bd0ec1183ce53'

type Instantiate = (source: BufferSource, imports: WebAssembly.Imports) => Promise<unknown>

/**
 * The same runtime, started from the module when it makes its first session. What is wrong with the module or the version
 * is told before the runtime begins, since it does not begin twice.
 *
 * @throws `backend_unavailable` for another version or another `.wasm` file.
 */
export function onCompiled(ort: OrtModule, module: WebAssembly.Module): OrtModule {
  checkVersion(ort.env.versions?.['web'])
  checkInterface(module)
  const { Tensor, env, InferenceSession } = ort
  const create: OrtModule['InferenceSession']['create'] = (model, options) =>
    started(env.wasm, module, () => InferenceSession.create(model, options))
  return { Tensor, env, InferenceSession: { create } }
}

/** True for a `WebAssembly.Module`, of this realm or another. */
export function isCompiled(value: unknown): value is WebAssembly.Module {
  return Object.prototype.toString.call(value) === '[object WebAssembly.Module]'
}

function checkVersion(version = 'unknown'): void {
  if (version === VERSION) return
  const message = `wasmModule needs onnxruntime-web ${VERSION}, the version it was tested with, got ${version}: npm i -E onnxruntime-web@${VERSION}`
  throw new MonitorError('backend_unavailable', message)
}

function checkInterface(module: WebAssembly.Module): void {
  const lists = [WebAssembly.Module.imports(module), WebAssembly.Module.exports(module)]
  if (sha256Hex(new TextEncoder().encode(JSON.stringify(lists))).startsWith(INTERFACE)) return
  const message = `wasmModule is not ort-wasm-simd-threaded.wasm of onnxruntime-web ${VERSION}: import that file of the package in use`
  throw new MonitorError('backend_unavailable', message)
}

/** Does the work, in which the runtime starts if it has not before: then the buffer is still where it was put. */
async function started<T>(
  settings: OrtModule['env']['wasm'],
  module: WebAssembly.Module,
  work: () => Promise<T>,
): Promise<T> {
  if (settings.wasmBinary !== undefined) return work()
  const place = new ArrayBuffer(8)
  const host = WebAssembly as { instantiate: Instantiate }
  const original = host.instantiate
  let isStarted = false
  const answer: Instantiate = async (source, imports) => {
    if (!ArrayBuffer.isView(source) || source.buffer !== place) return original(source, imports)
    isStarted = true
    restore()
    return { instance: new WebAssembly.Instance(module, imports), module }
  }
  const restore = () => {
    if (host.instantiate === answer) host.instantiate = original
  }
  settings.wasmBinary = place
  host.instantiate = answer
  try {
    return await work()
  } finally {
    restore()
    if (!isStarted) settings.wasmBinary = undefined
  }
}
