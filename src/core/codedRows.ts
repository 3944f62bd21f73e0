/**
 * The rows of a large window as bytes, one a number, in a memory of the kernels that holds nothing else: read from one end to
 * the other they come as fast as memory gives them, which they do not if the floats lie between.
 *
 * Row x is s · codes + e, s = max|x| / 127. Its scale is s / |x|, its error |e| / |x|: for unit vectors x and q,
 *
 *     xq = (x − e_x)(q − e_q) + x·e_q + e_x·q − e_x·e_q
 *
 * so a score, the first of these products, is off by |e_q| + |e_x|(1 + |e_q|) at most, and by {@link ROUNDING}.
 *
 * The memory: the query's words | scores | scales | errors | numbers of rows found | codes. All but the codes has its room for
 * the whole window from the beginning, of which a system gives only what is used.
 */
import type { KernelMemory } from './kernels/memory.ts'
import { encodeQuery, encodeRow, GROUP, type RowAt } from './rowCodes.ts'

/**
 * What rounding to 32 bits adds: five roundings of a score and three of its error and their sum, of 2⁻²⁴ of what is below 4 and
 * below 8: 2.7e-6.
 */
const ROUNDING = 3e-6

/** By how much scores are off at most: the error kept of the row times `times`, plus `plus`. */
export interface Tolerance {
  readonly times: number
  readonly plus: number
}

/** A scan's answer: what its scores are worth, and the slot of a row whose score is the greatest for all we know. */
export interface Scanned extends Tolerance {
  readonly best: number
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export class CodedRows {
  readonly #memory: KernelMemory
  readonly #stride: number
  /** Addresses. */
  readonly #scores: number
  readonly #scales: number
  readonly #errors: number
  readonly #found: number
  readonly #codes: number
  /** Groups that hold a row. */
  #groups = 0
  /** What the last search found. */
  readonly #scanned: Writable<Scanned> = { times: 0, plus: 0, best: 0 }
  readonly #slots: number[] = []

  /** In a memory with {@link bytesOfCoded} of an empty window; `stride` is a multiple of 16. */
  constructor(memory: KernelMemory, stride: number, capacity: number) {
    const room = 4 * roundUp(capacity)
    this.#memory = memory
    this.#stride = stride
    this.#scores = 2 * stride
    this.#scales = this.#scores + room
    this.#errors = this.#scales + room
    this.#found = this.#errors + room
    this.#codes = bytesOfCoded(0, stride, capacity)
  }

  /** Makes room for a slot, at most the next new one. Throws `RangeError` where there is none. */
  reserve(slot: number): void {
    const group = Math.floor(slot / GROUP)
    if (group < this.#groups) return
    this.#memory.reserve(this.#codes + (group + 1) * GROUP * this.#stride)
    this.#groups = group + 1
    const errors = this.#errors / 4 + group * GROUP
    this.#memory.f32.fill(Number.NaN, errors, errors + GROUP)
  }

  set(slot: number, row: RowAt): void {
    const { f32, i8 } = this.#memory
    const place = slot % GROUP
    const { scale, error } = encodeRow(row, i8, this.#codes + (slot - place) * this.#stride + 16 * place)
    f32[this.#scales / 4 + slot] = scale
    f32[this.#errors / 4 + slot] = error
  }

  /** By slot; good until the memory grows. A scan of anything else may leave its scores there as well. */
  get scores(): Float32Array {
    return this.#memory.f32.subarray(this.#scores / 4, this.#scales / 4)
  }

  get errors(): Float32Array {
    return this.#memory.f32.subarray(this.#errors / 4, this.#found / 4)
  }

  /** Scores all rows. The length of `q` is `norm`, not 0. Good until the next call. */
  scan(q: Float64Array, norm: number): Scanned {
    const { kernels, i16 } = this.#memory
    const { scale, error, bias } = encodeQuery(q, norm, i16)
    const times = 1 + error
    const scanned = this.#scanned
    scanned.times = times
    scanned.plus = error + ROUNDING
    const group = kernels.scanBytes(
      this.#codes,
      this.#groups,
      this.#stride >> 4,
      0,
      bias,
      this.#scales,
      this.#errors,
      scale,
      times,
      this.#scores,
    )
    scanned.best = this.#bestOf(group, times)
    return scanned
  }

  /** The slot in a group that has the greatest score less its error. */
  #bestOf(group: number, times: number): number {
    const { f32 } = this.#memory
    let most = -Infinity
    let best = group * GROUP
    for (let slot = group * GROUP; slot < (group + 1) * GROUP; slot++) {
      const low = f32[this.#scores / 4 + slot]! - f32[this.#errors / 4 + slot]! * times
      if (!(low > most)) continue
      most = low
      best = slot
    }
    return best
  }

  /**
   * The slots, ascending, whose score may be `floor` or more; `undefined` if they are more than `few`, see {@link fewOf}. Good
   * until the next call.
   */
  reaching(floor: number, times: number, few: number): readonly number[] | undefined {
    const { kernels, i32 } = this.#memory
    const count = kernels.reaching(this.#scores, this.#errors, this.#groups, times, floor, few, this.#found)
    if (count > few) return undefined
    const slots = this.#slots
    while (slots.length > count) slots.pop()
    for (let i = 0, at = this.#found / 4; i < count; i++, at++) slots[i] = i32[at]!
    return slots
  }
}

/** Rows among `count` that are decided one by one; with more of them another scan is cheaper. */
export function fewOf(count: number): number {
  return Math.max(64, count >> 4)
}

/** Of a memory with `count` rows of a window. */
export function bytesOfCoded(count: number, stride: number, capacity: number): number {
  const before = 2 * stride + 12 * roundUp(capacity) + 4 * fewOf(capacity)
  return Math.ceil(before / 64) * 64 + roundUp(count) * stride
}

function roundUp(count: number): number {
  return Math.ceil(count / GROUP) * GROUP
}
