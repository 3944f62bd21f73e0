/** The numbers behind the pictures of a report. */
import { byClient, type Candidate, evasions, firstAlarm, workloadsOf, worstWorkload } from '../metrics.ts'
import type { SessionResult } from '../results.ts'
import type { Profile } from '../types.ts'

export interface TradeOff {
  readonly detector: string
  readonly threshold: number
  /** Share of sessions with an alarm in the worst honest workload. */
  readonly worst: number
  /** Share of the successful attacks that are caught before. */
  readonly timely: number
}

const POINTS = 60

/** One point a threshold, for thresholds that the data can tell apart. A sequential rule: any alarm in a session counts. */
export function tradeOffs(sessions: readonly SessionResult[], label: string, profile: Profile): TradeOff[] {
  const workloads = workloadsOf(sessions, profile)
  const attacks = evasions(sessions)
  return thresholdsOf(sessions, label).map((threshold) => {
    const candidate: Candidate = { name: label, thresholds: { [label]: threshold } }
    const worst = worstWorkload(workloads, candidate)?.share ?? Number.NaN
    return { detector: label, threshold, worst, timely: timelyPart(attacks, candidate) }
  })
}

/** Without an interval. */
function timelyPart(attacks: readonly SessionResult[], candidate: Candidate): number {
  const successful = attacks.filter(({ success }) => success !== undefined)
  return successful.filter((one) => firstAlarm(one, candidate) < one.success!).length / successful.length
}

/** The scores that sessions reach at most, thinned out. */
function thresholdsOf(sessions: readonly SessionResult[], label: string): number[] {
  const highest = sessions.flatMap(({ detectors }) => detectors[label]?.records.at(-1)?.[1] ?? [])
  const ascending = [...new Set(highest)].sort((a, b) => a - b)
  const step = Math.max(1, ascending.length / POINTS)
  const thinned = Array.from({ length: Math.ceil(ascending.length / step) }, (_, i) => ascending[Math.floor(i * step)]!)
  return [...thinned, Infinity]
}

export interface Delay {
  readonly client: string
  readonly query: number
  /** Share of the sessions. */
  readonly share: number
  readonly what: 'alarm' | 'success'
}

/** The share of an attack's sessions with an alarm, and with a success, by each query. */
export function delays(sessions: readonly SessionResult[], candidate: Candidate): Delay[] {
  return [...byClient(evasions(sessions))].flatMap(([client, own]) => [
    ...steps(
      client,
      'alarm',
      own.map((session) => firstAlarm(session, candidate)),
    ),
    ...steps(
      client,
      'success',
      own.map(({ success }) => success ?? Infinity),
    ),
  ])
}

function steps(client: string, what: Delay['what'], queries: readonly number[]): Delay[] {
  const known = queries.filter((query) => query < Infinity).sort((a, b) => a - b)
  return known.map((query, i) => ({ client, what, query, share: (i + 1) / queries.length }))
}

export interface Highest {
  readonly client: string
  readonly role: string
  readonly score: number
}

/** The largest score of each session. */
export function highestScores(sessions: readonly SessionResult[], label: string): Highest[] {
  return sessions.flatMap(({ client, role, detectors }) => {
    const score = detectors[label]?.records.at(-1)?.[1]
    return score === undefined ? [] : [{ client, role, score }]
  })
}
