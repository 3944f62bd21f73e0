/** Who is suspended, and until when: at most so many, the oldest leave first. */
import { readList } from '../state.ts'
import type { PlainData } from '../types.ts'
import type { Policy } from './policy.ts'
import { readName, readTime } from './saved.ts'

export interface Suspension {
  readonly untilMs: number
  /** When it began; null for one that an operator made. */
  readonly sinceMs: number | null
}

/** What verdicts and admissions tell of a suspension. Of one of the usual length the end tells the begin. */
export function toldOf(
  { untilMs, sinceMs }: Suspension,
  { suspendForMs }: Policy,
): { readonly suspendedUntilMs: number; readonly suspendedSinceMs?: number } {
  const isUsual = sinceMs === null || untilMs - sinceMs === suspendForMs
  return isUsual ? { suspendedUntilMs: untilMs } : { suspendedUntilMs: untilMs, suspendedSinceMs: sinceMs }
}

export class Suspensions {
  readonly #most: number
  /** In the order in which they began. */
  readonly #byName = new Map<string, Suspension>()

  constructor(most: number) {
    this.#most = most
  }

  /** The one in force; undefined where there is none. O(1). */
  of(name: string, nowMs: number): Suspension | undefined {
    const known = this.#byName.get(name)
    return known !== undefined && known.untilMs > nowMs ? known : undefined
  }

  begin(name: string, suspension: Suspension, nowMs: number): void {
    this.#byName.delete(name)
    this.#byName.set(name, suspension)
    for (const [other, { untilMs }] of this.#byName) {
      if (untilMs > nowMs && this.#byName.size <= this.#most) break
      this.#byName.delete(other)
    }
  }

  /** Also one that has ended and is still remembered. */
  known(name: string): Suspension | undefined {
    return this.#byName.get(name)
  }

  /** True if there was one. */
  end(name: string): boolean {
    return this.#byName.delete(name)
  }

  /** Forgets those that have ended. */
  expire(nowMs: number): void {
    for (const [name, { untilMs }] of this.#byName) if (untilMs <= nowMs) this.#byName.delete(name)
  }

  countAt(nowMs: number): number {
    let count = 0
    for (const { untilMs } of this.#byName.values()) if (untilMs > nowMs) count++
    return count
  }

  list(): (Suspension & { readonly client: string })[] {
    return [...this.#byName].map(([client, one]) => ({ client, ...one }))
  }

  save(): PlainData {
    return [...this.#byName].map(([name, { untilMs, sinceMs }]) => [name, untilMs, sinceMs])
  }

  /** Throws `bad_snapshot`. Call it on a new one. */
  load(state: unknown, path: string): void {
    for (const [name, suspension] of readList(state, path, Infinity, readSuspension)) this.#byName.set(name, suspension)
  }
}

function readSuspension(value: unknown, path: string): [name: string, Suspension] {
  const [name, untilMs, sinceMs] = readList(value, path, 3, (v) => v)
  return [
    readName(name, `${path}[0]`),
    {
      untilMs: readTime(untilMs, `${path}[1]`, Number.MAX_VALUE),
      sinceMs: sinceMs === null ? null : readTime(sinceMs, `${path}[2]`),
    },
  ]
}
