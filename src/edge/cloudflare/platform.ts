/** What of Cloudflare's platform is used, by its shape: no package with its types is needed. */
import type { SqlStorageLike } from '../stores/sql.ts'

/** `ctx` of a Durable Object with SQLite. */
export interface ObjectState {
  readonly id: { readonly name?: string }
  readonly storage: SqlStorageLike & {
    getAlarm(): Promise<number | null>
    setAlarm(timeMs: number): Promise<void>
  }
  blockConcurrencyWhile<T>(run: () => Promise<T>): Promise<T>
  waitUntil(promise: Promise<unknown>): void
}

/** A binding to Durable Objects of one class. */
export interface ObjectNamespace {
  idFromName(name: string): unknown
  get(id: never): { fetch(url: string, init: RequestInit): Promise<Response> }
}

/** A binding to a KV namespace. */
export interface KvNamespace {
  get(key: string, options: { readonly cacheTtl: number }): Promise<string | null>
  put(key: string, value: string): Promise<void>
}

/** The bindings, variables and secrets of the worker, by the names they must have. */
export interface CloudflareEnv {
  readonly MONITAUR_SHARD: ObjectNamespace
  /** Needed where a detector has `scope: 'global'`. */
  readonly MONITAUR_GLOBAL?: ObjectNamespace
  /** Suspensions are read from here where it is bound, from the shards where it is not. */
  readonly MONITAUR_KV?: KvNamespace
  /** What the default worker's callers must send as `authorization: Bearer …`. */
  readonly MONITAUR_TOKEN?: string
  /** The configuration's `key`. */
  readonly MONITAUR_KEY?: string
  /** A configuration, see {@link CloudflareConfig}. */
  readonly MONITAUR?: unknown
}
