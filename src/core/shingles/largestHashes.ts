/** The largest of many hashes, each once: a sample of the windows that two like inputs choose alike. */
export class LargestHashes {
  readonly #width: number
  readonly #most: number
  readonly #least: number
  /** The largest first. */
  readonly #words: Uint32Array
  #count: number

  /**
   * Keeps up to `most` hashes of `width` words.
   *
   * @param least Hashes whose first word is below this are left out.
   * @param words Where they are kept: `count` of them are there.
   */
  constructor(width: number, most: number, least = 0, words: Uint32Array = new Uint32Array(most * width), count = 0) {
    this.#width = width
    this.#most = most
    this.#least = least
    this.#words = words
    this.#count = count
  }

  get count(): number {
    return this.#count
  }

  /** A hash whose first word is below this would not be kept. */
  get floor(): number {
    return this.#count < this.#most ? this.#least : this.#words[(this.#most - 1) * this.#width]!
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

/**
 * The least first word that so many of `hashes` hashes have that `most` of them are kept all but surely, if they are random
 * and distinct: who begins with it has far fewer to sort in, and begins anew where there were too few after all.
 */
export function likelyLeast(hashes: number, most: number): number {
  const expected = most + 4 * Math.sqrt(most) + 8
  return hashes > 2 * expected ? Math.floor(0x100000000 * (1 - expected / hashes)) : 0
}
