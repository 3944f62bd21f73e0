/**
 * The last vectors of a stream, for the nearest by cosine or by distance.
 *
 * Rows are kept as 32-bit floats while every vector fits them exactly, and as 64-bit floats from the first one that
 * does not: nothing is rounded, so the score is that of the vectors as they were given. Which of the two holds
 * depends on the stream alone.
 */
import { checkNumber, checkNumbers, elementType, refuse } from './checkers.ts'
import { Ring } from './ring.ts'
import { Smallest } from './sorted.ts'
import { readState } from './state.ts'
import type { PlainData } from './types.ts'

type Floats = Float32Array | Float64Array

/** The longest vector accepted. */
export const MAX_DIMENSION = 65_536
/** No number may be larger in size, so that the squared length of the longest vector is finite. */
const LIMIT = 1e150
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

/** Remembers up to `capacity` vectors of one length. Continues from what {@link save} gave and {@link readVectors} checked. */
export class VectorRing {
  /** Length of the vectors; 0 while none is remembered. */
  dimension: number
  /** The lengths in the geometric sense; row number i of {@link #rows} has the norm in slot i. */
  readonly #norms: Ring<number>
  /** Room for more rows than there are: it grows by doubling up to the window. */
  #rows: Floats

  constructor(capacity: number, { dimension, rows }: SavedVectors = { dimension: 0, rows: new Float32Array(0) }) {
    this.dimension = dimension
    this.#norms = new Ring(capacity)
    this.#rows = floats(isDoubles(rows), 0)
    for (let at = 0; at < rows.length; at += dimension) this.push(rows.subarray(at, at + dimension))
  }

  get size(): number {
    return this.#norms.items.length
  }

  /**
   * The nearest row by cosine; the oldest of equals; `undefined` when empty. A zero vector has cosine 0 with
   * everything. Sums are 64-bit and in a fixed order, so every runtime gives the same bits. O(size · dimension).
   */
  nearest(query: ArrayLike<number>): Nearest | undefined {
    const norms = this.#norms
    if (this.size === 0) return undefined
    const q = new Float64Array(query)
    const queryNorm = norm(q)
    const dots = new Float64Array(this.size)
    dotRows(this.#rows, this.size, q, dots)
    let index = 0
    let best = -Infinity
    for (let age = 0; age < this.size; age++) {
      const slot = norms.slot(age)
      const scale = queryNorm * norms.items[slot]!
      const cosine = scale === 0 ? 0 : dots[slot]! / scale
      if (cosine > best) {
        best = cosine
        index = age
      }
    }
    return { index, cosine: Math.min(Math.max(best, -1), 1) }
  }

  /**
   * The Euclidean distances to the `count` nearest rows, ascending; fewer if fewer are remembered. Exactly what comparing
   * with every row gives: scalar products only rule out what cannot be among them, as |a − q|² = |a|² + |q|² − 2aq loses
   * the digits of short distances. O(size · dimension).
   */
  nearestDistances(query: ArrayLike<number>, count: number): Float64Array {
    const q = new Float64Array(query)
    const { floors, limit } = this.#boundDistances(q, count)
    const nearest = new Smallest(Math.min(count, this.size))
    for (let slot = 0; slot < this.size; slot++) {
      if (floors[slot]! <= limit) nearest.offer(squaredDistance(this.#rows, slot * q.length, q))
    }
    return nearest.values.map(Math.sqrt)
  }

  /**
   * For each slot a number below its squared distance, and one that at least `count` of the squared distances stay below:
   * both by more than rounding can add.
   */
  #boundDistances(q: Float64Array, count: number): { readonly floors: Float64Array; readonly limit: number } {
    const queryNorm = norm(q)
    const floors = new Float64Array(this.size)
    dotRows(this.#rows, this.size, q, floors)
    const ceilings = new Smallest(Math.min(count, this.size))
    for (let slot = 0; slot < this.size; slot++) {
      const rowNorm = this.#norms.items[slot]!
      const distance = rowNorm * rowNorm + queryNorm * queryNorm - 2 * floors[slot]!
      const error = (q.length + 16) * 2.3e-16 * (rowNorm + queryNorm) * (rowNorm + queryNorm) + 1e-300
      floors[slot] = distance - error
      ceilings.offer(distance + error)
    }
    return { floors, limit: ceilings.limit }
  }

  /** Copies a vector in; the oldest leaves when the window is full. The caller has checked it with {@link checkVector}. */
  push(vector: ArrayLike<number>): void {
    const width = vector.length
    this.dimension = width
    const { capacity, next } = this.#norms
    const isWide = isDoubles(this.#rows) || !fitsFloat32(vector)
    const isFull = (next + 1) * width > this.#rows.length
    if (isFull || isWide !== isDoubles(this.#rows)) {
      const rows = floats(isWide, isFull ? Math.min(capacity, 2 * next + 4) * width : this.#rows.length)
      rows.set(this.#rows)
      this.#rows = rows
    }
    this.#rows.set(vector, next * width)
    this.#norms.push(norm(vector))
  }

  /** A copy of the row at a position counted from the oldest. */
  at(age: number): Floats {
    const start = this.#norms.slot(age) * this.dimension
    return this.#rows.slice(start, start + this.dimension)
  }

  /** Of what is remembered, not of the spare room: a restored ring says the same, so evictions are reproducible. */
  bytes(): number {
    return this.size * (this.dimension * this.#rows.BYTES_PER_ELEMENT + 8)
  }

  save(): SavedVectors {
    const { dimension, size } = this
    const rows = floats(isDoubles(this.#rows), size * dimension)
    for (let age = 0; age < size; age++) rows.set(this.at(age), age * dimension)
    return { dimension, rows }
  }
}

function floats(isWide: boolean, length: number): Floats {
  return isWide ? new Float64Array(length) : new Float32Array(length)
}

/**
 * The scalar products of the first `count` rows with `q`. Four rows at a time, so that an element of `q` is loaded once
 * for all of them; two running sums a row, even and odd places. The order of additions is part of the contract.
 */
function dotRows(rows: Floats, count: number, q: Float64Array, out: Float64Array): void {
  const n = q.length
  const even = n & ~1
  let row = 0
  for (; row + 4 <= count; row += 4) {
    const r0 = row * n
    const r1 = r0 + n
    const r2 = r1 + n
    const r3 = r2 + n
    let a0 = 0
    let b0 = 0
    let a1 = 0
    let b1 = 0
    let a2 = 0
    let b2 = 0
    let a3 = 0
    let b3 = 0
    for (let i = 0; i < even; i += 2) {
      const x = q[i]!
      const y = q[i + 1]!
      a0 += rows[r0 + i]! * x
      b0 += rows[r0 + i + 1]! * y
      a1 += rows[r1 + i]! * x
      b1 += rows[r1 + i + 1]! * y
      a2 += rows[r2 + i]! * x
      b2 += rows[r2 + i + 1]! * y
      a3 += rows[r3 + i]! * x
      b3 += rows[r3 + i + 1]! * y
    }
    if (even < n) {
      a0 += rows[r0 + even]! * q[even]!
      a1 += rows[r1 + even]! * q[even]!
      a2 += rows[r2 + even]! * q[even]!
      a3 += rows[r3 + even]! * q[even]!
    }
    out[row] = a0 + b0
    out[row + 1] = a1 + b1
    out[row + 2] = a2 + b2
    out[row + 3] = a3 + b3
  }
  for (; row < count; row++) out[row] = dot(rows, row * n, q)
}

/** One row of {@link dotRows}, to the same bit. */
function dot(rows: ArrayLike<number>, start: number, q: ArrayLike<number>): number {
  const n = q.length
  let a = 0
  let b = 0
  for (let i = 0; i < n - 1; i += 2) {
    a += rows[start + i]! * q[i]!
    b += rows[start + i + 1]! * q[i + 1]!
  }
  if (n % 2 === 1) a += rows[start + n - 1]! * q[n - 1]!
  return a + b
}

/** The squared distance of a row, summed as in {@link dot}. */
function squaredDistance(rows: ArrayLike<number>, start: number, q: ArrayLike<number>): number {
  const n = q.length
  let a = 0
  let b = 0
  for (let i = 0; i < n - 1; i += 2) {
    const x = rows[start + i]! - q[i]!
    const y = rows[start + i + 1]! - q[i + 1]!
    a += x * x
    b += y * y
  }
  const last = n % 2 === 1 ? rows[start + n - 1]! - q[n - 1]! : 0
  return a + b + last * last
}

function norm(v: ArrayLike<number>): number {
  return Math.sqrt(dot(v, 0, v))
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

/** Reads the saved rows of a ring: whole rows, at most `capacity`, all finite. Throws `bad_snapshot`. */
export function readVectors(state: PlainData, capacity: number): SavedVectors {
  const { dimension, rows } = readState(state, ['dimension', 'rows'])
  const path = 'state.vectors'
  if (!['Float32Array', 'Float64Array'].includes(elementType(rows))) {
    refuse('bad_snapshot', 'must be a Float32Array or Float64Array', rows, `${path}.rows`)
  }
  const width = checkNumber(
    dimension,
    { min: 0, max: MAX_DIMENSION, integer: true },
    `${path}.dimension`,
    'bad_snapshot',
  )
  const saved = { dimension: width, rows: rows as Floats }
  const count = width === 0 ? 0 : saved.rows.length / width
  const isWhole = width === 0 ? saved.rows.length === 0 : Number.isInteger(count) && count > 0 && count <= capacity
  if (!isWhole || !saved.rows.every((v) => Math.abs(v) <= LIMIT)) {
    refuse('bad_snapshot', `must hold 1 … ${capacity} rows of ${width} numbers up to ${LIMIT}`, rows, `${path}.rows`)
  }
  return saved
}
