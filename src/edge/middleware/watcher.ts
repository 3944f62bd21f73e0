/** What the middleware watches with. */
import { MonitorError } from '../../core/index.ts'
import type { Admission, Policy, Verdict } from '../../core/monitor/index.ts'
import type { CallOptions, Query } from '../../embed/index.ts'

/** A monitor in this process (`createMonitor`, `durableMonitor`), or one that is asked over a network. */
export interface Watcher {
  readonly policy: Policy
  /** Whether a client may ask now, or at `timeMs`. */
  admit(client: string, timeMs?: number): Admission | Promise<Admission>
  /** Judges one query and learns it. */
  inspect(query: Query, options?: CallOptions): Promise<Verdict>
}

/** The promise, or a rejection with `timeout` after `timeoutMs`. What is late goes on, and may fail unheard. */
export async function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new MonitorError('timeout', `had no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  promise.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** By its shape: a promise of another realm, or of a remote call, is as good. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function'
}
