/** The configuration of a monitor on Cloudflare. Worker and objects read the same one. */
import { checkNumber, checkObject } from '../../core/index.ts'
import type { StreamMonitorConfig } from '../../core/monitor/index.ts'
import { type AnyRegistry, fewParts, type Parts } from '../../embed/index.ts'
import type { Secret } from '../client/keyedHash.ts'

/** What may stand in a variable, as JSON. */
export interface CloudflareConfig extends StreamMonitorConfig {
  /**
   * Objects over which clients are spread by their names, 1 … 1024. One object judges some hundred queries a second.
   * Another number gives most clients another object, and so a new memory. Default 8.
   */
  readonly shards?: number
  /** Secret of at least 16 bytes in the choice of a client's object, so that nobody can aim at one. */
  readonly key?: Secret
  /** How old a worker's list of suspensions may be before it is asked for again, beside the request. Default 10 seconds. */
  readonly mirrorMs?: number
  /** How old it may be at most: a request then waits for it. Default one minute. */
  readonly staleMs?: number
  /** How long an object may take to answer. Default 5 seconds. */
  readonly timeoutMs?: number
  /** Time from a query to the snapshot that an alarm writes. Default 5 minutes. */
  readonly compactAfterMs?: number
  /** Clients not seen for so long are forgotten; 0 keeps them. Default 30 days. */
  readonly expireAfterMs?: number
  /** Entries after which a snapshot is written without waiting for the alarm. Default 1000. */
  readonly snapshotEvery?: number
}

/** What cannot stand in JSON. */
export interface CloudflareParts {
  /** Where names of detectors are looked up. Default: the built-in ones. */
  readonly registry?: AnyRegistry
  /** The picture descriptor, 115 kB: `async () => ({ embedPixels })`, from `monitaur/core`. Default: none. */
  readonly pictures?: Parts['pictures']
}

export interface CloudflareSettings {
  readonly monitor: StreamMonitorConfig
  readonly shards: number
  readonly key: Secret
  readonly mirrorMs: number
  readonly staleMs: number
  readonly timeoutMs: number
  readonly compactAfterMs: number
  readonly expireAfterMs: number
  readonly snapshotEvery: number
  readonly registry: AnyRegistry | undefined
  readonly parts: Parts
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const MAX_MS = 10 * 365 * DAY

/** Default, least and most of each number. */
const NUMBERS = {
  shards: [8, 1, 1024],
  mirrorMs: [10_000, 0, MAX_MS],
  staleMs: [MINUTE, 0, MAX_MS],
  timeoutMs: [5000, 1, 2 ** 31 - 1],
  compactAfterMs: [5 * MINUTE, 1, MAX_MS],
  expireAfterMs: [30 * DAY, 0, MAX_MS],
  snapshotEvery: [1000, 1, 1e9],
} as const

/** Every isolate must choose the same objects, so there is no random key. */
const NO_KEY = 'monitaur chooses a shard'

/** Checks what belongs to the host; the monitor's part is checked when it is made. Throws `bad_config`. */
export function checkCloudflare(
  given: unknown,
  { registry, pictures = fewParts.pictures }: CloudflareParts,
): CloudflareSettings {
  const names = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]
  const config = checkObject(given, ['detectors', 'clients', 'policy', 'key', ...names], 'config')
  const { detectors, clients, policy, key = NO_KEY } = config as Partial<CloudflareConfig>
  const numbers = Object.fromEntries(
    names.map((name) => {
      const [preset, min, max] = NUMBERS[name]
      return [name, checkNumber(config[name] ?? preset, { min, max, integer: true }, `config.${name}`)]
    }),
  ) as Record<keyof typeof NUMBERS, number>
  const monitor = {
    detectors: detectors as StreamMonitorConfig['detectors'],
    ...(clients === undefined ? {} : { clients }),
    ...(policy === undefined ? {} : { policy }),
  }
  return { monitor, key, registry, parts: { ...fewParts, pictures }, ...numbers }
}
