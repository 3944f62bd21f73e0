/**
 * The page's side: the same detectors and monitors as in process, with the work in a worker.
 *
 * Each machine keeps its last snapshot and the log of entries acknowledged since. A worker that dies is replaced by one
 * that is given both, so no acknowledged query is lost; those in flight are sent to it once more.
 */
import {
  type Builtins,
  type Description,
  type Detection,
  isPlainObject,
  type MetadataOf,
  MonitorError,
  refuse,
} from '../core/index.ts'
import {
  type Admission,
  type ClientSummary,
  checkClient,
  type MonitorDescription,
  type MonitorEvent,
  type Policy,
  type Suspension,
  toldOf,
  type Verdict,
} from '../core/monitor/index.ts'
import {
  type AsyncDetector,
  announce,
  type DetectorConfig,
  holdQuery,
  type InputOfSpec,
  type ModelEmbedder,
  type ModelEvent,
  type Monitor,
  type MonitorApplied,
  type MonitorConfig,
  splitName,
  stamp,
} from '../embed/index.ts'
import { Link, type LinkOptions, type WorkerLike } from './link.ts'
import { MachineClient } from './machine.ts'
import type { Endpoint, HostApi, MachineConfig } from './protocol.ts'
import { sharedCopyOf } from './transfer.ts'

export interface WorkerOptions extends LinkOptions {
  /**
   * Acknowledged entries after which the worker's state is fetched, so that the log stays short; later if the state is
   * more than eight times as large as they are. Default 256.
   */
  readonly snapshotEvery?: number
  /** Calls accepted and not yet settled; one more is refused as `overloaded`. Default 1024. */
  readonly maxPending?: number
  /**
   * Pictures go to the worker in shared memory where the page is isolated (`crossOriginIsolated`), and are copied elsewhere. An
   * embedder of your own then gets pixels whose `data` is shared: `ImageData` refuses those, their `slice()` is not shared.
   * Only with `startWorker`. Default false.
   */
  readonly shareMemory?: boolean
}

/** Options of one detector in a worker. */
export interface MachineOptions {
  /** As in process. */
  readonly onEvent?: (event: ModelEvent) => void
}

/** A worker full of detectors and monitors. */
export interface WorkerHost {
  /**
   * As in process. An embedder with a model is made again in the worker from its description; another function among
   * the options cannot cross: see `configure` of `serveWorker`.
   */
  getDetector<Name extends keyof Builtins & string>(
    name: Name,
    config?: DetectorConfig<Builtins[Name]>,
    options?: MachineOptions,
  ): AsyncDetector<InputOfSpec<Builtins[Name]>, MetadataOf<Builtins[Name]>>
  /** From JSON, also for detectors that only the worker's registry knows. */
  loadDetector(json: unknown, options?: MachineOptions): AsyncDetector
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
  // Whoever is on the other side need not be allowed to share memory with this page.
  return hostOver({ port }, { ...options, shareMemory: false })
}

function hostOver(source: (() => WorkerLike) | { readonly port: Endpoint }, options: WorkerOptions): WorkerHost {
  const { snapshotEvery = 256, maxPending = 1024, shareMemory = false, ...linkOptions } = options
  const copyPixels = shareMemory ? sharedCopyOf : undefined
  const machines = new Set<MachineClient>()
  const link = new Link(source, { lost, prepare }, linkOptions)
  let count = 0

  return {
    getDetector: (name, config, options) => detector(name, config ?? {}, options) as never,
    loadDetector(json, options) {
      const { name, config } = splitName(json)
      return detector(name, config, options)
    },
    async createMonitor(config, { now = Date.now } = {}) {
      const { onEvent, ...rest } = isPlainObject(config) ? (config as unknown as MonitorConfig) : ({} as MonitorConfig)
      const machine = add({ kind: 'monitor', config: rest as unknown as Record<string, unknown> })
      machine.onEvent = onEvent
      await machine.opened
      const { policy, clients } = (await machine.describe()) as MonitorDescription
      return monitorOver(machine, { policy, maxClients: clients.maxClients, onEvent, now, copyPixels })
    },
    get restarts() {
      return link.restarts
    },
    dispose: () => link.dispose(),
  }

  function lost(): void {
    for (const machine of machines) machine.lost()
  }

  async function prepare(api: HostApi): Promise<void> {
    for (const machine of machines) await machine.revive(api)
  }

  function detector(name: string, config: object, { onEvent }: MachineOptions = {}): AsyncDetector {
    const machine = add({ kind: 'detector', name, config: config as Record<string, unknown> })
    machine.onEvent = onEvent
    return detectorOver(name, machine, copyPixels)
  }

  function add(config: MachineConfig): MachineClient {
    const path = config.kind === 'monitor' ? 'monitor' : config.name
    const sent = { ...config, config: crossing(config.config, path) } as MachineConfig
    const machine = new MachineClient(`m${++count}`, sent, link, { snapshotEvery, maxPending }, () =>
      machines.delete(machine),
    )
    machines.add(machine)
    return machine
  }
}

/** Options as they can cross: an embedder with a model goes as its description, other functions are refused. */
function crossing(value: unknown, path: string): unknown {
  if (typeof value === 'function') {
    const { description } = value as Partial<ModelEmbedder<never>>
    if (description !== undefined) return description
    const remedy = 'add it in a worker script of your own: serveWorker(self, { configure })'
    throw new MonitorError('bad_config', `a function cannot cross into a worker; ${remedy}`, path)
  }
  if (Array.isArray(value)) return value.map((item, i) => crossing(item, `${path}[${i}]`))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, crossing(item, `${path}.${key}`)]))
}

type CopyPixels = ((data: ArrayBufferView) => unknown) | undefined

function detectorOver(name: string, machine: MachineClient, copyPixels: CopyPixels): AsyncDetector {
  return {
    name,
    async process(query, options = {}) {
      const [result] = await machine.process([holdQuery(query, options, copyPixels)], false, options)
      return result as Detection
    },
    async processBatch(queries, options = {}) {
      const { copy, buffer } = machine.copierFor(queries, options)
      const held = queries.map((query) => holdQuery(query, options, copyPixels, copy))
      return (await machine.process(held, true, options, buffer)) as Detection[]
    },
    snapshot: () => machine.snapshot(),
    restore: (snapshot) => machine.restore(snapshot),
    reset: () => machine.reset(),
    describe: () => machine.describe() as Promise<Description>,
    warmup: (options = {}) => machine.warmup(options),
    capabilities: () => machine.capabilities(),
    dispose: () => machine.close(),
  }
}

interface Watched {
  readonly policy: Policy
  readonly maxClients: number
  readonly onEvent: MonitorConfig['onEvent']
  readonly now: () => number
  readonly copyPixels: CopyPixels
}

function monitorOver(machine: MachineClient, { policy, maxClients, onEvent, now, copyPixels }: Watched): Monitor {
  // A mirror of the suspensions, so that `admit` needs no round trip.
  let suspended = new Map<string, Suspension>()
  let streamMs = 0
  machine.onSuspensions = (list) => {
    suspended = new Map(list.map(({ client, ...suspension }) => [client, suspension]))
    streamMs = 0
  }

  return {
    policy,
    admit,
    async inspect(query, options = {}) {
      const [applied] = await machine.process([stamp(query, now, options, copyPixels)], false, options)
      return learn(applied)
    },
    async inspectBatch(queries, options = {}) {
      const { copy, buffer } = machine.copierFor(queries, options)
      const held = queries.map((query) => stamp(query, now, options, copyPixels, copy))
      return (await machine.process(held, true, options, buffer)).map(learn)
    },
    async suspend(client, forMs = policy.suspendForMs) {
      learn(await machine.apply({ kind: 'suspend', client, timeMs: now(), untilMs: now() + forMs }))
    },
    async release(client) {
      learn(await machine.apply({ kind: 'release', client, timeMs: now() }))
    },
    async erase(client) {
      learn(await machine.apply({ kind: 'erase', client, timeMs: now() }))
      await machine.snapshot() // cuts the log, so that nothing of the client is left on this side either
    },
    exportClient: (client) => machine.exportClient(client),
    clients: () => machine.clients() as Promise<ClientSummary[]>,
    snapshot: () => machine.snapshot(),
    restore: (snapshot) => machine.restore(snapshot),
    reset: () => machine.reset(),
    describe: () => machine.describe() as Promise<MonitorDescription>,
    warmup: (options = {}) => machine.warmup(options),
    capabilities: () => machine.capabilities(),
    dispose: () => machine.close(),
  }

  function admit(client: string, timeMs = now()): Admission {
    checkClient(client)
    const suspension = suspended.get(client)
    const isOver = suspension === undefined || suspension.untilMs <= Math.max(timeMs, streamMs)
    return policy.mode === 'observe' || isOver ? { allowed: true } : { allowed: false, ...toldOf(suspension, policy) }
  }

  function learn(result: unknown): Verdict {
    const applied = result as MonitorApplied
    streamMs = Math.max(streamMs, applied.verdict?.timeMs ?? 0)
    for (const event of applied.events) {
      if (event.kind === 'suspended') mirror(event)
      if (event.kind === 'released') suspended.delete(event.client)
    }
    return announce(applied, onEvent)
  }

  /** As the monitor itself does: the newest last, and the oldest leave when they have ended or are too many. */
  function mirror({ client, untilMs, timeMs, reason }: MonitorEvent & { readonly kind: 'suspended' }): void {
    suspended.delete(client)
    suspended.set(client, { untilMs, sinceMs: reason === undefined ? null : timeMs })
    for (const [other, { untilMs: endMs }] of suspended) {
      if (endMs > timeMs && suspended.size <= maxClients) break
      suspended.delete(other)
    }
  }
}
