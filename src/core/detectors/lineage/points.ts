/**
 * The points of a lineage: how they are kept, and how far a query is from them.
 *
 * Everything is whole numbers, so no rounding depends on an order: a number becomes units of 1/4080 (sixteenths of a
 * byte's level), and where bytes are kept, the nearest level. The projection is a sum per place modulo 256, each number
 * with a sign: its squared length is about that of the vector (turning it by a Hadamard matrix would make it a projection
 * whose entries are all ±1, and change no distance).
 */
import { checkNumbers, elementType, lengthOf, refuse } from '../../checkers.ts'
import { SUMS, sketch } from '../../countSketch.ts'

/** What is kept of a vector: see the option. */
export type Storage = 'projected' | 'bytes' | 'exact'

const UNITS_PER_LEVEL = 16
const SCALE = 255 * UNITS_PER_LEVEL
/** Longest vector: pairs that pass the gate then have distances without rounding. */
export const MAX_LENGTH = 16_384
/** Largest number, in size: units then fit 32 bits, and so do their differences. */
const LIMIT = 131_072
/** Squared distance below which a query repeats its parent: D0 = 1e-3, in units. In levels it is less than one. */
const REPEATED = Math.floor(1e-3 * SCALE * (1e-3 * SCALE))

// The query at work. Their content never outlives a call.
const units = /* @__PURE__ */ new Int32Array(MAX_LENGTH)
const levels = /* @__PURE__ */ new Uint8Array(MAX_LENGTH)
const sums = /* @__PURE__ */ new Float64Array(SUMS)

/** How vectors of a length are kept. */
export function storageFor(length: number, storage: Storage): Storage {
  return length <= SUMS ? 'exact' : storage // sums would save nothing
}

const ANY = { most: MAX_LENGTH, min: -LIMIT, max: LIMIT, remedy: '; scale it first' }
const CLOSED = { most: MAX_LENGTH, min: 0, max: 1, remedy: "; scale it first, or set storage: 'exact'" }

/** Checks a query's vector. Throws `bad_query`. */
export function checkPoint(vector: ArrayLike<number> | undefined, storage: Storage): ArrayLike<number> {
  if (vector === undefined) {
    refuse('bad_query', 'pass the input as numbers: pictureVector(pixels) or scaledRow(row)', vector, 'vector')
  }
  checkNumbers(vector, storageFor(lengthOf(vector), storage) === 'exact' ? ANY : CLOSED, 'vector')
  return vector
}

/** Makes a checked vector the query at work. */
export function takePoint(vector: ArrayLike<number>, storage: Storage, key: number): void {
  const { length } = vector
  for (let i = 0; i < length; i++) units[i] = Math.floor(vector[i]! * SCALE + 0.5)
  if (storage === 'exact') return
  for (let i = 0; i < length; i++) levels[i] = (units[i]! + UNITS_PER_LEVEL / 2) >> 4
  if (storage === 'projected') sketch(units, length, key, sums)
}

/** What a saved group holds of its vectors. `sums` is empty but for projected ones. */
export interface SavedPoints {
  readonly numbers: Uint8Array | Uint32Array
  readonly sums: Float32Array
}

/** Vectors of one length, in numbered slots. */
export class Points {
  readonly length: number
  readonly storage: Storage
  #numbers: Uint8Array | Int32Array
  #sums: Float32Array

  constructor(length: number, storage: Storage) {
    this.length = length
    this.storage = storage
    this.#numbers = storage === 'exact' ? new Int32Array(0) : new Uint8Array(0)
    this.#sums = new Float32Array(0)
  }

  /** Bytes of one vector. */
  get bytes(): number {
    return this.length * this.#numbers.BYTES_PER_ELEMENT + (this.storage === 'projected' ? SUMS * 4 : 0)
  }

  /** Makes room for so many slots; what is there stays. */
  grow(slots: number): void {
    const { length, storage } = this
    const numbers = storage === 'exact' ? new Int32Array(slots * length) : new Uint8Array(slots * length)
    numbers.set(this.#numbers)
    this.#numbers = numbers
    if (storage !== 'projected') return
    const sums = new Float32Array(slots * SUMS)
    sums.set(this.#sums)
    this.#sums = sums
  }

  /** Keeps the query at work. */
  put(slot: number): void {
    const { length, storage } = this
    this.#numbers.set((storage === 'exact' ? units : levels).subarray(0, length), slot * length)
    if (storage === 'projected') this.#sums.set(sums, slot * SUMS)
  }

  /**
   * Squared distance of the query at work, in units or levels; each difference cut at `clip` levels unless that is 0. A sum
   * that exceeds `most` may be cut short.
   */
  distance(slot: number, clip: number, most: number): number {
    const { length, storage } = this
    if (storage === 'projected') return distanceOfSums(this.#sums, slot * SUMS, most)
    const from = slot * length
    if (storage === 'exact') {
      const limit = clip === 0 ? Infinity : clip * UNITS_PER_LEVEL
      return distanceOfUnits(this.#numbers as Int32Array, from, length, limit, most)
    }
    if (clip > 0) return clippedDistanceOfLevels(this.#numbers as Uint8Array, from, length, clip, most)
    return distanceOfLevels(this.#numbers as Uint8Array, from, length, most)
  }

  /** How many numbers of the query at work differ from those kept by more than so many levels. */
  countAbove(slot: number, step: number): number {
    const isExact = this.storage === 'exact'
    const query = isExact ? units : levels
    const limit = isExact ? step * UNITS_PER_LEVEL : step
    const from = slot * this.length
    let count = 0
    for (let i = 0; i < this.length; i++) if (Math.abs(this.#numbers[from + i]! - query[i]!) > limit) count++
    return count
  }

  /** Whether the query at work repeats what is kept, `distance` being their distance. */
  isRepeated(slot: number, distance: number): boolean {
    if (this.storage === 'bytes') return distance === 0
    // Sums can be equal by design: then every number must be, to a level, as it is where the true distance is that small.
    return distance <= REPEATED && (this.storage === 'exact' || this.countAbove(slot, 1) === 0)
  }

  save(slots: readonly number[]): SavedPoints {
    const { length } = this
    const numbers =
      this.storage === 'exact' ? new Int32Array(slots.length * length) : new Uint8Array(slots.length * length)
    const sums = new Float32Array(this.storage === 'projected' ? slots.length * SUMS : 0)
    for (const [i, slot] of slots.entries()) {
      numbers.set(this.#numbers.subarray(slot * length, (slot + 1) * length), i * length)
      if (sums.length > 0) sums.set(this.#sums.subarray(slot * SUMS, (slot + 1) * SUMS), i * SUMS)
    }
    return {
      numbers: numbers.BYTES_PER_ELEMENT === 1 ? (numbers as Uint8Array) : new Uint32Array(numbers.buffer),
      sums,
    }
  }

  /** Fills the first slots with what {@link save} gave and a reader checked. */
  load({ numbers, sums }: SavedPoints): void {
    this.grow(numbers.length / this.length)
    this.#numbers.set(numbers) // 32 bits are taken as signed again
    this.#sums.set(sums)
  }
}

/** True for saved vectors of the right kind, size and range. */
export function isSaved({ numbers, sums }: SavedPoints, storage: Storage, length: number, count: number): boolean {
  const isExact = storage === 'exact'
  const isKind =
    elementType(numbers) === (isExact ? 'Uint32Array' : 'Uint8Array') && elementType(sums) === 'Float32Array'
  if (!isKind) return false // they may be anything, nothing included
  const isSize = numbers.length === count * length && sums.length === (storage === 'projected' ? count * SUMS : 0)
  if (!isSize) return false
  const isInRange = !isExact || numbers.every((unit) => Math.abs(unit | 0) <= LIMIT * SCALE)
  return isInRange && sums.every((sum) => Number.isInteger(sum) && Math.abs(sum) <= length * SCALE)
}

/** Numbers after which a sum is compared with what it must not exceed. */
const BLOCK = 256
const BLOCK_OF_SUMS = 32

function distanceOfSums(kept: Float32Array, from: number, most: number): number {
  let a = 0
  let b = 0
  for (let i = 0; i < SUMS && a + b <= most; ) {
    for (const to = i + BLOCK_OF_SUMS; i < to; i += 2) {
      const p = kept[from + i]! - sums[i]!
      const q = kept[from + i + 1]! - sums[i + 1]!
      a += p * p
      b += q * q
    }
  }
  return a + b
}

/** The longest sum is 16 384 · 255², which fits 31 bits. */
function distanceOfLevels(kept: Uint8Array, from: number, length: number, most: number): number {
  let sum = 0
  for (let i = 0; i < length && sum <= most; ) {
    for (const to = Math.min(i + BLOCK, length); i < to; i++) {
      const step = kept[from + i]! - levels[i]!
      sum = (sum + Math.imul(step, step)) | 0
    }
  }
  return sum
}

/** Without branches: of every second pair it is as good as random which is larger. */
function clippedDistanceOfLevels(kept: Uint8Array, from: number, length: number, clip: number, most: number): number {
  let sum = 0
  for (let i = 0; i < length && sum <= most; ) {
    for (const to = Math.min(i + BLOCK, length); i < to; i++) {
      const step = kept[from + i]! - levels[i]!
      const below = ((step ^ (step >> 31)) - (step >> 31) - clip) | 0
      const size = clip + (below & (below >> 31))
      sum = (sum + Math.imul(size, size)) | 0
    }
  }
  return sum
}

/** In the order of the places: the sum may round where differences are huge. */
function distanceOfUnits(kept: Int32Array, from: number, length: number, clip: number, most: number): number {
  let sum = 0
  for (let i = 0; i < length && sum <= most; i++) {
    const step = Math.min(Math.abs(kept[from + i]! - units[i]!), clip)
    sum += step * step
  }
  return sum
}
