/** Where the state of a server is kept: a file, a log of its own, or a log in Redis that several servers share. */
import { checkChoice, checkNumber, checkObject, MonitorError, refuse } from '../../core/index.ts'
import { checkSecret, checkText } from './text.ts'

export interface StateConfig {
  /** Where the state is kept over a restart. Default: nowhere. */
  readonly file?: string
  /**
   * A folder for a log of every query (its features) in place of a file: what was answered is then remembered even after a
   * crash. Default: none.
   */
  readonly journal?: string
  /** A log in Redis in place of both: all servers with the same one judge as one. Default: none. */
  readonly redis?: RedisConfig
  /**
   * What the file or the journal is sealed with, at least 16 characters: names of clients and features can then be read and
   * forged only with it. Default: they are written as they are. What Redis holds is always sealed, by `redis.secret`.
   */
  readonly secret?: string
  /** When an entry of the journal counts as written, see `fileStores`. Default `always`. */
  readonly sync: 'always' | 'interval'
  /** Seconds between two writes of the file while the server runs; 0 writes at the end only. Default 300. */
  readonly everySeconds: number
}

export interface RedisConfig {
  /** `redis://[user:password@]host:port/db`, or `rediss://` for TLS. Redis 7 or newer. */
  readonly url: string
  /** What everything in Redis is sealed with, the same for all servers, at least 16 characters. */
  readonly secret: string
  /** In front of every key. Default `monitaur`. */
  readonly prefix: string
  /**
   * Which part of the clients these servers serve: servers of the same shard share a log. What stands before them must send
   * a client always to the same shard. Default: all clients, one log.
   */
  readonly shard?: string
  /** How long a command may take. Default 2000. */
  readonly timeoutMs: number
  /** Time between two attempts to reach a Redis that failed. Default 250. */
  readonly retryMs: number
  /** Entries after which a snapshot is due. Default 10 000. */
  readonly snapshotEvery: number
  /** Entries that stay in the log behind a snapshot, for servers that are a little behind. Default 10 000. */
  readonly keepEntries: number
}

/** As a file says it. */
export type StateInput = Partial<Omit<StateConfig, 'redis'>> & {
  readonly redis?: Partial<RedisConfig> & Pick<RedisConfig, 'url'>
}

const KEYS = ['file', 'journal', 'redis', 'secret', 'sync', 'everySeconds']
const PLACES = ['file', 'journal', 'redis'] as const
const REDIS_KEYS = ['url', 'secret', 'prefix', 'shard', 'timeoutMs', 'retryMs', 'snapshotEvery', 'keepEntries']

/** Checks it and fills its gaps. Throws `bad_config`. */
export function checkState(given: unknown): StateConfig {
  const state = checkObject(given, KEYS, 'state')
  const { file, journal, redis, secret, sync = 'always', everySeconds = 300 } = state
  const [first, second] = PLACES.filter((key) => state[key] !== undefined)
  if (second !== undefined) {
    const message = `must not stand beside state.${first}: it keeps everything; leave one of them out`
    throw new MonitorError('bad_config', message, `state.${second}`)
  }
  return {
    ...(file === undefined ? {} : { file: checkText(file, 'state.file', 4096) }),
    ...(journal === undefined ? {} : { journal: checkText(journal, 'state.journal', 4096) }),
    ...(redis === undefined ? {} : { redis: checkRedis(redis) }),
    ...(secret === undefined ? {} : { secret: checkSecret(secret, 'state.secret') }),
    sync: checkChoice(sync, ['always', 'interval'], 'state.sync'),
    everySeconds: checkNumber(everySeconds, { min: 0, max: 86_400 }, 'state.everySeconds'),
  }
}

function checkRedis(given: unknown): RedisConfig {
  const redis = checkObject(given, REDIS_KEYS, 'state.redis')
  const number = (key: string, preset: number, range: { min: number; max: number }) => {
    return checkNumber(redis[key] ?? preset, { ...range, integer: true }, `state.redis.${key}`)
  }
  return {
    url: checkUrl(redis['url']),
    secret: secretOf(redis['secret']),
    prefix: checkName(redis['prefix'] ?? 'monitaur', 'prefix'),
    ...(redis['shard'] === undefined ? {} : { shard: checkName(redis['shard'], 'shard') }),
    timeoutMs: number('timeoutMs', 2000, { min: 10, max: 60_000 }),
    retryMs: number('retryMs', 250, { min: 1, max: 60_000 }),
    snapshotEvery: number('snapshotEvery', 10_000, { min: 1, max: 1e9 }),
    keepEntries: number('keepEntries', 10_000, { min: 0, max: 1e9 }),
  }
}

/** It may hold a password, and is never told. */
function checkUrl(url: unknown): string {
  if (typeof url === 'string' && /^rediss?:\/\/./.test(url) && URL.canParse(url)) return url
  const message = 'must be an address such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0'
  throw new MonitorError('bad_config', message, 'state.redis.url')
}

function secretOf(secret: unknown): string {
  if (secret !== undefined) return checkSecret(secret, 'state.redis.secret')
  const message = 'must be given, the same for all servers: set MONITAUR_REDIS_SECRET or MONITAUR_REDIS_SECRET_FILE'
  throw new MonitorError('bad_config', message, 'state.redis.secret')
}

function checkName(given: unknown, key: 'prefix' | 'shard'): string {
  const path = `state.redis.${key}`
  const text = checkText(given, path, 32)
  return /^[\w.-]+$/.test(text) ? text : refuse('bad_config', 'must be letters, digits, _ . or -', text, path)
}
