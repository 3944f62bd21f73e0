/** One piece of work for all who ask for it at the same time. */
import { abortable } from '../order.ts'

interface Run<T, Event> {
  readonly result: Promise<T>
  readonly listeners: Set<(event: Event) => void>
  readonly controller: AbortController
}

/** How a caller joins: its own signal, and what to do with the events from now on. */
export interface Joining<Event> {
  readonly signal: AbortSignal | undefined
  readonly listener: (event: Event) => void
}

/** Work under way, by key. A settled piece is forgotten, failed or not. */
export class SharedWork<T, Event> {
  readonly #runs = new Map<string, Run<T, Event>>()

  /**
   * The result of the work under this key: what is under way, else what `start` begins. Leaving by `signal` rejects with
   * `aborted`, and the last one to leave stops the work. What a listener throws rejects its own caller only. `first` is
   * true for the caller that began the work.
   */
  async join(
    key: string,
    { signal, listener }: Joining<Event>,
    start: (stop: AbortSignal, tell: (event: Event) => void) => Promise<T>,
  ): Promise<{ readonly value: T; readonly first: boolean }> {
    if (signal?.aborted) await abortable(new Promise<never>(() => {}), signal) // before anything is begun
    const known = this.#runs.get(key)
    const run = known ?? this.#begin(key, start)
    let fail: (reason: unknown) => void = () => {}
    const failed = new Promise<never>((_, reject) => {
      fail = reject
    })
    failed.catch(() => {})
    const mine = (event: Event) => {
      try {
        listener(event)
      } catch (thrown) {
        fail(thrown)
      }
    }
    run.listeners.add(mine)
    try {
      const value = await abortable(Promise.race([run.result, failed]), signal)
      return { value, first: known === undefined }
    } finally {
      run.listeners.delete(mine)
      if (run.listeners.size === 0) this.#end(key, run)
    }
  }

  #begin(key: string, start: (stop: AbortSignal, tell: (event: Event) => void) => Promise<T>): Run<T, Event> {
    const controller = new AbortController()
    const listeners = new Set<(event: Event) => void>()
    const tell = (event: Event) => {
      for (const listener of listeners) listener(event)
    }
    const result = Promise.resolve().then(() => start(controller.signal, tell))
    const run = { result, listeners, controller }
    this.#runs.set(key, run)
    const forget = () => this.#forget(key, run)
    result.then(forget, forget)
    return run
  }

  #end(key: string, run: Run<T, Event>): void {
    this.#forget(key, run)
    run.controller.abort()
  }

  #forget(key: string, run: Run<T, Event>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key)
  }
}
