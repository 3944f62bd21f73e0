/** What the host offers, asked for when it is needed and never remembered. */

/** The part of WebGPU that is used; the DOM's own types are not everywhere. */
export interface Gpu {
  requestAdapter(): Promise<GpuAdapter | null>
}

export interface GpuAdapter {
  readonly features: ReadonlySet<string>
  readonly limits: Readonly<Record<string, number>>
  readonly info?: { readonly vendor?: string; readonly architecture?: string; readonly description?: string }
  requestDevice(descriptor: Readonly<Record<string, unknown>>): Promise<GpuDevice>
}

export interface GpuDevice {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>
  destroy(): void
}

interface Host {
  readonly process?: { readonly versions?: { readonly node?: string }; readonly type?: string }
  readonly navigator?: { readonly gpu?: Gpu; readonly hardwareConcurrency?: number }
  readonly crossOriginIsolated?: boolean
  readonly isSecureContext?: boolean
}

const host = globalThis as Host

/** True in Node, Deno and Bun; false in browsers and in windows of Electron. */
export function isNode(): boolean {
  return host.process?.versions?.node !== undefined && host.process.type !== 'renderer'
}

/** `navigator.gpu`; undefined where there is none. Its mere existence proves nothing. */
export function gpu(): Gpu | undefined {
  return host.navigator?.gpu
}

/** False only where the browser says that the page came over an insecure connection. */
export function isSecure(): boolean {
  return host.isSecureContext !== false
}

/** Whether shared memory, and so threads, may be used in this page or worker. */
export function isIsolated(): boolean {
  return host.crossOriginIsolated === true
}

/** Threads that WASM gets where nobody says: see `RuntimeOptions.threads`. */
export function defaultThreads(): number {
  return isIsolated() ? Math.max(1, Math.min(4, host.navigator?.hardwareConcurrency ?? 1)) : 1
}

/** A module whose one function uses v128: `i32.const 0; i8x16.splat; i8x16.popcnt`, the body that wasm-feature-detect has. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]

export function hasSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(Uint8Array.from(SIMD))
}
