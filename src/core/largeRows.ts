/**
 * The rows of a large window, in a memory of the kernels, with a byte a number beside the 32-bit floats.
 *
 * A search reads the bytes only, a quarter of the floats, and with the error of each row, kept beside it, finds all rows that
 * could win; the floats decide among these, in doubles. If the bytes leave too many, as when all rows are near to each other,
 * the floats are scanned, first in 32 bits, then exactly. So the answers are those of comparing with every row.
 *
 * Rows lie in blocks, so that the window grows without anything being moved. A block of S rows, with the stride W (the width
 * up to the next multiple of 16; zeros behind the row):
 *
 *     floats 4·S·W | codes S·W, four rows interleaved | scales 4·S | errors 4·S | results 8·S
 *
 * Row x is s · codes + e, s = max|x| / 127. Its scale is s / |x|, its error |e| / |x|: for unit vectors a score is off by
 * |e_q| + |e_x| + |e_q||e_x| at most.
 */
import { type KernelMemory, openCompiled } from './kernels/memory.ts'
import { type Floats, type Rows, workDoubles } from './plainRows.ts'
import { encodeQuery, encodeRow } from './rowCodes.ts'
import { dot, squaredDistance } from './rowSums.ts'
import { Smallest } from './sorted.ts'

/** Bytes of floats in a block, about. */
const BLOCK_BYTES = 1 << 18
/** Addresses are 32 bits long; a little less, for the last block. */
const MOST_BYTES = 4_250_000_000
/** What rounding to 32 bits adds to a score of bytes: five roundings of 2⁻²⁴ of at most 1.3, thrice. */
const SLOP = 1e-6
/** More than what rounding adds to an exact score. */
const EXACT = 1e-10
/** Rows that are decided one by one; with more, and more than a sixteenth of all, another scan is cheaper. */
const FEW = 64
/** Outside, squares and products could leave the range in which rounding is relative: of doubles, and of 32-bit floats. */
const SAFE = { min: 1e-140, max: 1e140 }
const SAFE_32 = { min: 1e-18, max: 1e18 }

/** By how much scores are off at most: the error kept of the row times `times`, plus `plus`. */
interface Tolerance {
  readonly times: number
  readonly plus: number
}

interface Asked {
  readonly q: Float64Array
  readonly queryNorm: number
  readonly norms: readonly number[]
}

/** Room for rows; `undefined` where the kernels are not to be had, or `capacity` rows would not fit into a memory. */
export function openLargeRows(width: number, capacity: number): LargeRows | undefined {
  if (capacity * (5 * strideOf(width) + 32) > MOST_BYTES) return undefined
  const memory = openCompiled(headerBytes(strideOf(width)))
  return memory === undefined ? undefined : new LargeRows(width, memory)
}

function strideOf(width: number): number {
  return (width + 15) & ~15
}

/** The query: as doubles, as 32-bit floats, as 16-bit codes. */
function headerBytes(stride: number): number {
  return 14 * stride
}

export class LargeRows implements Rows {
  readonly isWide = false
  readonly #memory: KernelMemory
  readonly #width: number
  readonly #stride: number
  /** Rows in a block, a power of two, and its logarithm. */
  readonly #rowsPerBlock: number
  readonly #shift: number
  readonly #blockBytes: number
  #blocks = 0
  /** By slot: 1 if the row's length is outside of SAFE_32. */
  #isOdd = new Uint8Array(0)
  #odd = 0

  constructor(width: number, memory: KernelMemory) {
    this.#memory = memory
    this.#width = width
    this.#stride = strideOf(width)
    this.#shift = Math.max(2, 31 - Math.clz32(BLOCK_BYTES / (4 * this.#stride)))
    this.#rowsPerBlock = 1 << this.#shift
    this.#blockBytes = this.#rowsPerBlock * (5 * this.#stride + 16)
    memory.reserve(headerBytes(this.#stride))
  }

  /** Throws `RangeError` where there is no room for another block; nothing is changed then. */
  set(slot: number, vector: ArrayLike<number>, norm: number): void {
    if (slot >> this.#shift >= this.#blocks) this.#grow()
    const odd = norm !== 0 && !(norm >= SAFE_32.min && norm <= SAFE_32.max) ? 1 : 0
    this.#odd += odd - this.#isOdd[slot]!
    this.#isOdd[slot] = odd
    const start = this.#floatsOf(slot) / 4
    this.#memory.f32.set(vector, start)
    this.#encode(slot, start, norm)
  }

  #grow(): void {
    const blocks = this.#blocks + 1
    this.#memory.reserve(headerBytes(this.#stride) + blocks * this.#blockBytes)
    this.#blocks = blocks
    const room = blocks * this.#rowsPerBlock
    if (this.#isOdd.length >= room) return
    const isOdd = new Uint8Array(Math.max(room, 2 * this.#isOdd.length))
    isOdd.set(this.#isOdd)
    this.#isOdd = isOdd
  }

  #blockOf(slot: number): number {
    return headerBytes(this.#stride) + (slot >> this.#shift) * this.#blockBytes
  }

  #floatsOf(slot: number): number {
    return this.#blockOf(slot) + 4 * (slot & (this.#rowsPerBlock - 1)) * this.#stride
  }

  #codesAt(block: number): number {
    return block + 4 * this.#rowsPerBlock * this.#stride
  }

  #scalesAt(block: number): number {
    return block + 5 * this.#rowsPerBlock * this.#stride
  }

  /** The bytes of a row, with its scale and its error. */
  #encode(slot: number, start: number, norm: number): void {
    const { f32, i8 } = this.#memory
    const block = this.#blockOf(slot)
    const row = slot & (this.#rowsPerBlock - 1)
    const codes = this.#codesAt(block) + (row & ~3) * this.#stride + 16 * (row & 3)
    const { scale, error } = encodeRow({ values: f32, start, width: this.#width, norm }, i8, codes)
    const at = this.#scalesAt(block) / 4 + row
    f32[at] = scale
    f32[at + this.#rowsPerBlock] = error
  }

  copy(slot: number, out: Floats, at: number): void {
    const start = this.#floatsOf(slot) / 4
    out.set(this.#memory.f32.subarray(start, start + this.#width), at)
  }

  dots(q: Float64Array, count: number): Float64Array {
    const { kernels, f64 } = this.#memory
    const out = workDoubles(count)
    f64.set(q)
    for (let slot = 0; slot < count; slot += this.#rowsPerBlock) {
      const rows = Math.min(this.#rowsPerBlock, count - slot)
      const block = this.#blockOf(slot)
      const results = this.#scalesAt(block) + 8 * this.#rowsPerBlock
      kernels.dots(block, rows, this.#width, this.#stride, 0, results)
      for (let i = 0; i < rows; i++) out[slot + i] = f64[results / 8 + i]!
    }
    return out
  }

  dot(slot: number, q: Float64Array): number {
    return dot(this.#memory.f32, this.#floatsOf(slot) / 4, q)
  }

  squaredDistance(slot: number, q: Float64Array): number {
    return squaredDistance(this.#memory.f32, this.#floatsOf(slot) / 4, q)
  }

  /**
   * The slots, ascending, of all rows below `count` that may have the greatest cosine with `q`, which has the length
   * `queryNorm`; `undefined` if each of them may. `norms` are the lengths by slot.
   */
  nominate(q: Float64Array, queryNorm: number, norms: readonly number[]): number[] | undefined {
    const count = norms.length
    if (!isWithin(queryNorm, SAFE)) return undefined
    const few = Math.max(FEW, count >> 4)
    const query = { q, queryNorm, norms }
    const found = this.#collect(query, few, this.#scanBytes(q, queryNorm, count))
    if (found !== undefined || this.#odd > 0) return found
    return this.#collect(query, few, this.#scanFloats(q, queryNorm, norms))
  }

  /** Puts the scores of bytes into the results of all blocks. */
  #scanBytes(q: Float64Array, queryNorm: number, count: number): Tolerance {
    const { kernels } = this.#memory
    const codes = 12 * this.#stride
    const { scale, error } = encodeQuery(q, queryNorm, this.#memory.i16.subarray(codes / 2))
    const chunks = this.#stride >> 4
    const size = this.#rowsPerBlock
    for (let slot = 0; slot < count; slot += size) {
      const block = this.#blockOf(slot)
      const groups = (Math.min(size, count - slot) + 3) >> 2
      const scales = this.#scalesAt(block)
      kernels.scanBytes(this.#codesAt(block), groups, chunks, codes, scales, scale, scales + 8 * size)
    }
    return { times: 1 + error, plus: error + SLOP }
  }

  /** Puts scores of 32-bit floats into the results. */
  #scanFloats(q: Float64Array, queryNorm: number, norms: readonly number[]): Tolerance {
    const { kernels, f32 } = this.#memory
    const query = 8 * this.#stride
    for (let i = 0; i < q.length; i++) f32[query / 4 + i] = q[i]! / queryNorm
    const size = this.#rowsPerBlock
    for (let slot = 0; slot < norms.length; slot += size) {
      const block = this.#blockOf(slot)
      const rows = Math.min(size, norms.length - slot)
      const results = this.#scalesAt(block) + 8 * size
      kernels.scan(block, rows, this.#stride, query, results)
      for (let i = 0, at = results / 4; i < rows; i++, at++) {
        const length = norms[slot + i]!
        f32[at] = length === 0 ? 0 : f32[at]! / length
      }
    }
    return { times: 0, plus: error32(this.#stride) }
  }

  /**
   * The rows whose score may be the greatest; `undefined` if they are more than `few`. The exact score of the one that is the
   * greatest for all we know rules out those that cannot reach it.
   */
  #collect({ q, queryNorm, norms }: Asked, few: number, { times, plus }: Tolerance): number[] | undefined {
    const { f32 } = this.#memory
    const count = norms.length
    const size = this.#rowsPerBlock
    let best = 0
    let least = -Infinity
    for (let slot = 0; slot < count; slot += size) {
      const errors = this.#scalesAt(this.#blockOf(slot)) / 4 + size
      const at = greatest(f32, errors, Math.min(size, count - slot), size, times)
      const score = f32[at + size]! - f32[at]! * times
      if (!(score > least)) continue
      least = score
      best = slot + at - errors
    }
    const scale = queryNorm * norms[best]!
    const floor = (scale === 0 ? 0 : this.dot(best, q) / scale) - plus - EXACT
    const found: number[] = []
    for (let slot = 0; slot < count; slot += size) {
      const errors = this.#scalesAt(this.#blockOf(slot)) / 4 + size
      const rows = Math.min(size, count - slot)
      for (let i = 0, at = errors; i < rows; i++, at++) {
        if (f32[at + size]! + f32[at]! * times >= floor) found.push(slot + i)
      }
      if (found.length > few) return undefined
    }
    return found
  }

  /**
   * The slots of all rows that may be among the `most` nearest to `q` by distance; `undefined` if each of them may. As
   * |x − q|² = |x|² + |q|² − 2xq, an error of the cosine is one of the distance.
   */
  nominateNear(q: Float64Array, queryNorm: number, norms: readonly number[], most: number): number[] | undefined {
    const count = norms.length
    if (!isWithin(queryNorm, SAFE) || most > count >> 2) return undefined
    const { times, plus } = this.#scanBytes(q, queryNorm, count)
    const { f32 } = this.#memory
    const size = this.#rowsPerBlock
    const floors = workDoubles(count)
    const ceilings = new Smallest(most)
    for (let slot = 0; slot < count; slot++) {
      const at = this.#scalesAt(this.#blockOf(slot)) / 4 + size + (slot & (size - 1))
      const length = norms[slot]!
      const sum = length + queryNorm
      const twice = 2 * length * queryNorm
      const square = length * length + queryNorm * queryNorm - twice * f32[at + size]!
      const off = twice * (f32[at]! * times + plus) + (q.length + 16) * 2.3e-16 * sum * sum + 1e-300
      floors[slot] = square - off
      ceilings.offer(square + off)
    }
    const found: number[] = []
    for (let slot = 0; slot < count; slot++) if (floors[slot]! <= ceilings.limit) found.push(slot)
    return found
  }
}

function isWithin(value: number, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return value >= min && value <= max
}

/** Of a sum of `stride` products in 32-bit floats, sixteen sums wide, of unit vectors: the query's rounding included. */
function error32(stride: number): number {
  return (stride / 16 + 24) * 6e-8
}

/** The place of the greatest score less its error times `times`. The scores stand `size` places behind the errors. */
function greatest(f32: Float32Array, errors: number, rows: number, size: number, times: number): number {
  let most = -Infinity
  let place = errors
  for (let at = errors; at < errors + rows; at++) {
    const value = f32[at + size]! - f32[at]! * times
    if (value > most) {
      most = value
      place = at
    }
  }
  return place
}
