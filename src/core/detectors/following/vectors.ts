/**
 * Remembered inputs in numbered slots, and the distances and products of their differences. Numbers are whole, in units of
 * 1/65280 (1/256 of a byte's level): up to 256 of them are kept as they are, more as a sketch.
 */
import { checkNumbers, elementType, lengthOf, refuse } from '../../checkers.ts'
import { SUMS, sketch } from '../../countSketch.ts'

/** Units in the full range of a number. */
export const SCALE = 65_280
/** Longest input. */
export const MAX_LENGTH = 16_384
/** Largest number of a short vector, in size. */
const LIMIT = 131_072
/** Squared distance up to which an input repeats another, in units: no more than rounding makes. */
export const REPEATED = 16

const SHORT = { most: MAX_LENGTH, min: -LIMIT, max: LIMIT, remedy: '; scale it first' }
const LONG = { most: MAX_LENGTH, min: 0, max: 1, remedy: '; scale it first' }

// The query at work. Their content never outlives a call.
const units = /* @__PURE__ */ new Int32Array(MAX_LENGTH)
const sums = /* @__PURE__ */ new Float64Array(SUMS)

/** Checks a query's vector. Throws `bad_query`. */
export function checkVector(vector: ArrayLike<number> | undefined): ArrayLike<number> {
  if (vector === undefined) {
    refuse('bad_query', 'pass the input as numbers: pictureVector(pixels) or scaledRow(row)', vector, 'vector')
  }
  checkNumbers(vector, lengthOf(vector) > SUMS ? LONG : SHORT, 'vector')
  return vector
}

export class Vectors {
  /** Of the inputs. */
  readonly length: number
  /** Numbers kept of each. */
  readonly width: number
  #kept: Float32Array | Float64Array

  constructor(length: number) {
    this.length = length
    this.width = Math.min(length, SUMS)
    this.#kept = this.#room(0)
  }

  /** The numbers of a sketch are exact in 32 bits. */
  get #isSketch(): boolean {
    return this.length > SUMS
  }

  #room(slots: number): Float32Array | Float64Array {
    return this.#isSketch ? new Float32Array(slots * this.width) : new Float64Array(slots * this.width)
  }

  get bytes(): number {
    return this.width * this.#kept.BYTES_PER_ELEMENT
  }

  /** Makes room for so many slots; what is there stays. */
  grow(slots: number): void {
    const kept = this.#room(slots)
    kept.set(this.#kept)
    this.#kept = kept
  }

  /** Makes a checked vector the query at work. */
  take(vector: ArrayLike<number>, key: number): void {
    const { length } = this
    const to: Float64Array | Int32Array = this.#isSketch ? units : sums
    for (let i = 0; i < length; i++) to[i] = Math.floor(vector[i]! * SCALE + 0.5)
    if (this.#isSketch) sketch(units, length, key, sums)
  }

  /** Keeps the query at work. */
  put(slot: number): void {
    this.#kept.set(this.width === SUMS ? sums : sums.subarray(0, this.width), slot * this.width)
  }

  /** Squared distance of the query at work, in units; one that exceeds `most` may be cut short. */
  distance(slot: number, most: number): number {
    const { width } = this
    const kept = this.#kept
    const from = slot * width
    let sum = 0
    for (let i = 0; i < width && sum <= most; ) {
      for (const to = Math.min(i + 32, width); i < to; i++) {
        const step = kept[from + i]! - sums[i]!
        sum += step * step
      }
    }
    return sum
  }

  /** Squared distance of two slots. */
  between(a: number, b: number): number {
    return this.product(a, b, a, b)
  }

  /** The inner product of a − b and c − d. */
  product(a: number, b: number, c: number, d: number): number {
    const { width } = this
    const kept = this.#kept
    const [p, q, r, s] = [a * width, b * width, c * width, d * width]
    let sum = 0
    for (let i = 0; i < width; i++) sum += (kept[p + i]! - kept[q + i]!) * (kept[r + i]! - kept[s + i]!)
    return sum
  }

  /** What is kept in a slot. */
  at(slot: number): Float32Array | Float64Array {
    return this.#kept.subarray(slot * this.width, (slot + 1) * this.width)
  }

  save(slots: readonly number[]): Float32Array | Float64Array {
    const saved = this.#room(slots.length)
    for (const [i, slot] of slots.entries()) saved.set(this.at(slot), i * this.width)
    return saved
  }

  /** Fills the first slots with what {@link save} gave. Throws `bad_snapshot`. */
  load(saved: unknown, count: number): void {
    const values = saved as Float32Array
    const most = this.#isSketch ? Math.ceil(this.length / SUMS) * SCALE : LIMIT * SCALE
    const isSound =
      elementType(saved) === (this.#isSketch ? 'Float32Array' : 'Float64Array') &&
      values.length === count * this.width &&
      values.every((value) => Number.isInteger(value) && Math.abs(value) <= most)
    if (!isSound)
      refuse('bad_snapshot', `must be ${count} inputs of ${this.width} whole numbers`, saved, 'state.inputs')
    this.grow(count)
    this.#kept.set(values)
  }
}
