/** How much may be remembered of requests that are not judged yet. */

/** Room for the bodies of one request, to be closed once. */
export interface Lease {
  /** False where there is no room for so many bytes more. */
  take(bytes: number): boolean
  close(): void
}

export interface LeaseLimits {
  readonly pending: number
  readonly totalBytes: number
  readonly holdMs: number
}

interface Held {
  readonly untilMs: number
  bytes: number
}

/**
 * Counts requests and bytes. A lease that nobody closes ends after `holdMs`: hosts drop the work of a request whose client
 * has gone, in the middle and without a word.
 */
export class Leases {
  readonly #limits: LeaseLimits
  readonly #now: () => number
  /** Oldest first. */
  readonly #held = new Set<Held>()
  #bytes = 0

  constructor(limits: LeaseLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Undefined where there is no room for one more. */
  open(): Lease | undefined {
    if (this.#held.size >= this.#limits.pending) this.#dropLost()
    if (this.#held.size >= this.#limits.pending) return undefined
    const held = { untilMs: this.#now() + this.#limits.holdMs, bytes: 0 }
    this.#held.add(held)
    return { take: (bytes) => this.#take(held, bytes), close: () => this.#close(held) }
  }

  #take(held: Held, bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.totalBytes) this.#dropLost()
    if (this.#bytes + bytes > this.#limits.totalBytes || !this.#held.has(held)) return false
    held.bytes += bytes
    this.#bytes += bytes
    return true
  }

  #close(held: Held): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes
  }

  #dropLost(): void {
    const nowMs = this.#now()
    for (const held of this.#held) {
      if (held.untilMs > nowMs) return
      this.#close(held)
    }
  }
}
