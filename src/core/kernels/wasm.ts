/**
 * The little of WebAssembly that the core uses, and what it finds of it. The core is compiled without the DOM, so the types
 * stand here.
 */
import { MonitorError } from '../errors.ts'
import { VECTORS } from './vectorsWasm.ts'

/** A compiled module: an import of `monitaur/kernels.wasm` on a host that compiles no bytes. */
export interface WasmModule {
  readonly [Symbol.toStringTag]?: string
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface Wasm {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: unknown }
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory
}

/** Undefined before the first use, null where there is none. */
let found: WasmModule | null | undefined

/**
 * Gives the core its compiled kernels, on a host that compiles no bytes while it runs, such as Cloudflare's workerd: the
 * default import of `monitaur/kernels.wasm` there. Elsewhere nothing has to be done, and without kernels the same answers
 * come slower. Affects what is made afterwards. Throws `bad_config` for anything but a module that fits.
 */
export function installKernels(module: WasmModule): void {
  try {
    const { dots } = instantiate<{ readonly dots: unknown }>(module, newMemory(1))
    if (typeof dots !== 'function') throw new TypeError('it exports no dots')
  } catch (thrown) {
    const remedy = "pass the default import of 'monitaur/kernels.wasm' of this release"
    throw new MonitorError('bad_config', `must be the compiled kernels; ${remedy}`, 'module', { cause: thrown })
  }
  found = module
}

/** The compiled kernels; null where bytes may not be compiled, or SIMD is unknown. */
export function kernelModule(): WasmModule | null {
  if (found === undefined) found = compile()
  return found
}

function compile(): WasmModule | null {
  try {
    return new (wasm().Module)(fromBase64(VECTORS))
  } catch {
    // No WebAssembly, no SIMD, a policy without 'wasm-unsafe-eval': the plain JavaScript gives the same answers.
    return null
  }
}

/** Throws where there is no room in the address space. */
export function newMemory(pages: number): WasmMemory {
  return new (wasm().Memory)({ initial: pages })
}

export function instantiate<Exports>(module: WasmModule, memory: WasmMemory): Exports {
  return new (wasm().Instance)(module, { env: { memory } }).exports as Exports
}

function wasm(): Wasm {
  return (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** `atob` is not part of the language. */
function fromBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let kept = 0
  let at = 0
  for (const digit of text) {
    kept = (kept << 6) | DIGITS.indexOf(digit)
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = kept >> bits
    kept &= (1 << bits) - 1
  }
  return bytes
}
