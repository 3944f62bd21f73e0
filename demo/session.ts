/**
 * The monitor behind the page, in a Web Worker, with the log of what was asked: a new threshold makes a new monitor that
 * is told the same log. Knows nothing of the document.
 */
import { fromBytes, type PlainError, type Snapshot, toBytes, toMonitorError } from '../src/core/index.ts'
import type { MonitorDescription, Verdict } from '../src/core/monitor/index.ts'
import type {
  Capabilities,
  EmbedderDescription,
  LoadOptions,
  Monitor,
  MonitorConfig,
  Query,
} from '../src/embed/index.ts'
import { CLIENT, DEFAULTS, type Kind, monitorConfig, type Settings } from './config.ts'
import { Host } from './host.ts'
import { type Earlier, Mirror } from './mirror.ts'

/** One query as the page keeps it. */
export interface Item {
  readonly number: number
  readonly kind: Kind
  readonly input: Query['input']
  /** For the card: the text, a small picture (a data URL, '' if it could not be drawn), or the cells. */
  readonly excerpt: string
  readonly timeMs: number
}

/** What a visitor puts together. */
export type Draft = Pick<Item, 'kind' | 'input' | 'excerpt'>

/** A query and what became of it. */
export interface Judged {
  readonly item: Item
  /** From the page to the worker and back, when it was asked; waiting for other queries not included. */
  readonly ms: number
  readonly outcome:
    | { readonly state: 'verdict'; readonly verdict: Verdict; readonly earlier: ReadonlyMap<string, Earlier> }
    | { readonly state: 'failed'; readonly error: PlainError }
}

/** Beyond this many the oldest cards go. The detectors remember 100 of a kind, so what is kept is re-judged alike. */
const MOST_ITEMS = 400

/** One visit: everything happens in the order in which it was asked for. */
export class Session {
  readonly #onRestart: () => void
  #restarts = 0
  /** Started when first needed, so that it holds up nothing of what a page shows first. */
  #started: Host | undefined
  /** What texts are compared by; undefined: their wording. */
  #reader: EmbedderDescription | undefined
  #settings: Settings = DEFAULTS
  #live: Promise<Monitor> | undefined
  #mirror = new Mirror(DEFAULTS.radius)
  /** What the log continues: nothing, or a state that was loaded. */
  #base: Snapshot | undefined
  #judged: Judged[] = []
  #count = 0
  #tail: Promise<unknown> = Promise.resolve()
  /** A second monitor, for what is not asked yet. */
  #copy: Promise<Monitor> | undefined

  /** `onRestart` is called once another worker has taken over from one that died. */
  constructor(onRestart: () => void) {
    this.#onRestart = () => {
      this.#restarts++
      onRestart()
    }
  }

  get #host(): Host {
    this.#started ??= new Host({ onRestart: this.#onRestart })
    return this.#started
  }

  get #monitor(): Promise<Monitor> {
    this.#live ??= this.#host.monitors.createMonitor(this.config)
    return this.#live
  }

  /** What the monitor runs with. */
  get config(): MonitorConfig {
    return monitorConfig(this.#settings, this.#reader)
  }

  /** The model that texts are compared by; undefined: their wording. */
  get reader(): EmbedderDescription | undefined {
    return this.#reader
  }

  get settings(): Settings {
    return this.#settings
  }

  /** In the order of the questions. */
  get judged(): readonly Judged[] {
    return this.#judged
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Judges one query. What goes wrong is part of the answer. */
  ask(query: Draft): Promise<Judged> {
    return this.#inTurn(async () => {
      const item: Item = { ...query, number: ++this.#count, timeMs: Date.now() }
      const started = performance.now()
      const outcome = await this.#outcome(item)
      const judged = { item, ms: performance.now() - started, outcome }
      this.#judged = [...this.#judged, judged].slice(-MOST_ITEMS)
      return judged
    })
  }

  /** What the answer would be to a query that is not sent: nothing learns it, and it counts for nobody. */
  preview(query: Draft): Promise<Judged> {
    return this.#inTurn(async () => {
      const item: Item = { ...query, number: this.#count + 1, timeMs: Date.now() }
      const started = performance.now()
      const outcome = await this.#previewed(item)
      return { item, ms: performance.now() - started, outcome }
    })
  }

  async #previewed(item: Item): Promise<Judged['outcome']> {
    try {
      this.#copy ??= this.#host.monitors.createMonitor(this.config)
      const copy = await this.#copy
      await copy.restore(await (await this.#monitor).snapshot())
      const verdict = await copy.inspect(queryOf(item))
      return { state: 'verdict', verdict, earlier: this.#mirror.find(verdict) }
    } catch (thrown) {
      this.#copy = undefined
      return failed(thrown)
    }
  }

  async #outcome(item: Item): Promise<Judged['outcome']> {
    try {
      const verdict = await (await this.#monitor).inspect(queryOf(item))
      return { state: 'verdict', verdict, earlier: this.#mirror.note(item.number, verdict) }
    } catch (thrown) {
      return failed(thrown)
    }
  }

  /** Judges the whole log again under other settings. After an error the old ones stay in force. */
  rejudge(settings: Settings): Promise<readonly Judged[]> {
    return this.#inTurn(() => this.#replay(settings, this.#base, this.#judged))
  }

  /** Forgets everything. */
  reset(): Promise<unknown> {
    return this.#inTurn(async () => {
      await this.#replay(this.#settings, undefined, [])
      this.#count = 0
    })
  }

  /** The monitor as it is, for its operator. */
  describe(): Promise<MonitorDescription> {
    return this.#inTurn(async () => (await this.#monitor).describe())
  }

  /** The monitor's memory as bytes: the same that a server restores. */
  save(): Promise<Uint8Array> {
    return this.#inTurn(async () => toBytes(await (await this.#monitor).snapshot()))
  }

  /** Continues from such bytes; the page's own log is dropped. Gives the number of queries in the state. */
  load(bytes: Uint8Array): Promise<number> {
    return this.#inTurn(async () => {
      await this.#replay(this.#settings, fromBytes(bytes), [])
      return (await (await this.#monitor).describe()).counts.queries
    })
  }

  /** Ends the worker as a crash would, and waits until another one has taken over. */
  crash(): Promise<number> {
    return this.#inTurn(async () => {
      const { counts } = await (await this.#monitor).describe()
      this.#host.crash()
      const after = (await (await this.#monitor).describe()).counts
      if (after.queries !== counts.queries) throw new Error(`remembers ${after.queries} of ${counts.queries} queries`)
      return after.queries
    })
  }

  /**
   * Compares texts by this model from now on, or without one by their wording, and judges the log again. Loads in a worker
   * of its own; until it is ready, and if it cannot be had, all stays as it is.
   */
  async readBy(reader: EmbedderDescription | undefined, options: LoadOptions = {}): Promise<Capabilities | undefined> {
    const host = new Host({ mayLoadModel: reader !== undefined, onRestart: this.#onRestart })
    try {
      const next = await host.monitors.createMonitor(monitorConfig(this.#settings, reader))
      const capabilities = await next.warmup(options)
      await this.#inTurn(async () => {
        await this.#moveTo(next, { settings: this.#settings, base: this.#base, log: this.#judged })
        this.#started?.monitors.dispose()
        this.#started = host
        this.#reader = reader
      })
      return capabilities['text_similarity']
    } catch (thrown) {
      host.monitors.dispose()
      throw thrown
    }
  }

  /** Another monitor, told the state and the log; it takes over once it has judged all of it. */
  async #replay(settings: Settings, base: Snapshot | undefined, log: readonly Judged[]): Promise<readonly Judged[]> {
    const next = await this.#host.monitors.createMonitor(monitorConfig(settings, this.#reader))
    return this.#moveTo(next, { settings, base, log })
  }

  async #moveTo(
    next: Monitor,
    { settings, base, log }: { settings: Settings; base: Snapshot | undefined; log: readonly Judged[] },
  ): Promise<readonly Judged[]> {
    const mirror = new Mirror(settings.radius)
    try {
      if (base !== undefined) await next.restore(base)
      const asked = log.filter(({ outcome }) => outcome.state === 'verdict')
      const verdicts = await next.inspectBatch(asked.map(({ item }) => queryOf(item)))
      const byNumber = new Map(asked.map(({ item }, i) => [item.number, verdicts[i]!]))
      this.#judged = log.map((one) => {
        const verdict = byNumber.get(one.item.number)
        if (verdict === undefined) return one
        return { ...one, outcome: { state: 'verdict', verdict, earlier: mirror.note(one.item.number, verdict) } }
      })
    } catch (thrown) {
      await next.dispose().catch(() => {}) // the first error is the one to tell
      throw thrown
    }
    for (const old of [this.#live, this.#copy]) {
      old?.then((monitor) => monitor.dispose()).catch(() => {}) // an old monitor that cannot be closed harms nobody
    }
    this.#copy = undefined
    this.#live = Promise.resolve(next)
    this.#mirror = mirror
    this.#settings = settings
    this.#base = base
    return this.#judged
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(step)
    this.#tail = result.catch(() => {}) // told to its own caller; the next one goes on
    return result
  }
}

function failed(thrown: unknown): Judged['outcome'] {
  return { state: 'failed', error: toMonitorError(thrown, 'worker_lost').toJSON() }
}

function queryOf({ input, timeMs }: Item): Query {
  return { input, timeMs, client: CLIENT }
}
