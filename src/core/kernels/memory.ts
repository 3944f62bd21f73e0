/** A memory with the kernels over it: compiled where that is possible, else in plain JavaScript with the same results. */
import { createTwin } from './twin.ts'
import { instantiate, kernelModule, newMemory, type WasmMemory, type WasmModule } from './wasm.ts'

/** What the kernels compute is said in `assembly/index.ts`. Numbers called rows, codes, query, scales, out … are addresses. */
export interface Kernels {
  dots(rows: number, count: number, width: number, stride: number, query: number, out: number): void
  scan(rows: number, count: number, stride: number, query: number, out: number): void
  scanBatch(rows: number, count: number, stride: number, queries: number, batch: number, out: number): void
  scanBytes(
    codes: number,
    groups: number,
    chunks: number,
    query: number,
    bias: number,
    scales: number,
    errors: number,
    queryScale: number,
    times: number,
    out: number,
  ): number
  reaching(
    scores: number,
    errors: number,
    groups: number,
    times: number,
    floor: number,
    most: number,
    out: number,
  ): number
  hammingWithin(hashes: number, count: number, low: number, high: number, radius: number): number
  grey(pixels: number, count: number, step: number, out: number): void
  resample(
    source: number,
    width: number,
    rows: number,
    starts: number,
    chunks: number,
    weights: number,
    weightStep: number,
    outs: number,
    out: number,
    outStep: number,
  ): void
  sumOfLogs(values: number, count: number, scale: number, inside: number): number
  levels(bytes: number, count: number, first: number, seed: number, quantum: number, out: number): void
  largestWindows(
    values: number,
    windows: number,
    size: number,
    stride: number,
    seed: number,
    list: number,
    count: number,
    kept: number,
    least: number,
  ): number
}

const PAGE = 65_536
const MOST_PAGES = 65_536

/** A memory that grows, seen as numbers of several types. The views change when it grows. */
export interface KernelMemory {
  readonly kernels: Kernels
  readonly f32: Float32Array
  readonly f64: Float64Array
  readonly i32: Int32Array
  readonly i16: Int16Array
  readonly i8: Int8Array
  /** Makes room for this many bytes; what is there stays. Throws `RangeError` where there is no room. */
  reserve(bytes: number): void
}

/**
 * Memories at a time. Each takes gigabytes of addresses and some of the few maps that a system gives to a process; whoever
 * comes when there are so many does without.
 */
const MOST_MEMORIES = 500
let memories = 0
/** Counts those that are gone; where a runtime has no such thing they count for ever. */
let leaving: FinalizationRegistry<undefined> | undefined

/** A memory with compiled kernels, or `undefined` where they cannot be had or there is no room for another memory. */
export function openCompiled(bytes: number): KernelMemory | undefined {
  const module = kernelModule()
  if (module === null || memories >= MOST_MEMORIES) return undefined
  try {
    const memory = newMemory(Math.ceil(bytes / PAGE))
    const opened = new Compiled(memory, instantiate<Kernels>(module, memory))
    memories++
    if (typeof FinalizationRegistry !== 'undefined') {
      leaving ??= new FinalizationRegistry(() => memories--)
      leaving.register(opened, undefined)
    }
    return opened
  } catch {
    return undefined
  }
}

/** A memory with the kernels in plain JavaScript. */
export function openPlain(bytes: number): KernelMemory {
  return new Plain(new ArrayBuffer(Math.ceil(bytes / PAGE) * PAGE))
}

/** The views of a buffer, which are made anew when it is replaced. */
class Views {
  f32!: Float32Array
  f64!: Float64Array
  i32!: Int32Array
  i16!: Int16Array
  i8!: Int8Array

  constructor(buffer: ArrayBuffer) {
    this.see(buffer)
  }

  see(buffer: ArrayBuffer): void {
    this.f32 = new Float32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.i16 = new Int16Array(buffer)
    this.i8 = new Int8Array(buffer)
  }
}

class Compiled extends Views implements KernelMemory {
  readonly kernels: Kernels
  readonly #memory: WasmMemory

  constructor(memory: WasmMemory, kernels: Kernels) {
    super(memory.buffer)
    this.#memory = memory
    this.kernels = kernels
  }

  /** By a sixteenth at least: nothing is copied, but every view is replaced. */
  reserve(bytes: number): void {
    const pages = this.#memory.buffer.byteLength / PAGE
    const needed = Math.ceil(bytes / PAGE)
    if (needed <= pages) return
    this.#memory.grow(Math.min(Math.max(needed, Math.ceil(pages * 1.0625)), Math.max(needed, MOST_PAGES)) - pages)
    this.see(this.#memory.buffer)
  }
}

class Plain extends Views implements KernelMemory {
  kernels: Kernels

  constructor(buffer: ArrayBuffer) {
    super(buffer)
    this.kernels = createTwin(buffer)
  }

  /** To twice the size: all of it is copied. */
  reserve(bytes: number): void {
    const old = this.i8
    if (bytes <= old.length) return
    const buffer = new ArrayBuffer(Math.max(Math.ceil(bytes / PAGE) * PAGE, 2 * old.length))
    new Int8Array(buffer).set(old)
    this.see(buffer)
    this.kernels = createTwin(buffer)
  }
}

/** Room for a small window or a strip of a picture, and for the results. */
export const SHARED_BYTES = 1 << 20

let shared: { readonly module: WasmModule | null; readonly memory: KernelMemory | undefined } | undefined

/** One memory of a megabyte for all who copy into it what they scan; `undefined` without compiled kernels. */
export function sharedMemory(): KernelMemory | undefined {
  const module = kernelModule()
  if (shared?.module !== module) shared = { module, memory: openCompiled(SHARED_BYTES) }
  return shared.memory
}
