/** Vectors of one length, side by side: the newest comes last, the oldest leaves first. */
import { elementType } from '../../checkers.ts'

export type Floats = Float32Array | Float64Array

export class PointQueue {
  /** Numbers of a vector. */
  readonly width: number
  /** 64-bit from the first vector on that did not come as 32-bit floats. Room for more than there are. */
  #rows: Floats
  #first = 0
  #size: number

  /** Continues from what {@link save} gave; keeps it. */
  constructor(width: number, rows: Floats = new Float32Array(0)) {
    this.width = width
    this.#rows = rows
    this.#size = rows.length / width
  }

  get size(): number {
    return this.#size
  }

  /** Of what is there, not of the spare room. */
  get bytes(): number {
    return this.#size * this.width * this.#rows.BYTES_PER_ELEMENT
  }

  push(point: ArrayLike<number>): void {
    const isWide = this.#rows.BYTES_PER_ELEMENT === 8 || elementType(point) !== 'Float32Array'
    const end = this.#first + this.#size
    if ((end + 1) * this.width > this.#rows.length || isWide !== (this.#rows.BYTES_PER_ELEMENT === 8)) {
      const room = (2 * this.#size + 4) * this.width
      const rows = isWide ? new Float64Array(room) : new Float32Array(room)
      rows.set(this.#live())
      this.#rows = rows
      this.#first = 0
    }
    this.#rows.set(point, (this.#first + this.#size) * this.width)
    this.#size++
  }

  shift(): void {
    this.#first++
    this.#size--
  }

  /** The squared distance to the nearest; Infinity of none. */
  nearest(point: ArrayLike<number>): number {
    const { width } = this
    const rows = this.#rows
    const end = (this.#first + this.#size) * width
    let least = Infinity
    for (let at = this.#first * width; at < end; at += width) {
      let sum = 0
      for (let i = 0; i < width && sum < least; i++) {
        const d = point[i]! - rows[at + i]!
        sum += d * d
      }
      if (sum < least) least = sum
    }
    return least
  }

  /** A copy, the oldest first. */
  save(): Floats {
    return this.#live().slice()
  }

  #live(): Floats {
    return this.#rows.subarray(this.#first * this.width, (this.#first + this.#size) * this.width)
  }
}
