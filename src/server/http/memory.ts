/** The engine of a model, and where it keeps what it has learned: in memory only, or in stores as well. */
import type { Snapshot } from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'
import { Journal, type JournalEvent, type Stores } from '../../edge/index.ts'
import type { MonitorApplied, MonitorEngine } from '../../embed/index.ts'

export interface MemoryOptions {
  /** Opens the stores, which are closed with the memory. */
  readonly stores: (() => Promise<Stores>) | undefined
  readonly onJournal: (event: JournalEvent) => void
  /** Told of entries that others have written into the same log. */
  readonly onFollowed: (applied: MonitorApplied) => void
}

/** Verbs take effect in the order of the calls. */
export class Memory {
  /** Settles when everything is there. Rejects with what is wrong with the stores. */
  readonly opened: Promise<void>
  #engine: MonitorEngine
  #isOpen: boolean
  #stores: Stores | undefined
  #journal: Journal | undefined

  constructor(engine: MonitorEngine, options: MemoryOptions) {
    this.#engine = engine
    this.#isOpen = options.stores === undefined
    this.opened = this.#open(options)
    this.opened.catch(() => {}) // every query is told
  }

  async #open({ stores, onJournal, onFollowed }: MemoryOptions): Promise<void> {
    if (stores === undefined) return
    this.#stores = await stores()
    const machine = {
      apply: (entry: Entry) => this.#engine.apply(entry),
      snapshot: () => this.#engine.snapshot(),
      restore: (snapshot: Snapshot) => this.#engine.restore(snapshot),
      reset: () => this.#engine.reset(),
    }
    const { onError } = this.#engine.describe().policy
    this.#journal = await Journal.open(machine, { stores: this.#stores, onError, onEvent: onJournal, onFollowed })
    this.#isOpen = true
  }

  /** False until {@link opened} is settled. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** For looking, and for entries that are kept in memory only. */
  get engine(): MonitorEngine {
    return this.#engine
  }

  /** Learns an entry: at once where there are no stores, else once it is written. */
  async write(entry: Entry): Promise<MonitorApplied> {
    return this.#journal === undefined ? this.#engine.apply(entry) : this.#journal.apply(entry)
  }

  /** Writes a snapshot and cuts the log, where there are stores. */
  async compact(): Promise<void> {
    await this.#journal?.compact()
  }

  async snapshot(): Promise<Snapshot> {
    return this.#journal === undefined ? this.#engine.snapshot() : this.#journal.step(() => this.#engine.snapshot())
  }

  /** Rejects with `bad_snapshot`, everything as it was, for one that does not fit. */
  async restore(snapshot: Snapshot): Promise<void> {
    if (this.#journal === undefined) return this.#engine.restore(snapshot)
    await this.#journal.change(() => {
      const before = this.#engine.snapshot()
      this.#engine.restore(snapshot)
      return () => this.#engine.restore(before)
    })
  }

  /** The same state in another engine. Rejects with everything as it was; `settled` is called once it is done. */
  async replace(next: MonitorEngine, settled: () => void): Promise<void> {
    const change = () => {
      const before = this.#engine
      next.restore(before.snapshot())
      this.#engine = next
      return () => {
        this.#engine = before
      }
    }
    if (this.#journal === undefined) change()
    else await this.#journal.adapt(change) // else a replay would judge what came before by the new thresholds
    settled()
  }

  async close(): Promise<void> {
    await this.opened.catch(() => {}) // it has been told
    await this.#journal?.close()
    await this.#stores?.close()
  }
}
