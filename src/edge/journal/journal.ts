/**
 * A monitor that forgets nothing it has acknowledged. Entries are put in order, appended to a log, then applied, then
 * answered; a snapshot is written now and then, and the log cut behind it. To open is to restore the snapshot and to replay
 * the rest: the state machine goes on as if it had never stopped.
 *
 * While entries are being written others gather, and go together in the next write. Where several writers share a log, each
 * applies all entries in the order of the log, and so all reach the same state.
 */
import { MonitorError, toMonitorError } from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'
import type { Appended, Stores } from '../stores/store.ts'
import { Calls } from './calls.ts'
import {
  checkOptions,
  type JournalDescription,
  type JournalEvent,
  type JournalOptions,
  type Settings,
} from './options.ts'
import { Outage } from './outage.ts'
import { encodeEntry, plainEntry } from './record.ts'
import { type Machine, type Outcome, type Read, Replica } from './replica.ts'
import { Saver } from './saver.ts'
import { BATCH_BYTES, entriesOf, settled, type Task, takeBatch, type Waiting } from './waiting.ts'

/** Keeps a state machine in a log. */
export class Journal {
  readonly #stores: Pick<Stores, 'log' | 'snapshots'>
  readonly #options: Settings
  readonly #replica: Replica
  readonly #saver: Saver
  readonly #calls: Calls
  readonly #writer: string
  #number = 0
  #queue: (Waiting | Task)[] = []
  #isRunning = false
  #isClosed = false
  #outage: Outage | undefined
  readonly #counts = { failures: 0, unsaved: 0, refused: 0, lost: 0 }

  /** Opens a journal: the machine's state becomes that of the stores. Rejects with `bad_config`, `bad_snapshot` or `store_failed`. */
  static async open(machine: Machine, options: JournalOptions): Promise<Journal> {
    const journal = new Journal(machine, options)
    machine.reset()
    try {
      await journal.#replica.open((read) => journal.#saver.count([read]))
    } catch (thrown) {
      throw toMonitorError(thrown, 'store_failed', 'store')
    }
    return journal
  }

  private constructor(machine: Machine, options: JournalOptions) {
    const { stores, ...rest } = options
    this.#stores = stores
    this.#options = checkOptions(rest)
    this.#calls = new Calls(this.#options.timeoutMs)
    this.#replica = new Replica(machine, stores)
    this.#saver = new Saver(this.#replica, stores, {
      snapshotEvery: this.#options.snapshotEvery,
      onFailure: (error) => this.#happened({ kind: 'snapshot_failed', error: error.toJSON() }),
    })
    this.#writer = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('')
  }

  /**
   * Writes and applies an entry. Resolves once it is durable; rejects with `store_failed` (nothing learned, unless it turns
   * out later to have been written), `overloaded`, or what the monitor refuses it with. Results come in the order of the
   * calls.
   */
  apply(given: Entry): Promise<MonitorApplied> {
    return new Promise((resolve, reject) => {
      this.#refuseIfClosed()
      const entry = plainEntry(given)
      const logged = { writer: this.#writer, number: ++this.#number, entry }
      const bytes = encodeEntry(logged)
      const { maxBytes } = this.#stores.log
      if (bytes.length > maxBytes) {
        throw new MonitorError('bad_query', `is ${bytes.length} bytes; the store takes at most ${maxBytes}`, 'entry')
      }
      if (this.#queue.length >= this.#options.maxWaiting) {
        const remedy = 'await earlier calls before making more, or raise maxWaiting'
        throw new MonitorError('overloaded', `${this.#queue.length} entries are waiting, which is the limit; ${remedy}`)
      }
      this.#queue.push({ kind: 'entry', ...logged, bytes, resolve, reject })
      void this.#run()
    })
  }

  /** Runs a step behind all earlier entries and before all later ones. */
  async step<R>(step: () => R): Promise<R> {
    this.#refuseIfClosed()
    return this.#between(async () => step())
  }

  /**
   * Changes the state by other means than an entry, behind all earlier entries; `step` returns what undoes it. The new state
   * is a snapshot when this resolves. Rejects with `store_failed`, and with what `step` throws, the state being the old one.
   */
  async change(step: () => () => void): Promise<void> {
    if (this.#stores.log.isShared) {
      throw new MonitorError('bad_config', 'the state behind a log of several writers cannot be replaced', 'store')
    }
    await this.adapt(() => {
      const undo = step()
      const remember = this.#replica.forgetAnswers() // they belong to the state that goes
      return () => {
        remember()
        undo()
      }
    })
  }

  /**
   * As {@link change}, for another configuration over the same state, and also with a log of several writers: there all of
   * them must get the new one.
   */
  async adapt(step: () => () => void): Promise<void> {
    this.#refuseIfClosed()
    await this.#between(async () => {
      if (this.#outage !== undefined) throw this.#outage.error
      const undo = step()
      try {
        await this.#calls.inTime(() => this.#saver.save())
      } catch (thrown) {
        undo()
        throw this.#fail(thrown, { mustSave: true })
      }
    })
  }

  /** Applies what others have written meanwhile. */
  async follow(): Promise<void> {
    this.#refuseIfClosed()
    await this.#between(async () => {
      if (this.#outage !== undefined) throw this.#outage.error
      try {
        await this.#calls.inTime((patience) => this.#replica.follow((read) => this.#tell(read), patience))
      } catch (thrown) {
        throw this.#fail(thrown)
      }
    })
  }

  /** Writes a snapshot now, if there is anything new, and cuts the log, with `all` up to it. Rejects with `store_failed`. */
  async compact(options: { readonly all?: boolean } = {}): Promise<void> {
    this.#refuseIfClosed()
    await this.#between(async () => {
      if (this.#outage !== undefined) throw this.#outage.error
      await this.#calls.inTime(() => this.#saver.saveNews(options))
    })
  }

  /** Settles what waits, and writes a last snapshot if it can. Every later call is refused. The stores stay open. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    const saved = this.compact().catch(() => {}) // counted; the log still holds everything
    this.#isClosed = true
    await saved
    this.#outage?.end()
  }

  describe(): JournalDescription {
    const waiting = this.#queue.length
    const state = this.#isClosed ? 'closed' : this.#outage === undefined ? 'open' : 'failing'
    const { position, duplicates } = this.#replica
    return { state, position, waiting, duplicates, ...this.#saver.describe(), ...this.#counts }
  }

  #refuseIfClosed(): void {
    if (this.#isClosed) throw new MonitorError('disposed', 'was closed; open it again')
  }

  #between<R>(run: () => Promise<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ kind: 'task', run: () => run().then(resolve, reject) })
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (;;) {
      if (this.#outage?.isDue) await this.#recover(this.#outage)
      const [first] = this.#queue
      if (first === undefined) break
      if (first.kind === 'task') await (this.#queue.shift() as Task).run()
      else if (this.#outage !== undefined) this.#withoutStore(this.#queue.shift() as Waiting, this.#outage)
      else await this.#commit(takeBatch(this.#queue))
    }
    this.#isRunning = false
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const unsettled = new Set(batch)
    try {
      const { position } = this.#replica
      const append = () => this.#stores.log.append(entriesOf(batch), position)
      await this.#learn(unsettled, await this.#calls.inTime(append))
    } catch (thrown) {
      this.#fail(thrown)
      for (const one of unsettled) this.#withoutStore(one, this.#outage!)
      return
    }
    this.#saver.saveIfDue()
  }

  async #learn(unsettled: Set<Waiting>, { positions, after, between = [] }: Appended): Promise<void> {
    for (const record of between) this.#tell(this.#replica.take(record))
    const settle = (one: Waiting, outcome: Outcome) => {
      unsettled.delete(one)
      settled(one, outcome)
    }
    const batch = [...unsettled]
    if (after === this.#replica.position) {
      this.#saver.count(batch)
      for (const [i, one] of batch.entries()) settle(one, this.#replica.learnAt(positions[i]!, one))
      return
    }
    const mine = new Map(batch.map((one, i) => [positions[i], one]))
    await this.#calls.inTime((patience) =>
      this.#replica.follow((read) => {
        const one = mine.get(read.position)
        if (one === undefined) return this.#tell(read)
        this.#saver.count([read])
        settle(one, read.outcome)
      }, patience),
    )
    const message = 'the entry is in the state, but the snapshot of another writer hid its verdict'
    for (const one of unsettled) one.reject(new MonitorError('store_failed', message, 'store'))
    unsettled.clear()
  }

  #tell(read: Read): void {
    this.#saver.count([read])
    const { outcome } = read
    if (outcome.kind === 'applied') queueMicrotask(() => this.#options.onFollowed(outcome.applied))
  }

  /** Later and alone, so that what a host's function throws ends nothing here. */
  #happened(event: JournalEvent): void {
    queueMicrotask(() => this.#options.onEvent(event))
  }

  /** The policy for an entry that cannot be written now. */
  #withoutStore(one: Waiting, outage: Outage): void {
    if (this.#options.onError === 'closed') {
      this.#counts.refused++
      one.reject(outage.error)
      return
    }
    this.#counts.unsaved++
    if (this.#stores.log.isShared) outage.base ??= [this.#replica.state(), this.#replica.position]
    if (!outage.keep(one.bytes)) this.#counts.lost++
    settled(one, outage.mark(this.#replica.learn(one)))
  }

  /** The store has failed: from now on the policy decides, until it answers again. Returns the error. */
  #fail(thrown: unknown, { mustSave = false } = {}): MonitorError {
    const error = this.#failed(thrown)
    const { maxBacklogBytes, retryMs } = this.#options
    this.#outage ??= new Outage(error, { maxBacklogBytes, retryMs, onDue: () => void this.#run() })
    this.#outage.mustSave ||= mustSave
    return error
  }

  /** Counts and tells. */
  #failed(thrown: unknown): MonitorError {
    const error = toMonitorError(thrown, 'store_failed', 'store')
    this.#counts.failures++
    this.#happened({ kind: 'store_failed', error: error.toJSON() })
    return error
  }

  /** Tries the store again: writes what it has missed, and reads what it took without our knowing. */
  async #recover(outage: Outage): Promise<void> {
    if (this.#calls.underWay > 0) return outage.tryLater() // a late write must not come between
    try {
      for (let part = outage.take(BATCH_BYTES); part.length > 0; part = outage.take(BATCH_BYTES)) {
        const { positions } = await this.#calls.inTime(() => this.#stores.log.append(part))
        outage.drop(part.length)
        this.#saver.count(part.map((bytes) => ({ bytes })))
        if (!this.#stores.log.isShared) this.#replica.place(positions.at(-1)!)
      }
      if (outage.base !== undefined) this.#replica.restore(...outage.base)
      outage.base = undefined
      await this.#calls.inTime((patience) => this.#replica.follow((read) => this.#tell(read), patience))
      if (outage.mustSave) await this.#calls.inTime(() => this.#saver.save())
    } catch (thrown) {
      this.#failed(thrown)
      return outage.tryLater()
    }
    this.#outage = undefined
    this.#happened({ kind: 'store_recovered', unsaved: outage.unsaved, lost: outage.lost })
  }
}
