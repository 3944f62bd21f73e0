/** Something that lives on a backend and outlives it: made again once, then on the next backend. */
import { MonitorError } from '../../core/index.ts'
import type { Backend, BackendChange, Capabilities } from '../embedder.ts'
import { explain } from './explain.ts'
import { BackendLost } from './loss.ts'

/** What lives on a backend. */
export interface Living {
  readonly backend: Backend
  /** False once it must not be used again, though its backend may be well: a new one is then made at once. */
  readonly isUsable: boolean
  /** Frees it. Never rejects. */
  dispose(): Promise<void>
}

export interface ChainOptions<Live> {
  /** The backends to try, best first. */
  readonly order: readonly Backend[]
  /** Why others are not among them. */
  readonly refused?: Capabilities['refused']
  /**
   * Makes one; `life` counts how often on this backend, from 1. After a rejection the next backend is tried, unless it is
   * the model, the configuration or an abort that is to blame.
   */
  readonly open: (backend: Backend, life: number) => Promise<Live>
  /** Called when a backend was lost, once the next one is ready. */
  readonly onChange: (event: BackendChange) => void
}

/** Lives that each backend gets. */
const LIVES = 2

/** What another backend may be without. */
const OF_THE_BACKEND: readonly string[] = ['backend_unavailable', 'missing_package', 'embedder_failed']

/** One living thing at a time, on the best backend that there is. */
export class BackendChain<Live extends Living> {
  readonly #options: ChainOptions<Live>
  #live: Live | undefined
  #opening: Promise<Live> | undefined
  #refused: Capabilities['refused']
  #place = 0
  #life = 1
  #lost: { readonly from: Backend; readonly reason: string } | undefined
  #recoveries = 0

  constructor(options: ChainOptions<Live>) {
    this.#options = options
    this.#refused = options.refused ?? []
  }

  /** Backends that were wanted before the one in use, and why they were not taken. */
  get refused(): Capabilities['refused'] {
    return this.#refused
  }

  /** The one in use, if there is one. */
  get live(): Live | undefined {
    return this.#live
  }

  /** Times that a lost backend was made again or replaced. */
  get recoveries(): number {
    return this.#recoveries
  }

  /**
   * The one in use, else a new one; concurrent calls share it. Rejects with the reasons when no backend is left, and then
   * begins at the first one again.
   */
  async get(): Promise<Live> {
    if (this.#live !== undefined) return this.#live
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** Does the work, and does it again on the next life of a backend as long as it ends in {@link BackendLost}. */
  async use<R>(work: (live: Live) => Promise<R>): Promise<R> {
    for (;;) {
      const live = await this.get()
      try {
        return await work(live)
      } catch (thrown) {
        if (thrown instanceof BackendLost) this.#leave(live, thrown.message)
        else {
          if (!live.isUsable) this.#drop(live)
          throw thrown
        }
      }
    }
  }

  async dispose(): Promise<void> {
    await this.#opening?.catch(() => {})
    const old = this.#live
    this.#live = undefined
    await old?.dispose()
  }

  /** False if it was dropped before: several who use it may find the same loss, and only the first counts. */
  #drop(dead: Live): boolean {
    if (this.#live !== dead) return false
    this.#live = undefined
    void dead.dispose()
    return true
  }

  #leave(dead: Live, reason: string): void {
    if (!this.#drop(dead)) return
    const { backend } = dead
    this.#lost = { from: backend, reason }
    if (this.#life < LIVES) this.#life++
    else this.#refuse(backend, `was lost ${LIVES} times: ${reason}`)
  }

  #refuse(backend: Backend, reason: string): void {
    this.#refused = [...this.#refused, { backend, reason }]
    this.#place++
    this.#life = 1
  }

  async #open(): Promise<Live> {
    const errors: MonitorError[] = []
    for (const { order, open } = this.#options; this.#place < order.length; ) {
      const backend = order[this.#place]!
      try {
        return this.#settle(await open(backend, this.#life))
      } catch (thrown) {
        const error = explain(thrown)
        errors.push(error)
        if (!OF_THE_BACKEND.includes(error.code)) throw this.#startOver(error)
        this.#refuse(backend, error.message)
      }
    }
    throw this.#startOver(this.#noneLeft(errors))
  }

  /** The one error there is, or all the reasons, with the code that they share. */
  #noneLeft(errors: readonly MonitorError[]): MonitorError {
    const [first] = errors
    if (errors.length === 1 && this.#refused.length === 1) return first!
    const reasons = this.#refused.map(({ backend, reason }) => `${backend}: ${reason}`).join(' · ')
    const isSame = errors.length === this.#refused.length && errors.every(({ code }) => code === first?.code)
    const code = isSame && first !== undefined ? first.code : 'backend_unavailable'
    return new MonitorError(code, `no backend can run the model; ${reasons}`, '', { cause: errors.at(-1) })
  }

  #settle(live: Live): Live {
    this.#live = live
    if (this.#lost === undefined) return live
    const { from, reason } = this.#lost
    this.#lost = undefined
    this.#recoveries++
    this.#options.onChange({ kind: 'backendchange', from, to: live.backend, reason })
    return live
  }

  /** A later call begins at the first backend again. */
  #startOver(error: MonitorError): MonitorError {
    this.#place = 0
    this.#life = 1
    this.#refused = this.#options.refused ?? []
    this.#lost = undefined
    return error
  }
}
