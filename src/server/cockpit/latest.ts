/** The newest items of a stream. Adding costs next to nothing, however many come. */
export class Latest<T> {
  readonly #most: number
  #items: T[] = []

  /** Keeps `most` items. */
  constructor(most: number) {
    this.#most = most
  }

  push(item: T): void {
    this.#items.push(item)
    if (this.#items.length >= 2 * this.#most) this.#items = this.#items.slice(-this.#most)
  }

  /** Newest first, at most `count`. */
  newest(count = this.#most): T[] {
    return this.#items.slice(-Math.min(count, this.#most)).reverse()
  }
}
