/** The keyed hashes of windows by the kernels, piece by piece through the memory that all share. */
import { type KernelMemory, sharedMemory } from '../kernels/memory.ts'
import { likelyLeast } from './largestHashes.ts'
import { seedOf } from './options.ts'
import { type Cut, type Windows, windowsOf } from './rollingHash.ts'
import type { WindowOptions } from './windows.ts'

/** A list of numbers, or bytes that become one by `levelAt`, where levels are a whole number apart. */
export type Source =
  | { readonly length: number; readonly values: Uint16Array }
  | {
      readonly length: number
      readonly bytes: Uint8Array | Uint8ClampedArray
      readonly seed: number
      readonly quantum: number
    }

/** From this many numbers on it pays to copy them: see bench/kernels.mjs. */
const LEAST_NUMBERS = 256
/** Numbers of a piece: its bytes and its numbers fit into the nearest caches. */
const PIECE = 8192
/** Hashes lie here, up to 1024 of them, behind the working memory of the kernel. */
const LIST = 64
const BYTES = 16_384
/** Behind room for zeros, as many as the longest window has numbers. */
const VALUES = 32_768

/** The largest hashes; undefined where there are no kernels, or too few numbers for them. */
export function hashByKernels(source: Source, cut: Cut, options: WindowOptions): Uint32Array | undefined {
  const memory = source.length < LEAST_NUMBERS ? undefined : sharedMemory()
  if (memory === undefined) return undefined
  const { kept } = options
  const windows = { ...windowsOf(source.length, cut), seed: seedOf(options) }
  const least = likelyLeast(windows.windows, kept)
  let count = hashPieces(memory, source, windows, kept, least)
  if (count < kept && least > 0) count = hashPieces(memory, source, windows, kept, 0)
  const hashes = new Uint32Array(2 * count)
  for (let i = 0, at = LIST / 4; i < hashes.length; i++, at++) hashes[i] = memory.i32[at]!
  return hashes
}

/** Each piece begins with the window behind the last one of the piece before. Returns how many hashes are in the list. */
function hashPieces(
  memory: KernelMemory,
  source: Source,
  { size, stride, windows, seed }: Windows,
  kept: number,
  least: number,
): number {
  const ofPiece = Math.floor((PIECE - size) / stride) + 1
  let count = 0
  memory.i32.fill(0, VALUES / 4 - size, VALUES / 4)
  for (let done = 0; done < windows; done += ofPiece) {
    const some = Math.min(ofPiece, windows - done)
    copy(memory, source, done * stride, (some - 1) * stride + size)
    count = memory.kernels.largestWindows(VALUES, some, size, stride, seed, LIST, count, kept, least)
  }
  return count
}

/** The numbers `from` … of a source, each plus 1, into the kernels' memory. */
function copy(memory: KernelMemory, source: Source, from: number, count: number): void {
  if ('bytes' in source) {
    const { bytes, seed, quantum } = source
    const isWhole = count === bytes.length
    memory.i8.set(isWhole ? bytes : bytes.subarray(from, from + count), BYTES)
    memory.kernels.levels(BYTES, count, from, seed, quantum, VALUES)
    return
  }
  const { values } = source
  const numbers = memory.i32
  for (let i = 0, at = VALUES / 4; i < count; i++) numbers[at + i] = values[from + i]! + 1
}
