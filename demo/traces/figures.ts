/** What a choice of attack, detector and threshold comes to on the recorded sessions. Knows nothing of the document. */
import { clopperPearson, type Interval } from '../../src/core/index.ts'
import { firstAlarmAt, type Trace, type TracedClient, type Traces } from './traces.ts'

export interface Choice {
  readonly attack: string
  readonly detector: string
  /** Of the detector's scale; one above its last one never alarms. */
  readonly level: number
}

/** A share of sessions with its 95 % interval by Clopper and Pearson. */
export interface Share {
  readonly count: number
  readonly of: number
  readonly interval: Interval
}

/** One session of the attack: Infinity for what did not happen. */
export interface Race {
  readonly alarm: number
  readonly success: number
  readonly isCaught: boolean
}

export interface WorkloadFigures extends Share {
  readonly client: TracedClient
  /** The median of the first alarms, in queries; undefined without any. */
  readonly medianAlarm: number | undefined
}

export interface Figures {
  /** Sessions with an alarm before the aim was reached. One that has not reached it cannot be caught too late. */
  readonly caught: Share
  /** The same among those that reached it. */
  readonly caughtOfSuccessful: Share
  readonly medianAlarm: number | undefined
  readonly medianSuccess: number | undefined
  readonly races: readonly Race[]
  /** Honest clients one by one, the most disturbed first: never one pooled number. */
  readonly workloads: readonly WorkloadFigures[]
}

/** A threshold's place in the trade-off. */
export interface TradeOff {
  readonly level: number
  /** Share of the attack's sessions that is caught. */
  readonly caught: number
  /** Share of the sessions with an alarm in the worst workload. */
  readonly worst: number
}

const ALPHA = 0.05

export function isAttack({ role }: TracedClient): boolean {
  return role !== 'benign' && role !== 'equivalent'
}

export function figuresOf(traces: Traces, choice: Choice): Figures {
  const races = racesOf(traces, choice)
  const successful = races.filter(({ success }) => success < Infinity)
  const workloads = traces.clients
    .filter(({ role }) => role === 'benign')
    .map((client) => workloadOf(traces, client, choice))
    .sort((a, b) => b.count / b.of - a.count / a.of)
  return {
    caught: shareOf(races.filter(({ isCaught }) => isCaught).length, races.length),
    caughtOfSuccessful: shareOf(successful.filter(({ isCaught }) => isCaught).length, successful.length),
    medianAlarm: medianOf(races.map(({ alarm }) => alarm)),
    medianSuccess: medianOf(races.map(({ success }) => success)),
    races: races.toSorted((a, b) => a.alarm - b.alarm || a.success - b.success),
    workloads,
  }
}

/** The best that each threshold gives, from the most to the least sensitive; the last one never alarms. */
export function tradeOffs(traces: Traces, { attack, detector }: Omit<Choice, 'level'>): TradeOff[] {
  const { levels } = traces.detectors.find(({ name }) => name === detector)!
  const honest = traces.clients.filter(({ role }) => role === 'benign')
  const alarms = honest.map(({ name }) => tracesOf(traces, name).map((trace) => trace.rises[detector]!))
  return Array.from({ length: levels + 2 }, (_, level) => {
    const shares = alarms.map((own) => own.filter((rises) => firstAlarmAt(rises, level) < Infinity).length / own.length)
    const races = racesOf(traces, { attack, detector, level })
    return { level, caught: races.filter(({ isCaught }) => isCaught).length / races.length, worst: Math.max(...shares) }
  })
}

function tracesOf({ traces }: Traces, client: string): Trace[] {
  return traces.filter((trace) => trace.client === client)
}

function racesOf(traces: Traces, { attack, detector, level }: Choice): Race[] {
  return tracesOf(traces, attack).map(({ rises, success = Infinity }) => {
    const alarm = firstAlarmAt(rises[detector]!, level)
    return { alarm, success, isCaught: alarm < success }
  })
}

function workloadOf(traces: Traces, client: TracedClient, { detector, level }: Choice): WorkloadFigures {
  const alarms = tracesOf(traces, client.name).map(({ rises }) => firstAlarmAt(rises[detector]!, level))
  const known = alarms.filter((query) => query < Infinity)
  return { client, ...shareOf(known.length, alarms.length), medianAlarm: medianOf(known) }
}

function shareOf(count: number, of: number): Share {
  return { count, of, interval: of === 0 ? { low: 0, high: 1 } : clopperPearson(count, of, ALPHA) }
}

/** The middle one, the lower of two; undefined where it is Infinity or there is none. */
function medianOf(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted[Math.ceil(sorted.length / 2) - 1]
  return middle === undefined || middle === Infinity ? undefined : middle
}
