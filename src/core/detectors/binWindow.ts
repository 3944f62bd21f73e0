/** The bins that the last queries fell into, and how many of them fell into each. */
import { elementType, refuse } from '../checkers.ts'
import { Ring } from '../ring.ts'

export interface BinWindowSize {
  /** Queries that are remembered. */
  readonly queries: number
  readonly bins: number
}

export class BinWindow {
  readonly #window: Ring<number>
  readonly #counts: Uint32Array

  constructor({ queries, bins }: BinWindowSize) {
    this.#window = new Ring(queries)
    this.#counts = new Uint32Array(bins)
  }

  /** Of the bins that {@link save} gave, at most `most` of them. Throws `bad_snapshot`. */
  static read(saved: unknown, size: BinWindowSize, most = size.queries): BinWindow {
    const bins = saved as Uint32Array
    const isList = elementType(bins) === 'Uint32Array' && bins.length <= most && bins.every((bin) => bin < size.bins)
    if (!isList) refuse('bad_snapshot', `must be at most ${most} bins below ${size.bins}`, bins, 'state.bins')
    const window = new BinWindow(size)
    for (const bin of bins) window.push(bin)
    return window
  }

  get size(): number {
    return this.#window.items.length
  }

  /** How many fell into each bin; changes with the window. */
  get histogram(): Uint32Array {
    return this.#counts
  }

  get bytes(): number {
    return 8 * this.size + 4 * this.#counts.length
  }

  push(bin: number): void {
    const left = this.#window.push(bin)
    if (left !== undefined) this.#counts[left]!--
    this.#counts[bin]!++
  }

  /** Oldest first. */
  save(): Uint32Array {
    return Uint32Array.from(this.#window.list())
  }
}
