/** A state machine, and how far in the log it has read. */
import {
  fromFrame,
  isMonitorError,
  isPlainObject,
  MonitorError,
  type PlainData,
  refuse,
  type Snapshot,
  toFrame,
  toMonitorError,
  withPath,
} from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'
import type { LogRecord, Stores } from '../stores/store.ts'
import { Answers } from './answers.ts'
import type { Patience } from './calls.ts'
import { decodeEntry, type LoggedEntry } from './record.ts'

/** What a journal keeps: a monitor's engine, or anything else that is deterministic in the same way. */
export interface Machine {
  apply(entry: Entry): MonitorApplied
  snapshot(): Snapshot
  restore(snapshot: Snapshot): void
  reset(): void
}

/** What came of an entry. */
export type Outcome =
  | { readonly kind: 'applied'; readonly applied: MonitorApplied }
  /** A query that was delivered before: its verdict, and nothing learned. */
  | { readonly kind: 'again'; readonly applied: MonitorApplied }
  /** The machine refused it, as every replay will. */
  | { readonly kind: 'refused'; readonly error: MonitorError }
  /** It had been applied before. */
  | { readonly kind: 'twice' }

/** An entry of the log, and what came of it. */
export interface Read {
  readonly position: string
  readonly bytes: Uint8Array
  readonly outcome: Outcome
}

const LETTERS = 'MTJS'
/** Writers whose last entry is remembered: one for each start of each process. */
const MAX_WRITERS = 1000

export class Replica {
  readonly #machine: Machine
  readonly #stores: Pick<Stores, 'log' | 'snapshots'>
  #position = ''
  /** The number of each writer's last entry, the latest writer last. */
  #written = new Map<string, number>()
  #answers = new Answers()
  #duplicates = 0

  constructor(machine: Machine, stores: Pick<Stores, 'log' | 'snapshots'>) {
    this.#machine = machine
    this.#stores = stores
  }

  /** Of the last entry that is in the state. */
  get position(): string {
    return this.#position
  }

  /** Queries that were delivered again. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** Starts from the last snapshot, if there is one, and replays the log behind it. Rejects with `bad_snapshot`. */
  async open(tell: (read: Read) => void): Promise<void> {
    await this.#load()
    await this.follow(tell)
  }

  /** Applies what stands behind the position. What is left undone when patience ends can be followed later. */
  async follow(tell: (read: Read) => void, patience?: Patience): Promise<void> {
    const { log } = this.#stores
    if ((await log.trimmed()) > this.#position) await this.#load(patience)
    try {
      await this.#read(tell, patience)
    } catch (thrown) {
      // The log may have been cut since the question: what is missing then is in the snapshot.
      patience?.throwIfEnded()
      if ((await log.trimmed()) <= this.#position) throw thrown
      await this.follow(tell, patience)
    }
  }

  async #read(tell: (read: Read) => void, patience: Patience | undefined): Promise<void> {
    const { log } = this.#stores
    let isFirst = true
    for await (const record of log.read(this.#position)) {
      // A gap in front of the first record is not seen by every store.
      if (isFirst && (await log.trimmed()) > this.#position) return this.follow(tell, patience)
      isFirst = false
      patience?.throwIfEnded()
      tell(this.take(record))
    }
  }

  /** Applies the entry that comes next. Throws `bad_snapshot` for one that is damaged. */
  take({ position, bytes }: LogRecord): Read {
    return { position, bytes, outcome: this.learnAt(position, decodeEntry(bytes, position)) }
  }

  /** Applies an entry whose place in the log comes next. */
  learnAt(position: string, entry: LoggedEntry): Outcome {
    this.#position = position
    return this.learn(entry)
  }

  /** Applies an entry that has no place in the log yet. */
  learn({ writer, number, entry }: LoggedEntry): Outcome {
    if (number <= (this.#written.get(writer) ?? 0)) return { kind: 'twice' }
    this.#written.delete(writer)
    this.#written.set(writer, number)
    if (this.#written.size > MAX_WRITERS) this.#written.delete(this.#written.keys().next().value as string)
    const name = this.#answers.nameOf(entry)
    const answer = name === undefined ? undefined : this.#answers.get(name)
    if (answer !== undefined) {
      this.#duplicates++
      return { kind: 'again', applied: { verdict: answer, events: [] } }
    }
    try {
      const applied = this.#machine.apply(entry)
      if (name !== undefined) this.#answers.keep(name, applied.verdict)
      if (entry.kind === 'erase') this.#answers.forget(entry.client)
      return { kind: 'applied', applied }
    } catch (thrown) {
      return { kind: 'refused', error: toMonitorError(thrown, 'plugin_failed') }
    }
  }

  /** Entries up to this position are in the state, because they are those that it has learned without a place. */
  place(position: string): void {
    this.#position = position
  }

  /** Returns what undoes it. */
  forgetAnswers(): () => void {
    const before = this.#answers
    this.#answers = new Answers()
    return () => {
      this.#answers = before
    }
  }

  state(): Uint8Array<ArrayBuffer> {
    const writers = [...this.#written]
    return toFrame(LETTERS, { monitor: { ...this.#machine.snapshot() }, writers, answers: this.#answers.save() })
  }

  /** Back to a state and its position. Throws `bad_snapshot`, everything as it was. */
  restore(bytes: Uint8Array, position: string): void {
    const { monitor, writers, answers } = readState(bytes)
    this.#machine.restore(monitor)
    this.#written = new Map(writers)
    this.#answers = answers
    this.#position = position
  }

  async #load(patience?: Patience): Promise<void> {
    const found = await this.#stores.snapshots.load()
    const trimmed = await this.#stores.log.trimmed()
    patience?.throwIfEnded()
    if (found !== undefined) {
      try {
        this.restore(found.bytes, found.position)
      } catch (thrown) {
        throw isMonitorError(thrown) ? withPath(thrown, 'snapshot') : thrown
      }
    }
    if (trimmed > this.#position) {
      const remedy = 'put the snapshot back, or move the log away to start with an empty memory'
      const message = `is missing: the log begins behind ${trimmed}, the snapshot is of ${this.#position || 'no entry'}`
      throw new MonitorError('bad_snapshot', `${message}; ${remedy}`, 'snapshot')
    }
  }
}

function readState(bytes: Uint8Array): { monitor: Snapshot; writers: [string, number][]; answers: Answers } {
  const state = fromFrame(LETTERS, bytes)
  if (!isPlainObject(state) || !isPlainObject(state['monitor']) || !Array.isArray(state['writers'])) {
    return refuse('bad_snapshot', 'must hold { monitor, writers }', state, '')
  }
  const writers = (state['writers'] as PlainData[]).map((pair): [string, number] => {
    const [writer, number] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (typeof writer === 'string' && typeof number === 'number') return [writer, number]
    return refuse('bad_snapshot', 'must be pairs of a writer and a number', pair, 'writers')
  })
  // Snapshots of versions that knew no answers have none.
  const answers = Answers.load(state['answers'] ?? [], 'answers')
  return { monitor: state['monitor'] as unknown as Snapshot, writers, answers }
}
