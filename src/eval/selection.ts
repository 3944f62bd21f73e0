/**
 * The choice of a threshold under a budget of benign alarms: candidates are declared first, chosen on calibration sources
 * alone, and looked at once on held-out ones.
 */
import { MonitorError } from '../core/index.ts'
import {
  alarmShare,
  type Candidate,
  evasions,
  type Groups,
  type Share,
  timelyShare,
  type Worst,
  workloadsOf,
  worstWorkload,
} from './metrics.ts'
import type { SessionResult, Split } from './results.ts'
import type { Profile } from './types.ts'

export interface Budget {
  readonly profile: Profile
  /** Largest share of the sessions of any workload that may alarm, in (0, 1). */
  readonly alpha: number
}

export type Status = 'within budget' | 'held-out constraint violated' | 'no feasible candidate' | 'not estimable'

export interface Looked {
  readonly worst: Worst | undefined
  readonly timely: Share
}

export interface Selection {
  readonly budget: Budget
  readonly status: Status
  /** Undefined if none is feasible. */
  readonly candidate?: Candidate
  readonly calibration?: Looked
  readonly heldout?: Looked
}

/**
 * Of the candidates that keep the budget in every workload of the calibration, the one with the most timely alarms there;
 * of equals the one whose worst workload is better, then the less sensitive. Without attacks: the most sensitive.
 *
 * @param candidates From the most to the least sensitive. Throws `bad_config` without any.
 */
export function select(
  sessions: readonly SessionResult[],
  candidates: readonly Candidate[],
  budget: Budget,
): Selection {
  if (candidates.length === 0) {
    throw new MonitorError('bad_config', 'must hold at least one candidate, came none', 'candidates')
  }
  const known = onSplit(sessions, 'calibration')
  const workloads = workloadsOf(known, budget.profile)
  if (workloads.size === 0) return { budget, status: 'not estimable' }
  const feasible = candidates.filter((candidate) => keeps(workloads, candidate, budget.alpha))
  const looked = feasible.map((candidate) => ({ candidate, ...look(known, candidate, budget.profile) }))
  const [first, ...rest] = looked
  if (first === undefined) return { budget, status: 'no feasible candidate' }
  const chosen = first.timely.of === 0 ? first : rest.reduce((best, next) => (isWorse(next, best) ? best : next), first)
  const { candidate, ...calibration } = chosen
  const heldout = look(onSplit(sessions, 'heldout'), candidate, budget.profile)
  return { budget, status: statusOf(heldout, budget.alpha), candidate, calibration, heldout }
}

function onSplit(sessions: readonly SessionResult[], split: Split): SessionResult[] {
  return sessions.filter((session) => session.split === split)
}

function keeps(workloads: Groups, candidate: Candidate, alpha: number): boolean {
  return [...workloads.values()].every((sessions) => {
    const { count, of } = alarmShare(sessions, candidate)
    return count <= Math.floor(alpha * of)
  })
}

function look(sessions: readonly SessionResult[], candidate: Candidate, profile: Profile): Looked {
  return {
    worst: worstWorkload(workloadsOf(sessions, profile), candidate),
    timely: timelyShare(evasions(sessions), candidate),
  }
}

/** True if `next`, which is less sensitive, must not take the place of `best`. */
function isWorse(next: Looked, best: Looked): boolean {
  if (next.timely.share !== best.timely.share) return next.timely.share < best.timely.share
  return (next.worst?.share ?? 0) > (best.worst?.share ?? 0)
}

function statusOf({ worst, timely }: Looked, alpha: number): Status {
  if (worst === undefined || timely.of === 0) return 'not estimable'
  return worst.share > alpha ? 'held-out constraint violated' : 'within budget'
}

/** One candidate a threshold for one detector, and the one that never alarms. From the lowest threshold up. */
export function thresholdsOf(label: string, thresholds: readonly number[]): Candidate[] {
  const ascending = [...new Set(thresholds)].sort((a, b) => a - b)
  return [
    ...ascending.map((threshold) => ({ name: `${label} ≥ ${threshold}`, thresholds: { [label]: threshold } })),
    { name: `${label} never`, thresholds: { [label]: Infinity } },
  ]
}

/** One candidate: any of several alarms. */
export function anyOf(name: string, candidates: readonly Candidate[]): Candidate {
  const thresholds: Record<string, number | 'own'> = {}
  for (const candidate of candidates) Object.assign(thresholds, candidate.thresholds)
  return { name, thresholds }
}
