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

/** Puts a number at a place of a list, whose rest makes room. `splice` would make a list of what it takes out. */
export function insertAt(list: number[], at: number, value: number): void {
  list.push(value)
  for (let i = list.length - 1; i > at; i--) list[i] = list[i - 1]!
  list[at] = value
}

/** Takes what stands at a place out of a list. */
export function removeAt<T>(list: T[], at: number): void {
  for (let i = at + 1; i < list.length; i++) list[i - 1] = list[i]!
  list.pop()
}

const NONE: Float64Array = /* @__PURE__ */ new Float64Array(0)

/** The smallest of many numbers. */
export class Smallest {
  /** Ascending; what stands behind those that are there means nothing. */
  values = NONE
  #count = 0

  /** Keeps `most` numbers. */
  constructor(most = 0) {
    if (most > 0) this.begin(most)
  }

  /** Forgets all, and keeps `most` numbers from now on. */
  begin(most: number): void {
    if (this.values.length !== most) this.values = new Float64Array(most)
    this.#count = 0
  }

  /** The largest number kept; no larger one would be. Infinity until there are as many as it keeps. */
  get limit(): number {
    const { values } = this
    if (this.#count < values.length) return Infinity
    return values.length === 0 ? -Infinity : values[values.length - 1]!
  }

  offer(value: number): void {
    if (value < this.limit) this.#insert(value)
  }

  /** Offers the first `count` of the numbers. */
  offerAll(numbers: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) if (numbers[i]! < this.limit) this.#insert(numbers[i]!)
  }

  #insert(value: number): void {
    const { values } = this
    const at = placeAfter(values, this.#count, value)
    const last = Math.min(this.#count, values.length - 1)
    values.copyWithin(at + 1, at, last)
    values[at] = value
    this.#count = last + 1
  }
}
