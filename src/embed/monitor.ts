/** Several detectors over one stream of raw queries, per client. */
import { isPlainObject, type Snapshot } from '../core/index.ts'
import type {
  Admission,
  ClientExport,
  ClientSummary,
  MonitorDescription,
  MonitorEvent,
  Policy,
  StreamMonitorConfig,
  Verdict,
} from '../core/monitor/index.ts'
import { type AnyRegistry, featurizeAll } from './engine.ts'
import { createMonitorEngine } from './engines.ts'
import { type ModelEvent, type ModelHost, modelHost } from './models.ts'
import { type Applied, announce, stamp } from './monitorEngine.ts'
import { type CallOptions, Order, type OrderOptions } from './order.ts'
import type { Query } from './query.ts'

/** The monitor of raw queries. It is the same object in process and in front of a worker. */
export interface Monitor extends ModelHost {
  readonly policy: Policy
  /** Whether a client may ask now (or at `timeMs`), before the model runs: O(1), changes nothing. */
  admit(client: string, timeMs?: number): Admission
  /**
   * Judges one query and learns it. What one detector cannot judge stands in the verdict's `errors`; the call rejects
   * only for a query that is malformed as a whole, or that never reached the detectors (`aborted`, `overloaded` …).
   */
  inspect(query: Query, options?: CallOptions): Promise<Verdict>
  /** What `inspect` gives one by one, in order. */
  inspectBatch(queries: readonly Query[], options?: CallOptions): Promise<Verdict[]>
  /** Suspends a client by hand, for `forMs` from now. Default: the policy's length. */
  suspend(client: string, forMs?: number): Promise<void>
  /** Ends a suspension and clears the evidence. */
  release(client: string): Promise<void>
  /** Forgets one client: its memories, its evidence and its suspension. */
  erase(client: string): Promise<void>
  /** All that is held under a client's name; undefined where nothing is. */
  exportClient(client: string): Promise<ClientExport | undefined>
  /** The remembered clients, most recently seen last. */
  clients(): Promise<ClientSummary[]>
  snapshot(): Promise<Snapshot>
  restore(snapshot: Snapshot): Promise<void>
  reset(): Promise<void>
  describe(): Promise<MonitorDescription>
}

/** A detector of a monitor, with the options of its featurizer. */
export interface MonitorConfig extends StreamMonitorConfig {
  /** Called after each verdict and for everything that happens to a client. What it throws is the host's to handle. */
  readonly onEvent?: (event: MonitorHostEvent) => void
}

/** What a monitor tells its host. */
export type MonitorHostEvent = MonitorEvent | { readonly kind: 'verdict'; readonly verdict: Verdict } | ModelEvent

export interface MonitorHostOptions extends OrderOptions {
  /** Where names are looked up. Default: the built-in detectors. */
  readonly registry?: AnyRegistry
  /** The host's clock, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** A monitor: `createMonitor({ detectors: ['text_repetition'] })`. Throws `bad_config`. */
export function createMonitor(config: MonitorConfig, options: MonitorHostOptions = {}): Monitor {
  const { onEvent, ...rest } = isPlainObject(config) ? (config as unknown as MonitorConfig) : ({} as MonitorConfig)
  const now = options.now ?? Date.now
  const engine = createMonitorEngine(rest, { registry: options.registry, now })
  const order = new Order(options)
  const step = <R>(run: () => R) => order.run(async () => undefined, run)
  const tell = (applied: Applied) => announce(applied, onEvent)
  const { policy } = engine.describe()

  return {
    policy,
    admit: (client, timeMs = now()) => engine.stream.admit(client, timeMs),
    async inspect(query, call = {}) {
      const held = stamp(query, now, call)
      return order.run(
        () => engine.featurize(held, call),
        (entry) => tell(engine.apply(entry)),
        call,
      )
    },
    async inspectBatch(queries, call = {}) {
      const held = queries.map((query) => stamp(query, now, call))
      return order.run(
        () => featurizeAll(engine, held, call),
        (entries) => engine.applyBatch(entries).map(tell),
        call,
      )
    },
    async suspend(client, forMs = policy.suspendForMs) {
      await step(() => tell(engine.apply({ kind: 'suspend', client, timeMs: now(), untilMs: now() + forMs })))
    },
    async release(client) {
      await step(() => tell(engine.apply({ kind: 'release', client, timeMs: now() })))
    },
    async erase(client) {
      await step(() => tell(engine.apply({ kind: 'erase', client, timeMs: now() })))
    },
    exportClient: (client) => step(() => engine.stream.exportClient(client)),
    clients: () => step(engine.stream.clients),
    snapshot: () => step(engine.snapshot),
    restore: (snapshot) => step(() => engine.restore(snapshot)),
    reset: () => step(engine.reset),
    describe: () => step(engine.describe),
    ...modelHost(engine.models, onEvent, () => order.dispose()),
  }
}
