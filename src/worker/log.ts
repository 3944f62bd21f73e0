/** What it takes to make a machine again: its last state, and the entries that were acknowledged since. */
import type { Snapshot } from '../core/index.ts'
import type { Query } from '../embed/index.ts'
import type { Applied, LogEntry, State } from './protocol.ts'
import { Spares } from './spares.ts'
import { type Copier, copierFor, sizeOf } from './transfer.ts'

/** A state is fetched only when the log has grown to an eighth of it: else a large one would be copied all the time. */
const STATE_PER_LOG = 8

interface Logged {
  readonly at: number
  readonly entry: LogEntry
  readonly size: number
  /** Of the last entry of a batch, which leaves last: what the embeddings of all of them lie in. */
  readonly buffer: ArrayBuffer | undefined
}

/** Numbers are those of the worker in force: entries that it has applied. */
export class Log {
  #base: Snapshot | undefined
  #baseSize = 0
  #baseApplied = 0
  #log: Logged[] = []
  #size = 0
  readonly #spares = new Spares()

  /** The state that the log begins with; `undefined` for that of a new machine. */
  get base(): Snapshot | undefined {
    return this.#base
  }

  /** How to hold the embeddings of a batch: in memory that is used again once its entries have left the log. */
  copierFor(queries: readonly Query[]): Copier {
    return copierFor(queries, this.#spares.take)
  }

  /** Takes acknowledged entries in; `buffer` is what {@link copierFor} gave for their queries. */
  learn({ entries, applied }: Applied, buffer?: ArrayBuffer): void {
    const { length } = entries
    for (let i = 0; i < length; i++) {
      const entry = entries[i]!
      const size = sizeOf(entry)
      this.#log.push({ at: applied - length + 1 + i, entry, size, buffer: i === length - 1 ? buffer : undefined })
      this.#size += size
    }
  }

  /** True if it is time for a state, of which so many entries are the usual distance. */
  isLong(snapshotEvery: number): boolean {
    return this.#log.length >= snapshotEvery && this.#size * STATE_PER_LOG >= this.#baseSize
  }

  /** The state to start again from: entries that came before it no longer count. One may arrive behind a later one. */
  cut({ snapshot, applied }: State): void {
    if (applied < this.#baseApplied) return
    this.#baseApplied = applied
    this.#base = snapshot
    this.#baseSize = sizeOf(snapshot.state)
    this.#spares.keep(this.#log.flatMap(({ at, buffer }) => (at <= applied && buffer !== undefined ? [buffer] : [])))
    this.#log = this.#log.filter(({ at }) => at > applied)
    this.#size = this.#log.reduce((sum, { size }) => sum + size, 0)
  }

  /** In the order in which they were applied. */
  entries(): LogEntry[] {
    return this.#log.sort((a, b) => a.at - b.at).map(({ entry }) => entry)
  }

  /** A new worker begins to count: it has been given the base and the entries. */
  restart(): void {
    this.#log = this.#log.map((one, i) => ({ ...one, at: i + 1 }))
    this.#baseApplied = 0
  }
}
