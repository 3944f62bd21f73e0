/** Who waits for a worker, and since when it has said nothing. One timer serves all calls: one for each is dear, and most are answered at once. */
import { MonitorError } from '../core/index.ts'

/** Calls that are answered in order. */
export interface Lane {
  /** When it last gave a sign of life, by `performance.now()`. */
  aliveMs: number
}

interface Waiting {
  readonly lane: Lane
  readonly sinceMs: number
  reject(error: MonitorError): void
}

/** The calls that one life of a worker owes an answer. */
export class Watch {
  readonly #timeoutMs: number
  readonly #onLate: (error: MonitorError) => void
  /** In the order of the calls. */
  readonly #waiting = new Set<Waiting>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `onLate` is told of a lane that owes an answer and has said nothing for so long, after its oldest call was refused. */
  constructor(timeoutMs: number, onLate: (error: MonitorError) => void) {
    this.#timeoutMs = timeoutMs
    this.#onLate = onLate
  }

  /** What `answer` gives; rejects when it is late, or with what {@link end} is given. */
  wait<T>(lane: Lane, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { lane, sinceMs: performance.now(), reject }
      this.#waiting.add(waiting)
      this.#timer ??= setTimeout(this.#look, this.#timeoutMs)
      if (this.#waiting.size === 1) ref(this.#timer)
      answer.then(
        (value) => {
          lane.aliveMs = performance.now()
          this.#settled(waiting)
          resolve(value)
        },
        (thrown) => {
          this.#settled(waiting)
          reject(thrown)
        },
      )
    })
  }

  #settled(waiting: Waiting): void {
    if (this.#waiting.delete(waiting) && this.#waiting.size === 0) unref(this.#timer)
  }

  /** Nobody is to answer any more. */
  end(error: MonitorError): void {
    clearTimeout(this.#timer)
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting.clear()
  }

  readonly #look = (): void => {
    this.#timer = undefined
    const nowMs = performance.now()
    let nextMs = Infinity
    const seen = new Set<Lane>()
    for (const waiting of this.#waiting) {
      const { lane, sinceMs, reject } = waiting
      if (seen.has(lane)) continue
      seen.add(lane)
      const leftMs = Math.max(sinceMs, lane.aliveMs) + this.#timeoutMs - nowMs
      nextMs = Math.min(nextMs, leftMs)
      if (leftMs >= 1) continue
      this.#waiting.delete(waiting)
      const error = new MonitorError('timeout', `waited ${this.#timeoutMs} ms for an answer`)
      reject(error)
      this.#onLate(error)
      return
    }
    if (nextMs < Infinity) this.#timer = setTimeout(this.#look, nextMs)
  }
}

/** In Node a timer keeps the process alive, which it may only while somebody waits. */
function ref(timer: unknown): void {
  ;(timer as { ref?: () => void }).ref?.()
}

function unref(timer: unknown): void {
  ;(timer as { unref?: () => void } | undefined)?.unref?.()
}
