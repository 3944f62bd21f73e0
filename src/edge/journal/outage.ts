/** The time in which a store does not answer: what has been judged in memory meanwhile, and when to try again. */
import { MonitorError, type PlainError } from '../../core/index.ts'
import type { Outcome } from './replica.ts'

interface OutageOptions {
  readonly maxBacklogBytes: number
  readonly retryMs: number
  /** Called when it is time to try again. */
  readonly onDue: () => void
}

export class Outage {
  /** What an entry is refused with. */
  readonly error: MonitorError
  /** The state before the first entry without a place: what a log of several writers is replayed onto. */
  base: [state: Uint8Array, position: string] | undefined
  /** The log alone does not lead to the state in memory: it must be written as a whole. */
  mustSave = false
  isDue = false
  unsaved = 0
  lost = 0
  readonly #options: OutageOptions
  #backlog: Uint8Array<ArrayBuffer>[] = []
  #bytes = 0
  #isOver = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(error: MonitorError, options: OutageOptions) {
    const remedy = 'the monitor tries again by itself'
    this.error = new MonitorError('store_failed', `the store failed: ${error.message}; ${remedy}`, '', { cause: error })
    this.#options = options
    this.tryLater()
  }

  tryLater(): void {
    this.isDue = false
    if (this.#isOver) return
    this.#timer = setTimeout(() => {
      this.isDue = true
      this.#options.onDue()
    }, this.#options.retryMs)
    ;(this.#timer as { unref?(): void }).unref?.()
  }

  /** Nobody tries again. */
  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  /** Keeps an entry for later; false if there is no room, and only a snapshot can save what came of it. */
  keep(bytes: Uint8Array<ArrayBuffer>): boolean {
    this.unsaved++
    if (this.#bytes + bytes.length > this.#options.maxBacklogBytes) {
      this.lost++
      this.mustSave = true
      return false
    }
    this.#backlog.push(bytes)
    this.#bytes += bytes.length
    return true
  }

  /** The oldest of them, about as many as fit into so many bytes, at least one. */
  take(maxBytes: number): readonly Uint8Array<ArrayBuffer>[] {
    let count = 0
    for (let bytes = 0; count < this.#backlog.length; count++) {
      bytes += this.#backlog[count]!.length
      if (count > 0 && bytes > maxBytes) break
    }
    return this.#backlog.slice(0, count)
  }

  /** The oldest are written. */
  drop(count: number): void {
    for (const { length } of this.#backlog.splice(0, count)) this.#bytes -= length
  }

  /** The outcome of an entry judged in memory; its verdict says so. */
  mark(outcome: Outcome): Outcome {
    if ((outcome.kind !== 'applied' && outcome.kind !== 'again') || outcome.applied.verdict === undefined)
      return outcome
    const { verdict, events } = outcome.applied
    const error: PlainError = new MonitorError('store_failed', this.error.message, 'store').toJSON()
    return { kind: outcome.kind, applied: { verdict: { ...verdict, errors: [...verdict.errors, error] }, events } }
  }
}
