/** What became of the queries, second by second: differences between the counts that each tick tells. */
import type { Decision, TickModel } from './wire.ts'

/** From harmless to strict, as they are stacked. */
export const DECISIONS: readonly Decision[] = ['allow', 'flag', 'throttle', 'suspend', 'refused']

type Totals = Readonly<Record<Decision | 'queries' | 'suspicious', number>>

/** One second of the server's clock; without counts where nobody listened. */
export interface Second {
  /** Seconds since the epoch: the end of this second. */
  readonly at: number
  readonly counts?: Totals
}

const ZERO: Totals = { allow: 0, flag: 0, throttle: 0, suspend: 0, refused: 0, queries: 0, suspicious: 0 }
/** A clock that steps back by more is another clock. */
const MAX_STEP_BACK = 5

/** The last seconds of one model. */
export class Timeline {
  readonly #most: number
  #seconds: Second[] = []
  #last: { readonly at: number; readonly totals: Totals } | undefined

  /** Keeps `most` seconds. */
  constructor(most: number) {
    this.#most = most
  }

  /** Oldest first. */
  get seconds(): readonly Second[] {
    return this.#seconds
  }

  /** Learns a tick. Ticks come about once a second; what came in a longer time is spread over its seconds. */
  add(timeMs: number, { counts, decisions }: TickModel): void {
    const at = Math.round(timeMs / 1000)
    const last = this.#last
    const totals = { ...decisions, queries: counts.queries, suspicious: counts.suspicious }
    if (last === undefined) {
      this.#last = { at, totals }
      return
    }
    const passed = at - last.at
    if (passed <= 0 && passed >= -MAX_STEP_BACK) return // its counts come with the next tick
    this.#last = { at, totals }
    const added = mapTotals((key) => totals[key] - last.totals[key])
    const isAnother = passed < 0 || Object.values(added).some((value) => value < 0)
    if (isAnother) this.#seconds = []
    else this.#spread(added, last.at, Math.min(passed, this.#most))
  }

  /** The connection is lost: what happens until the next tick is not known. */
  breakOff(): void {
    if (this.#last !== undefined && this.#seconds.length > 0) this.#push({ at: this.#last.at + 1 })
    this.#last = undefined
  }

  /** What came in the last seconds before the newest one. */
  sum(seconds: number): Totals {
    const newest = this.#seconds.at(-1)?.at ?? 0
    const recent = this.#seconds.filter(({ at }) => at > newest - seconds)
    return mapTotals((key) => recent.reduce((sum, { counts }) => sum + (counts?.[key] ?? 0), 0))
  }

  #spread(added: Totals, after: number, seconds: number): void {
    const each = mapTotals((key) => added[key] / seconds)
    for (let i = 1; i <= seconds; i++) this.#push({ at: after + i, counts: each })
  }

  #push(second: Second): void {
    this.#seconds.push(second)
    if (this.#seconds.length > this.#most) this.#seconds.shift()
  }
}

function mapTotals(pick: (key: keyof Totals) => number): Totals {
  return Object.fromEntries(Object.keys(ZERO).map((key) => [key, pick(key as keyof Totals)])) as Totals
}

/** For a stacked chart: the times, and for each decision what came of it and of the milder ones. */
export function stacked(seconds: readonly Second[]): [number[], ...(number | null)[][]] {
  const sums = DECISIONS.map((_, i) => {
    const upTo = DECISIONS.slice(0, i + 1)
    return seconds.map(({ counts }) => (counts === undefined ? null : upTo.reduce((sum, d) => sum + counts[d], 0)))
  })
  return [seconds.map(({ at }) => at), ...sums]
}

/** Sums by full minute of the clock, newest first. */
export function byMinute(seconds: readonly Second[]): { readonly at: number; readonly counts: Totals }[] {
  const minutes = new Map<number, Totals>()
  for (const { at, counts } of seconds) {
    if (counts === undefined) continue
    const minute = Math.floor((at - 1) / 60) * 60
    const before = minutes.get(minute) ?? ZERO
    minutes.set(
      minute,
      mapTotals((key) => before[key] + counts[key]),
    )
  }
  return [...minutes].map(([at, counts]) => ({ at, counts })).reverse()
}
