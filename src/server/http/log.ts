/** What the server has to tell a log. How it is written is the host's choice. */
import type { MonitorEvent, Verdict } from '../../core/monitor/index.ts'
import type { JournalEvent } from '../../edge/index.ts'
import type { ModelEvent } from '../../embed/index.ts'
import type { LogConfig } from '../config/config.ts'

/** One line of the log. A decision carries the whole verdict: the host leaves out what identifies a client. */
export type LogRecord =
  | { readonly kind: 'decision'; readonly model: string; readonly verdict: Verdict; readonly omitted: number }
  | { readonly kind: 'event'; readonly model: string; readonly event: MonitorEvent | ModelEvent | JournalEvent }
  | { readonly kind: 'failure'; readonly error: unknown }

/** Chooses the decisions that get a line: at most so many a second, counting the others. */
export class DecisionLog {
  readonly #config: LogConfig
  readonly #now: () => number
  #second = 0
  #written = 0
  #omitted = 0

  constructor(config: LogConfig, now: () => number) {
    this.#config = config
    this.#now = now
  }

  /** How many were left out before this one, if it gets a line; undefined if it does not. */
  take({ suspicious, proposed }: Verdict): number | undefined {
    const { decisions, maxPerSecond } = this.#config
    const isWanted = decisions === 'all' || (decisions === 'suspicious' && (suspicious || proposed !== 'allow'))
    if (!isWanted) return undefined
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#written = 0
    }
    if (this.#written >= maxPerSecond) {
      this.#omitted++
      return undefined
    }
    this.#written++
    const omitted = this.#omitted
    this.#omitted = 0
    return omitted
  }
}
