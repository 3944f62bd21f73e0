/** The engine of a model, and where it keeps what it has learned: in memory only, or in stores as well. */
import { MonitorError, type Snapshot } from '../../core/index.ts'
import type { Admission, Entry, MonitorEvent } from '../../core/monitor/index.ts'
import {
  Journal,
  type JournalDescription,
  type JournalEvent,
  type JournalOptions,
  type Stores,
} from '../../edge/index.ts'
import type { MonitorApplied, MonitorEngine } from '../../embed/index.ts'
import { Follower, type Lag } from './follower.ts'

/** How a log is, and how far behind its end. */
export interface LogState extends JournalDescription {
  readonly lag: Lag
}

export interface MemoryOptions {
  /** Opens the stores, which are closed with the memory. */
  readonly stores: (() => Promise<Stores>) | undefined
  readonly journal?: Pick<JournalOptions, 'retryMs' | 'snapshotEvery' | 'timeoutMs'> | undefined
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
  #follower: Follower | undefined

  constructor(engine: MonitorEngine, options: MemoryOptions) {
    this.#engine = engine
    this.#isOpen = options.stores === undefined
    this.opened = this.#open(options)
    this.opened.catch(() => {}) // every query is told
  }

  async #open({ stores, journal, onJournal, onFollowed }: MemoryOptions): Promise<void> {
    if (stores === undefined) return
    this.#stores = await stores()
    const machine = {
      apply: (entry: Entry) => {
        const applied = this.#engine.apply(entry)
        for (const event of applied.events) this.#post(event)
        return applied
      },
      snapshot: () => this.#engine.snapshot(),
      restore: (snapshot: Snapshot) => this.#engine.restore(snapshot),
      reset: () => this.#engine.reset(),
    }
    const { onError } = this.#engine.describe().policy
    const told = { onEvent: onJournal, onFollowed }
    this.#journal = await Journal.open(machine, { ...journal, stores: this.#stores, onError, ...told })
    if (this.#stores.log.isShared) this.#follower = new Follower(this.#journal, this.#stores)
    this.#isOpen = true
  }

  /** Puts a suspension, or its end, on the board that the others read. */
  #post(event: MonitorEvent): void {
    const board = this.#stores?.suspensions
    if (board === undefined || this.#journal === undefined) return // what is replayed was posted then
    const { position, state } = this.#journal.describe()
    if (state !== 'open') return // it has no place in the log yet
    if (event.kind === 'suspended') board.post(event.client, event.untilMs, position)
    if (event.kind === 'released') board.post(event.client, 0, position)
  }

  /** Whether a client may ask now, also by what others have found out that has not been read yet. */
  admit(client: string, nowMs: number): Admission {
    const own = this.#engine.stream.admit(client, nowMs)
    const note = this.#stores?.suspensions?.of(client)
    if (note === undefined || note.position <= this.#journal!.describe().position) return own
    const isRefused = note.untilMs > nowMs && this.#engine.describe().policy.mode === 'enforce'
    return isRefused ? { allowed: false, suspendedUntilMs: note.untilMs } : { allowed: true }
  }

  /** Undefined where there are no stores, or not yet. */
  describeLog(): LogState | undefined {
    if (this.#journal === undefined) return undefined
    return { ...this.#journal.describe(), lag: this.#follower?.lag ?? { entries: 0, seconds: 0 } }
  }

  /** True while queries are refused because they cannot be written. */
  isRefusing(nowMs: number): boolean {
    if (this.#aheadMs(nowMs) > 0) return true
    return this.#journal?.describe().state === 'failing' && this.#engine.describe().policy.onError === 'closed'
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
    if (this.#journal === undefined) return this.#engine.apply(entry)
    const aheadMs = this.#aheadMs(entry.timeMs)
    if (aheadMs <= 0) return this.#journal.apply(entry)
    const message = `the clock of this server is over a minute ahead of that of the log; set it right, by NTP`
    throw new MonitorError('store_failed', message, 'timeMs')
  }

  /** By how much a time is later than any that the log may hold. */
  #aheadMs(timeMs: number): number {
    return timeMs - (this.#stores?.latestMs?.() ?? Infinity)
  }

  /** Leaves nothing of the past in the log, where there are stores: a snapshot has it. */
  async cutLog(): Promise<void> {
    await this.#journal?.compact({ all: true })
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
    this.#follower?.stop()
    await this.#journal?.close()
    await this.#stores?.close()
  }
}
