/** The last numbers of a stream, with their mean. */
import { Ring } from './ring.ts'

/** What is remembered: the numbers as they lie in the ring, the slot that comes next, and the running sum. */
export interface SavedNumbers {
  readonly ring: ArrayLike<number>
  readonly next: number
  readonly sum: number
}

/** Remembers up to `capacity` numbers. Continues from what {@link save} gave, which the caller has checked. */
export class NumberWindow {
  readonly #ring: Ring<number>
  #sum: number

  constructor(capacity: number, { ring, next, sum }: SavedNumbers = { ring: [], next: 0, sum: 0 }) {
    this.#ring = new Ring(capacity, Array.from(ring), ring.length < capacity ? 0 : next)
    this.#sum = sum
  }

  get size(): number {
    return this.#ring.items.length
  }

  /**
   * The mean of what is remembered, 0 when empty. The running sum is added up afresh each time the ring comes round,
   * so its rounding error never exceeds that of one window, and the cost per query does not depend on the window.
   */
  get mean(): number {
    return this.size === 0 ? 0 : this.#sum / this.size
  }

  /** Adds a number; the oldest leaves when the window is full. */
  push(value: number): void {
    const left = this.#ring.push(value)
    if (left !== undefined) this.#sum -= left
    this.#sum += value
    if (this.#ring.next === 0) this.#sum = this.#ring.items.reduce((sum, v) => sum + v, 0)
  }

  /** The running sum is part of it: a restored mean is the same to the bit. */
  save(): { readonly ring: Float64Array; readonly next: number; readonly sum: number } {
    return { ring: new Float64Array(this.#ring.items), next: this.#ring.next, sum: this.#sum }
  }
}
