/** A Web Worker full of monitors, as the page holds it. */
import { startWorker, type WorkerHost } from '../src/worker/index.ts'
import workerUrl from '../workers/monitor.worker.ts?worker&url'

export interface HostOptions {
  /**
   * Whether it may load a model from elsewhere. The address of such a worker ends in `?model`, so that a server can give
   * it a policy of its own, and none of the others leave to load anything.
   */
  readonly mayLoadModel?: boolean
  readonly onRestart: () => void
}

export class Host {
  readonly monitors: WorkerHost
  #worker: Worker | undefined

  constructor({ mayLoadModel = false, onRestart }: HostOptions) {
    const url = mayLoadModel ? `${workerUrl}?model` : workerUrl
    this.monitors = startWorker(
      () => {
        this.#worker = new Worker(url, { type: 'module' })
        return this.#worker
      },
      { onRestart },
    )
  }

  /** Ends the worker as a crash would; another one takes over. */
  crash(): void {
    this.#worker?.terminate()
    // A worker that is ended from outside fires no event, so that without this the next call would wait for its timeout.
    this.#worker?.dispatchEvent(new ErrorEvent('error', { message: 'killed by the visitor' }))
  }
}
