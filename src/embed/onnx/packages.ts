/** The onnxruntime packages: optional, imported on first use, never from a CDN. */
import { MonitorError } from '../../core/index.ts'
import type { Backend } from '../embedder.ts'
import { explain, messageOf } from './explain.ts'
import { isNode } from './host.ts'
import type { Artifacts, OrtModule } from './types.ts'

/** The package that a backend needs here, as an import names it. */
export function packageOf(backend: Backend): string {
  if (backend === 'native') return 'onnxruntime-node'
  if (backend === 'webgpu') return 'onnxruntime-web/webgpu'
  return isNode() ? 'onnxruntime-web' : 'onnxruntime-web/wasm'
}

/**
 * The module of a backend. `life` above 1 asks for a new instance where that is possible: with `artifacts.module` by http
 * or file, whose address is then made different; a package has one instance in a realm. `name`: the package, if another one.
 *
 * @throws `missing_package` with the command that installs it; `backend_unavailable` for a module that cannot be loaded.
 */
export async function importRuntime(
  backend: Backend,
  { module }: Artifacts,
  life = 1,
  name = packageOf(backend),
): Promise<OrtModule> {
  if (module !== undefined) return importModule(absolute(module), life)
  let found: unknown
  try {
    found = await importNamed(name)
  } catch (cause) {
    throw notLoaded(name, cause)
  }
  const { default: inner } = found as { default?: OrtModule }
  return isRuntime(found) ? found : isRuntime(inner) ? inner : refuseModule(name)
}

/**
 * Written out where a bundler must see the name, inside `try`, so that it forgives a package that is not installed; by a
 * variable where only Node, Deno and Bun come, so that it does not look.
 */
async function importNamed(name: string): Promise<unknown> {
  try {
    if (name === 'onnxruntime-web/webgpu') return await import('onnxruntime-web/webgpu')
    if (name === 'onnxruntime-web/wasm') return await import('onnxruntime-web/wasm')
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name)
  } catch (thrown) {
    throw /cannot register backend/.test(messageOf(thrown)) ? explain(thrown) : thrown
  }
}

async function importModule(url: string, life: number): Promise<OrtModule> {
  const fresh = life > 1 && !/^(blob|data):/.test(url) ? `${url}${url.includes('?') ? '&' : '?'}life=${life}` : url
  let found: unknown
  try {
    found = await import(/* @vite-ignore */ /* webpackIgnore: true */ fresh)
  } catch (cause) {
    const message = `artifacts.module cannot be loaded from ${url}: ${messageOf(cause)}`
    throw new MonitorError('backend_unavailable', message, '', { cause })
  }
  return isRuntime(found) ? found : refuseModule(url)
}

function isRuntime(value: unknown): value is OrtModule {
  const { InferenceSession, Tensor, env } = (value ?? {}) as Partial<OrtModule>
  return typeof InferenceSession?.create === 'function' && typeof Tensor === 'function' && typeof env === 'object'
}

function refuseModule(name: string): never {
  throw new MonitorError('backend_unavailable', `${name} is no onnxruntime: it has no InferenceSession`)
}

/** How Node, Deno, Bun, browsers and bundlers say that a package is not there. */
const NOT_FOUND =
  /cannot find|could not (find|resolve)|failed to resolve|module not found|not a dependency|relative import/i

function notLoaded(name: string, cause: unknown): MonitorError {
  if (cause instanceof MonitorError) return cause
  const [root] = name.split('/')
  if (!NOT_FOUND.test(messageOf(cause)) && (cause as { code?: unknown } | null)?.code !== 'ERR_MODULE_NOT_FOUND') {
    const message = `the package '${root}' is there but cannot be loaded: ${explain(cause).message}`
    return new MonitorError('backend_unavailable', message, '', { cause })
  }
  const command =
    root === 'onnxruntime-node'
      ? 'npm i onnxruntime-node (in closed networks: ONNXRUNTIME_NODE_INSTALL=skip npm i onnxruntime-node)'
      : `npm i ${root}; without a bundler set artifacts.module`
  const message = `needs the package '${root}': ${command} (${messageOf(cause)})`
  return new MonitorError('missing_package', message, '', { cause })
}

/** A file's address, absolute: relative ones as the page or worker resolves them; in Node a path is one too. */
export function absolute(place: string | URL): string {
  if (typeof place !== 'string') return place.href
  if (/^[a-z][a-z0-9+.-]+:/i.test(place)) return place
  const { document, location, process } = globalThis as {
    document?: { readonly baseURI?: string }
    location?: { readonly href?: string }
    process?: { getBuiltinModule?(name: string): { pathToFileURL(path: string): URL } | undefined }
  }
  const node = isNode() ? process?.getBuiltinModule?.('node:url') : undefined
  if (node !== undefined) return node.pathToFileURL(place).href
  return new URL(place, document?.baseURI ?? location?.href).href
}
