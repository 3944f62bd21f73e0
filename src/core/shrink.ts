/**
 * The small grey picture of a perceptual hash: Pillow's `convert('L').resize((32, 32), LANCZOS)`, by the kernels where they are,
 * to the same bits as `toGrey` and `resizeLanczos`. The picture goes through the memory of the kernels in strips of rows.
 */
import { type KernelMemory, SHARED_BYTES, sharedMemory } from './kernels/memory.ts'
import { toBytes, toGrey } from './pixels.ts'
import { lanczosAxis, resizeLanczos, TALL } from './resample.ts'
import type { Pixels } from './types.ts'

/** Longer sides are left to plain JavaScript: their weights would fill the memory. */
const MOST_SIDE = 4096
/** Pictures of few sizes come again and again; their weights take longer than the picture. */
const MOST_AXES = 4

/** The weights of one axis as the kernel reads them; see `resample` in its source. */
interface PackedAxis {
  readonly size: number
  readonly starts: Int32Array
  readonly chunks: Int32Array
  readonly weights: Int16Array
  /** Numbers of 16 bits for each value. */
  readonly stride: number
}

let axes: readonly PackedAxis[] = []

/** Grey, `side` · `side` bytes. The pixels have been checked and are never changed. */
export function shrinkGrey(pixels: Pixels, side: number): Uint8Array {
  const { width, height } = pixels
  const isPlain = Math.max(width, height) > MOST_SIDE || height > TALL * width
  const memory = isPlain ? undefined : sharedMemory()
  if (memory === undefined) return resizeLanczos(toGrey(pixels), width, height, side, side)
  return shrinkIn(memory, pixels, side)
}

function shrinkIn(memory: KernelMemory, pixels: Pixels, side: number): Uint8Array {
  const { width, height, channels } = pixels
  const bytes = toBytes(pixels)
  const { kernels, i8 } = memory
  const target = new Uint8Array(i8.buffer)
  const across = putAxis(memory, axisOf(width, side), 0)
  const down = width === height ? across : putAxis(memory, axisOf(height, side), across.end)
  const low = down.end
  const out = low + roundUp(side * height)
  const strip = out + roundUp(side * side)
  const rowBytes = width * (channels === 1 ? 1 : channels + 1)
  const most = Math.floor((SHARED_BYTES - strip - 64) / rowBytes)
  for (let y = 0; y < height; y += most) {
    const rows = Math.min(most, height - y)
    const length = rows * width * channels
    target.set(bytes.subarray(y * width * channels, y * width * channels + length), strip)
    const grey = channels === 1 ? strip : strip + roundUp(length)
    if (channels !== 1) kernels.grey(strip, rows * width, channels, grey)
    kernels.resample(grey, width, rows, ...across.at, side, low + y, height)
  }
  kernels.resample(low, height, side, ...down.at, side, out, side)
  return target.slice(out, out + side * side)
}

/** The axis in the memory: its addresses in the order of the kernel's arguments, and what lies behind it. */
function putAxis({ i32, i16 }: KernelMemory, { starts, chunks, weights, stride }: PackedAxis, from: number) {
  const at = [from, from + 4 * starts.length, from + 8 * starts.length, 2 * stride] as const
  i32.set(starts, at[0] / 4)
  i32.set(chunks, at[1] / 4)
  i16.set(weights, at[2] / 2)
  return { at, end: roundUp(at[2] + weights.byteLength) }
}

function axisOf(size: number, side: number): PackedAxis {
  const known = axes.find((axis) => axis.size === size && axis.starts.length === side)
  if (known !== undefined) return known
  const made = packAxis(size, side)
  axes = [made, ...axes.slice(0, MOST_AXES - 1)]
  return made
}

function packAxis(size: number, side: number): PackedAxis {
  const { starts, counts, weights, stride } = lanczosAxis(size, side)
  const chunks = Int32Array.from(counts, (count) => (count + 15) >> 4)
  const packedStride = 32 * Math.ceil(stride / 16)
  const packed = new Int16Array(side * packedStride)
  for (let i = 0; i < side; i++) {
    for (let k = 0; k < counts[i]!; k++) {
      const weight = weights[i * stride + k]!
      const upper = (weight + 1024) >> 11
      const at = i * packedStride + 32 * (k >> 4) + (k & 15)
      packed[at] = upper
      packed[at + 16] = weight - 2048 * upper
    }
  }
  return { size, starts, chunks, weights: packed, stride: packedStride }
}

function roundUp(bytes: number): number {
  return (bytes + 15) & ~15
}
