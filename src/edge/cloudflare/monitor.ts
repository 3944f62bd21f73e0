/** The worker's side: takes features, asks the objects, and remembers who is suspended. */
import { isMonitorError, MonitorError, type PlainError, toMonitorError } from '../../core/index.ts'
import {
  type Admission,
  type ClientExport,
  type ClientSummary,
  checkClient,
  type Entry,
  type Policy,
  type QueryEntry,
  type Verdict,
} from '../../core/monitor/index.ts'
import { type CallOptions, type MonitorApplied, type Query, stamp } from '../../embed/index.ts'
import { keyedHash } from '../client/keyedHash.ts'
import { encodeEntry, plainEntry } from '../journal/record.ts'
import type { CloudflareSettings } from './config.ts'
import { Mirror } from './mirror.ts'
import { suspensionsKey } from './object.ts'
import type { CloudflareEnv, ObjectNamespace } from './platform.ts'
import { readReply, type ShardReply, type Suspensions } from './reply.ts'
import { featuresOf, globalEntry, hasGlobal, shardEntry } from './split.ts'

/** A monitor whose state lives in Durable Objects. Fits where the middleware takes a monitor. */
export interface CloudflareMonitor {
  readonly policy: Policy
  /**
   * Whether a client may ask. From the isolate's list, without a round trip; only where there is no list, or one older than
   * `staleMs`, everybody waits for one, and where it is older than `mirrorMs` one request does, or none if there is a
   * `waitUntil`. Rejects with `store_failed` if a list that is waited for cannot be had.
   */
  admit(client: string, timeMs?: number): Promise<Admission>
  /** Judges one query in the client's object. Rejects with `store_failed` if the object fails or is late. */
  inspect(query: Query, options?: CallOptions): Promise<Verdict>
  suspend(client: string, forMs?: number): Promise<void>
  release(client: string): Promise<void>
  /** Forgets one client in its object, and in the object's log. */
  erase(client: string): Promise<void>
  /** All that is held under a client's name; undefined where nothing is. */
  exportClient(client: string): Promise<ClientExport | undefined>
  /** Of all objects, those of one after those of another. */
  clients(): Promise<ClientSummary[]>
}

/** What an isolate has. */
export interface IsolateHost {
  readonly now: () => number
  readonly waitUntil: ((promise: Promise<unknown>) => void) | undefined
}

const KV_TTL_SECONDS = 30

/** The monitor of an isolate. */
export function monitorOf(env: CloudflareEnv, settings: CloudflareSettings, host: IsolateHost): CloudflareMonitor {
  const { now, waitUntil } = host
  const engine = featuresOf(settings)
  const { policy } = engine.describe()
  const shardHash = keyedHash(settings.key, 'config.key')
  const mirror = new Mirror()
  const everyShard = Array.from({ length: settings.shards }, (_, shard) => shard)
  checkBindings(env, hasGlobal(engine))

  return {
    policy,
    async admit(client, timeMs = now()) {
      checkClient(client)
      if (policy.mode === 'observe') return { allowed: true }
      const shard = shardOf(client)
      await refresh(shard)
      const untilMs = mirror.untilMs(shard, client)
      return untilMs === undefined || untilMs <= timeMs
        ? { allowed: true }
        : { allowed: false, suspendedUntilMs: untilMs }
    },
    async inspect(query, call = {}) {
      const entry = (await engine.featurize(stamp(query, now, call), call)) as QueryEntry
      const complete = await withGlobal(entry, call)
      return (await applyTo(shardOf(entry.client), complete, call)).verdict!
    },
    async suspend(client, forMs = policy.suspendForMs) {
      await applyTo(shardOf(client), { kind: 'suspend', client, timeMs: now(), untilMs: now() + forMs })
    },
    async release(client) {
      await applyTo(shardOf(client), { kind: 'release', client, timeMs: now() })
    },
    async erase(client) {
      await applyTo(shardOf(client), { kind: 'erase', client, timeMs: now() })
    },
    async exportClient(client) {
      const path = `/export?client=${encodeURIComponent(client)}`
      return (await ask<ClientExport | null>(env.MONITAUR_SHARD, nameOf(shardOf(client)), path)) ?? undefined
    },
    async clients() {
      const lists = everyShard.map((shard) => ask<ClientSummary[]>(env.MONITAUR_SHARD, nameOf(shard), '/clients'))
      return (await Promise.all(lists)).flat()
    },
  }

  function shardOf(client: string): number {
    checkClient(client)
    return Number.parseInt(shardHash('shard', client).slice(0, 8), 16) % settings.shards
  }

  async function withGlobal(entry: QueryEntry, call: CallOptions): Promise<QueryEntry> {
    const shared = globalEntry(entry, engine)
    if (shared === undefined) return entry
    let said: Verdict | PlainError
    try {
      const reply = await ask<ShardReply>(env.MONITAUR_GLOBAL!, 'global', '/apply', shared, call)
      said = reply.applied!.verdict!
    } catch (thrown) {
      if (call.signal?.aborted) throw thrown
      said = toMonitorError(thrown, 'store_failed').toJSON()
    }
    return shardEntry(entry, engine, said)
  }

  async function applyTo(shard: number, entry: Entry, call: CallOptions = {}): Promise<MonitorApplied> {
    const path = `/apply?known=${mirror.version(shard)}`
    const { applied, version, suspensions } = await ask<ShardReply>(
      env.MONITAUR_SHARD,
      nameOf(shard),
      path,
      entry,
      call,
    )
    mirror.learn(shard, version, suspensions, now())
    return applied!
  }

  /** A question that nobody waits for ends with its request, unless the host keeps it. */
  async function refresh(shard: number): Promise<void> {
    const ageMs = mirror.ageMs(shard, now())
    if (ageMs <= settings.mirrorMs) return
    if (ageMs > settings.staleMs) return load(shard)
    if (!mirror.mayAsk(shard, now(), settings.timeoutMs)) return
    const loaded = load(shard).catch(() => {}) // the old list will do for a while
    if (waitUntil === undefined) await loaded
    else waitUntil(loaded)
  }

  async function load(shard: number): Promise<void> {
    try {
      if (env.MONITAUR_KV !== undefined) {
        const text = await env.MONITAUR_KV.get(suspensionsKey(nameOf(shard)), { cacheTtl: KV_TTL_SECONDS })
        mirror.learn(shard, '', JSON.parse(text ?? '[]') as Suspensions, now())
        return
      }
      const path = `/suspensions?known=${mirror.version(shard)}`
      const { version, suspensions } = await ask<ShardReply>(env.MONITAUR_SHARD, nameOf(shard), path)
      mirror.learn(shard, version, suspensions, now())
    } catch (thrown) {
      throw toMonitorError(thrown, 'store_failed', 'object')
    } finally {
      mirror.asked(shard)
    }
  }

  async function ask<T>(
    objects: ObjectNamespace,
    name: string,
    path: string,
    entry?: Entry,
    { signal }: CallOptions = {},
  ): Promise<T> {
    const late = AbortSignal.timeout(settings.timeoutMs)
    const both = signal === undefined ? late : AbortSignal.any([late, signal])
    const body = entry && encodeEntry({ writer: 'worker', number: 1, entry: plainEntry(entry) })
    try {
      const object = objects.get(objects.idFromName(name) as never)
      const init = body === undefined ? { method: 'GET' } : { method: 'POST', body }
      return await readReply<T>(await object.fetch(`https://monitaur${path}`, { ...init, signal: both }))
    } catch (thrown) {
      if (isMonitorError(thrown)) throw thrown
      if (signal?.aborted) throw new MonitorError('aborted', 'was aborted by its signal', '', { cause: thrown })
      const why = late.aborted
        ? `did not answer within ${settings.timeoutMs} ms`
        : `failed: ${(thrown as Error).message}`
      throw new MonitorError('store_failed', `the object '${name}' ${why}`, 'object', { cause: thrown })
    }
  }
}

/** The name of a shard's object. */
function nameOf(shard: number): string {
  return `shard-${shard}`
}

function checkBindings(env: CloudflareEnv, needsGlobal: boolean): void {
  const names = ['MONITAUR_SHARD', ...(needsGlobal ? ['MONITAUR_GLOBAL'] : [])] as const
  const missing = names.find((name) => typeof env[name as keyof CloudflareEnv] !== 'object')
  if (missing === undefined) return
  throw new MonitorError(
    'bad_config',
    `bind a Durable Object namespace under this name, see deploy/wrangler.jsonc`,
    missing,
  )
}
