/**
 * The story's worker, as the page holds it. A run is its settings: if the worker dies in the middle, the next one plays the
 * same run, and what was told before is passed over.
 */
import type { StoryConfig, StoryEvent } from './events.ts'
import type { BackendName, BackendReport, FromWorker, Play } from './protocol.ts'

export interface WorkerLike {
  postMessage(message: Play): void
  terminate(): void
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
}

export interface RunnerOptions {
  readonly make: () => WorkerLike
  /** A new run has begun; what comes from now on belongs to it. */
  readonly onEvents: (events: readonly StoryEvent[]) => void
  readonly onReport: (report: BackendReport) => void
  readonly onProgress: (share: number, phase: string) => void
  /** The run cannot go on: a backend that is not there, or a worker that dies again and again. */
  readonly onFailed: (message: string) => void
  readonly onRestart: (restarts: number) => void
}

/** Deaths of the worker in one run after which it is given up. */
const PATIENCE = 3

export class Runner {
  readonly #options: RunnerOptions
  #worker: WorkerLike | undefined
  #id = 0
  #asked: Omit<Play, 'id' | 'kind'> | undefined
  /** Events of this run that were passed on, and how many of the next ones are known. */
  #told = 0
  #skip = 0
  #isDone = false
  #deaths = 0
  /** Since the page was opened. */
  restarts = 0

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Begins a run; an earlier one is dropped. */
  play(config: StoryConfig, backend: BackendName): void {
    this.#asked = { config, backend }
    this.#told = 0
    this.#deaths = 0
    this.#send()
  }

  /** Ends the worker as a crash would. Gives how many events had been told by then. */
  crash(): number {
    this.#died('killed by the visitor')
    return this.#told
  }

  #send(): void {
    this.#skip = this.#told
    this.#isDone = false
    this.#worker ??= this.#begin()
    this.#worker.postMessage({ kind: 'play', ...this.#asked!, id: ++this.#id })
  }

  #begin(): WorkerLike {
    const worker = this.#options.make()
    worker.onmessage = ({ data }) => this.#take(data)
    worker.onerror = (event) => this.#died(event.message || 'the worker cannot be loaded')
    return worker
  }

  #take(message: FromWorker): void {
    if (message.id !== this.#id) return
    const { onReport, onProgress, onFailed } = this.#options
    if (message.kind === 'events') this.#tell(message.events)
    else if (message.kind === 'backend') onReport(message.report)
    else if (message.kind === 'progress') onProgress(message.share, message.phase)
    else if (message.kind === 'failed') {
      this.#isDone = true
      onFailed(message.message)
    }
  }

  #tell(events: readonly StoryEvent[]): void {
    const fresh = events.slice(this.#skip)
    this.#skip = Math.max(0, this.#skip - events.length)
    this.#told += fresh.length
    if (fresh.at(-1)?.kind === 'done') this.#isDone = true
    if (fresh.length > 0) this.#options.onEvents(fresh)
  }

  #died(message: string): void {
    this.#worker?.terminate()
    this.#worker = undefined
    this.restarts++
    if (++this.#deaths > PATIENCE) {
      this.#options.onFailed(message)
      return
    }
    if (this.#asked !== undefined && !this.#isDone) this.#send()
    this.#options.onRestart(this.restarts)
  }
}
