/**
 * The last vectors of a stream in one buffer, for cosine search.
 *
 * Rows are kept as 32-bit floats while every vector fits them exactly, and as 64-bit floats from the first one that
 * does not: nothing is rounded, so the score is the cosine of the vectors as they were given. Which of the two holds
 * depends on the stream alone. The buffer grows by doubling up to the window; slots are reused oldest first.
 */
import { refuse } from './checkers.ts'
import { MonitorError } from './errors.ts'
import { isTyped, readState } from './state.ts'
import type { PlainData } from './types.ts'

type Floats = Float32Array | Float64Array

const START_ROWS = 4

/** The longest vector accepted by default. */
export const MAX_DIMENSION = 65_536

/** The nearest remembered vector: its position counted from the oldest, and the cosine in [−1, 1]. */
export interface Nearest {
  readonly index: number
  readonly cosine: number
}

/** Remembers up to `capacity` vectors of one length. */
export class VectorRing {
  readonly capacity: number
  /** Length of the vectors; 0 while none is remembered. */
  #dimension = 0
  #rows: Floats = new Float32Array(0)
  #norms = new Float64Array(0)
  /** Working memory of {@link nearest}. */
  #dots = new Float64Array(0)
  #size = 0
  /** Slot of the oldest row once the ring is full, else 0. */
  #oldest = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  get dimension(): number {
    return this.#dimension
  }

  /**
   * The nearest row by cosine; the oldest of equals; `undefined` when empty. A zero vector has cosine 0 with
   * everything. Sums are 64-bit and in a fixed order, so every runtime gives the same bits. O(size · dimension).
   */
  nearest(query: ArrayLike<number>): Nearest | undefined {
    if (this.#size === 0) return undefined
    const q = new Float64Array(query)
    const queryNorm = norm(q)
    const dots = this.#dots
    dotRows(this.#rows, this.#size, q, dots)
    let index = 0
    let best = -Infinity
    for (let age = 0; age < this.#size; age++) {
      const slot = this.#slot(age)
      const scale = queryNorm * this.#norms[slot]!
      const cosine = scale === 0 ? 0 : dots[slot]! / scale
      if (cosine > best) {
        best = cosine
        index = age
      }
    }
    return { index, cosine: Math.min(Math.max(best, -1), 1) }
  }

  /** Copies a vector in; the oldest leaves when the window is full. The caller has checked it with {@link checkVector}. */
  push(vector: ArrayLike<number>): void {
    this.#dimension = vector.length
    if (!isTyped(this.#rows, 'Float64Array') && !fitsFloat32(vector)) this.#rows = Float64Array.from(this.#rows)
    const full = this.#size === this.capacity
    if (!full) this.#grow()
    const slot = full ? this.#oldest : this.#size
    this.#rows.set(vector, slot * this.#dimension)
    this.#norms[slot] = norm(vector)
    if (full) this.#oldest = (this.#oldest + 1) % this.capacity
    else this.#size++
  }

  /** A copy of the row at a position counted from the oldest. */
  at(age: number): Floats {
    return this.#row(this.#slot(age)).slice()
  }

  /** Of what is remembered, not of the spare room: a restored ring says the same, so evictions are reproducible. */
  bytes(): number {
    return this.#size * (this.#dimension * this.#rows.BYTES_PER_ELEMENT + 8)
  }

  /** The rows oldest first, as one array, and their length. */
  save(): { readonly dimension: number; readonly rows: Floats } {
    const rows = this.#rows.slice(0, this.#size * this.#dimension)
    const head = this.#oldest * this.#dimension
    rows.set(this.#rows.subarray(head, this.#size * this.#dimension), 0)
    rows.set(this.#rows.subarray(0, head), rows.length - head)
    return { dimension: this.#dimension, rows }
  }

  /** Takes over what {@link save} gave and {@link readVectors} checked. */
  load({ dimension, rows }: { readonly dimension: number; readonly rows: Floats }): void {
    this.#dimension = dimension
    this.#rows = rows.slice()
    this.#size = dimension === 0 ? 0 : rows.length / dimension
    this.#oldest = 0
    this.#norms = Float64Array.from({ length: this.#size }, (_, slot) => norm(this.#row(slot)))
    this.#dots = new Float64Array(this.#size)
  }

  clear(): void {
    this.load({ dimension: 0, rows: new Float32Array(0) })
  }

  #slot(age: number): number {
    const slot = this.#oldest + age
    return slot < this.#size ? slot : slot - this.#size
  }

  #row(slot: number): Floats {
    return this.#rows.subarray(slot * this.#dimension, (slot + 1) * this.#dimension)
  }

  #grow(): void {
    if (this.#size < this.#norms.length) return
    const capacity = Math.min(this.capacity, Math.max(START_ROWS, 2 * this.#norms.length))
    const Rows = isTyped(this.#rows, 'Float64Array') ? Float64Array : Float32Array
    const rows = new Rows(capacity * this.#dimension)
    rows.set(this.#rows)
    const norms = new Float64Array(capacity)
    norms.set(this.#norms)
    this.#rows = rows
    this.#norms = norms
    this.#dots = new Float64Array(capacity)
  }
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

function norm(v: ArrayLike<number>): number {
  return Math.sqrt(dot(v, 0, v))
}

function fitsFloat32(v: ArrayLike<number>): boolean {
  if (isTyped(v, 'Float32Array')) return true
  for (let i = 0; i < v.length; i++) if (Math.fround(v[i]!) !== v[i]) return false
  return true
}

/**
 * Checks a vector: an array of 1 … 65 536 finite numbers, as long as `dimension` where that is not 0, and short enough
 * (|v| below 1e150) for its squared length to be finite. Throws `bad_query`.
 */
export function checkVector(v: ArrayLike<number>, dimension: number, path = 'embedding'): void {
  const isList = typeof v === 'object' && v !== null && typeof v.length === 'number'
  if (!isList) refuse('bad_query', 'must be an array of numbers', v, path)
  if (v.length < 1 || v.length > MAX_DIMENSION)
    refuse('bad_query', `must have 1 … ${MAX_DIMENSION} numbers`, v.length, path)
  if (dimension !== 0 && v.length !== dimension) {
    const remedy = 'use one embedder for the whole stream, or reset the detector'
    throw new MonitorError(
      'bad_query',
      `must have ${dimension} numbers like the ones before it, got ${v.length}; ${remedy}`,
      path,
    )
  }
  for (let i = 0; i < v.length; i++) {
    const value: unknown = v[i]
    if (typeof value !== 'number' || !(Math.abs(value) < 1e150)) {
      refuse('bad_query', 'must be a finite number below 1e150', value, `${path}[${i}]`)
    }
  }
}

/** Reads the saved rows of a ring: whole rows, at most `capacity`, all finite. Throws `bad_snapshot`. */
export function readVectors(state: PlainData, capacity: number): { readonly dimension: number; readonly rows: Floats } {
  const { dimension, rows } = readState(state, ['dimension', 'rows'])
  const typed = isTyped(rows, 'Float32Array') || isTyped(rows, 'Float64Array')
  if (!typed) refuse('bad_snapshot', 'must be a Float32Array or Float64Array', rows, 'state.vectors.rows')
  if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 0 || dimension > MAX_DIMENSION) {
    refuse('bad_snapshot', `must be a whole number up to ${MAX_DIMENSION}`, dimension, 'state.vectors.dimension')
  }
  const count = dimension === 0 ? rows.length : rows.length / dimension
  if (!Number.isInteger(count) || count > (dimension === 0 ? 0 : capacity) || (dimension !== 0 && count === 0)) {
    refuse('bad_snapshot', `must hold 1 … ${capacity} rows of ${dimension}`, rows.length, 'state.vectors.rows')
  }
  if (!rows.every((v) => Math.abs(v) < 1e150)) {
    throw new MonitorError('bad_snapshot', 'must be finite numbers below 1e150', 'state.vectors.rows')
  }
  return { dimension, rows }
}
