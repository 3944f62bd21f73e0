/** One detector or monitor in a worker, seen from the page: its log, which it is made again from, and the calls to it. */
import { type ErrorCode, isMonitorError, MonitorError, type Snapshot, toMonitorError } from '../core/index.ts'
import type { ClientExport, Policy, Suspension } from '../core/monitor/index.ts'
import {
  type CallOptions,
  copyOf,
  type LoadOptions,
  type ModelCapabilities,
  type ModelEvent,
  type ProgressEvent,
  type Query,
} from '../embed/index.ts'
import type { Link } from './link.ts'
import { Log } from './log.ts'
import type { Applied, HostApi, LogEntry, MachineConfig, Reply, State } from './protocol.ts'
import { Repeats } from './repeats.ts'
import { stateSender } from './sendState.ts'
import { unwrap } from './serve.ts'
import { buffersOf, type Copier, withoutMetadata } from './transfer.ts'
import type { Lane } from './watch.ts'

interface SendOptions {
  /** The code for arguments that cannot be cloned. */
  readonly refusal?: ErrorCode
  /** True unless what is sent is gone then. */
  readonly canRepeat?: boolean
  /** True if later calls wait for its answer, as it takes time until it is sent. */
  readonly isAlone?: boolean
}

export class MachineClient {
  readonly name: string
  /** What `open` told; rejects if the configuration is refused. */
  readonly opened: Promise<Policy | null>
  /** Told of the suspensions in force whenever the state was replaced as a whole. */
  onSuspensions: ((list: readonly (Suspension & { readonly client: string })[]) => void) | undefined
  /** Told of what its models do. */
  onEvent: ((event: ModelEvent) => void) | undefined
  readonly #config: MachineConfig
  readonly #link: Link
  readonly #options: { readonly snapshotEvery: number; readonly maxPending: number }
  readonly #forget: () => void
  readonly #lane: Lane = { aliveMs: 0 }
  readonly #log = new Log()
  readonly #progress = new Set<(event: ProgressEvent) => void>()
  #pending = 0
  #calls = 0
  #isOpen = false
  /** Calls that wait until it is open. */
  #early = 0
  #saving = false
  readonly #repeats = new Repeats()

  constructor(
    name: string,
    config: MachineConfig,
    link: Link,
    options: { readonly snapshotEvery: number; readonly maxPending: number },
    forget: () => void,
  ) {
    this.name = name
    this.#config = config
    this.#link = link
    this.#options = options
    this.#forget = forget
    this.opened = this.#open()
    this.opened.catch(() => {}) // reported by the first call
  }

  /** Nothing is lost with a worker that dies before it has opened the machine: the next one is asked. */
  async #open(): Promise<Policy | null> {
    for (;;) {
      try {
        const policy = await this.#ask((api) => api.open(this.name, this.#config, this.#tell), 'bad_config')
        this.#isOpen = true
        return policy
      } catch (thrown) {
        const isLost = isMonitorError(thrown) && (thrown.code === 'worker_lost' || thrown.code === 'timeout')
        if (isLost && this.#link.isAlive) continue
        this.#forget()
        throw thrown
      }
    }
  }

  /** Makes the machine again in a fresh worker, from the last snapshot and the log. */
  async revive(api: HostApi): Promise<void> {
    if (!this.#isOpen) return
    unwrap(await api.open(this.name, this.#config, this.#tell))
    const { base } = this.#log
    if (base !== undefined) unwrap(await stateSender(base).send(api, this.name))
    const entries = this.#log.entries()
    if (entries.length > 0) unwrap(await api.apply(this.name, entries))
    this.#log.restart()
    this.#saving = false
    await this.#tellSuspensions(api)
  }

  /** A model that loads is alive, however long it takes. */
  readonly #tell = (event: ModelEvent): void => {
    this.#lane.aliveMs = performance.now()
    if (event.kind === 'progress') for (const report of this.#progress) report(event)
    this.onEvent?.(event)
  }

  /** How to hold the embeddings of a batch. */
  copierFor(queries: readonly Query[], { transfer = false }: CallOptions): Copier {
    return transfer ? { copy: copyOf } : this.#log.copierFor(queries)
  }

  /**
   * Queries of which nobody else will change anything, see `holdQuery`: they are kept until they are answered. `buffer` is
   * what {@link copierFor} gave for them.
   */
  async process(
    held: readonly Query[],
    batch: boolean,
    options: CallOptions,
    buffer?: ArrayBuffer,
  ): Promise<unknown[]> {
    if (this.#pending >= this.#options.maxPending) {
      const remedy = 'await earlier calls before making more, or raise maxPending'
      throw new MonitorError('overloaded', `${this.#pending} calls are waiting, which is the limit; ${remedy}`)
    }
    const { signal, transfer: given = false } = options
    this.#pending++
    try {
      const queries = held.map(withoutMetadata)
      const moved = given ? buffersOf(queries) : undefined
      const run = (api: HostApi, call: number) => api.process(this.name, call, queries, batch, moved)
      const applied =
        signal === undefined
          ? await this.#send((api) => run(api, 0), { canRepeat: !given })
          : await this.#stoppable(signal, run, !given)
      return this.#learn(applied, buffer)
    } finally {
      this.#pending--
    }
  }

  /** Loads its models in the worker. */
  async warmup({ signal, onProgress }: LoadOptions): Promise<ModelCapabilities> {
    if (onProgress !== undefined) this.#progress.add(onProgress)
    try {
      if (signal === undefined) return await this.#send((api) => api.warmup(this.name, 0))
      return await this.#stoppable(signal, (api, call) => api.warmup(this.name, call))
    } finally {
      if (onProgress !== undefined) this.#progress.delete(onProgress)
    }
  }

  async capabilities(): Promise<ModelCapabilities> {
    return this.#send((api) => api.capabilities(this.name))
  }

  /** A call that the signal stops on the other side as well. */
  async #stoppable<T>(
    signal: AbortSignal,
    run: (api: HostApi, call: number) => Promise<Reply<T>>,
    canRepeat = true,
  ): Promise<T> {
    throwIfAborted(signal)
    const call = ++this.#calls
    const cancel = () => this.#link.call((api) => api.cancel(this.name, call)).catch(() => {})
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const send = (api: HostApi) => {
        throwIfAborted(signal) // from here on the cancelling comes behind the call
        return run(api, call)
      }
      return await this.#send(send, { canRepeat })
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  async apply(entry: LogEntry): Promise<unknown> {
    return this.#learn(await this.#send((api) => api.apply(this.name, [entry])))[0]
  }

  #learn(applied: Applied, buffer?: ArrayBuffer): unknown[] {
    this.#log.learn(applied, buffer)
    if (this.#log.isLong(this.#options.snapshotEvery)) void this.#save()
    return applied.results as unknown[]
  }

  /** Fetches the state and drops the entries that are in it. A failure leaves the longer log, which is as good. */
  async #save(): Promise<void> {
    if (this.#saving) return
    this.#saving = true
    try {
      await this.snapshot()
    } catch {
      // The worker was lost or the machine closed: the log still holds everything.
    } finally {
      this.#saving = false
    }
  }

  async snapshot(): Promise<Snapshot> {
    return this.#keep(await this.#send((api) => api.snapshot(this.name)))
  }

  async restore(snapshot: Snapshot): Promise<void> {
    const { isLarge, send } = stateSender(snapshot)
    const options = { refusal: 'bad_snapshot', isAlone: isLarge } as const
    this.#keep(await this.#send((api) => send(api, this.name), options))
    await this.#link.call((api) => this.#tellSuspensions(api))
  }

  async reset(): Promise<void> {
    this.#keep(await this.#send((api) => api.reset(this.name)))
    await this.#link.call((api) => this.#tellSuspensions(api))
  }

  #keep(state: State): Snapshot {
    this.#log.cut(state)
    return state.snapshot
  }

  async #tellSuspensions(api: HostApi): Promise<void> {
    if (this.onSuspensions !== undefined) this.onSuspensions(unwrap(await api.suspensions(this.name)))
  }

  async describe(): Promise<unknown> {
    return this.#send((api) => api.describe(this.name))
  }

  async exportClient(client: string): Promise<ClientExport | undefined> {
    return this.#send((api) => api.exportClient(this.name, client))
  }

  async clients(): Promise<unknown> {
    return this.#send((api) => api.clients(this.name))
  }

  /** Safe to call twice, and without a worker: then nothing is left to close. */
  async close(): Promise<void> {
    this.#forget()
    try {
      await this.#send((api) => api.close(this.name))
    } catch (thrown) {
      if (!isMonitorError(thrown)) throw thrown
    }
  }

  /**
   * A call behind all earlier ones. Lost with its worker, it is sent once more to the next one, where nothing of it has
   * happened: the state there is that of the acknowledged entries. Of several lost ones each is then sent alone, in
   * order, so that one which itself ends workers takes no other with it.
   */
  async #send<T>(
    call: (api: HostApi) => Promise<Reply<T>>,
    { refusal = 'bad_query', canRepeat = true, isAlone = false }: SendOptions = {},
  ): Promise<T> {
    if (!this.#isOpen || this.#early > 0) await this.#whenOpen()
    const send = () => this.#ask(call, refusal)
    try {
      while (this.#repeats.end !== undefined) await this.#repeats.end
      return await (isAlone ? this.#repeats.run(send) : send())
    } catch (thrown) {
      const isLost = isMonitorError(thrown) && thrown.code === 'worker_lost' && this.#link.isAlive
      if (!isLost || !canRepeat) throw thrown
      return this.#repeats.run(send)
    }
  }

  /** No later call passes one that waits here. */
  async #whenOpen(): Promise<void> {
    this.#early++
    try {
      await this.opened
    } finally {
      this.#early--
    }
  }

  /** Its worker is gone. New calls wait until those in flight have heard of it and stand in line again. */
  lost(): void {
    this.#repeats.run(() => new Promise((resolve) => setTimeout(resolve)))
  }

  /** One call; `refusal` is the code for arguments that cannot be cloned. */
  async #ask<T>(call: (api: HostApi) => Promise<Reply<T>>, refusal: ErrorCode): Promise<T> {
    try {
      return unwrap(await this.#link.call(call, this.#lane))
    } catch (thrown) {
      if (isMonitorError(thrown)) throw thrown
      const { name, message } = thrown as Error
      if (name === 'DataCloneError') {
        throw new MonitorError(refusal, `cannot be sent to a worker: ${message}`, '', { cause: thrown })
      }
      throw toMonitorError(thrown, 'plugin_failed') // an answer that cannot be sent back
    }
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new MonitorError('aborted', 'was aborted by its signal', '', { cause: signal.reason })
}
