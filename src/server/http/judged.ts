/** What became of a query, and how long it took. */
import { checkProbabilities, type PlainError } from '../../core/index.ts'
import type { Verdict } from '../../core/monitor/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'

/** What became of a query. Times are in seconds. */
export type Judged =
  | {
      readonly kind: 'verdict'
      readonly verdict: Verdict
      readonly embedSeconds: number
      readonly detectSeconds: number
      /** From the write to the answer, where there is a log. */
      readonly logSeconds?: number
    }
  /** No detector could take a feature from it: nothing was learned. At least one error. */
  | { readonly kind: 'refused'; readonly errors: readonly PlainError[] }

/** A verdict with its times, now that it is there. */
export function verdictOf(
  { verdict }: MonitorApplied,
  { startMs, readyMs, beginMs }: { readonly startMs: number; readonly readyMs: number; readonly beginMs: number },
): Extract<Judged, { kind: 'verdict' }> {
  return {
    kind: 'verdict',
    verdict: verdict as Verdict,
    embedSeconds: (readyMs - startMs) / 1000,
    detectSeconds: (performance.now() - beginMs) / 1000,
  }
}

export function isPlainError(value: unknown): value is PlainError {
  return (value as PlainError | null)?.name === 'MonitorError'
}

/** True for what every detector of outputs takes. */
export function isDistribution(values: ArrayLike<number>): boolean {
  try {
    checkProbabilities(values)
    return true
  } catch {
    return false
  }
}
