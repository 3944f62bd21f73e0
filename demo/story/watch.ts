/** The watch over all lanes: a monitor that suspends who follows the answers, and a check for likeness to compare. */
import {
  type AnswerFollowingMetadata,
  createDetector,
  pictureVector,
  type Snapshot,
  softmax,
} from '../../src/core/index.ts'
import { createStreamMonitor, type MonitorDescription, type QueryEntry } from '../../src/core/monitor/index.ts'
import type { Picture } from '../../src/eval/index.ts'
import { DIGIT_SHAPE } from './drawnDigits.ts'
import type { Near, Watched } from './events.ts'
import { type WatchScope, watchConfig } from './watchConfig.ts'

/** The stream begins at this time; its own clock counts on from there. */
const START_MS = Date.UTC(2026, 0, 1)
/** Earlier queries of a lane among which the nearest is looked for. */
const LOOKED_AT = 64

export interface Seen {
  readonly score: number
  readonly isSuspicious: boolean
  readonly isSuspended: boolean
  readonly reason: string
  readonly following: AnswerFollowingMetadata
  readonly isAlike: boolean
  readonly nearest: Near | null
  readonly watched: Omit<Watched, 'detectMs'>
}

/** Who asks, as the monitor knows them. */
export interface Asker {
  readonly lane: number
  /** Of one who asks from several; 0 is the first. */
  readonly account?: number
}

export interface Watch {
  /** False while the client is suspended. */
  admits(asker: Asker, timeMs: number): boolean
  see(
    query: Asker & {
      readonly timeMs: number
      readonly input: Picture
      readonly logits: Float32Array
    },
  ): Seen
  /** The monitor as it is now. */
  describe(): MonitorDescription
  /** The monitor's state as it was after so many queries; made by telling another monitor the same log. Throws for more than there were. */
  stateAt(queries: number): Snapshot
}

export interface WatchOptions {
  readonly protection: boolean
  /** Default `client`. */
  readonly scope?: WatchScope | undefined
  /** A state to go on from. Default: none. */
  readonly base?: Snapshot | undefined
}

/**
 * One monitor over all lanes; what `protection` and `scope` mean stands in {@link watchConfig}.
 * Throws `bad_snapshot` for a base of other detectors.
 */
export function createWatch(lanes: number, { protection, scope = 'client', base }: WatchOptions): Watch {
  const begin = () => {
    const made = createStreamMonitor(watchConfig(protection, scope))
    if (base !== undefined) made.restore(base)
    return made
  }
  const monitor = begin()
  const log: QueryEntry[] = []
  const likeness = Array.from({ length: lanes }, () => createDetector('similarity'))
  const earlier = Array.from({ length: lanes }, (): Picture[] => [])

  return {
    admits: (asker, timeMs) => monitor.admit(clientOf(asker), START_MS + timeMs).allowed,
    see({ lane, account = 0, timeMs, input, logits }) {
      const pixels = { ...DIGIT_SHAPE, data: input, maxValue: 1 as const }
      const vector = pictureVector(pixels)
      const observation = { vector, probabilities: softmax(logits) }
      const entry: QueryEntry = {
        kind: 'query',
        client: clientOf({ lane, account }),
        ...(scope === 'group' && { group: `user ${lane + 1}` }),
        timeMs: START_MS + timeMs,
        observations: [observation],
      }
      const { verdict, events } = monitor.apply(entry)
      log.push(entry)
      const [detection] = verdict.detections
      if (detection === undefined) throw new Error(verdict.errors[0]?.message ?? 'the monitor said nothing')
      const { score, reason, suspicious, metadata } = detection
      const { suspicious: isAlike } = likeness[lane]!.process({ embedding: vector })
      const nearest = nearestOf(input, earlier[lane]!)
      earlier[lane]!.push(input)
      const isSuspended = verdict.action === 'suspend'
      const following = metadata as AnswerFollowingMetadata
      const watched = { verdict, events, description: monitor.describe() }
      return { score, reason, isSuspicious: suspicious, isSuspended, following, isAlike, nearest, watched }
    },
    describe: () => monitor.describe(),
    stateAt(queries) {
      if (queries > log.length) {
        throw new Error(`the run has come to query ${log.length}, not yet to ${queries}; try again in a moment`)
      }
      const same = begin()
      for (const entry of log.slice(0, queries)) same.apply(entry)
      return same.snapshot()
    },
  }
}

function clientOf({ lane, account = 0 }: Asker): string {
  return account === 0 ? `user ${lane + 1}` : `user ${lane + 1}, account ${account + 1}`
}

/** A picture as a file has it. */
export function eightBits(input: Picture): Uint8Array {
  return Uint8Array.from(input, (v) => Math.round(255 * v))
}

/** By Euclidean distance among the last ones, the oldest of equals. */
function nearestOf(input: Picture, earlier: readonly Picture[]): Near | null {
  let [best, least] = [-1, Infinity]
  for (let n = Math.max(0, earlier.length - LOOKED_AT); n < earlier.length; n++) {
    const other = earlier[n]!
    let sum = 0
    for (let i = 0; i < input.length && sum < least; i++) sum += (input[i]! - other[i]!) ** 2
    if (sum < least) [best, least] = [n, sum]
  }
  if (best === -1) return null
  let change = 0
  for (let i = 0; i < input.length; i++) change = Math.max(change, Math.abs(input[i]! - earlier[best]![i]!))
  return { number: best + 1, change: 255 * change }
}
