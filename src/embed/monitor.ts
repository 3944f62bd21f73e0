/** Several detectors over one stream of raw queries, per client. */
import {
  checkObject,
  createRegistry,
  isPlainObject,
  MonitorError,
  type Observation,
  type PlainError,
  type Snapshot,
  toMonitorError,
  withPath,
} from '../core/index.ts'
import {
  type Admission,
  type ClientSummary,
  createStreamMonitor,
  type Entry,
  type MonitorDescription,
  type MonitorEvent,
  type MonitoredDetector,
  type Policy,
  type QueryEntry,
  type StreamMonitor,
  type StreamMonitorConfig,
  type Verdict,
} from '../core/monitor/index.ts'
import { type AnyRegistry, type Engine, featurizeAll, splitConfig } from './engine.ts'
import { type Featurizer, QueryFeatures } from './featurize.ts'
import { type LabelledModel, type ModelEvent, type ModelHost, modelHost } from './models.ts'
import { type CallOptions, Order, type OrderOptions } from './order.ts'
import { checkQuery, holdQuery, type Query } from './query.ts'

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

/** What a monitor's engine gives for an entry. */
export interface Applied {
  readonly verdict?: Verdict
  readonly events: readonly MonitorEvent[]
}

export interface MonitorEngine extends Engine<Query, Entry, Applied, MonitorDescription> {
  readonly stream: StreamMonitor
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
    clients: () => step(engine.stream.clients),
    snapshot: () => step(engine.snapshot),
    restore: (snapshot) => step(() => engine.restore(snapshot)),
    reset: () => step(engine.reset),
    describe: () => step(engine.describe),
    ...modelHost(engine.models, onEvent, () => order.dispose()),
  }
}

/** The query as it is now, with the host's time where it brings none; not copied where the caller gives it away. */
export function stamp(query: Query, now: () => number, call: CallOptions): Query {
  const held = holdQuery(query, call)
  return held.timeMs === undefined ? { ...held, timeMs: now() } : held
}

/** Tells the host what happened, after the state has been changed, and gives the verdict. */
export function announce({ verdict, events }: Applied, onEvent: MonitorConfig['onEvent']): Verdict {
  if (verdict !== undefined) onEvent?.({ kind: 'verdict', verdict })
  for (const event of events) onEvent?.(event)
  return verdict as Verdict
}

/** The engine of a monitor. Throws `bad_config`. */
export function createMonitorEngine(
  config: StreamMonitorConfig,
  options: { readonly registry?: AnyRegistry | undefined; readonly now?: () => number } = {},
): MonitorEngine {
  const { registry = createRegistry(), now = Date.now } = options
  checkObject(config, ['detectors', 'clients', 'policy'], 'monitor')
  const slots = Array.isArray(config.detectors) ? config.detectors.map((given, i) => readSlot(given, i, registry)) : []
  const detectors = slots.length === 0 ? config.detectors : slots.map(({ core }) => core)
  const stream = createStreamMonitor({ ...config, detectors }, registry)
  const labels = stream.detectors.map(({ label }) => label)

  return {
    name: 'monitor',
    stream,
    featurize,
    apply: stream.apply,
    applyBatch: (entries) => entries.map((entry) => stream.apply(entry)),
    snapshot: stream.snapshot,
    restore: stream.restore,
    reset: stream.reset,
    describe: stream.describe,
    models: slots.flatMap(({ featurizer }, i): LabelledModel[] =>
      featurizer.model === undefined ? [] : [[labels[i]!, featurizer.model]],
    ),
  }

  async function featurize(query: Query, call: CallOptions): Promise<QueryEntry> {
    const features = new QueryFeatures(checkQuery(query))
    const found = await Promise.all(slots.map(({ featurizer }, i) => observe(featurizer, features, labels[i]!, call)))
    const observations = found.every((one) => one === null) ? labels.map(nothingApplies) : found
    const { client = '', id, timeMs = now() } = query
    return { kind: 'query', client, ...(id === undefined ? {} : { id }), timeMs, observations }
  }
}

function readSlot(
  given: unknown,
  index: number,
  registry: AnyRegistry,
): { featurizer: Featurizer; core: MonitoredDetector } {
  const path = `monitor.detectors[${index}]`
  if (typeof given !== 'string' && !isPlainObject(given)) {
    throw new MonitorError('bad_config', 'must be a name or { name, … }', path)
  }
  const { name, label, scope, ...config } = typeof given === 'string' ? { name: given } : given
  const { featurizer, options } = splitConfig(name, config, registry, path)
  const place = { ...(label === undefined ? {} : { label }), ...(scope === undefined ? {} : { scope }) }
  return { featurizer, core: { name, ...place, ...options } as MonitoredDetector }
}

/** The observation, null where the detector does not apply, or why it could not be had. An abort stops the whole query. */
async function observe(
  featurizer: Featurizer,
  features: QueryFeatures,
  label: string,
  call: CallOptions,
): Promise<Observation | PlainError | null> {
  if (!featurizer.applies(features.query)) return null
  try {
    return await featurizer.observe(features, call)
  } catch (thrown) {
    if (call.signal?.aborted) throw thrown
    return withPath(toMonitorError(thrown, 'embedder_failed'), label).toJSON()
  }
}

function nothingApplies(label: string): PlainError {
  const message = 'no detector of this monitor takes this kind of query; check input and modelOutput'
  return new MonitorError('bad_query', message, `${label}.input`).toJSON()
}
