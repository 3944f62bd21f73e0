/** What a request may cost. A larger one is refused with 413 or 422, one too many with 429 or 503. */
import { checkNumber, checkObject } from '../../core/index.ts'

export interface ServerLimits {
  /** Bytes of a body, and of one line of a stream. Default 16 MiB. */
  readonly maxBodyBytes: number
  /** Bytes of all bodies being read or judged at a time. Default 256 MiB. */
  readonly maxBytesInFlight: number
  /** Pixels of a picture, looked up before it is decoded. Default 40 million. */
  readonly maxPixels: number
  /** Queries of one batch. Default 1000. */
  readonly maxBatch: number
  /** Objects and lists inside each other. Default 32. */
  readonly maxDepth: number
  /** Bytes of a request's headers. Default 16 KiB. */
  readonly maxHeaderBytes: number
  /** Requests at a time; one more gets 503. Default 512. */
  readonly maxConcurrent: number
  /** Connections at a time; one more ends the oldest that has asked nothing yet, or is refused. Default 4096. */
  readonly maxConnections: number
  /** Queries of one named client at a time; one more gets 429. Default 64. */
  readonly maxPerClient: number
  /** For judging one query, once it is there. Default 30 s. */
  readonly timeoutMs: number
  /** For a request to arrive completely, a stream of lines included. Default 5 minutes. */
  readonly receiveTimeoutMs: number
  /** For the requests under way when the server is told to stop. Default 10 s. */
  readonly shutdownMs: number
  /** Listeners of events at a time. Default 32. */
  readonly maxListeners: number
  /** Events that wait for a slow listener before it is dropped. Default 256. */
  readonly listenerQueue: number
  /** Verdicts of single queries told to listeners each second; the rest is only counted. Default 100. */
  readonly maxEventsPerSecond: number
  /** Verdicts remembered of each client. Default 20. */
  readonly recentPerClient: number
  /** Clients whose verdicts are remembered. Default 1000. */
  readonly recentClients: number
}

export type LimitsConfig = Partial<ServerLimits>

const KIB = 1024
const MIB = KIB * KIB

/** Default, least and most of each. */
const RANGES: Readonly<Record<keyof ServerLimits, readonly [preset: number, min: number, max: number]>> = {
  maxBodyBytes: [16 * MIB, KIB, 512 * MIB],
  maxBytesInFlight: [256 * MIB, KIB, 2 ** 40],
  maxPixels: [40_000_000, 1, 2 ** 32],
  maxBatch: [1000, 1, 100_000],
  maxDepth: [32, 2, 1000],
  maxHeaderBytes: [16 * KIB, KIB, MIB],
  maxConcurrent: [512, 1, 100_000],
  maxConnections: [4096, 1, 1_000_000],
  maxPerClient: [64, 1, 100_000],
  timeoutMs: [30_000, 1, 3_600_000],
  receiveTimeoutMs: [300_000, 1000, 86_400_000],
  shutdownMs: [10_000, 0, 600_000],
  maxListeners: [32, 0, 10_000],
  listenerQueue: [256, 1, 100_000],
  maxEventsPerSecond: [100, 0, 100_000],
  recentPerClient: [20, 0, 1000],
  recentClients: [1000, 0, 1_000_000],
}

/** Checks the limits and fills their gaps. Throws `bad_config`. */
export function checkLimits(given: LimitsConfig = {}, path = 'limits'): ServerLimits {
  const limits = checkObject(given, Object.keys(RANGES), path)
  return Object.fromEntries(
    Object.entries(RANGES).map(([key, [preset, min, max]]) => {
      return [key, checkNumber(limits[key] ?? preset, { min, max, integer: true }, `${path}.${key}`)]
    }),
  ) as unknown as ServerLimits
}
