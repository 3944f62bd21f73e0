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

  at(age: number): T {
    return this.items[this.slot(age)]!
  }

  /** Oldest first, as a fresh list. */
  list(): T[] {
    return this.items.map((_, age) => this.at(age))
  }
}
