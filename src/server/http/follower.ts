/**
 * Keeps a replica up with the others: it reads on when it hears that they have written, and looks by itself now and then,
 * in case that nothing was heard. It knows how far the replica is behind.
 */
import { type Journal, numberOf, type Stores } from '../../edge/index.ts'

/** How far a replica is behind the end of the log. */
export interface Lag {
  readonly entries: number
  /** For how long; also since the log was last heard of, where that is long ago. */
  readonly seconds: number
}

/** News of many entries in a row is taken together. */
const GATHER_MS = 3
const LOOK_MS = 1000

export class Follower {
  readonly #journal: Journal
  readonly #stores: Stores
  readonly #deafen: () => void
  readonly #looking: ReturnType<typeof setInterval>
  #end = ''
  #gathering: ReturnType<typeof setTimeout> | undefined
  #isFollowing = false
  #heardMs = performance.now()
  /** Since when it is behind; undefined where it is not. */
  #behindMs: number | undefined

  constructor(journal: Journal, stores: Stores) {
    this.#journal = journal
    this.#stores = stores
    this.#deafen = stores.onNews?.((end) => this.#hear(end)) ?? (() => {})
    this.#looking = setInterval(() => void this.#look(), LOOK_MS)
    this.#looking.unref?.()
  }

  get lag(): Lag {
    const entries = this.#behind()
    const nowMs = performance.now()
    if (entries === 0) this.#behindMs = undefined
    const silentMs = this.#stores.log.end === undefined ? 0 : nowMs - this.#heardMs
    const ms = this.#behindMs !== undefined ? nowMs - this.#behindMs : silentMs > 3 * LOOK_MS ? silentMs : 0
    return { entries, seconds: ms / 1000 }
  }

  stop(): void {
    this.#deafen()
    clearInterval(this.#looking)
    clearTimeout(this.#gathering)
  }

  #behind(): number {
    return Math.max(0, numberOf(this.#end) - numberOf(this.#journal.describe().position))
  }

  #hear(end: string): void {
    this.#heardMs = performance.now()
    if (end > this.#end) this.#end = end
    if (this.#behind() === 0) return
    this.#behindMs ??= this.#heardMs
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      void this.#follow()
    }, GATHER_MS)
  }

  /** The journal counts and tells what goes wrong, and tries again. */
  async #follow(): Promise<void> {
    if (this.#isFollowing) return
    this.#isFollowing = true
    try {
      while (this.#behind() > 0) await this.#journal.follow()
      this.#behindMs = undefined
    } catch {
    } finally {
      this.#isFollowing = false
    }
  }

  async #look(): Promise<void> {
    try {
      const end = await this.#stores.log.end?.()
      if (end !== undefined) this.#hear(end)
    } catch {} // there will be silence, which is told as a lag
  }
}
