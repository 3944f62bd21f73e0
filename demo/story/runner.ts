/**
 * The story's worker, as the page holds it. A run is its settings: if the worker dies in the middle, the next one plays the
 * same run, and what was told before is passed over.
 */
import { errorFromPlain, MonitorError, type Snapshot } from '../../src/core/index.ts'
import type { StoryConfig, StoryEvent } from './events.ts'
import type { AskState, BackendName, BackendReport, FromWorker, Play, StateAnswer } from './protocol.ts'

export interface WorkerLike {
  postMessage(message: Play | AskState): void
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
  #requests = 0
  readonly #waiting = new Map<number, (answer: StateAnswer) => void>()
  /** Since the page was opened. */
  restarts = 0

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Begins a run, from a state or from nothing; an earlier one is dropped. */
  play(config: StoryConfig, backend: BackendName, base?: Snapshot): void {
    this.#asked = { config, backend, base }
    this.#told = 0
    this.#deaths = 0
    this.#send()
  }

  /** The monitor's state after so many queries of the run. Rejects where there is none. */
  save(queries: number): Promise<Snapshot> {
    return this.#ask((request) => ({ kind: 'save', id: this.#id, request, queries }))
  }

  /** Rejects with `bad_snapshot` for a state that no run can go on from. */
  check(base: Snapshot): Promise<Snapshot> {
    return this.#ask((request) => ({ kind: 'check', id: this.#id, request, base }))
  }

  #ask(say: (request: number) => AskState): Promise<Snapshot> {
    const request = ++this.#requests
    this.#worker ??= this.#begin()
    this.#worker.postMessage(say(request))
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, (answer) =>
        answer.ok ? resolve(answer.snapshot) : reject(errorFromPlain(answer.error)),
      )
    })
  }

  #answer(request: number, answer: StateAnswer): void {
    this.#waiting.get(request)?.(answer)
    this.#waiting.delete(request)
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
    if (message.kind === 'state') {
      this.#answer(message.request, message.answer)
      return
    }
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
    const error = new MonitorError('worker_lost', `${message}; try again`).toJSON()
    for (const request of this.#waiting.keys()) this.#answer(request, { ok: false, error })
    if (++this.#deaths > PATIENCE) {
      this.#options.onFailed(message)
      return
    }
    if (this.#asked !== undefined && !this.#isDone) this.#send()
    this.#options.onRestart(this.restarts)
  }
}
