/** What the routes of one server share: the watched models, and everything that counts, limits and tells. */
import { metrics as api, type Meter } from '@opentelemetry/api'
import { errorFromPlain, hint, isMonitorError, type Snapshot } from '../../core/index.ts'
import type { MonitorEvent, Verdict } from '../../core/monitor/index.ts'
import type { JournalEvent, JournalOptions, Stores } from '../../edge/index.ts'
import type { ModelEvent } from '../../embed/index.ts'
import type { ModelConfig, ServerConfig } from '../config/config.ts'
import { checkReload } from '../config/reload.ts'
import { Instruments, type MeasuredModel } from '../metrics/instruments.ts'
import { HttpError } from './errors.ts'
import { Gate } from './gate.ts'
import { Guard } from './guard.ts'
import { Hub } from './hub.ts'
import { DecisionLog, type LogRecord } from './log.ts'
import { Recent, summaryOf } from './recent.ts'
import { restoreAll, snapshotAll } from './state.ts'
import { Watch } from './watch.ts'

/** What runs here, for status and metrics. */
export interface Build {
  readonly version: string
  /** Such as `node 20.20.2`. */
  readonly runtime: string
}

/** A file that is served as it is, such as a part of the cockpit. */
export interface Asset {
  readonly type: string
  readonly body: string | Uint8Array<ArrayBuffer>
}

export interface ServerAppOptions {
  /** The complete configuration: what `checkConfig` returns. */
  readonly config: ServerConfig
  /** ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** Where metrics go. Default: the meter of OpenTelemetry's global provider, which is nowhere until one is registered. */
  readonly meter?: Meter
  /** The text of `/metrics`. Without it that route says 404. */
  readonly exposition?: () => Promise<string>
  /** Told of decisions (as many as the configuration says), of what happens to clients, and of failures. */
  readonly log?: (record: LogRecord) => void
  /**
   * True if only this machine can reach the server: the operator's routes are then open without a token, under a
   * loopback name. Default false.
   */
  readonly isLocal?: boolean
  /** Files by path; the one at `/` is the cockpit. */
  readonly assets?: ReadonlyMap<string, Asset>
  readonly build?: Build
  /**
   * Opens the stores of a model: every query is then in its log before it is answered, and a restart goes on exactly
   * there. They are closed with the app. Default: memory only.
   */
  readonly stores?: (model: string) => Promise<Stores>
  /** How their logs are kept. */
  readonly journal?: Pick<JournalOptions, 'retryMs' | 'snapshotEvery' | 'timeoutMs'>
}

const UNKNOWN: Build = { version: 'unknown', runtime: 'unknown' }

/** The state of a server apart from its routes. */
export class Service {
  readonly options: ServerAppOptions
  readonly watches: ReadonlyMap<string, Watch>
  /** The model of a request that names none. */
  readonly first: Watch
  readonly instruments: Instruments
  readonly gate: Gate
  readonly guard: Guard
  readonly hub: Hub
  readonly recent: ReadonlyMap<string, Recent>
  readonly now: () => number
  readonly startedMs: number
  readonly build: Build
  #config: ServerConfig
  #log: DecisionLog
  #isReady: boolean
  readonly #mayAnswerNow: boolean
  #backends: Readonly<Record<string, Readonly<Record<string, string>>>> = {}

  /** Throws `bad_config`. */
  constructor(options: ServerAppOptions) {
    const { config, now = Date.now, build = UNKNOWN } = options
    this.options = options
    this.now = now
    this.startedMs = now()
    this.build = build
    this.#config = config
    const onEvent = (model: string, event: MonitorEvent | ModelEvent) => this.#happened(model, event)
    const onJournal = (model: string, event: JournalEvent) => this.#stored(model, event)
    const made = config.models.map((model) => {
      const stores = options.stores && (() => options.stores!(model.name))
      return new Watch(model, { now, onEvent, onJournal, stores, journal: options.journal })
    })
    this.watches = new Map(made.map((watch) => [watch.name, watch]))
    this.first = made[0]!
    this.recent = new Map(made.map(({ name }) => [name, new Recent(config.limits)]))
    this.gate = new Gate(config.limits)
    this.guard = new Guard({ token: config.token, isLocal: options.isLocal ?? false, cors: config.cors })
    this.#log = new DecisionLog(config.log, now)
    this.#mayAnswerNow = made.some(({ mayJudgeNow }) => mayJudgeNow)
    this.#isReady = !made.some(({ hasModels }) => hasModels)
    this.hub = new Hub(config.limits, {
      onDrop: () => this.instruments.listenerDropped(),
      tick: () => this.#tick(),
    })
    this.instruments = new Instruments(options.meter ?? api.getMeter('monitaur'), {
      models: () => made.map((watch) => this.#measure(watch)),
      now,
      inFlight: () => this.gate.requests,
      cuts: () => this.gate.cuts,
      listeners: () => this.hub.size,
      build: { ...build },
    })
  }

  get config(): ServerConfig {
    return this.#config
  }

  /** True if some model judges queries without waiting. */
  get mayAnswerNow(): boolean {
    return this.#mayAnswerNow
  }

  /** True once the models of the embedders are loaded, and the memories read. */
  get isReady(): boolean {
    return this.#isReady && [...this.watches.values()].every(({ isOpen }) => isOpen)
  }

  /** True while some model's queries are refused because they cannot be written. */
  get isRefusing(): boolean {
    return [...this.watches.values()].some((watch) => watch.isRefusing)
  }

  /** Settles when all memories are read from their stores. Rejects with what is wrong with one. */
  async open(): Promise<void> {
    await Promise.all([...this.watches.values()].map(({ opened }) => opened))
  }

  /** The model of a name, or the first one. Throws 422. */
  watchOf(name: string | undefined, path = 'model'): Watch {
    if (name === undefined) return this.first
    const watch = this.watches.get(name)
    if (watch !== undefined) return watch
    const message = `no model is called ${JSON.stringify(name.slice(0, 64))}; ${hint(name, [...this.watches.keys()])}`
    throw new HttpError(422, 'bad_query', message, { path })
  }

  /** Counts, remembers and tells a verdict. */
  decided(watch: Watch, verdict: Verdict): void {
    this.recent.get(watch.name)!.add(verdict)
    if (this.hub.size > 0) {
      const data = () => ({ model: watch.name, client: verdict.client.id, ...summaryOf(verdict) })
      this.hub.publish('verdict', data, { isMany: true })
    }
    const { log } = this.options
    if (log === undefined) return
    const omitted = this.#log.take(verdict)
    if (omitted !== undefined) log({ kind: 'decision', model: watch.name, verdict, omitted })
  }

  /** Tells a failure of the server itself. */
  failed(thrown: unknown): void {
    this.options.log?.({ kind: 'failure', error: thrown })
  }

  /**
   * Other thresholds, policies, limits and log settings, with the state as it is. Rejects with `bad_config`, and changes
   * nothing, if anything else differs: that needs a restart. A configuration that cannot be loaded is counted here too.
   */
  async reload(given: ServerConfig | Promise<ServerConfig>): Promise<void> {
    let config: ServerConfig
    try {
      config = await given
      checkReload(this.#config, config)
      await this.#reloadModels(config.models)
    } catch (thrown) {
      this.instruments.reloaded('refused')
      throw thrown
    }
    this.#config = config
    this.gate.limits = config.limits
    this.#log = new DecisionLog(config.log, this.now)
    this.instruments.reloaded('ok')
    this.hub.publish('reload', () => ({ timeMs: this.now() }))
  }

  async #reloadModels(models: readonly ModelConfig[]): Promise<void> {
    const before = this.#config.models
    const done: ModelConfig[] = []
    try {
      for (const [i, model] of models.entries()) {
        await this.watches.get(model.name)!.reload(model)
        done.push(before[i]!)
      }
    } catch (thrown) {
      for (const model of done) await this.watches.get(model.name)!.reload(model)
      throw thrown
    }
  }

  /** The state of all models, after every query accepted so far. */
  snapshot(): Promise<Snapshot> {
    return snapshotAll(this.watches)
  }

  /** Continues from a snapshot. Rejects with `bad_snapshot` if it is of other models or detectors. */
  restore(snapshot: Snapshot): Promise<void> {
    return restoreAll(this.watches, snapshot)
  }

  /** Loads the models of all embedders, and learns what they run on. */
  async warmup(): Promise<void> {
    for (const watch of this.watches.values()) if (watch.hasModels) await watch.warmup()
    await this.#lookUpBackends()
    this.#isReady = true
  }

  async #lookUpBackends(): Promise<void> {
    const found = [...this.watches.values()].map(async (watch) => {
      const known = Object.entries(await watch.capabilities()).filter(([, { backend }]) => backend !== undefined)
      return [watch.name, Object.fromEntries(known.map(([label, { backend }]) => [label, backend as string]))] as const
    })
    this.#backends = Object.fromEntries(await Promise.all(found))
  }

  async dispose(): Promise<void> {
    this.hub.close()
    for (const watch of this.watches.values()) await watch.dispose()
  }

  backendsOf(model: string): Readonly<Record<string, string>> {
    return this.#backends[model] ?? {}
  }

  #measure(watch: Watch): MeasuredModel {
    const { calibratedAt } = watch.config
    return {
      name: watch.name,
      detectors: watch.detectors,
      description: watch.describe(),
      log: watch.describeLog(),
      calibratedMs: calibratedAt === undefined ? undefined : Date.parse(calibratedAt),
      backends: this.backendsOf(watch.name),
    }
  }

  #happened(model: string, event: MonitorEvent | ModelEvent): void {
    if (event.kind === 'progress') return
    if (event.kind === 'backendchange') {
      this.instruments.backendChanged(model, event)
      this.#lookUpBackends().catch((thrown: unknown) => this.failed(thrown))
    } else {
      this.instruments.happened(model, event)
    }
    this.hub.publish(event.kind, () => ({ model, ...event }), { isMany: event.kind === 'evicted' })
    if (event.kind !== 'evicted') this.options.log?.({ kind: 'event', model, event })
  }

  #stored(model: string, event: JournalEvent): void {
    this.hub.publish(event.kind, () => ({ model, ...event }))
    const { log } = this.options
    if (event.kind === 'store_recovered') log?.({ kind: 'event', model, event })
    else this.failed(errorFromPlain(event.error))
  }

  /** What listeners hear each second. */
  #tick() {
    const models = [...this.watches.values()].map((watch) => {
      const { counts, clients } = watch.describe()
      const { active, suspended, bytes } = clients
      const decisions = this.instruments.decisionsOf(watch.name)
      return { name: watch.name, counts, decisions, active, suspended, bytes }
    })
    return { timeMs: this.now(), models, inFlight: this.gate.requests }
  }
}

/** True for what the server itself got wrong. */
export function isBug(thrown: unknown): boolean {
  return !(thrown instanceof HttpError) && !isMonitorError(thrown)
}
