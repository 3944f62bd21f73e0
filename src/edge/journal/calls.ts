/** Calls of a store, each with a time after which nobody waits for it any more. */
import { MonitorError } from '../../core/index.ts'
import { lateAfter } from './late.ts'

/** How long a call is waited for: until an error ends it. Lighter than a signal, since there is one for each write. */
export class Patience {
  #error: MonitorError | undefined

  end(error: MonitorError): void {
    this.#error = error
  }

  throwIfEnded(): void {
    if (this.#error !== undefined) throw this.#error
  }
}

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

  /** What a call gives. Rejects with `store_failed` if it is late; the patience then tells the call that it is given up. */
  async inTime<T>(call: (patience: Patience) => Promise<T>): Promise<T> {
    const patience = new Patience()
    this.#underWay++
    const settled = () => {
      this.#underWay--
    }
    const result = call(patience)
    result.then(settled, settled) // one that fails late has been given up
    const { late, end } = lateAfter(this.#timeoutMs)
    const tooLate = late.then((): never => {
      const error = new MonitorError('store_failed', `did not answer within ${this.#timeoutMs} ms`, 'store')
      patience.end(error)
      throw error
    })
    try {
      return await Promise.race([result, tooLate])
    } finally {
      end()
    }
  }
}
