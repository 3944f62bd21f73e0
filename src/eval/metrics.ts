/** How detectors did: alarms, timely alarms, shares with their intervals. Queries are counted from 1; Infinity is never. */
import { clopperPearson, type Interval } from '../core/index.ts'
import { createRandom } from './random.ts'
import type { SessionResult, Watched } from './results.ts'
import type { Profile } from './types.ts'

/** When to alarm: as soon as one of these detectors reaches its threshold. */
export interface Candidate {
  readonly name: string
  /** Label to the lowest score that alarms; `own`: when the detector itself says suspicious; Infinity: never. */
  readonly thresholds: Readonly<Record<string, number | 'own'>>
}

/** A share of sessions with its 95 % interval. */
export interface Share {
  readonly count: number
  readonly of: number
  /** In [0, 1]; NaN of nothing. */
  readonly share: number
  /** [0, 1] of nothing. */
  readonly interval: Interval
}

const ALPHA = 0.05
const DRAWS = 2000

/** The first query whose score reaches the threshold. */
function firstAlarmOf(watched: Watched, threshold: number | 'own'): number {
  if (threshold === 'own') return watched.firstAlarm ?? Infinity
  return watched.records.find(([, score]) => score >= threshold)?.[0] ?? Infinity
}

export function firstAlarm({ detectors }: SessionResult, { thresholds }: Candidate): number {
  let first = Infinity
  for (const [label, threshold] of Object.entries(thresholds)) {
    const watched = detectors[label]
    if (watched !== undefined) first = Math.min(first, firstAlarmOf(watched, threshold))
  }
  return first
}

/** False if one of the candidate's detectors did not see the session, or not all of it: it shows nothing then. */
export function isEvidence({ detectors }: SessionResult, { thresholds }: Candidate): boolean {
  return Object.keys(thresholds).every((label) => detectors[label]?.errors === 0)
}

/** An alarm before the query that succeeds; an attack that has not succeeded cannot be too late. */
export function isTimely(session: SessionResult, candidate: Candidate): boolean {
  return firstAlarm(session, candidate) < (session.success ?? Infinity)
}

function shareOf(count: number, of: number): Share {
  const interval = of === 0 ? { low: 0, high: 1 } : clopperPearson(count, of, ALPHA)
  return { count, of, share: count / of, interval }
}

/** Sessions with an alarm, with the interval of Clopper and Pearson. */
export function alarmShare(sessions: readonly SessionResult[], candidate: Candidate): Share {
  const seen = sessions.filter((session) => isEvidence(session, candidate))
  return shareOf(seen.filter((session) => firstAlarm(session, candidate) < Infinity).length, seen.length)
}

/**
 * Timely alarms among the attacks that succeeded. The interval is a percentile bootstrap over the sources, since sessions
 * on one picture are alike; at a share of 0 or 1 that of Clopper and Pearson, with sources for trials.
 */
export function timelyShare(sessions: readonly SessionResult[], candidate: Candidate): Share {
  const bySource = new Map<number, { timely: number; all: number }>()
  for (const session of sessions) {
    if (session.success === undefined || !isEvidence(session, candidate)) continue
    const sum = bySource.get(session.source) ?? { timely: 0, all: 0 }
    bySource.set(session.source, { timely: sum.timely + Number(isTimely(session, candidate)), all: sum.all + 1 })
  }
  const sums = [...bySource.values()]
  const count = sums.reduce((total, { timely }) => total + timely, 0)
  const of = sums.reduce((total, { all }) => total + all, 0)
  if (count === 0 || count === of) {
    const trials = sums.length
    return { ...shareOf(count === 0 ? 0 : trials, trials), count, of, share: count / of }
  }
  return { count, of, share: count / of, interval: bootstrap(sums) }
}

function bootstrap(sums: readonly { readonly timely: number; readonly all: number }[]): Interval {
  const random = createRandom(1)
  const shares = Float64Array.from({ length: DRAWS }, () => {
    let [timely, all] = [0, 0]
    for (let i = 0; i < sums.length; i++) {
      const drawn = sums[random.whole(sums.length)]!
      timely += drawn.timely
      all += drawn.all
    }
    return timely / all
  }).sort()
  return { low: quantile(shares, ALPHA / 2), high: quantile(shares, 1 - ALPHA / 2) }
}

/** Of ascending numbers: the smallest that at least a share `q` does not exceed. NaN of none. */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  return ascending[Math.max(Math.ceil(q * ascending.length) - 1, 0)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5)
}

export type Groups = ReadonlyMap<string, readonly SessionResult[]>

/** Sessions by the label of their client, in the order of their first. */
export function byClient(sessions: readonly SessionResult[]): Groups {
  const groups = new Map<string, SessionResult[]>()
  for (const session of sessions) {
    const group = groups.get(session.client)
    if (group === undefined) groups.set(session.client, [session])
    else group.push(session)
  }
  return groups
}

const PROFILES: readonly Profile[] = ['E', 'D', 'F']

/** Each profile has the workloads of those before it as well: E, D, F. */
export function workloadsOf(sessions: readonly SessionResult[], profile: Profile): Groups {
  const within = PROFILES.slice(0, PROFILES.indexOf(profile) + 1)
  return byClient(sessions.filter((one) => one.role === 'benign' && within.includes(one.profile!)))
}

export interface Worst extends Share {
  /** The workload with the largest share of alarms. */
  readonly workload: string
}

/** Never one pooled number: the worst workload speaks for all. Undefined without any. */
export function worstWorkload(groups: Groups, candidate: Candidate): Worst | undefined {
  let worst: Worst | undefined
  for (const [workload, sessions] of groups) {
    const share = alarmShare(sessions, candidate)
    if (share.of > 0 && (worst === undefined || share.share > worst.share)) worst = { ...share, workload }
  }
  return worst
}

/** The attacks that look for a wrong answer. */
export function evasions(sessions: readonly SessionResult[]): SessionResult[] {
  return sessions.filter(({ role }) => role === 'evasion')
}
