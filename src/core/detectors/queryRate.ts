/**
 * How often a client asks: too many queries within a second, a minute or an hour; a crowd of them; the ticking of a clock.
 *
 * Learns first, then counts, so a query counts itself. Reads nothing but the time that comes with the query, in ms; a time
 * before the latest counts as the latest. Catches floods, scrapers and most attacks that need thousands of queries in a
 * hurry. Does not see whoever stays below the limits, or spreads over accounts; flags honest batch jobs. The limits are
 * guesses until they are yours. Keeps three counters of 300 bytes and 32 gaps, whatever the rate; costs O(1).
 * Source: our own; the burst is Chernoff's bound (1952), the regularity a coefficient of variation.
 *
 * The score is the share that is reached of the limit that is nearest: 1 is at a limit, 2 twice as much as is allowed.
 */
import { checkNumber, checkObject, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { crowding, paceOf } from '../rate/pace.ts'
import { COUNTER_BYTES, COVERED, SpanCounter } from '../rate/spanCounter.ts'
import { Ring } from '../ring.ts'
import { readDoubles, readList, readNumber, readState } from '../state.ts'
import { COST_HARVESTING, DENIAL_OF_SERVICE } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { toConfidence } from './limits.ts'

/** As many queries within this time are suspicious. */
export interface RateWindow {
  /** 60 ms … 365 days, whole. */
  readonly withinMs: number
  /** 1 … a billion, whole. */
  readonly queries: number
}

export interface QueryRateConfig {
  /**
   * How many queries within which time are suspicious: 1 … 8 of them, the shortest time first. Counted to a sixtieth of the time, never too many. Default 10 in a second, 120 in
   * a minute, 3000 in an hour.
   */
  readonly windows: readonly RateWindow[]
  /**
   * Burst that is suspicious, in nats, above 0; null (the default): none is. People come in bursts, so measure yours first.
   */
  readonly burst: number | null
  /** Regularity that is suspicious, above 0, at most 1; null (the default): none is. Schedulers are regular too. */
  readonly regularity: number | null
  /** Gaps between queries whose regularity is looked at, 8 … 1024. Default 32. */
  readonly gaps: number
}

export interface QueryRateMetadata {
  /** Queries within each of the times, this one included. */
  readonly counts: readonly number[]
  /**
   * −ln of a bound of the probability that queries at an even pace crowd as much as the last ones do, in nats: the largest
   * over the times, each within the longest of them.
   */
  readonly burst: number
  /** 1 − deviation ÷ mean of the last gaps: 1 a clock, 0 random or burstier, or too few to say. */
  readonly regularity: number
  /** Mean of the last gaps; null before the second query. */
  readonly meanGapMs: number | null
  /** Queries since the start. */
  readonly queries: number
}

const DEFAULTS: QueryRateConfig = {
  windows: [
    { withinMs: 1000, queries: 10 },
    { withinMs: 60_000, queries: 120 },
    { withinMs: 3_600_000, queries: 3000 },
  ],
  burst: null,
  regularity: null,
  gaps: 32,
}

/** The last day that a Date knows. */
const LAST_MS = 8.64e15
const TIMES = { min: 0, max: LAST_MS }
const LONGEST_MS = 365 * 86_400_000

export const queryRate = defineDetector({
  family: 'rate',
  modality: 'any',
  needs: 'timeMs',
  version: 1,
  summary: 'more queries within a time than a client is allowed',
  techniques: [DENIAL_OF_SERVICE, COST_HARVESTING],
  paper: 'our own',
  defaults: { ...DEFAULTS, windows: DEFAULTS.windows.map((one) => ({ ...one })) },
  threshold: () => 1,
  logic,
})

function logic(config: QueryRateConfig, path: string): Logic<Observation, number, QueryRateMetadata> {
  const windows = checkWindows(config.windows, `${path}.windows`)
  const burstLimit = checkShare(config.burst, 1e6, `${path}.burst`)
  const regularityLimit = checkShare(config.regularity, 1, `${path}.regularity`)
  const room = checkNumber(config.gaps, { min: 8, max: 1024, integer: true }, `${path}.gaps`)
  const longest = windows.at(-1)!.withinMs
  let counters = freshCounters()
  let gaps = new Ring<number>(room)
  let queries = 0
  let firstMs = 0
  let latestMs = 0

  return { check, apply, save, load, clear, size, bytes, describe }

  function freshCounters(): SpanCounter[] {
    return windows.map(({ withinMs }) => new SpanCounter(withinMs))
  }

  function check({ timeMs }: Observation): number {
    if (timeMs === undefined) {
      refuse('bad_query', 'is missing: pass the time of the query, ms since the epoch; monitors do', timeMs, 'timeMs')
    }
    return checkNumber(timeMs, TIMES, 'timeMs', 'bad_query')
  }

  function apply(timeMs: number) {
    learn(Math.max(timeMs, latestMs))
    const { regularity, meanGapMs } = paceOf(gaps)
    const counts = counters.map(({ count }) => count)
    const metadata: QueryRateMetadata = { counts, burst: burst(), regularity, meanGapMs, queries }
    const { score, reason } = mostReached(metadata)
    return { suspicious: score >= 1, score, threshold: 1, confidence: toConfidence(score), reason, metadata }
  }

  function learn(nowMs: number): void {
    if (queries === 0) firstMs = nowMs
    else gaps.push(nowMs - latestMs)
    latestMs = nowMs
    queries++
    for (let i = 0; i < counters.length; i++) counters[i]!.add(nowMs)
  }

  /** This query itself proves nothing: it is the reason to look now. Nor does the first, where the stretch begins with it. */
  function burst(): number {
    const ageMs = latestMs - firstMs
    const stretchMs = Math.min(ageMs, longest * COVERED)
    const others = counters[counters.length - 1]!.count - (ageMs < longest * COVERED ? 2 : 1)
    let most = 0
    for (let i = 0; i < windows.length; i++) {
      const { withinMs } = windows[i]!
      if (withinMs < stretchMs) most = Math.max(most, crowding(counters[i]!.count - 1, others, withinMs / stretchMs))
    }
    return most
  }

  function mostReached({ counts, burst, regularity }: QueryRateMetadata): { score: number; reason: string } {
    let fullest = 0
    for (let i = 1; i < windows.length; i++) if (share(counts, i) > share(counts, fullest)) fullest = i
    const ofWindows = share(counts, fullest)
    const ofBurst = burstLimit === null ? 0 : burst / burstLimit
    const ofPace = regularityLimit === null ? 0 : regularity / regularityLimit
    if (ofPace > Math.max(ofWindows, ofBurst)) {
      const reason = `Gaps differ by ${(100 * (1 - regularity)).toFixed(1)} % of their mean or more; ${(100 * (1 - regularityLimit!)).toFixed(1)} % are suspicious.`
      return { score: ofPace, reason }
    }
    if (ofBurst > ofWindows) {
      const reason = `Crowded as an even pace is with a probability of at most e^-${burst.toFixed(2)}; e^-${burstLimit} is suspicious.`
      return { score: ofBurst, reason }
    }
    const { withinMs, queries } = windows[fullest]!
    return {
      score: ofWindows,
      reason: `${counts[fullest]} queries in ${withinMs / 1000} s; ${queries} are suspicious.`,
    }
  }

  /** How much of what is suspicious a window holds. */
  function share(counts: readonly number[], i: number): number {
    return counts[i]! / windows[i]!.queries
  }

  function save(): PlainData {
    return {
      counters: counters.map((counter) => counter.save()),
      gaps: Float64Array.from(gaps.list()),
      queries,
      firstMs,
      latestMs,
    }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['counters', 'gaps', 'queries', 'firstMs', 'latestMs'])
    const time = { max: LAST_MS, fraction: true }
    const spans = readList(saved['counters'], 'state.counters', windows.length, (one) => one as PlainData)
    if (spans.length !== windows.length)
      refuse('bad_snapshot', `must be ${windows.length}`, spans.length, 'state.counters')
    const read = spans.map((one, i) => SpanCounter.read(windows[i]!.withinMs, one, `state.counters[${i}]`))
    const list = Array.from(readDoubles(saved['gaps'], 'state.gaps', room))
    const count = readNumber(saved['queries'], 'state.queries')
    const first = readNumber(saved['firstMs'], 'state.firstMs', time)
    latestMs = readNumber(saved['latestMs'], 'state.latestMs', { ...time, min: first })
    firstMs = first
    queries = count
    gaps = new Ring(room, list)
    counters = read
  }

  function clear(): void {
    counters = freshCounters()
    gaps = new Ring(room)
    queries = 0
    firstMs = 0
    latestMs = 0
  }

  function size(): number {
    return counters.at(-1)!.count
  }

  function bytes(): number {
    return COUNTER_BYTES * counters.length + 8 * gaps.items.length + 64
  }

  function describe() {
    return {
      config: {
        windows: windows.map((one) => ({ ...one })),
        burst: burstLimit,
        regularity: regularityLimit,
        gaps: room,
      },
      details: { queries, counts: counters.map(({ count }) => count) },
    }
  }
}

function checkWindows(value: unknown, path: string): RateWindow[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > 8) {
    refuse('bad_config', 'must be a list of 1 … 8 times { withinMs, queries }', value, path)
  }
  let before = 0
  return (value as unknown[]).map((one, i) => {
    const { withinMs, queries } = checkObject(one, ['withinMs', 'queries'], `${path}[${i}]`)
    const span = { min: Math.max(60, before + 1), max: LONGEST_MS, integer: true }
    before = checkNumber(withinMs, span, `${path}[${i}].withinMs`)
    return {
      withinMs: before,
      queries: checkNumber(queries, { min: 1, max: 1e9, integer: true }, `${path}[${i}].queries`),
    }
  })
}

function checkShare(value: number | null, max: number, path: string): number | null {
  return value === null ? null : checkNumber(value, { min: 1e-6, max }, path)
}
