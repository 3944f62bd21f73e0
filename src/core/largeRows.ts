/**
 * The rows of a large window, in two memories of the kernels: as 32-bit floats, and as bytes.
 *
 * A search reads the bytes only, a quarter of the floats, and with the error of each row, kept beside it, finds all rows that
 * could win; the floats decide among these, in doubles. If the bytes leave too many, as when all rows are near to each other,
 * the floats are scanned, first in 32 bits, then exactly. So the answers are those of comparing with every row.
 *
 * The memory of the floats: the query as doubles and as floats | results of a section | rows, with the stride W, the width up to
 * the next multiple of 16; zeros behind the row. Both memories grow in place: nothing is moved.
 */
import { bytesOfCoded, CodedRows, fewOf, type Scanned } from './codedRows.ts'
import { type KernelMemory, openCompiled } from './kernels/memory.ts'
import { type Floats, type Rows, workDoubles } from './plainRows.ts'
import { dot, squaredDistance } from './rowSums.ts'
import { Smallest } from './sorted.ts'

/** Rows in a section: their results are fetched before the next one. */
const SECTION = 512
/** Addresses are 32 bits long; a little less, as a memory grows by more than is needed. */
const MOST_BYTES = 4_250_000_000
/** More than what rounding adds to an exact score. */
const EXACT = 1e-10
/** Outside, squares and products could leave the range in which rounding is relative: of doubles, and of 32-bit floats. */
const SAFE = { min: 1e-140, max: 1e140 }
const SAFE_32 = { min: 1e-18, max: 1e18 }

interface Asked {
  readonly q: Float64Array
  readonly queryNorm: number
  readonly norms: readonly number[]
}

/** Room for rows; `undefined` where the kernels are not to be had, or `capacity` rows would not fit into two memories. */
export function openLargeRows(
  width: number,
  capacity: number,
  open: (bytes: number) => KernelMemory | undefined = openCompiled,
): LargeRows | undefined {
  const stride = strideOf(width)
  if (Math.max(bytesBefore(stride) + 4 * capacity * stride, bytesOfCoded(capacity, stride, capacity)) > MOST_BYTES) {
    return undefined
  }
  const floats = open(bytesBefore(stride))
  const codes = floats === undefined ? undefined : open(bytesOfCoded(0, stride, capacity))
  return codes === undefined ? undefined : new LargeRows(width, floats!, new CodedRows(codes, stride, capacity))
}

function strideOf(width: number): number {
  return (width + 15) & ~15
}

/** Of the floats' memory, before its rows. */
function bytesBefore(stride: number): number {
  return 12 * stride + 8 * SECTION
}

export class LargeRows implements Rows {
  readonly isWide = false
  readonly #memory: KernelMemory
  readonly #coded: CodedRows
  readonly #width: number
  readonly #stride: number
  /** By slot: 1 if the row's length is outside of SAFE_32. */
  #isOdd = new Uint8Array(64)
  #odd = 0
  /** Working memory: the row that is set. */
  readonly #row: { values: Float32Array; start: number; readonly width: number; norm: number }

  /** Over the memories that {@link openLargeRows} opens. */
  constructor(width: number, memory: KernelMemory, coded: CodedRows) {
    this.#memory = memory
    this.#coded = coded
    this.#width = width
    this.#stride = strideOf(width)
    this.#row = { values: memory.f32, start: 0, width, norm: 0 }
  }

  /** A new slot is the next one. Throws `RangeError` where there is no room for it; nothing is changed then. */
  set(slot: number, vector: ArrayLike<number>, norm: number): void {
    const start = this.#rowAt(slot)
    this.#memory.reserve(4 * (start + this.#stride))
    this.#coded.reserve(slot)
    this.#setOdd(slot, norm !== 0 && !isWithin(norm, SAFE_32) ? 1 : 0)
    this.#memory.f32.set(vector, start)
    this.#row.values = this.#memory.f32
    this.#row.start = start
    this.#row.norm = norm
    this.#coded.set(slot, this.#row)
  }

  #setOdd(slot: number, odd: 0 | 1): void {
    if (slot >= this.#isOdd.length) {
      const isOdd = new Uint8Array(2 * this.#isOdd.length)
      isOdd.set(this.#isOdd)
      this.#isOdd = isOdd
    }
    this.#odd += odd - this.#isOdd[slot]!
    this.#isOdd[slot] = odd
  }

  /** As a place among the floats. */
  #rowAt(slot: number): number {
    return bytesBefore(this.#stride) / 4 + slot * this.#stride
  }

  copy(slot: number, out: Floats, at: number): void {
    const { f32 } = this.#memory
    for (let i = 0, from = this.#rowAt(slot); i < this.#width; i++) out[at + i] = f32[from + i]!
  }

  dots(q: Float64Array, count: number): Float64Array {
    const { kernels, f64 } = this.#memory
    const out = workDoubles(count + 1)
    f64.set(q)
    this.#inSections(count, (slot, rows, results) => {
      kernels.dots(4 * this.#rowAt(slot), rows, this.#width, this.#stride, 0, results)
      for (let i = 0; i < rows; i++) out[slot + i] = f64[results / 8 + i]!
    })
    out[count] = Number.NaN
    return out
  }

  /** Calls `scan` with the first slot of a section, its rows, and the address of its results. */
  #inSections(count: number, scan: (slot: number, rows: number, results: number) => void): void {
    for (let slot = 0; slot < count; slot += SECTION) scan(slot, Math.min(SECTION, count - slot), 12 * this.#stride)
  }

  dot(slot: number, q: Float64Array): number {
    return dot(this.#memory.f32, this.#rowAt(slot), q)
  }

  squaredDistance(slot: number, q: Float64Array): number {
    return squaredDistance(this.#memory.f32, this.#rowAt(slot), q)
  }

  /**
   * The slots, ascending, of all rows that may have the greatest cosine with `q`, which has the length `queryNorm`;
   * `undefined` if each of them may. `norms` are the lengths by slot, of all rows that are set.
   */
  nominate(q: Float64Array, queryNorm: number, norms: readonly number[]): readonly number[] | undefined {
    if (!isWithin(queryNorm, SAFE)) return undefined
    const query = { q, queryNorm, norms }
    const found = this.#among(query, this.#coded.scan(q, queryNorm))
    if (found !== undefined || this.#odd > 0) return found
    return this.#among(query, this.#scanFloats(query))
  }

  /** Scores of 32-bit floats take the place of those of bytes. */
  #scanFloats({ q, queryNorm, norms }: Asked): Scanned {
    const { kernels, f32 } = this.#memory
    const { scores } = this.#coded
    const query = 8 * this.#stride
    for (let i = 0; i < q.length; i++) f32[query / 4 + i] = q[i]! / queryNorm
    let best = 0
    this.#inSections(norms.length, (first, rows, results) => {
      kernels.scan(4 * this.#rowAt(first), rows, this.#stride, query, results)
      for (let i = 0; i < rows; i++) {
        const slot = first + i
        const length = norms[slot]!
        scores[slot] = length === 0 ? 0 : f32[results / 4 + i]! / length
        if (scores[slot]! > scores[best]!) best = slot
      }
    })
    return { times: 0, plus: error32(this.#stride), best }
  }

  /**
   * The rows whose score may be the greatest; `undefined` if they are too many. The exact score of the one that is the
   * greatest for all we know rules out those that cannot reach it.
   */
  #among({ q, queryNorm, norms }: Asked, { best, times, plus }: Scanned): readonly number[] | undefined {
    const scale = queryNorm * norms[best]!
    const exact = scale === 0 ? 0 : this.dot(best, q) / scale
    return this.#coded.reaching(exact - plus - EXACT, times, fewOf(norms.length))
  }

  /**
   * The slots of all rows that may be among the `most` nearest to `q` by distance; `undefined` if each of them may. As
   * |x − q|² = |x|² + |q|² − 2xq, an error of the cosine is one of the distance.
   */
  nominateNear(q: Float64Array, queryNorm: number, norms: readonly number[], most: number): number[] | undefined {
    const count = norms.length
    if (!isWithin(queryNorm, SAFE) || most > count >> 2) return undefined
    const { times, plus } = this.#coded.scan(q, queryNorm)
    const { scores, errors } = this.#coded
    const floors = workDoubles(count)
    const ceilings = new Smallest(most)
    for (let slot = 0; slot < count; slot++) {
      const length = norms[slot]!
      const sum = length + queryNorm
      const twice = 2 * length * queryNorm
      const square = length * length + queryNorm * queryNorm - twice * scores[slot]!
      const off = twice * (errors[slot]! * times + plus) + (q.length + 16) * 2.3e-16 * sum * sum + 1e-300
      floors[slot] = square - off
      ceilings.offer(square + off)
    }
    const found: number[] = []
    for (let slot = 0; slot < count; slot++) if (floors[slot]! <= ceilings.limit) found.push(slot)
    return found
  }
}

function isWithin(value: number, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return value >= min && value <= max
}

/** Of a sum of `stride` products in 32-bit floats, eight sums wide, of unit vectors: the query's rounding included. */
function error32(stride: number): number {
  return (stride / 8 + 24) * 6e-8
}
