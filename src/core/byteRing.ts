/**
 * The last vectors of a stream in bytes: each number as −127 … 127 times a 127th of the vector's largest. Distances are
 * those between vectors so rounded, the query too: copies are 0 apart. For unit vectors of 512 numbers they are off by about
 * 0.015 near 0, and by less the larger they are.
 */
import { checkNumber, elementType, refuse } from './checkers.ts'
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
    const { row, step } = rounded(vector)
    this.#add(row, step)
  }

  #add(row: Uint8Array, step: number): void {
    const { dimension } = this
    const { capacity, next } = this.#steps
    if ((next + 1) * dimension > this.#rows.length) {
      const rows = new Uint8Array(Math.min(capacity, 2 * next + 4) * dimension)
      rows.set(this.#rows)
      this.#rows = rows
    }
    this.#rows.set(row.subarray(0, dimension), next * dimension)
    this.#steps.push(step)
  }

  /** The Euclidean distances to the `count` nearest rows, ascending; fewer if fewer are remembered. O(size · dimension). */
  nearestDistances(query: ArrayLike<number>, count: number): Float64Array {
    const { row, step } = rounded(query)
    const nearest = new Smallest(Math.min(count, this.size))
    for (let slot = 0; slot < this.size; slot++) {
      nearest.offer(this.#squaredDistance(slot, row, step))
    }
    const distances = nearest.values
    for (let i = 0; i < distances.length; i++) distances[i] = Math.sqrt(distances[i]!)
    return distances
  }

  #squaredDistance(slot: number, row: Uint8Array, step: number): number {
    const rows = this.#rows
    const start = slot * row.length
    const own = this.#steps.items[slot]!
    let sum = 0
    for (let i = 0; i < row.length; i++) {
      const d = own * (rows[start + i]! - ZERO) - step * (row[i]! - ZERO)
      sum += d * d
    }
    return sum
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

/** To the nearest step, halves up. */
function rounded(vector: ArrayLike<number>): { readonly row: Uint8Array; readonly step: number } {
  let largest = 0
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]!))
  const step = largest / LEVELS
  const row = new Uint8Array(vector.length).fill(ZERO)
  // The smallest numbers of all have no 127th part: they are as good as 0.
  if (step > 0) for (let i = 0; i < row.length; i++) row[i] = ZERO + clip(Math.floor(vector[i]! / step + 0.5))
  return { row, step }
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
