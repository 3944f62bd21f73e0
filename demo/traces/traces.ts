/**
 * Recorded sessions as a small file: for each session and detector, when its score rose above all scores before. That is
 * enough to know the first alarm at any threshold of the detector's scale. Scores are rounded to the scale in such a way that
 * none changes sides at one of its thresholds.
 */
import type { Profile, Role, RunRecord, SessionResult } from '../../src/eval/index.ts'

/** A detector with the thresholds that can be chosen: `level · step` for level 0 … `levels`. */
export interface Scale {
  readonly name: string
  /** What its score says, in words. */
  readonly about: string
  readonly step: number
  readonly levels: number
  /** The level of its own threshold. */
  readonly own: number
  /** True if only a score above the threshold alarms, not one that equals it. */
  readonly isStrict: boolean
}

export interface TracedClient {
  readonly name: string
  readonly role: Role
  readonly profile?: Profile
  readonly summary: string
}

/** When a detector alarms: `[query, level]`, both rising: at this query the first score came that alarms up to this level. */
export type Rises = readonly (readonly [query: number, level: number])[]

export interface Trace {
  readonly client: string
  readonly queries: number
  /** The query that reached the aim. */
  readonly success: number | undefined
  /** By detector. */
  readonly rises: Readonly<Record<string, Rises>>
}

export interface Traces {
  readonly model: { readonly name: string; readonly hash: string; readonly accuracy?: number }
  readonly data: { readonly name: string; readonly hash: string; readonly count: number }
  /** Queries of a session, at most. */
  readonly budget: number
  /** What made the file. */
  readonly command: string
  readonly detectors: readonly Scale[]
  readonly clients: readonly TracedClient[]
  readonly traces: readonly Trace[]
}

/** The file: as {@link Traces}, each trace `[client, queries, success or 0, for each detector the differences of its rises]`. */
export interface TraceFile extends Omit<Traces, 'traces'> {
  readonly format: 1
  readonly sessions: readonly (readonly [
    client: number,
    queries: number,
    success: number,
    rises: readonly (readonly number[])[],
  ])[]
}

export interface Packing {
  readonly record: RunRecord
  readonly sessions: readonly SessionResult[]
  readonly scales: readonly Scale[]
  readonly clients: readonly TracedClient[]
  readonly command: string
}

/** Throws if a detector's own alarms are not those that the scale gives at its own threshold. */
export function packTraces({ record, sessions, scales, clients, command }: Packing): TraceFile {
  const { victims, data, budget } = record
  const ordered = [...sessions].sort((a, b) => a.source - b.source || (a.client < b.client ? -1 : 1))
  return {
    format: 1,
    model: victims[0]!,
    data: data[0]!,
    budget,
    command,
    detectors: scales,
    clients,
    sessions: ordered.map((session) => {
      const place = clients.findIndex(({ name }) => name === session.client)
      const rises = scales.map((scale) => flat(risesOf(session, scale)))
      return [place, session.queries, session.success ?? 0, rises] as const
    }),
  }
}

function risesOf({ client, source, detectors }: SessionResult, scale: Scale): Rises {
  const { records, firstAlarm, errors } = detectors[scale.name]!
  if (errors > 0) throw new Error(`${scale.name} refused queries of ${client} on ${source}: that is no evidence`)
  const rises: [number, number][] = []
  for (const [query, score] of records) {
    const level = levelOf(score, scale)
    if (level > (rises.at(-1)?.[1] ?? -1)) rises.push([query, level])
  }
  const found = firstAlarmAt(rises, scale.own)
  if (found !== (firstAlarm ?? Infinity)) {
    throw new Error(`${scale.name} alarms on ${client} on ${source} at ${firstAlarm}, by the scale at ${found}`)
  }
  return rises
}

/** The highest level whose threshold the score reaches (exceeds, for a strict rule); −1 for none. */
export function levelOf(score: number, { step, levels, isStrict }: Scale): number {
  const alarms = (level: number) => (isStrict ? score > level * step : score >= level * step)
  let level = Math.min(levels, Math.max(-1, Math.floor(score / step)))
  while (level < levels && alarms(level + 1)) level++
  while (level >= 0 && !alarms(level)) level--
  return level
}

/** The first query that alarms at a level; Infinity for none. */
export function firstAlarmAt(rises: Rises, level: number): number {
  return rises.find(([, reached]) => reached >= level)?.[0] ?? Infinity
}

function flat(rises: Rises): number[] {
  return rises.flatMap(([query, level], i) => {
    const [before, below] = rises[i - 1] ?? [0, 0]
    return [query - before, level - below]
  })
}

function unflat(numbers: readonly number[]): Rises {
  let [query, level] = [0, 0]
  return Array.from({ length: numbers.length / 2 }, (_, i) => {
    query += numbers[2 * i]!
    level += numbers[2 * i + 1]!
    return [query, level] as const
  })
}

/** Throws for a file of another format. */
export function readTraces({ format, sessions, ...rest }: TraceFile): Traces {
  if (format !== 1) throw new Error(`the traces must be of format 1, are of ${format}: run scripts/traces.mjs`)
  const names = rest.detectors.map(({ name }) => name)
  const traces = sessions.map(([client, queries, success, rises]): Trace => {
    return {
      client: rest.clients[client]!.name,
      queries,
      success: success === 0 ? undefined : success,
      rises: Object.fromEntries(rises.map((numbers, i) => [names[i]!, unflat(numbers)])),
    }
  })
  return { ...rest, traces }
}
