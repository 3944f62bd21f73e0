/** A window over a stream as buckets of 1, 2, 4 … numbers: the older, the coarser. */
import { checkNumber, elementType, refuse } from '../checkers.ts'
import { powerOfTwo } from '../math.ts'
import { readDoubles, readState } from '../state.ts'
import type { PlainData } from '../types.ts'

/** Sizes of buckets: 1 … 2³¹, so that a window has up to ten billion numbers; beyond it the oldest leave. */
const ROWS = 32
const PER_ROW = 5
/** Room for one bucket more, before two of them are merged. */
const WIDTH = PER_ROW + 1

/**
 * Keeps of each bucket the sum and the squared deviations from its mean. Row r has up to five buckets of 2^r numbers; one
 * too many, and the two oldest merge into the next row (Datar, Gionis, Indyk and Motwani, SODA 2002; for the variance
 * Babcock et al., PODS 2003). The numbers lie in [0, 1]. 3 kB; adding takes O(1) on average.
 */
export class BucketRows {
  #size = 0
  /** Buckets in each row, oldest first within it. */
  #counts: Uint32Array = new Uint32Array(ROWS)
  #sums: Float64Array = new Float64Array(ROWS * WIDTH)
  #squares: Float64Array = new Float64Array(ROWS * WIDTH)

  /** Numbers in the window. */
  get size(): number {
    return this.#size
  }

  add(value: number): void {
    this.#size++
    this.#add(0, value, 0)
  }

  #add(row: number, sum: number, squares: number): void {
    const first = row * WIDTH
    const at = first + this.#counts[row]!
    this.#sums[at] = sum
    this.#squares[at] = squares
    this.#counts[row]!++
    if (this.#counts[row]! <= PER_ROW) return
    if (row === ROWS - 1) {
      this.dropOldest()
      return
    }
    const size = powerOfTwo(row)
    const a = this.#sums[first]!
    const b = this.#sums[first + 1]!
    const apart = (a - b) / size
    const merged = this.#squares[first]! + this.#squares[first + 1]! + (apart * apart * size) / 2
    this.#remove(row, 2)
    this.#add(row + 1, a + b, merged)
  }

  #remove(row: number, count: number): void {
    const first = row * WIDTH
    this.#sums.copyWithin(first, first + count, first + WIDTH)
    this.#squares.copyWithin(first, first + count, first + WIDTH)
    this.#counts[row]! -= count
  }

  /** Forgets the oldest bucket; there must be one. */
  dropOldest(): void {
    let row = ROWS - 1
    while (this.#counts[row] === 0) row--
    this.#remove(row, 1)
    this.#size -= powerOfTwo(row)
  }

  /** Visits the buckets, oldest first, until the visitor says `true`; then the answer is `true` as well. */
  some(visit: (size: number, sum: number, squares: number) => boolean): boolean {
    for (let row = ROWS - 1; row >= 0; row--) {
      for (let at = row * WIDTH; at < row * WIDTH + this.#counts[row]!; at++) {
        if (visit(powerOfTwo(row), this.#sums[at]!, this.#squares[at]!)) return true
      }
    }
    return false
  }

  /** How many buckets each row has, up to the last row in use, and the buckets, row by row. */
  save(): { readonly counts: Uint32Array; readonly sums: Float64Array; readonly squares: Float64Array } {
    let rows = ROWS
    while (rows > 0 && this.#counts[rows - 1] === 0) rows--
    const inUse = (_: number, at: number) => at % WIDTH < this.#counts[Math.floor(at / WIDTH)]!
    return {
      counts: this.#counts.slice(0, rows),
      sums: this.#sums.filter(inUse),
      squares: this.#squares.filter(inUse),
    }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['counts', 'sums', 'squares'])
    const counts = readCounts(fields['counts'])
    const sums = readBuckets(fields['sums'], counts, 1, 'state.sums')
    const squares = readBuckets(fields['squares'], counts, 0.25, 'state.squares')
    this.#counts = counts
    this.#sums = sums
    this.#squares = squares
    this.#size = counts.reduce((size, count, row) => size + count * powerOfTwo(row), 0)
  }
}

function readCounts(value: unknown): Uint32Array {
  const counts = value as Uint32Array
  const ok = elementType(value) === 'Uint32Array' && counts.length <= ROWS && counts.every((n) => n <= PER_ROW)
  if (!ok) refuse('bad_snapshot', `must be a Uint32Array of up to ${ROWS} times 0 … ${PER_ROW}`, value, 'state.counts')
  const all = new Uint32Array(ROWS)
  all.set(counts)
  return all
}

/** One number of each bucket, put where it belongs; in [0, `most`] for each number in the bucket. */
function readBuckets(value: unknown, counts: Uint32Array, most: number, path: string): Float64Array {
  const buckets = readDoubles(value, path, ROWS * PER_ROW)
  const all = new Float64Array(ROWS * WIDTH)
  let next = 0
  for (let row = 0; row < ROWS; row++) {
    const max = most * powerOfTwo(row) * (1 + 1e-9) // the sums are rounded
    for (let k = 0; k < counts[row]!; k++, next++) {
      all[row * WIDTH + k] = checkNumber(buckets[next], { min: 0, max }, `${path}[${next}]`, 'bad_snapshot')
    }
  }
  if (next !== buckets.length) refuse('bad_snapshot', `must hold ${next} numbers`, buckets.length, path)
  return all
}
