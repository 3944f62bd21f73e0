/** One watched model: its monitor, taken apart so that each phase can be timed and thresholds can change while it runs. */
import type { Observation, Snapshot } from '../../core/index.ts'
import type {
  Admission,
  ClientExport,
  ClientSummary,
  Entry,
  MonitorDescription,
  MonitorEvent,
  Policy,
  QueryEntry,
} from '../../core/monitor/index.ts'
import type { JournalEvent, JournalOptions, Stores } from '../../edge/index.ts'
import {
  type CallOptions,
  capabilitiesOfAll,
  createMonitorEngine,
  disposeAll,
  type LoadOptions,
  listenToAll,
  type ModelCapabilities,
  type ModelEvent,
  type MonitorApplied,
  type MonitorEngine,
  Order,
  type Query,
  warmupAll,
} from '../../embed/index.ts'
import { type ModelConfig, monitorOf } from '../config/config.ts'
import { isDistribution, isPlainError, type Judged, verdictOf } from './judged.ts'
import { type LogState, Memory } from './memory.ts'
import { takesProbabilities, type WatchedDetector, watchedDetectors } from './watched.ts'

export interface WatchOptions {
  /** ms since the epoch. */
  readonly now: () => number
  /** Told of what happens to clients, after the state has changed, and of the models of the embedders. */
  readonly onEvent: (model: string, event: MonitorEvent | ModelEvent) => void
  /** Where it keeps what it has acknowledged. Default: in memory only. */
  readonly stores?: (() => Promise<Stores>) | undefined
  readonly journal?: Pick<JournalOptions, 'retryMs' | 'snapshotEvery' | 'timeoutMs'> | undefined
  /** Told of the store. */
  readonly onJournal: (model: string, event: JournalEvent) => void
}

/** A monitor with a name. */
export class Watch {
  readonly name: string
  readonly #options: WatchOptions
  readonly #order = new Order({ maxPending: 8192 })
  /** Takes features. It stays the same for life, and so do the models of its embedders. */
  readonly #features: MonitorEngine
  readonly #deafen: () => void
  readonly #families: ReadonlyMap<string, string>
  readonly #needsProbabilitiesOnly: boolean
  /** Learns and judges. */
  readonly #memory: Memory
  #config: ModelConfig
  #detectors: readonly WatchedDetector[]

  /** Throws `bad_config`. */
  constructor(config: ModelConfig, options: WatchOptions) {
    this.name = config.name
    this.#options = options
    this.#config = config
    this.#features = createMonitorEngine(monitorOf(config), options)
    this.#memory = new Memory(this.#features, {
      stores: options.stores,
      journal: options.journal,
      onJournal: (event) => options.onJournal(this.name, event),
      onFollowed: ({ events }) => this.#tell(events),
    })
    this.#detectors = watchedDetectors(config, this.#features.stream.detectors)
    this.#families = new Map(this.#detectors.map(({ label, family }) => [label, family]))
    this.#needsProbabilitiesOnly = this.#detectors.every(takesProbabilities)
    this.#deafen = listenToAll(this.#features.models, (event) => options.onEvent(this.name, event))
  }

  /** Settles when its memory is there: queries wait for it. Rejects with what is wrong with the stores. */
  get opened(): Promise<void> {
    return this.#memory.opened
  }

  /** False until {@link opened} is settled. */
  get isOpen(): boolean {
    return this.#memory.isOpen
  }

  /** True while queries are refused because they cannot be written. */
  get isRefusing(): boolean {
    return this.#memory.isRefusing(this.#options.now())
  }

  /** How its log is; undefined where there is none. */
  describeLog(): LogState | undefined {
    return this.#memory.describeLog()
  }

  get detectors(): readonly WatchedDetector[] {
    return this.#detectors
  }

  /** The family of a detector, by its label. */
  familyOf(label: string): string {
    return this.#families.get(label) ?? ''
  }

  get config(): ModelConfig {
    return this.#config
  }

  get policy(): Policy {
    return this.#memory.engine.describe().policy
  }

  /** True if embedders have models, which take time to load. */
  get hasModels(): boolean {
    return this.#features.models.length > 0
  }

  /** True if somebody's own function may keep a query waiting. */
  get hasPlugins(): boolean {
    return this.#config.detectors.some((one) => typeof one === 'object' && ('embedder' in one || 'hash' in one))
  }

  /** Whether a client may ask now: O(1), changes nothing. Throws `bad_query` for what is no client's name. */
  admit(client: string): Admission {
    return this.#memory.admit(client, this.#options.now())
  }

  /** Judges one query, which is given away, in the order of the calls. Rejects for one that is malformed as a whole. */
  async inspect(query: Query, call: CallOptions = {}): Promise<Judged> {
    if (!this.isOpen) await this.opened
    const startMs = performance.now()
    let readyMs = startMs
    const stamped = { ...query, timeMs: this.#options.now() }
    const { judged } = await this.#order.run(
      async () => {
        const entry = await this.#features.featurize(stamped, call)
        readyMs = performance.now()
        return entry as QueryEntry // which is what queries become
      },
      // A promise in an object: later ones need not wait until this one is written.
      (entry) => ({ judged: this.#judge(entry, startMs, readyMs) }),
      call,
    )
    return judged
  }

  /** Learns an entry whose features were taken from `startMs` to `readyMs`, now that its turn has come. */
  async #judge(entry: QueryEntry, startMs: number, readyMs: number): Promise<Judged> {
    const errors = entry.observations.filter(isPlainError)
    const isUsable = entry.observations.some((one) => one !== null && !isPlainError(one))
    if (!isUsable) return { kind: 'refused', errors }
    const beginMs = performance.now()
    const judged = verdictOf(await this.#write(entry), { startMs, readyMs, beginMs })
    return this.#options.stores === undefined ? judged : { ...judged, logSeconds: judged.detectSeconds }
  }

  /** Learns an entry and tells what came of it. */
  async #write(entry: Entry): Promise<MonitorApplied> {
    const applied = await this.#memory.write(entry)
    this.#tell(applied.events)
    return applied
  }

  /** True if {@link inspectNow} can do anything. */
  get mayJudgeNow(): boolean {
    return this.#needsProbabilitiesOnly && this.#options.stores === undefined
  }

  /**
   * What {@link inspect} gives, at once: for detectors that look at the model's output only, and only while no earlier
   * call waits. Undefined, with nothing done, in all other cases. There are no features to take: what passes from
   * `startMs` on is time of the detectors.
   */
  inspectNow({ modelOutput, client = '', id }: Query, startMs: number): Judged | undefined {
    if (!this.mayJudgeNow || modelOutput === undefined || this.#order.pending > 0) return undefined
    if (!isDistribution(modelOutput)) return undefined // the long way says what is wrong
    // Not copied: the query is given away, and detectors keep nothing of what they look at.
    const observations = new Array<Observation>(this.#detectors.length).fill({ probabilities: modelOutput })
    const timeMs = this.#options.now()
    const entry: QueryEntry =
      id === undefined
        ? { kind: 'query', client, timeMs, observations }
        : { kind: 'query', client, id, timeMs, observations }
    const applied = this.#memory.engine.apply(entry)
    this.#tell(applied.events)
    return verdictOf(applied, { startMs, readyMs: startMs, beginMs: startMs })
  }

  /** Suspends a client for `forMs` from now. Default: the policy's length. */
  async suspend(client: string, forMs = this.policy.suspendForMs): Promise<number> {
    const timeMs = this.#options.now()
    const untilMs = timeMs + forMs
    await this.#inTurn(() => this.#write({ kind: 'suspend', client, timeMs, untilMs }))
    return untilMs
  }

  /** Ends a suspension and clears the evidence. */
  async release(client: string): Promise<void> {
    const timeMs = this.#options.now()
    await this.#inTurn(() => this.#write({ kind: 'release', client, timeMs }))
  }

  /** Forgets a client, in the stores too. */
  async erase(client: string): Promise<void> {
    const timeMs = this.#options.now()
    await this.#inTurn(() => this.#write({ kind: 'erase', client, timeMs }))
    await this.#inTurn(() => this.#memory.cutLog())
  }

  /** All that is held under a client's name, after all earlier calls. */
  exportClient(client: string): Promise<ClientExport | undefined> {
    return this.#inTurn(async () => this.#memory.engine.stream.exportClient(client))
  }

  clients(): ClientSummary[] {
    return this.#memory.engine.stream.clients()
  }

  suspensions(): readonly { readonly client: string; readonly untilMs: number }[] {
    return this.#memory.engine.stream.suspensions()
  }

  describe(): MonitorDescription {
    return this.#memory.engine.describe()
  }

  /** The state after all earlier calls. */
  snapshot(): Promise<Snapshot> {
    return this.#inTurn(() => this.#memory.snapshot())
  }

  /** Rejects with `bad_snapshot` and keeps its state if the snapshot does not fit. */
  restore(snapshot: Snapshot): Promise<void> {
    return this.#inTurn(() => this.#memory.restore(snapshot))
  }

  /** Other thresholds and another policy over the same state. Rejects with everything as it was. */
  reload(config: ModelConfig): Promise<void> {
    return this.#inTurn(() => {
      const next = createMonitorEngine(monitorOf(config), this.#options)
      return this.#memory.replace(next, () => {
        this.#config = config
        this.#detectors = watchedDetectors(config, next.stream.detectors)
      })
    })
  }

  capabilities(): Promise<ModelCapabilities> {
    return capabilitiesOfAll(this.#features.models)
  }

  /** Loads the models of the embedders. */
  warmup(options: LoadOptions = {}): Promise<ModelCapabilities> {
    return warmupAll(this.#features.models, options)
  }

  async dispose(): Promise<void> {
    this.#order.dispose()
    this.#deafen()
    await this.#memory.close()
    await disposeAll(this.#features.models)
  }

  #tell(events: readonly MonitorEvent[]): void {
    for (const event of events) this.#options.onEvent(this.name, event)
  }

  /** Behind all earlier calls, and before all later ones. */
  async #inTurn<R>(step: () => Promise<R>): Promise<R> {
    return this.#order.run(() => this.opened, step)
  }
}
