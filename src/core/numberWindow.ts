/** The last numbers of a stream, with their mean. */

/** What is remembered: the numbers as they lie in the ring, the slot that comes next, and the running sum. */
export interface SavedNumbers {
  readonly ring: ArrayLike<number>
  readonly next: number
  readonly sum: number
}

/** Remembers up to `capacity` numbers. Continues from what {@link save} gave, which the caller has checked. */
export class NumberWindow {
  readonly #capacity: number
  /** Room for more numbers than there are: it grows by doubling up to the window. */
  #values: Float64Array
  #size: number
  #next: number
  #sum: number

  constructor(capacity: number, { ring, next, sum }: SavedNumbers = { ring: [], next: 0, sum: 0 }) {
    this.#capacity = capacity
    this.#values = Float64Array.from(ring)
    this.#size = ring.length
    this.#next = ring.length < capacity ? ring.length : next
    this.#sum = sum
  }

  get size(): number {
    return this.#size
  }

  /**
   * The mean of what is remembered, 0 when empty. The running sum is added up afresh each time the ring comes round,
   * so its rounding error never exceeds that of one window, and the cost per query does not depend on the window.
   */
  get mean(): number {
    return this.#size === 0 ? 0 : this.#sum / this.#size
  }

  /** Adds a number; the oldest leaves when the window is full. */
  push(value: number): void {
    const slot = this.#next
    if (this.#size === this.#capacity) this.#sum -= this.#values[slot]!
    else this.#size++
    if (slot === this.#values.length) this.#grow()
    this.#values[slot] = value
    this.#sum += value
    this.#next = (slot + 1) % this.#capacity
    if (this.#next === 0) this.#sum = this.#total()
  }

  #grow(): void {
    const values = new Float64Array(Math.min(this.#capacity, 2 * this.#values.length + 8))
    values.set(this.#values)
    this.#values = values
  }

  #total(): number {
    let sum = 0
    for (let slot = 0; slot < this.#size; slot++) sum += this.#values[slot]!
    return sum
  }

  /** The running sum is part of it: a restored mean is the same to the bit. */
  save(): { readonly ring: Float64Array; readonly next: number; readonly sum: number } {
    return { ring: this.#values.slice(0, this.#size), next: this.#next, sum: this.#sum }
  }
}
