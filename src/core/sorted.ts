/** Numbers in ascending order. */

/** The first place among the first `count` numbers that holds no number below `value`; `count` when all are below. */
export function placeOf(sorted: ArrayLike<number>, count: number, value: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! < value) from = middle + 1
    else to = middle
  }
  return from
}

/** The first place among the first `count` numbers that holds a number above `value`; `count` when none is. */
export function placeAfter(sorted: ArrayLike<number>, count: number, value: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! <= value) from = middle + 1
    else to = middle
  }
  return from
}

/** The smallest of many numbers. */
export class Smallest {
  /** Ascending; zeros behind those that are there. */
  readonly values: Float64Array
  #count = 0

  /** Keeps `most` numbers. */
  constructor(most: number) {
    this.values = new Float64Array(most)
  }

  /** The largest number kept; no larger one would be. Infinity until there are as many as it keeps. */
  get limit(): number {
    const { values } = this
    if (this.#count < values.length) return Infinity
    return values.length === 0 ? -Infinity : values[values.length - 1]!
  }

  offer(value: number): void {
    if (!(value < this.limit)) return
    const { values } = this
    const at = placeAfter(values, this.#count, value)
    const last = Math.min(this.#count, values.length - 1)
    values.copyWithin(at + 1, at, last)
    values[at] = value
    this.#count = last + 1
  }
}
