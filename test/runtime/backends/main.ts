/** The page: starts a worker and hands its answer on. */
import type { Backend } from 'monitaur'
import { firstRun, firstVerdict } from './first.ts'
import type { PrebuiltRun } from './prebuilt.ts'
import type { BackendRun, GoldenPicture } from './run.ts'

export interface Offered {
  readonly runInWorker: RunInWorker
  readonly prebuiltWorker: () => Promise<PrebuiltRun>
  readonly firstRun: typeof firstRun
  readonly firstVerdict: typeof firstVerdict
}

export type RunInWorker = (backend: Backend, count: number, golden: readonly GoldenPicture[]) => Promise<BackendRun>

const runInWorker: RunInWorker = (backend, count, golden) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./backend.worker.ts', import.meta.url), { type: 'module' })
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.onmessage = ({ data }) => {
      worker.terminate()
      if ('error' in data) reject(new Error(data.error))
      else resolve(data)
    }
    worker.postMessage({ backend, count, golden })
  })

// Apart, so that the pages whose loading is timed load nothing else.
const prebuiltWorker = async () => (await import('./prebuilt.ts')).prebuiltWorker()

Object.assign(globalThis, { runInWorker, prebuiltWorker, firstRun, firstVerdict } satisfies Offered)
