/** The rows of a small window, one behind the other in an array of JavaScript. */
import { sharedMemory } from './kernels/memory.ts'
import { dot, dotRows, type RowsAt, squaredDistance } from './rowSums.ts'

export type Floats = Float32Array | Float64Array

/** Rows of one width by their slots, and what a search asks of them. Sums are those of `rowSums.ts`, to the bit. */
export interface Rows {
  /** True if they are kept as doubles. */
  readonly isWide: boolean
  set(slot: number, vector: ArrayLike<number>, norm: number): void
  copy(slot: number, out: Floats, at: number): void
  /**
   * The scalar products with rows 0 … count − 1. Behind them that of the query with itself, where it is given as `floats` too
   * and costs nothing; else NaN. Good until the next call, of whomever.
   */
  dots(q: Float64Array, count: number, floats?: Float32Array): Float64Array
  dot(slot: number, q: Float64Array): number
  squaredDistance(slot: number, q: Float64Array): number
}

/** From this many numbers on it pays to copy the rows to the kernels: see bench/kernels.mjs. */
const LEAST_NUMBERS = 512
/** What fits into the shared memory with its results. */
export const MOST_SHARED_NUMBERS = 65_536

let work = /* @__PURE__ */ new Float64Array(256)

/** Working memory for `length` doubles, of all who search. */
export function workDoubles(length: number): Float64Array {
  if (work.length < length) work = new Float64Array(Math.max(length, 2 * work.length))
  return work
}

export function floats(isWide: boolean, length: number): Floats {
  return isWide ? new Float64Array(length) : new Float32Array(length)
}

export class PlainRows implements Rows {
  readonly isWide: boolean
  readonly #width: number
  readonly #capacity: number
  /** Room for more rows than there are: it grows by doubling up to the window. */
  #rows: Floats
  /** Working memory: the rows that are asked about. */
  readonly #asked: { -readonly [Key in keyof RowsAt]: RowsAt[Key] }

  constructor(width: number, capacity: number, isWide: boolean, room = 0) {
    this.isWide = isWide
    this.#width = width
    this.#capacity = capacity
    this.#rows = floats(isWide, room * width)
    this.#asked = { rows: this.#rows, start: 0, stride: width, count: 0 }
  }

  set(slot: number, vector: ArrayLike<number>): void {
    const width = this.#width
    if ((slot + 1) * width > this.#rows.length) {
      const rows = floats(this.isWide, Math.min(this.#capacity, 2 * slot + 4) * width)
      rows.set(this.#rows)
      this.#rows = rows
    }
    this.#rows.set(vector, slot * width)
  }

  copy(slot: number, out: Floats, at: number): void {
    const rows = this.#rows
    const width = this.#width
    for (let i = 0, from = slot * width; i < width; i++) out[at + i] = rows[from + i]!
  }

  dots(q: Float64Array, count: number, floats?: Float32Array): Float64Array {
    const length = count * this.#width
    const memory = this.isWide || length < LEAST_NUMBERS || length > MOST_SHARED_NUMBERS ? undefined : sharedMemory()
    const out = workDoubles(count + 1)
    if (memory === undefined) {
      this.#asked.rows = this.#rows
      this.#asked.count = count
      dotRows(this.#asked, q, out)
      out[count] = Number.NaN
      return out
    }
    const width = this.#width
    // The kernel takes four rows in the time of one: the query makes up the number.
    const padded = (count + 4) & ~3
    const own = padded * width <= MOST_SHARED_NUMBERS ? floats : undefined
    const all = own === undefined ? count : padded
    const rows = 8 * width
    const results = rows + 8 * Math.ceil((all * width) / 2)
    memory.f64.set(q)
    memory.f32.set(length === this.#rows.length ? this.#rows : this.#rows.subarray(0, length), rows / 4)
    if (own !== undefined) for (let i = count; i < padded; i++) memory.f32.set(own, rows / 4 + i * width)
    memory.kernels.dots(rows, all, width, width, 0, results)
    const found = memory.f64
    for (let i = 0, at = results / 8; i < count; i++, at++) out[i] = found[at]!
    out[count] = own === undefined ? Number.NaN : found[results / 8 + count]!
    return out
  }

  dot(slot: number, q: Float64Array): number {
    return dot(this.#rows, slot * this.#width, q)
  }

  squaredDistance(slot: number, q: Float64Array): number {
    return squaredDistance(this.#rows, slot * this.#width, q)
  }
}
