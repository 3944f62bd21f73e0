/** Numbers kept in ascending order, to count how many lie below and above a given one. */
import { placeAfter, placeOf } from '../sorted.ts'

/**
 * A multiset of numbers. Counting takes O(log n); adding and removing take one more move of memory, at most 8 bytes a
 * number, which up to tens of thousands of numbers is faster than a tree. Memory grows as used.
 */
export class SortedNumbers {
  #values = new Float64Array(16)
  #count = 0

  get count(): number {
    return this.#count
  }

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count)
      larger.set(this.#values)
      this.#values = larger
    }
    const place = placeAfter(this.#values, this.#count, value)
    this.#values.copyWithin(place + 1, place, this.#count)
    this.#values[place] = value
    this.#count++
  }

  /** Takes out one number equal to `value`, which must be there. */
  remove(value: number): void {
    const place = placeOf(this.#values, this.#count, value)
    this.#values.copyWithin(place, place + 1, this.#count)
    this.#count--
  }

  /** Ascending, as a fresh array. */
  list(): Float64Array {
    return this.#values.slice(0, this.#count)
  }

  /** How many numbers are below `value`. */
  below(value: number): number {
    return placeOf(this.#values, this.#count, value)
  }

  /** How many numbers are above `value`. */
  above(value: number): number {
    return this.#count - placeAfter(this.#values, this.#count, value)
  }
}
