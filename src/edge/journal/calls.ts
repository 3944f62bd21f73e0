/** Calls of a store, each with a time after which nobody waits for it any more. */
import { MonitorError } from '../../core/index.ts'
import { lateAfter } from './late.ts'

export class Calls {
  readonly #timeoutMs: number
  #underWay = 0

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Calls that have not settled, those included that were given up. */
  get underWay(): number {
    return this.#underWay
  }

  /** What a call gives. Rejects with `store_failed` if it is late; the signal then tells the call that it is given up. */
  async inTime<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController()
    this.#underWay++
    const result = call(stop.signal).finally(() => {
      this.#underWay--
    })
    result.catch(() => {}) // one that fails late has been given up
    const { late, end } = lateAfter(this.#timeoutMs)
    const tooLate = late.then((): never => {
      const error = new MonitorError('store_failed', `did not answer within ${this.#timeoutMs} ms`, 'store')
      stop.abort(error)
      throw error
    })
    try {
      return await Promise.race([result, tooLate])
    } finally {
      end()
    }
  }
}
