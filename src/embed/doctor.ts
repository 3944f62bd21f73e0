/** Looks at the host as a model would find it, and says in words what is missing. */
import { checkObject, isMonitorError } from '../core/index.ts'
import type { Backend } from './embedder.ts'
import { explain, messageOf } from './onnx/explain.ts'
import { defaultThreads, hasSimd, isIsolated, isNode } from './onnx/host.ts'
import { absolute, importRuntime, packageOf } from './onnx/packages.ts'
import { artifactsOf, candidates, checkRuntimeOptions } from './onnx/runtime.ts'
import type { RuntimeOptions } from './onnx/types.ts'
import { adapterName, requestAdapter } from './onnx/webgpu.ts'

/** One thing that was looked at. */
export interface DoctorCheck {
  /** Such as `WebGPU adapter`. */
  readonly name: string
  /** False for what keeps a wanted backend from working, or makes it slower than it could be. */
  readonly ok: boolean
  /** What was found, in words. */
  readonly found: string
  /** What to do; '' where nothing is. */
  readonly remedy: string
}

/** Options of {@link doctor}: those of the runtime, as the embedder gets them. */
export interface DoctorOptions extends Pick<RuntimeOptions, 'backend' | 'artifacts' | 'threads'> {
  /** The model's file or data type, such as `model_fp16.onnx` or `fp16`: looks whether the GPU can run it. */
  readonly model?: string
  /**
   * Modules that brought an onnxruntime of their own, such as `env.backends.onnx` of transformers.js: looks whether all
   * have one version.
   */
  readonly others?: readonly { readonly versions?: Readonly<Record<string, string | undefined>> }[]
}

/**
 * Checks everything that a model needs here, and changes nothing: packages, files, threads, policy, WebGPU, data type,
 * versions. Imports the packages of the backends that would be tried; loads no model. Throws `bad_config`.
 */
export async function doctor(options: DoctorOptions = {}): Promise<readonly DoctorCheck[]> {
  checkObject(options, ['backend', 'artifacts', 'threads', 'model', 'others'], '')
  checkRuntimeOptions(options)
  const backends = candidates(options)
  const checks: DoctorCheck[] = [compileCheck(), simdCheck(), threadCheck(options)]
  const versions: string[] = (options.others ?? []).flatMap(({ versions: known }) => versionsOf(known))
  for (const backend of backends) {
    checks.push(await packageCheck(backend, options, versions), ...(await fileChecks(backend, options)))
  }
  if (backends.includes('webgpu')) checks.push(await adapterCheck(options.model))
  return [...checks, versionCheck(versions)]
}

function good(name: string, found: string): DoctorCheck {
  return { name, ok: true, found, remedy: '' }
}

function bad(name: string, found: string, remedy: string): DoctorCheck {
  return { name, ok: false, found, remedy }
}

/** The smallest module: magic word and version. */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)

function compileCheck(): DoctorCheck {
  const name = 'WebAssembly'
  if (typeof WebAssembly !== 'object') return bad(name, 'there is none here', 'use a runtime that has WebAssembly')
  try {
    new WebAssembly.Module(EMPTY)
    return good(name, 'may be compiled')
  } catch (thrown) {
    const remedy =
      "add 'wasm-unsafe-eval' to script-src of the Content-Security-Policy, also in the answer that a worker's script comes with"
    return bad(name, `may not be compiled: ${messageOf(thrown)}`, remedy)
  }
}

function simdCheck(): DoctorCheck {
  const name = 'SIMD'
  return hasSimd() ? good(name, 'yes') : bad(name, 'no', 'onnxruntime-web needs it: use a newer browser or runtime')
}

function threadCheck({ threads }: DoctorOptions): DoctorCheck {
  const name = 'threads'
  if (isNode()) return good(name, `${threads ?? defaultThreads()}`)
  if (isIsolated()) return good(name, `${threads ?? defaultThreads()}: cross-origin isolated`)
  const remedy =
    'serve the page and its workers with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
  return bad(name, '1: the page is not cross-origin isolated, so that WASM has one thread', remedy)
}

async function packageCheck(backend: Backend, options: DoctorOptions, versions: string[]): Promise<DoctorCheck> {
  const name = `runtime of ${backend}`
  try {
    const { env } = await importRuntime(backend, artifactsOf(backend, options.artifacts ?? {}))
    versions.push(...versionsOf(env.versions))
    return good(name, `${packageOf(backend)} ${env.versions?.['web'] ?? env.versions?.['node'] ?? ''}`.trim())
  } catch (thrown) {
    return bad(
      name,
      explain(thrown).message,
      isMissing(thrown) ? `install it: npm i ${rootOf(backend)}` : 'correct what the message names',
    )
  }
}

function isMissing(thrown: unknown): boolean {
  return isMonitorError(thrown) && thrown.code === 'missing_package'
}

function rootOf(backend: Backend): string {
  return packageOf(backend).split('/')[0]!
}

function versionsOf(versions: Readonly<Record<string, string | undefined>> = {}): string[] {
  return [versions['web'] ?? versions['node'] ?? versions['common']].filter((version) => version !== undefined)
}

/** The files that the artifacts name; the others are left to the bundler or to Node, which find them themselves. */
async function fileChecks(backend: Backend, { artifacts = {} }: DoctorOptions): Promise<readonly DoctorCheck[]> {
  const { wasm, mjs } = artifactsOf(backend, artifacts)
  return [
    ...(wasm === undefined ? [] : [await fileCheck(`.wasm file of ${backend}`, absolute(wasm), wasmFault)]),
    ...(mjs === undefined ? [] : [await fileCheck(`.mjs file of ${backend}`, absolute(mjs), scriptFault)]),
  ]
}

/** What is wrong with a file, and what to do. */
type Fault = readonly [found: string, remedy: string] | undefined

async function fileCheck(
  name: string,
  url: string,
  fault: (bytes: Uint8Array, type: string) => Fault,
): Promise<DoctorCheck> {
  const remedy =
    'copy the file of onnxruntime-web to where the page is served from, or correct its address in artifacts'
  if (url.startsWith('file:')) return good(name, `${url}, a file of this machine`)
  try {
    const response = await fetch(url)
    if (!response.ok) return bad(name, `${url} answers ${response.status}`, remedy)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const [found, todo] = fault(bytes, response.headers.get('content-type') ?? 'none') ?? []
    return found === undefined ? good(name, `${url}, ${bytes.length} bytes`) : bad(name, `${url} ${found}`, todo!)
  } catch (thrown) {
    return bad(name, `${url} cannot be fetched: ${messageOf(thrown)}`, remedy)
  }
}

function wasmFault(bytes: Uint8Array, type: string): Fault {
  const isWasm = EMPTY.every((value, i) => bytes[i] === value)
  if (!isWasm) {
    const what = type.includes('html') ? 'is a web page' : `begins with ${hex(bytes.subarray(0, 4))}, not 00 61 73 6d`
    return [what, 'the server answers unknown addresses with a page: copy the .wasm file there, or correct its address']
  }
  if (type.startsWith('application/wasm')) return undefined
  return [`comes as ${type}, which browsers compile only after the whole download`, 'serve .wasm as application/wasm']
}

function scriptFault(_bytes: Uint8Array, type: string): Fault {
  if (/javascript|ecmascript/.test(type)) return undefined
  return [`comes as ${type}, which browsers refuse to run`, 'serve .mjs as text/javascript']
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
}

async function adapterCheck(model = ''): Promise<DoctorCheck> {
  const name = 'WebGPU adapter'
  try {
    const adapter = await requestAdapter()
    const shown = adapterName(adapter)
    if (!/fp16|f16|float16/i.test(model) || adapter.features.has('shader-f16')) return good(name, shown)
    const found = `${shown} has no shader-f16, which the file '${model}' needs`
    return bad(name, found, "take the float32 or 8-bit file, or backend: 'wasm'")
  } catch (thrown) {
    return bad(name, explain(thrown).message, 'WASM is used instead; for WebGPU use a browser and a GPU that have it')
  }
}

function versionCheck(versions: readonly string[]): DoctorCheck {
  const name = 'versions of onnxruntime'
  const different = [...new Set(versions)]
  if (different.length < 2) return good(name, different[0] ?? 'none loaded')
  const remedy =
    'install one: "overrides": { "@huggingface/transformers": { "onnxruntime-web": "$onnxruntime-web" } }, or dedupe it in the bundler'
  return bad(name, `${different.join(' and ')}: each brings a .wasm file of its own, and they do not mix`, remedy)
}
