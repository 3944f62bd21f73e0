/**
 * The monitor behind the page, in a Web Worker, with the log of what was asked: a new threshold makes a new monitor that
 * is told the same log. Knows nothing of the document.
 */
import { fromBytes, type PlainError, type Snapshot, toBytes, toMonitorError } from '../src/core/index.ts'
import type { MonitorDescription, Verdict } from '../src/core/monitor/index.ts'
import type { Monitor, Query } from '../src/embed/index.ts'
import { startWorker, type WorkerHost } from '../src/worker/index.ts'
import { CLIENT, DEFAULTS, type Kind, monitorConfig, type Settings } from './config.ts'
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
  readonly #host: WorkerHost
  #worker: Worker | undefined
  #settings: Settings = DEFAULTS
  #monitor: Promise<Monitor>
  #mirror = new Mirror(DEFAULTS.radius)
  /** What the log continues: nothing, or a state that was loaded. */
  #base: Snapshot | undefined
  #judged: Judged[] = []
  #count = 0
  #tail: Promise<unknown> = Promise.resolve()
  /** A second monitor, for what is not asked yet. */
  #copy: Promise<Monitor> | undefined

  constructor(onRestart: (restarts: number) => void) {
    this.#host = startWorker(
      () => {
        this.#worker = new Worker(new URL('../workers/monitor.worker.ts', import.meta.url), { type: 'module' })
        return this.#worker
      },
      { onRestart: ({ restarts }) => onRestart(restarts) },
    )
    this.#monitor = this.#host.createMonitor(monitorConfig(DEFAULTS))
    this.#monitor.catch(() => {}) // told by the first query
  }

  get settings(): Settings {
    return this.#settings
  }

  /** In the order of the questions. */
  get judged(): readonly Judged[] {
    return this.#judged
  }

  get restarts(): number {
    return this.#host.restarts
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
      this.#copy ??= this.#host.createMonitor(monitorConfig(this.#settings))
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
      this.#worker?.terminate()
      // A worker that is ended from outside fires no event, so that without this the next call would wait for its timeout.
      this.#worker?.dispatchEvent(new ErrorEvent('error', { message: 'killed by the visitor' }))
      const after = (await (await this.#monitor).describe()).counts
      if (after.queries !== counts.queries) throw new Error(`remembers ${after.queries} of ${counts.queries} queries`)
      return after.queries
    })
  }

  /** Another monitor, told the state and the log; it takes over once it has judged all of it. */
  async #replay(settings: Settings, base: Snapshot | undefined, log: readonly Judged[]): Promise<readonly Judged[]> {
    const next = await this.#host.createMonitor(monitorConfig(settings))
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
    const previous = this.#monitor
    this.#monitor = Promise.resolve(next)
    this.#mirror = mirror
    this.#settings = settings
    this.#base = base
    for (const old of [previous, this.#copy]) {
      old?.then((monitor) => monitor.dispose()).catch(() => {}) // an old monitor that cannot be closed harms nobody
    }
    this.#copy = undefined
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
