/** The page: starts a worker and hands its answer on. */
import type { Backend } from 'monitaur'
import type { BackendRun } from './run.ts'

export type RunInWorker = (backend: Backend, count: number) => Promise<BackendRun>

const runInWorker: RunInWorker = (backend, count) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./backend.worker.ts', import.meta.url), { type: 'module' })
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.onmessage = ({ data }) => {
      worker.terminate()
      if ('error' in data) reject(new Error(data.error))
      else resolve(data)
    }
    worker.postMessage({ backend, count })
  })

Object.assign(globalThis, { runInWorker })
