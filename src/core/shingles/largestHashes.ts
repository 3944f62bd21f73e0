/** The largest of many hashes, each once: a sample of the windows that two like inputs choose alike. */
export class LargestHashes {
  readonly #width: number
  readonly #most: number
  /** The largest first. */
  readonly #words: Uint32Array
  #count = 0

  /** Keeps up to `most` hashes of `width` words. */
  constructor(width: number, most: number) {
    this.#width = width
    this.#most = most
    this.#words = new Uint32Array(most * width)
  }

  /** A hash whose first word is below this would not be kept. */
  get floor(): number {
    return this.#count < this.#most ? 0 : this.#words[(this.#most - 1) * this.#width]!
  }

  offer(hash: Uint32Array): void {
    let from = 0
    let to = this.#count
    while (from < to) {
      const middle = (from + to) >> 1
      const order = this.#compare(middle, hash)
      if (order === 0) return
      if (order > 0) from = middle + 1
      else to = middle
    }
    if (from < this.#most) this.#insert(hash, from)
  }

  /** A copy, the largest first. */
  list(): Uint32Array {
    return this.#words.slice(0, this.#count * this.#width)
  }

  /** Positive if the kept hash at a place is the larger one. */
  #compare(place: number, hash: Uint32Array): number {
    const at = place * this.#width
    for (let i = 0; i < this.#width; i++) {
      const difference = this.#words[at + i]! - hash[i]!
      if (difference !== 0) return difference
    }
    return 0
  }

  #insert(hash: Uint32Array, place: number): void {
    const width = this.#width
    const last = Math.min(this.#count, this.#most - 1)
    this.#words.copyWithin((place + 1) * width, place * width, last * width)
    this.#words.set(hash, place * width)
    this.#count = last + 1
  }
}
