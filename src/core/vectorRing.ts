/**
 * The last vectors of a stream, for the nearest by cosine or by distance.
 *
 * Rows are kept as 32-bit floats while every vector fits them exactly, and as 64-bit floats from the first one that
 * does not: nothing is rounded, so the score is that of the vectors as they were given. Which of the two holds
 * depends on the stream alone.
 */
import { checkNumbers, elementType, refuse } from './checkers.ts'
import { LargeRows, openLargeRows } from './largeRows.ts'
import { fillLater, PIECE_BYTES } from './pieces.ts'
import { type Floats, floats, MOST_SHARED_NUMBERS, PlainRows, type Rows } from './plainRows.ts'
import { Ring } from './ring.ts'
import { norm } from './rowSums.ts'
import { RowsSaving } from './rowsSaving.ts'
import { Smallest } from './sorted.ts'

/** The longest vector accepted. */
export const MAX_DIMENSION = 65_536
/** No number may be larger in size, so that the squared length of the longest vector is finite. */
export const LIMIT = 1e150
const VECTOR = { most: MAX_DIMENSION, min: -LIMIT, max: LIMIT }

/** The nearest remembered vector: its position counted from the oldest, and the cosine in [−1, 1]. */
export interface Nearest {
  readonly index: number
  readonly cosine: number
}

/** The rows oldest first, as one array, and their length. */
export interface SavedVectors {
  readonly dimension: number
  readonly rows: Floats
}

/** Remembers up to `capacity` vectors of one length. Continues from what {@link save} gave, see `savedVectors.ts`. */
export class VectorRing {
  /** Length of the vectors; 0 while none is remembered. */
  dimension: number
  /** The lengths in the geometric sense; row number i of {@link #rows} has the norm in slot i. */
  readonly #norms: Ring<number>
  #rows: Rows
  /** False once the kernels were not to be had. */
  #mayBeLarge = true
  /** Snapshots that are being filled. */
  #savings: RowsSaving[] = []
  /** Working memory: the query as doubles, and the distances that were found or may be. */
  #query = new Float64Array(0)
  /** What {@link nearest} was asked for, and how long it is. */
  #asked: ArrayLike<number> | undefined
  #askedNorm = 0
  readonly #nearest = new Smallest()
  readonly #ceilings = new Smallest()
  readonly #found = { index: 0, cosine: 0 }

  /** Makes `room` for so many rows at once. */
  constructor(
    capacity: number,
    { dimension, rows }: SavedVectors = { dimension: 0, rows: new Float32Array(0) },
    room = 0,
  ) {
    this.dimension = dimension
    this.#norms = new Ring(capacity)
    this.#rows = new PlainRows(dimension, capacity, isDoubles(rows), room)
    for (let at = 0; at < rows.length; at += dimension) this.push(rows.subarray(at, at + dimension))
  }

  get size(): number {
    return this.#norms.items.length
  }

  /**
   * The nearest row by cosine; the oldest of equals; `undefined` when empty. A zero vector has cosine 0 with
   * everything. Sums are 64-bit and in a fixed order, so every runtime gives the same bits. O(size · dimension). Nobody
   * changes the query until it is pushed. Good until the next call.
   */
  nearest(query: ArrayLike<number>): Nearest | undefined {
    if (this.size === 0) return undefined
    if (this.#rows instanceof LargeRows) this.#findAmongMany(query, this.#rows)
    else this.#findAmongAll(query)
    return this.#found
  }

  #findAmongMany(query: ArrayLike<number>, rows: LargeRows): void {
    const q = this.#doubles(query)
    const queryNorm = this.#ask(query, norm(q))
    const few = rows.nominate(q, queryNorm, this.#norms.items)
    if (few === undefined) this.#findAmongAll(query)
    else this.#findAmong(few, q, queryNorm)
  }

  #findAmongAll(query: ArrayLike<number>): void {
    const norms = this.#norms
    const q = this.#doubles(query)
    const asFloats = elementType(query) === 'Float32Array' ? (query as Float32Array) : undefined
    const dots = this.#rows.dots(q, this.size, asFloats)
    const squared = dots[this.size]!
    const queryNorm = this.#ask(query, Number.isNaN(squared) ? norm(q) : Math.sqrt(squared))
    let index = 0
    let cosine = -Infinity
    for (let age = 0; age < this.size; age++) {
      const slot = norms.slot(age)
      const scale = queryNorm * norms.items[slot]!
      const one = scale === 0 ? 0 : dots[slot]! / scale
      if (one > cosine) {
        cosine = one
        index = age
      }
    }
    this.#found.index = index
    this.#found.cosine = Math.min(Math.max(cosine, -1), 1)
  }

  #ask(query: ArrayLike<number>, queryNorm: number): number {
    this.#asked = query
    this.#askedNorm = queryNorm
    return queryNorm
  }

  #findAmong(slots: readonly number[], q: Float64Array, queryNorm: number): void {
    const norms = this.#norms
    let index = 0
    let cosine = -Infinity
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!
      const scale = queryNorm * norms.items[slot]!
      const one = scale === 0 ? 0 : this.#rows.dot(slot, q) / scale
      const age = norms.age(slot)
      if (one > cosine || (one === cosine && age < index)) {
        cosine = one
        index = age
      }
    }
    this.#found.index = index
    this.#found.cosine = Math.min(Math.max(cosine, -1), 1)
  }

  /**
   * The Euclidean distances to the `count` nearest rows, ascending; fewer if fewer are remembered. Exactly what comparing
   * with every row gives: scalar products only rule out what cannot be among them, as |a − q|² = |a|² + |q|² − 2aq loses
   * the digits of short distances. O(size · dimension). Good until the next call.
   */
  nearestDistances(query: ArrayLike<number>, count: number): Float64Array {
    const q = this.#doubles(query)
    const most = Math.min(count, this.size)
    const nearest = this.#nearest
    nearest.begin(most)
    const { items } = this.#norms
    const few = this.#rows instanceof LargeRows ? this.#rows.nominateNear(q, norm(q), items, most) : undefined
    if (few !== undefined) for (const slot of few) nearest.offer(this.#rows.squaredDistance(slot, q))
    else {
      const { floors, limit } = this.#boundDistances(q, most)
      for (let slot = 0; slot < this.size; slot++) {
        if (floors[slot]! <= limit) nearest.offer(this.#rows.squaredDistance(slot, q))
      }
    }
    const distances = nearest.values
    for (let i = 0; i < most; i++) distances[i] = Math.sqrt(distances[i]!)
    return distances
  }

  /**
   * For each slot a number below its squared distance, and one that at least `most` of the squared distances stay below:
   * both by more than rounding can add.
   */
  #boundDistances(q: Float64Array, most: number): { readonly floors: Float64Array; readonly limit: number } {
    const queryNorm = norm(q)
    const floors = this.#rows.dots(q, this.size)
    const ceilings = this.#ceilings
    ceilings.begin(most)
    for (let slot = 0; slot < this.size; slot++) {
      const rowNorm = this.#norms.items[slot]!
      const distance = rowNorm * rowNorm + queryNorm * queryNorm - 2 * floors[slot]!
      const error = (q.length + 16) * 2.3e-16 * (rowNorm + queryNorm) * (rowNorm + queryNorm) + 1e-300
      floors[slot] = distance - error
      ceilings.offer(distance + error)
    }
    return { floors, limit: ceilings.limit }
  }

  #doubles(query: ArrayLike<number>): Float64Array {
    if (this.#query.length !== query.length) this.#query = new Float64Array(query.length)
    this.#query.set(query)
    return this.#query
  }

  /** Copies a vector in; the oldest leaves when the window is full. The caller has checked it with {@link checkVector}. */
  push(vector: ArrayLike<number>): void {
    const { next } = this.#norms
    const isWide = this.#rows.isWide || !fitsFloat32(vector)
    if (this.dimension !== vector.length || isWide !== this.#rows.isWide) {
      this.dimension = vector.length
      this.#move(new PlainRows(this.dimension, this.#norms.capacity, isWide))
    }
    const isLarge = this.#rows instanceof LargeRows
    if (!(isLarge || isWide) && (next + 1) * this.dimension > MOST_SHARED_NUMBERS) this.#enlarge()
    const length = vector === this.#asked ? this.#askedNorm : norm(vector)
    this.#asked = undefined
    if (this.#savings.length > 0) this.#keepForSavings(next)
    this.#set(next, vector, length)
    this.#norms.push(length)
  }

  #keepForSavings(slot: number): void {
    for (const saving of this.#savings) saving.reach(this.#rows, slot)
    this.#savings = this.#savings.filter(({ isWhole }) => !isWhole)
  }

  /** Takes the rows into a memory of the kernels, where there are any. */
  #enlarge(): void {
    const rows = this.#mayBeLarge ? openLargeRows(this.dimension, this.#norms.capacity) : undefined
    this.#mayBeLarge = rows !== undefined
    if (rows !== undefined) this.#move(rows)
  }

  /** A memory that cannot grow further is left for good: the answers stay the same. */
  #set(slot: number, vector: ArrayLike<number>, length: number): void {
    try {
      this.#rows.set(slot, vector, length)
    } catch (thrown) {
      if (!(thrown instanceof RangeError && this.#rows instanceof LargeRows)) throw thrown
      this.#mayBeLarge = false
      this.#move(new PlainRows(this.dimension, this.#norms.capacity, false))
      this.#rows.set(slot, vector, length)
    }
  }

  #move(rows: Rows): void {
    const row = floats(rows.isWide, this.dimension)
    for (const [slot, length] of this.#norms.items.entries()) {
      this.#rows.copy(slot, row, 0)
      rows.set(slot, row, length)
    }
    this.#rows = rows
  }

  /** A copy of the row at a position counted from the oldest. */
  at(age: number): Floats {
    const row = floats(this.#rows.isWide, this.dimension)
    this.copy(age, row, 0)
    return row
  }

  /** The same, into `out` from the place `at` on. */
  copy(age: number, out: Floats, at: number): void {
    this.#rows.copy(this.#norms.slot(age), out, at)
  }

  /** Of what is remembered, not of the spare room: a restored ring says the same, so evictions are reproducible. */
  bytes(): number {
    return this.size * (this.dimension * (this.#rows.isWide ? 8 : 4) + 8)
  }

  /** Within `inPieces` a large one is filled later; what is overwritten meanwhile is copied before. */
  save(): SavedVectors {
    const { dimension, size } = this
    const saving = new RowsSaving(this.#rows, { size, oldest: this.#norms.oldest, width: dimension })
    const { rows } = saving
    if (rows.byteLength > PIECE_BYTES && fillLater(saving)) this.#savings.push(saving)
    else while (!saving.fill());
    return { dimension, rows }
  }
}

function fitsFloat32(v: ArrayLike<number>): boolean {
  if (elementType(v) === 'Float32Array') return true
  for (let i = 0; i < v.length; i++) if (Math.fround(v[i]!) !== v[i]) return false
  return true
}

function isDoubles(rows: Floats): boolean {
  return rows.BYTES_PER_ELEMENT === 8
}

/**
 * Checks a vector: an array of 1 … 65 536 finite numbers, as long as `dimension` where that is not 0, and short enough
 * (|v| at most 1e150) for its squared length to be finite. Throws `bad_query`.
 */
export function checkVector(v: ArrayLike<number>, dimension: number, path = 'embedding'): void {
  const length = (v as ArrayLike<number> | null)?.length
  if (dimension !== 0 && length !== dimension) {
    const remedy = 'use one embedder for the whole stream, or reset the detector'
    refuse('bad_query', `must have ${dimension} numbers like the ones before; ${remedy}`, length ?? v, path)
  }
  checkNumbers(v, VECTOR, path)
}
