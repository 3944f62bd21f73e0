/** The last items of a stream: a list that grows up to `capacity` and then overwrites its oldest item. */
export class Ring<T> {
  readonly capacity: number
  /** In the order of their slots, which is that of arrival until the list is full. Not to be changed outside. */
  readonly items: T[]
  /** Slot of the oldest item; 0 until the list is full. */
  oldest: number

  constructor(capacity: number, items: T[] = [], oldest = 0) {
    this.capacity = capacity
    this.items = items
    this.oldest = oldest
  }

  /** The slot that the next item takes. */
  get next(): number {
    return this.items.length < this.capacity ? this.items.length : this.oldest
  }

  /** Adds an item and returns the one that had to leave for it, if any. */
  push(item: T): T | undefined {
    const { items, oldest } = this
    if (items.length < this.capacity) {
      items.push(item)
      return undefined
    }
    const left = items[oldest]
    items[oldest] = item
    this.oldest = (oldest + 1) % this.capacity
    return left
  }

  /** The slot of the item at a position counted from the oldest. */
  slot(age: number): number {
    const slot = this.oldest + age
    return slot < this.items.length ? slot : slot - this.items.length
  }

  /** The position, counted from the oldest, of the item in a slot. */
  age(slot: number): number {
    const age = slot - this.oldest
    return age < 0 ? age + this.items.length : age
  }

  at(age: number): T {
    return this.items[this.slot(age)]!
  }

  /** Oldest first, as a fresh list. */
  list(): T[] {
    return this.items.map((_, age) => this.at(age))
  }
}

/** The slots of a {@link Ring} whose items lie elsewhere. */
export class RingSlots {
  readonly #capacity: number
  #next = 0
  size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The slot for another item: a new one, or that of the oldest, which leaves. */
  take(): number {
    const slot = this.#next
    this.#next = (slot + 1) % this.#capacity
    if (this.size < this.#capacity) this.size++
    return slot
  }

  /** The slot of the item at a position counted from the oldest. */
  slot(age: number): number {
    return this.size < this.#capacity ? age : (this.#next + age) % this.#capacity
  }
}
