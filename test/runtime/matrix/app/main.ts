/** The page: does the work itself, or has a worker do it. */
import { type Offered, offered } from './offered.ts'

/** What the tests call. */
export interface Page {
  readonly matrix: { readonly here: Offered; readonly inWorker: Offered }
}

const inWorker = Object.fromEntries(
  Object.keys(offered).map((name) => [name, (...args: unknown[]) => ask(name, args)]),
) as unknown as Offered

function ask(name: string, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./matrix.worker.ts', import.meta.url), { type: 'module' })
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.onmessage = ({ data }) => {
      worker.terminate()
      if ('error' in data) reject(new Error(data.error))
      else resolve(data.result)
    }
    worker.postMessage({ name, args })
  })
}

Object.assign(globalThis, { matrix: { here: offered, inWorker } } satisfies Page)
