/// <reference types="vite/client" />
/** A page with the model store, and with workers that embed with models of a hub. */
import { isMonitorError } from '../../../src/core/index.ts'
import { type LoadModelOptions, loadModel } from '../../../src/embed/store/index.ts'
import type { Asked, Scenarios } from './hub.worker.ts'

let worker: Worker | undefined

/** What the test calls. */
const offered = {
  /** Runs a scenario in the worker, which is started if need be. */
  ask<Name extends keyof Scenarios>(
    name: Name,
    ...args: Parameters<Scenarios[Name]>
  ): Promise<Awaited<ReturnType<Scenarios[Name]>>> {
    worker ??= new Worker(new URL('./hub.worker.ts', import.meta.url), { type: 'module' })
    const mine = worker
    return new Promise((resolve, reject) => {
      mine.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.value))
      mine.onerror = ({ message }) => reject(new Error(message || 'the worker does not load'))
      mine.postMessage({ name, args } satisfies Asked)
    })
  },

  /** Ends the worker: the next scenario begins in a new realm, with nothing but what is kept. */
  restart(): void {
    worker?.terminate()
    worker = undefined
  },

  /** The digest of a loaded file, or the error; and what was warned. */
  async load(url: string, options: LoadModelOptions = {}) {
    const warnings: string[] = []
    try {
      const bytes = await loadModel(url, { ...options, onWarning: (message) => warnings.push(message) })
      return { length: bytes.length, last: bytes.at(-1), warnings }
    } catch (thrown) {
      if (!isMonitorError(thrown)) throw thrown
      return { error: `${thrown.code}: ${thrown.message}`, warnings }
    }
  },

  /** The keys of what the store keeps. */
  async kept(): Promise<string[]> {
    const cache = await caches.open('monitaur-models')
    return (await cache.keys()).map(({ url }) => url)
  },

  /** Changes the last byte of everything that is kept. */
  async spoil(): Promise<void> {
    const cache = await caches.open('monitaur-models')
    for (const request of await cache.keys()) {
      const response = (await cache.match(request))!
      const bytes = new Uint8Array(await response.arrayBuffer())
      bytes[bytes.length - 1]! ^= 1
      await cache.put(request, new Response(bytes, { headers: response.headers }))
    }
  },

  /** As a browser does that needs the room. */
  evict: (): Promise<boolean> => caches.delete('monitaur-models'),
}

export type Offered = typeof offered

declare global {
  var hub: Offered
}

globalThis.hub = offered
