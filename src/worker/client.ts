/**
 * The page's side: the same detectors and monitors as in process, with the work in a worker.
 *
 * Each machine keeps its last snapshot and the log of entries acknowledged since. A worker that dies is replaced by one
 * that is given both, so no acknowledged query is lost; those in flight are refused with `worker_lost`.
 */
import { type Endpoint, transfer } from 'comlink'
import {
  type Builtins,
  type Description,
  type Detection,
  type ErrorCode,
  isMonitorError,
  isPlainObject,
  type MetadataOf,
  MonitorError,
  refuse,
  type Snapshot,
  toMonitorError,
} from '../core/index.ts'
import {
  type Admission,
  type ClientSummary,
  checkClient,
  type MonitorDescription,
  type Policy,
  type Verdict,
} from '../core/monitor/index.ts'
import {
  type AsyncDetector,
  announce,
  type CallOptions,
  type DetectorConfig,
  holdQuery,
  type InputOfSpec,
  type Monitor,
  type MonitorApplied,
  type MonitorConfig,
  type Query,
  splitName,
  stamp,
} from '../embed/index.ts'
import { type Lane, Link, type LinkOptions, type WorkerLike } from './link.ts'
import type { Applied, HostApi, LogEntry, MachineConfig, Reply, State } from './protocol.ts'
import { unwrap } from './serve.ts'
import { buffersOf } from './transfer.ts'

export interface WorkerOptions extends LinkOptions {
  /** Acknowledged entries after which the worker's state is fetched, so that the log stays short. Default 256. */
  readonly snapshotEvery?: number
  /** Calls accepted and not yet settled; one more is refused as `overloaded`. Default 1024. */
  readonly maxPending?: number
}

/** A worker full of detectors and monitors. */
export interface WorkerHost {
  /** As in process. A function among the options cannot cross: see `configure` of `serveWorker`. */
  getDetector<Name extends keyof Builtins & string>(
    name: Name,
    config?: DetectorConfig<Builtins[Name]>,
  ): AsyncDetector<InputOfSpec<Builtins[Name]>, MetadataOf<Builtins[Name]>>
  /** From JSON, also for detectors that only the worker's registry knows. */
  loadDetector(json: unknown): AsyncDetector
  /** Resolves when the worker has made it. Rejects with `bad_config` or `worker_lost`. */
  createMonitor(config: MonitorConfig, options?: { readonly now?: () => number }): Promise<Monitor>
  /** Workers started again since the beginning. */
  readonly restarts: number
  /** Ends the worker; every later call is refused. */
  dispose(): void
}

/**
 * Starts a worker: `startWorker(() => new Worker(url, { type: 'module' }))`, and starts it again when it dies. The
 * maker is a function because only the app's bundler knows where the script is.
 */
export function startWorker(createWorker: () => WorkerLike, options: WorkerOptions = {}): WorkerHost {
  if (typeof createWorker !== 'function') {
    refuse(
      'bad_config',
      "must be a function such as () => new Worker(url, { type: 'module' })",
      createWorker,
      'createWorker',
    )
  }
  return hostOver(createWorker, options)
}

/**
 * Uses a worker or port on whose other side `serveWorker` answers. It cannot be started again: once lost, every call is
 * refused with `worker_lost`.
 */
export function attach(port: Endpoint, options: WorkerOptions = {}): WorkerHost {
  port.start?.()
  return hostOver({ port }, options)
}

function hostOver(source: (() => WorkerLike) | { readonly port: Endpoint }, options: WorkerOptions): WorkerHost {
  const { snapshotEvery = 256, maxPending = 1024, ...linkOptions } = options
  const machines = new Set<MachineClient>()
  const link = new Link(source, prepare, linkOptions)
  let count = 0

  return {
    getDetector: (name, config) => detector(name, config ?? {}) as never,
    loadDetector(json) {
      const { name, config } = splitName(json)
      return detector(name, config)
    },
    async createMonitor(config, { now = Date.now } = {}) {
      const { onEvent, ...rest } = isPlainObject(config) ? (config as unknown as MonitorConfig) : ({} as MonitorConfig)
      const machine = add({ kind: 'monitor', config: rest as unknown as Record<string, unknown> })
      await machine.opened
      const { policy, clients } = (await machine.describe()) as MonitorDescription
      return monitorOver(machine, { policy, maxClients: clients.maxClients, onEvent, now })
    },
    get restarts() {
      return link.restarts
    },
    dispose: () => link.dispose(),
  }

  async function prepare(api: HostApi): Promise<void> {
    for (const machine of machines) await machine.revive(api)
  }

  function detector(name: string, config: object): AsyncDetector {
    return detectorOver(name, add({ kind: 'detector', name, config: config as Record<string, unknown> }))
  }

  function add(config: MachineConfig): MachineClient {
    refuseFunctions(config.config, config.kind === 'monitor' ? 'monitor' : config.name)
    const machine = new MachineClient(`m${++count}`, config, link, { snapshotEvery, maxPending }, () =>
      machines.delete(machine),
    )
    machines.add(machine)
    return machine
  }
}

function refuseFunctions(value: unknown, path: string): void {
  if (typeof value === 'function') {
    const remedy = 'add it in a worker script of your own: serveWorker(self, { configure })'
    throw new MonitorError('bad_config', `a function cannot cross into a worker; ${remedy}`, path)
  }
  if (Array.isArray(value)) for (const [i, item] of value.entries()) refuseFunctions(item, `${path}[${i}]`)
  else if (isPlainObject(value))
    for (const [key, item] of Object.entries(value)) refuseFunctions(item, `${path}.${key}`)
}

/** One detector or monitor in the worker: what it takes to make it again, and the calls to it. */
class MachineClient {
  readonly name: string
  /** What `open` told; rejects if the configuration is refused. */
  readonly opened: Promise<Policy | null>
  /** Told of the suspensions in force whenever the state was replaced as a whole. */
  onSuspensions: ((list: readonly { readonly client: string; readonly untilMs: number }[]) => void) | undefined
  readonly #config: MachineConfig
  readonly #link: Link
  readonly #options: { readonly snapshotEvery: number; readonly maxPending: number }
  readonly #forget: () => void
  readonly #lane: Lane = { answers: 0 }
  #base: Snapshot | undefined
  #log: { readonly at: number; readonly entry: LogEntry }[] = []
  #pending = 0
  #calls = 0
  #isOpen = false
  #saving = false

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
        const policy = await this.#ask((api) => api.open(this.name, this.#config), 'bad_config')
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
    unwrap(await api.open(this.name, this.#config))
    if (this.#base !== undefined) unwrap(await api.restore(this.name, this.#base))
    const entries = this.#log.sort((a, b) => a.at - b.at).map(({ entry }) => entry)
    if (entries.length > 0) unwrap(await api.apply(this.name, entries))
    this.#log = entries.map((entry, i) => ({ at: i + 1, entry }))
    this.#saving = false
    await this.#tellSuspensions(api)
  }

  /** Queries of which nobody else will change anything, see `holdQuery`. */
  async process(held: readonly Query[], batch: boolean, options: CallOptions): Promise<unknown[]> {
    if (this.#pending >= this.#options.maxPending) {
      const remedy = 'await earlier calls before making more, or raise maxPending'
      throw new MonitorError('overloaded', `${this.#pending} calls are waiting, which is the limit; ${remedy}`)
    }
    const { signal, transfer: bitmaps = false } = options
    throwIfAborted(signal)
    const call = ++this.#calls
    const cancel = () => this.#link.call((api) => api.cancel(this.name, call)).catch(() => {})
    this.#pending++
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const queries = held.map(({ metadata: _, ...query }) => query) // nobody looks at it, and it may not be clonable
      const sent = transfer(queries, buffersOf(queries, { bitmaps }))
      const answer = await this.#send((api) => {
        throwIfAborted(signal) // from here on the cancelling comes behind the call
        return api.process(this.name, call, sent, batch)
      })
      return this.#learn(answer)
    } finally {
      this.#pending--
      signal?.removeEventListener('abort', cancel)
    }
  }

  async apply(entry: LogEntry): Promise<unknown> {
    return this.#learn(await this.#send((api) => api.apply(this.name, [entry])))[0]
  }

  #learn({ entries, results, applied }: Applied): unknown[] {
    const first = applied - entries.length + 1
    for (const [i, entry] of entries.entries()) this.#log.push({ at: first + i, entry })
    if (this.#log.length >= this.#options.snapshotEvery) void this.#save()
    return [...results]
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
    this.#keep(await this.#send((api) => api.restore(this.name, snapshot), 'bad_snapshot'))
    await this.#link.call((api) => this.#tellSuspensions(api))
  }

  async reset(): Promise<void> {
    this.#keep(await this.#send((api) => api.reset(this.name)))
    await this.#link.call((api) => this.#tellSuspensions(api))
  }

  /** The state to start again from: entries that came before it no longer count. */
  #keep({ snapshot, applied }: State): Snapshot {
    this.#base = snapshot
    this.#log = this.#log.filter(({ at }) => at > applied)
    return snapshot
  }

  async #tellSuspensions(api: HostApi): Promise<void> {
    if (this.onSuspensions !== undefined) this.onSuspensions(unwrap(await api.suspensions(this.name)))
  }

  async describe(): Promise<unknown> {
    return this.#send((api) => api.describe(this.name))
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

  async #send<T>(call: (api: HostApi) => Promise<Reply<T>>, refusal: ErrorCode = 'bad_query'): Promise<T> {
    await this.opened
    return this.#ask(call, refusal)
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

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new MonitorError('aborted', 'was aborted by its signal', '', { cause: signal.reason })
}

function detectorOver(name: string, machine: MachineClient): AsyncDetector {
  return {
    name,
    async process(query, options = {}) {
      const [result] = await machine.process([holdQuery(query, options)], false, options)
      return result as Detection
    },
    async processBatch(queries, options = {}) {
      const held = queries.map((query) => holdQuery(query, options))
      return (await machine.process(held, true, options)) as Detection[]
    },
    snapshot: () => machine.snapshot(),
    restore: (snapshot) => machine.restore(snapshot),
    reset: () => machine.reset(),
    describe: () => machine.describe() as Promise<Description>,
    dispose: () => machine.close(),
  }
}

interface Watched {
  readonly policy: Policy
  readonly maxClients: number
  readonly onEvent: MonitorConfig['onEvent']
  readonly now: () => number
}

function monitorOver(machine: MachineClient, { policy, maxClients, onEvent, now }: Watched): Monitor {
  // A mirror of the suspensions, so that `admit` needs no round trip.
  let suspended = new Map<string, number>()
  let streamMs = 0
  machine.onSuspensions = (list) => {
    suspended = new Map(list.map(({ client, untilMs }) => [client, untilMs]))
    streamMs = 0
  }

  return {
    policy,
    admit,
    async inspect(query, options = {}) {
      const [applied] = await machine.process([stamp(query, now, options)], false, options)
      return learn(applied)
    },
    async inspectBatch(queries, options = {}) {
      return (
        await machine.process(
          queries.map((query) => stamp(query, now, options)),
          true,
          options,
        )
      ).map(learn)
    },
    async suspend(client, forMs = policy.suspendForMs) {
      learn(await machine.apply({ kind: 'suspend', client, timeMs: now(), untilMs: now() + forMs }))
    },
    async release(client) {
      learn(await machine.apply({ kind: 'release', client, timeMs: now() }))
    },
    clients: () => machine.clients() as Promise<ClientSummary[]>,
    snapshot: () => machine.snapshot(),
    restore: (snapshot) => machine.restore(snapshot),
    reset: () => machine.reset(),
    describe: () => machine.describe() as Promise<MonitorDescription>,
    dispose: () => machine.close(),
  }

  function admit(client: string, timeMs = now()): Admission {
    checkClient(client)
    const untilMs = suspended.get(client)
    if (policy.mode === 'observe' || untilMs === undefined || untilMs <= Math.max(timeMs, streamMs))
      return { allowed: true }
    return { allowed: false, suspendedUntilMs: untilMs }
  }

  function learn(result: unknown): Verdict {
    const applied = result as MonitorApplied
    streamMs = Math.max(streamMs, applied.verdict?.timeMs ?? 0)
    for (const event of applied.events) {
      if (event.kind === 'suspended') mirror(event.client, event.untilMs, event.timeMs)
      if (event.kind === 'released') suspended.delete(event.client)
    }
    return announce(applied, onEvent)
  }

  /** As the monitor itself does: the newest last, and the oldest leave when they have ended or are too many. */
  function mirror(client: string, untilMs: number, timeMs: number): void {
    suspended.delete(client)
    suspended.set(client, untilMs)
    for (const [other, endMs] of suspended) {
      if (endMs > timeMs && suspended.size <= maxClients) break
      suspended.delete(other)
    }
  }
}
