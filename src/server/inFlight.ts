/** Work under way, bounded, and finished in the order it was added. */

export interface InFlightLimits {
  /** Pieces of work at a time. */
  readonly maxCount: number
  /** What they may weigh together, in bytes; a single heavier one goes alone. */
  readonly maxBytes: number
}

/** Adds promises and hands their results to `finish`, one after the other. */
export class InFlight<T> {
  readonly #finish: (result: T) => Promise<void>
  readonly #limits: InFlightLimits
  readonly #queue: { readonly done: Promise<void>; readonly bytes: number }[] = []
  #tail: Promise<void> = Promise.resolve()
  #bytes = 0

  constructor(finish: (result: T) => Promise<void>, limits: InFlightLimits) {
    this.#finish = finish
    this.#limits = limits
  }

  /** Resolves when there is room for more. Rejects with the first failure of the work or of `finish`. */
  async add(work: Promise<T>, bytes: number): Promise<void> {
    work.catch(() => {}) // reported when its turn comes
    this.#tail = this.#tail.then(async () => this.#finish(await work))
    this.#tail.catch(() => {}) // reported by whoever waits for it
    this.#queue.push({ done: this.#tail, bytes })
    this.#bytes += bytes
    while (this.#queue.length >= this.#limits.maxCount || this.#bytes > this.#limits.maxBytes) {
      const oldest = this.#queue.shift()!
      this.#bytes -= oldest.bytes
      await oldest.done
    }
  }

  /** Waits for all of it. */
  async drain(): Promise<void> {
    await this.#tail
  }
}
