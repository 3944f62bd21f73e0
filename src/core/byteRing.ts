/**
 * The last vectors of a stream in bytes: each number as −127 … 127 times a 127th of the vector's largest. Distances are
 * those between vectors so rounded, the query too: copies are 0 apart. For unit vectors of 512 numbers they are off by about
 * 0.015 near 0, and by less the larger they are.
 */
import { checkNumber, elementType, refuse } from './checkers.ts'
import { workDoubles } from './plainRows.ts'
import { Ring } from './ring.ts'
import { Smallest } from './sorted.ts'
import { readDoubles, readState } from './state.ts'
import type { PlainData } from './types.ts'
import { MAX_DIMENSION } from './vectorRing.ts'

const LEVELS = 127
/** The byte of 0. */
const ZERO = 128

/** The rows oldest first, as one array, their length, and what a step of each is worth. */
export interface SavedBytes {
  readonly dimension: number
  readonly rows: Uint8Array
  readonly steps: Float64Array
}

/** Remembers up to `capacity` vectors of one length. Continues from what {@link save} gave and {@link readBytes} checked. */
export class ByteRing {
  /** Length of the vectors; 0 while none is remembered. */
  dimension: number
  /** What a step of the row in a slot is worth. */
  readonly #steps: Ring<number>
  /** Room for more rows than there are: it grows by doubling up to the window. */
  #rows = new Uint8Array(0)
  /** Working memory: a query rounded, and the distances that were found. */
  #row = new Uint8Array(0)
  readonly #nearest = new Smallest()

  constructor(capacity: number, saved?: SavedBytes) {
    this.dimension = saved?.dimension ?? 0
    this.#steps = new Ring(capacity)
    if (saved === undefined) return
    for (const [i, step] of saved.steps.entries()) this.#add(saved.rows.subarray(i * this.dimension), step)
  }

  get size(): number {
    return this.#steps.items.length
  }

  /** Copies a vector in; the oldest leaves when the window is full. The caller has checked it with `checkVector`. */
  push(vector: ArrayLike<number>): void {
    this.dimension = vector.length
    const step = this.#round(vector)
    this.#add(this.#row, step)
  }

  /** The vector's bytes, each to the nearest step, halves up, into the working memory; what a step is worth. */
  #round(vector: ArrayLike<number>): number {
    const { length } = vector
    if (this.#row.length !== length) this.#row = new Uint8Array(length)
    const row = this.#row
    let largest = 0
    for (let i = 0; i < length; i++) largest = Math.max(largest, Math.abs(vector[i]!))
    const step = largest / LEVELS
    // The smallest numbers of all have no 127th part: they are as good as 0.
    if (step > 0) for (let i = 0; i < length; i++) row[i] = ZERO + clip(Math.floor(vector[i]! / step + 0.5))
    else row.fill(ZERO)
    return step
  }

  #add(row: Uint8Array, step: number): void {
    const { dimension } = this
    const { capacity, next } = this.#steps
    if ((next + 1) * dimension > this.#rows.length) {
      const rows = new Uint8Array(Math.min(capacity, 2 * next + 4) * dimension)
      rows.set(this.#rows)
      this.#rows = rows
    }
    for (let i = 0, at = next * dimension; i < dimension; i++, at++) this.#rows[at] = row[i]!
    this.#steps.push(step)
  }

  /**
   * The Euclidean distances to the `count` nearest rows, ascending; fewer if fewer are remembered. O(size · dimension). Good until
   * the next call.
   */
  nearestDistances(query: ArrayLike<number>, count: number): Float64Array {
    const step = this.#round(query)
    const squares = workDoubles(this.size)
    this.#setSquaredDistances(step, squares)
    const nearest = this.#nearest
    nearest.begin(Math.min(count, this.size))
    nearest.offerAll(squares, this.size)
    const distances = nearest.values
    for (let i = 0; i < distances.length; i++) distances[i] = Math.sqrt(distances[i]!)
    return distances
  }

  /** Of the rounded query from each row, by slot. */
  #setSquaredDistances(step: number, out: Float64Array): void {
    const rows = this.#rows
    const row = this.#row
    const { items } = this.#steps
    for (let slot = 0, start = 0; slot < items.length; slot++, start += row.length) {
      const own = items[slot]!
      let sum = 0
      for (let i = 0; i < row.length; i++) {
        const d = own * (rows[start + i]! - ZERO) - step * (row[i]! - ZERO)
        sum += d * d
      }
      out[slot] = sum
    }
  }

  /** Of what is remembered, not of the spare room: a restored ring says the same, so evictions are reproducible. */
  bytes(): number {
    return this.size * (this.dimension + 8)
  }

  save(): SavedBytes {
    const { dimension, size } = this
    const rows = new Uint8Array(size * dimension)
    const steps = new Float64Array(size)
    for (let age = 0; age < size; age++) {
      const slot = this.#steps.slot(age)
      rows.set(this.#rows.subarray(slot * dimension, (slot + 1) * dimension), age * dimension)
      steps[age] = this.#steps.items[slot]!
    }
    return { dimension, rows, steps }
  }
}

function clip(level: number): number {
  return Math.min(Math.max(level, -LEVELS), LEVELS)
}

/** Reads the saved rows of a ring: whole rows, at most `capacity`. Throws `bad_snapshot`. */
export function readBytes(state: PlainData, capacity: number): SavedBytes {
  const { dimension, rows, steps } = readState(state, ['dimension', 'rows', 'steps'])
  const path = 'state.vectors'
  const range = { min: 0, max: MAX_DIMENSION, integer: true }
  const width = checkNumber(dimension, range, `${path}.dimension`, 'bad_snapshot')
  const read = readDoubles(steps, `${path}.steps`, capacity)
  const isWhole = elementType(rows) === 'Uint8Array' && (rows as Uint8Array).length === width * read.length
  if (!isWhole || (width === 0) !== (read.length === 0) || read.some((step) => !(step >= 0 && step <= 1e150))) {
    refuse('bad_snapshot', `must hold ${read.length} rows of ${width} bytes`, rows, `${path}.rows`)
  }
  return { dimension: width, rows: rows as Uint8Array, steps: read }
}
