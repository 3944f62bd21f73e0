/** When a snapshot is due, and the writing of it. */
import { type MonitorError, toMonitorError } from '../../core/index.ts'
import type { Stores } from '../stores/store.ts'
import type { Replica } from './replica.ts'

/** A large state is not written all the time: only when the log has grown to an eighth of it. */
const STATE_PER_LOG = 8

interface SaverOptions {
  readonly snapshotEvery: number
  readonly onFailure: (error: MonitorError) => void
}

export class Saver {
  readonly #replica: Replica
  readonly #stores: Pick<Stores, 'log' | 'snapshots'>
  readonly #options: SaverOptions
  /** In the log behind the last snapshot. */
  readonly #since = { entries: 0, bytes: 0 }
  #snapshots = 0
  #failures = 0
  #stateBytes = 0
  /** Entries behind the last snapshot at which the next one is due. */
  #dueAt: number
  #saving: Promise<void> | undefined

  constructor(replica: Replica, stores: Pick<Stores, 'log' | 'snapshots'>, options: SaverOptions) {
    this.#replica = replica
    this.#stores = stores
    this.#options = options
    this.#dueAt = options.snapshotEvery
  }

  describe() {
    return { ...this.#since, snapshots: this.#snapshots, snapshotFailures: this.#failures }
  }

  /** These are in the log, and in the state. */
  count(entries: readonly { readonly bytes: Uint8Array }[]): void {
    this.#since.entries += entries.length
    for (const { bytes } of entries) this.#since.bytes += bytes.length
  }

  /** Begins to write a snapshot if one is due and none is being written. Nobody waits for it: a longer log is as good. */
  saveIfDue(): void {
    const { entries, bytes } = this.#since
    if (this.#saving !== undefined || entries < this.#dueAt || bytes * STATE_PER_LOG < this.#stateBytes) return
    this.#saving = this.#writeUnlessClaimed()
      .catch(() => {}) // it is counted
      .then(() => {
        this.#saving = undefined
      })
  }

  /** Writes a snapshot if there is anything new, behind one that is being written. With `all`, no earlier entry stays in the log. */
  async saveNews({ all = false } = {}): Promise<void> {
    await this.#saving
    if (this.#since.entries > 0) await this.#write(all)
  }

  /** Writes a snapshot, behind one that is being written. */
  async save(): Promise<void> {
    await this.#saving
    await this.#write()
  }

  /** Leaves it to another writer that has begun a moment ago. */
  async #writeUnlessClaimed(): Promise<void> {
    const { claim } = this.#stores.snapshots
    const isMine = claim === undefined || (await claim().catch(() => true)) // a store that fails is told by the write
    if (isMine) await this.#write()
    else this.#dueAt = this.#since.entries + this.#options.snapshotEvery
  }

  /** Writes the state as it is now, then cuts the log. */
  async #write(all = false): Promise<void> {
    const bytes = this.#replica.state()
    const { position } = this.#replica
    const covered = { ...this.#since }
    this.#stateBytes = bytes.length
    try {
      await this.#stores.snapshots.save(bytes, position)
      this.#since.entries -= covered.entries
      this.#since.bytes -= covered.bytes
      this.#snapshots++
      this.#dueAt = this.#options.snapshotEvery
      await this.#stores.log.trim(position, { all })
    } catch (thrown) {
      this.#failures++
      this.#dueAt = this.#since.entries + this.#options.snapshotEvery
      const error = toMonitorError(thrown, 'store_failed', 'store')
      this.#options.onFailure(error)
      throw error
    }
  }
}
