/** The last numbers of a stream, with their mean: a ring that grows as it fills. */

const START = 16

/** Remembers up to `capacity` numbers. */
export class NumberWindow {
  readonly capacity: number
  #ring = new Float64Array(0)
  #size = 0
  #next = 0
  #sum = 0

  constructor(capacity: number) {
    this.capacity = capacity
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
    if (this.#size < this.capacity) {
      this.#grow()
      this.#size++
    } else {
      this.#sum -= this.#ring[this.#next]!
    }
    this.#ring[this.#next] = value
    this.#sum += value
    this.#next = (this.#next + 1) % this.capacity
    if (this.#next === 0) this.#sum = this.#ring.reduce((sum, v) => sum + v, 0)
  }

  #grow(): void {
    if (this.#size < this.#ring.length) return
    const ring = new Float64Array(Math.min(this.capacity, Math.max(START, 2 * this.#ring.length)))
    ring.set(this.#ring)
    this.#ring = ring
  }

  bytes(): number {
    return 8 * this.#size
  }

  /** The numbers as they lie in the ring, the slot that comes next, and the running sum: a restored mean is the same to the bit. */
  save(): { readonly ring: Float64Array; readonly next: number; readonly sum: number } {
    return { ring: this.#ring.slice(0, this.#size), next: this.#next, sum: this.#sum }
  }

  /** Takes over what {@link save} gave, checked by the caller: `ring.length` ≤ capacity, `next` as it must be. */
  load({ ring, next, sum }: { readonly ring: Float64Array; readonly next: number; readonly sum: number }): void {
    this.#ring = ring.slice()
    this.#size = ring.length
    this.#next = next
    this.#sum = sum
  }

  clear(): void {
    this.load({ ring: new Float64Array(0), next: 0, sum: 0 })
  }
}
