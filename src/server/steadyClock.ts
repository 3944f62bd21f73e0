/**
 * A clock for the stream that a step of the system's clock does not move at once. It goes on with the time since the start,
 * which nobody can set, and follows the system's clock only once that has stayed elsewhere for a while: a clock that is
 * set wrong and put right within a minute ends no suspension and fades no evidence.
 */

export interface SteadyClockOptions {
  /** The system's clock, ms since the epoch. Default `Date.now`. */
  readonly wall?: () => number
  /** ms since some moment, never set. Default `performance.now`. */
  readonly elapsed?: () => number
  /** How long the system's clock must stay where it has gone. Default one minute. */
  readonly settleMs?: number
  /** Told of a step: when it was found and when it is followed. */
  readonly onStep?: (step: ClockStep) => void
}

export interface ClockStep {
  /** `seen`: the stream does not follow yet · `followed`: from now on it does. */
  readonly kind: 'seen' | 'followed'
  /** By how much the system's clock is ahead of the stream's. */
  readonly byMs: number
}

/** Less is no step, and is followed at once: what a time service corrects, and what two readings are apart. */
const TOLERANCE_MS = 1000

/** Makes the clock; reading it is what moves it. */
export function createSteadyClock(options: SteadyClockOptions = {}): () => number {
  const { wall = Date.now, elapsed = () => performance.now(), settleMs = 60_000, onStep = () => {} } = options
  let offset = wall() - elapsed()
  /** Where the system's clock has gone, and since when. */
  let moved: { readonly offset: number; readonly sinceMs: number } | undefined

  return function steadyNow() {
    const elapsedMs = elapsed()
    const found = wall() - elapsedMs
    if (Math.abs(found - offset) <= TOLERANCE_MS) {
      offset = found
      moved = undefined
    } else if (moved === undefined || Math.abs(found - moved.offset) > TOLERANCE_MS) {
      moved = { offset: found, sinceMs: elapsedMs }
      onStep({ kind: 'seen', byMs: Math.round(found - offset) })
    } else if (elapsedMs - moved.sinceMs >= settleMs) {
      onStep({ kind: 'followed', byMs: Math.round(found - offset) })
      offset = found
      moved = undefined
    }
    return Math.round(elapsedMs + offset)
  }
}
