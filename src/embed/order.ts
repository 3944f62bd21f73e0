/**
 * Waiting, added once: work is prepared concurrently and applied in the order of the calls. A step that fails or is
 * aborted is left out; the ones behind it go on.
 */
import { MonitorError } from '../core/index.ts'

export interface OrderOptions {
  /** Calls accepted and not yet settled; one more is refused as `overloaded`. Default 1024. */
  readonly maxPending?: number
  /** Preparations (decoding, embedding) at a time. Default 8. */
  readonly maxConcurrent?: number
}

/** Options of every asynchronous call. */
export interface CallOptions {
  /** Aborting before the query is applied leaves the state as if it had never been asked. */
  readonly signal?: AbortSignal
  /**
   * The caller gives the query's pixels, encoded bytes, ImageBitmap and lists away and does not touch them again. In
   * process they are then not copied; towards a worker they are moved, and are empty here afterwards. Default false: a
   * copy is made (and moved).
   */
  readonly transfer?: boolean
}

/** The queue behind an asynchronous detector or monitor. */
export class Order {
  readonly #maxPending: number
  readonly #maxConcurrent: number
  #tail: Promise<unknown> = Promise.resolve()
  #pending = 0
  #running = 0
  readonly #waiting: (() => void)[] = []
  #disposed = false

  constructor({ maxPending = 1024, maxConcurrent = 8 }: OrderOptions = {}) {
    this.#maxPending = maxPending
    this.#maxConcurrent = maxConcurrent
  }

  /** Calls not yet settled. */
  get pending(): number {
    return this.#pending
  }

  /**
   * Runs `prepare` soon and `step` when every earlier call has been settled; a later one waits for its promise. Rejects with `overloaded`, `disposed` or
   * `aborted` before anything is done, else with what `prepare` or `step` throw.
   */
  async run<P, R>(
    prepare: () => Promise<P>,
    step: (prepared: P) => R | Promise<R>,
    { signal }: CallOptions = {},
  ): Promise<R> {
    this.#admit(signal)
    this.#pending++
    const prepared = this.#limited(prepare, signal)
    prepared.catch(() => {}) // its failure is reported when its turn comes
    const mine = this.#tail.then(async () => {
      const ready = await abortable(prepared, signal)
      this.#refuseIfDisposed()
      return step(ready)
    })
    this.#tail = mine.catch(() => {})
    try {
      return await mine
    } finally {
      this.#pending--
    }
  }

  /** Refuses every later call, and those that have not been applied yet. Safe to call twice. */
  dispose(): void {
    this.#disposed = true
  }

  #admit(signal: AbortSignal | undefined): void {
    this.#refuseIfDisposed()
    if (signal?.aborted) throw aborted(signal)
    if (this.#pending < this.#maxPending) return
    const remedy = 'await earlier calls before making more, or raise maxPending'
    throw new MonitorError('overloaded', `${this.#pending} calls are waiting, which is the limit; ${remedy}`)
  }

  #refuseIfDisposed(): void {
    if (this.#disposed) throw new MonitorError('disposed', 'was disposed; make a new one')
  }

  async #limited<P>(prepare: () => Promise<P>, signal: AbortSignal | undefined): Promise<P> {
    if (this.#running >= this.#maxConcurrent) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    try {
      if (signal?.aborted) throw aborted(signal)
      return await prepare()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}

/** The promise, or `aborted` as soon as the signal says so. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) throw aborted(signal)
  let listener: (() => void) | undefined
  const stopped = new Promise<never>((_, reject) => {
    listener = () => reject(aborted(signal))
    signal.addEventListener('abort', listener, { once: true })
  })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', listener!)
  }
}

function aborted(signal: AbortSignal): MonitorError {
  return new MonitorError('aborted', 'was aborted by its signal', '', { cause: signal.reason })
}
