/** A monitor on Cloudflare: everything that a worker's script exports. */
import { isPlainObject } from '../../core/index.ts'
import { type CloudflareConfig, type CloudflareParts, checkCloudflare } from './config.ts'
import { type CloudflareMonitor, monitorOf } from './monitor.ts'
import { MonitorObject } from './object.ts'
import type { CloudflareEnv, ObjectState } from './platform.ts'
import { answer } from './service.ts'
import { globalEngine, shardEngine } from './split.ts'

export interface CloudflareOptions extends CloudflareParts {
  /** The configuration, or how to find it in the environment. Default: the variable `MONITAUR`. */
  readonly config?: CloudflareConfig | ((env: CloudflareEnv) => unknown)
  /** The clock, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** `waitUntil` of `cloudflare:workers`: lists of suspensions are then refreshed beside the requests. */
  readonly waitUntil?: (promise: Promise<unknown>) => void
}

/** A class of Durable Objects, to be exported by the script under its name. */
export type ObjectClass = new (
  state: ObjectState,
  env: CloudflareEnv,
) => {
  fetch(request: Request): Promise<Response>
  alarm(): Promise<void>
}

export interface Cloudflare {
  /** The monitor of this isolate: `monitorFetch(handler, { monitor: monitor(env), … })`. Throws `bad_config`. */
  monitor(env: CloudflareEnv): CloudflareMonitor
  /** The default worker: `POST /v1/inspect` and the operator's routes, for callers with the token. */
  fetch(request: Request, env: CloudflareEnv): Promise<Response>
  readonly MonitorShard: ObjectClass
  readonly MonitorGlobal: ObjectClass
}

/**
 * `const { fetch, MonitorShard, MonitorGlobal } = cloudflare({ waitUntil })`. Each client has an object that judges its queries in order
 * and keeps their features in SQLite; see `deploy/wrangler.jsonc` for the bindings.
 */
export function cloudflare(options: CloudflareOptions = {}): Cloudflare {
  const { config, now = Date.now, waitUntil, ...parts } = options
  const settingsOf = (env: CloudflareEnv) => {
    const given = typeof config === 'function' ? config(env) : (config ?? env.MONITAUR)
    const { MONITAUR_KEY: key } = env
    return checkCloudflare(key === undefined || !isPlainObject(given) ? given : { ...given, key }, parts)
  }
  let made: CloudflareMonitor | undefined
  const monitor = (env: CloudflareEnv) => {
    made ??= monitorOf(env, settingsOf(env), { now, waitUntil })
    return made
  }
  return {
    monitor,
    fetch: (request, env) => answer(request, env, () => monitor(env)),
    MonitorShard: class MonitorShard extends MonitorObject {
      constructor(state: ObjectState, env: CloudflareEnv) {
        const settings = settingsOf(env)
        super(state, env, settings, shardEngine(settings))
      }
    },
    MonitorGlobal: class MonitorGlobal extends MonitorObject {
      constructor(state: ObjectState, env: CloudflareEnv) {
        const settings = settingsOf(env)
        super(state, env, settings, globalEngine(settings))
      }
    },
  }
}
