/** The tables of a report. */
import {
  alarmShare,
  byClient,
  type Candidate,
  evasions,
  firstAlarm,
  isEvidence,
  median,
  quantile,
  timelyShare,
  workloadsOf,
  worstWorkload,
} from '../metrics.ts'
import type { SessionResult } from '../results.ts'
import type { Selection } from '../selection.ts'
import type { Profile, Role } from '../types.ts'
import { numberText, percentText, shareText, type Table } from './table.ts'

const PROFILES: readonly Profile[] = ['E', 'D', 'F']

/** One line a detector: its worst workload by name, and what it catches in time. */
export function summaryTable(sessions: readonly SessionResult[], candidates: readonly Candidate[]): Table {
  return {
    title: 'In short',
    note: 'Alarms in the sessions of the worst honest workload of each profile (E unrelated inputs and explainers, D also optimisers with honest aims, F also near-duplicates), and attacks caught before they succeed among those that do. Intervals are of 95 %.',
    columns: ['alarm when', ...PROFILES.map((profile) => `worst of ${profile}`), 'timely / successful attacks'],
    rows: candidates.map((candidate) => [
      candidate.name,
      ...PROFILES.map((profile) => {
        const worst = worstWorkload(workloadsOf(sessions, profile), candidate)
        return worst === undefined ? '–' : `${worst.workload}: ${shareText(worst)}`
      }),
      shareText(timelyShare(evasions(sessions), candidate)),
    ]),
  }
}

/** One line an attack and candidate. */
export function attackTable(sessions: readonly SessionResult[], candidates: readonly Candidate[]): Table {
  const rows = [...byClient(evasions(sessions))].flatMap(([client, own]) => {
    const successful = own.filter(({ success }) => success !== undefined)
    const successes = successful.map(({ success }) => success!)
    return candidates.map((candidate) => {
      const alarms = own.map((session) => firstAlarm(session, candidate))
      return [
        client,
        candidate.name,
        own.length,
        successful.length,
        numberText(median(successes)),
        shareText(timelyShare(own, candidate)),
        shareText(alarmShare(own, candidate)),
        spreadText(alarms),
        percentText(median(successful.map((one) => firstAlarm(one, candidate) / one.success!))),
      ]
    })
  })
  return {
    title: 'Attacks',
    note: 'Sessions end with the first wrong answer. Timely: an alarm before it. A dash for never.',
    columns: [
      'attack',
      'alarm when',
      'sessions',
      'successes',
      'median success query',
      'timely',
      'with an alarm',
      'first alarm: median [quartiles]',
      'median alarm ÷ success query',
    ],
    rows,
  }
}

function spreadText(values: readonly number[]): string {
  const ascending = Float64Array.from(values).sort()
  const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => numberText(quantile(ascending, q)))
  return `${middle} [${low}, ${high}]`
}

/** One line an honest workload and candidate: never pooled. */
export function workloadTable(sessions: readonly SessionResult[], candidates: readonly Candidate[]): Table {
  return {
    title: 'Honest workloads',
    note: 'A false alarm is any alarm in a whole session.',
    ...rowsOf(sessions, candidates, 'benign'),
  }
}

/** The tier that does what attacks do, with leave: for an allow-list, not for a threshold. */
export function equivalentTable(sessions: readonly SessionResult[], candidates: readonly Candidate[]): Table {
  return {
    title: 'Equivalent to an attack',
    note: 'What these clients send differs from an attack in intent alone. An alarm needs a decision of the operator: let known ones in by an allow-list.',
    ...rowsOf(sessions, candidates, 'equivalent'),
  }
}

function rowsOf(sessions: readonly SessionResult[], candidates: readonly Candidate[], role: Role) {
  const rows = [...byClient(sessions.filter((session) => session.role === role))].flatMap(([client, own]) =>
    candidates.map((candidate) => {
      const alarmed = own.map((session) => firstAlarm(session, candidate)).filter((first) => first < Infinity)
      const queries = own.reduce((sum, session) => sum + session.queries, 0)
      return [
        client,
        own[0]!.profile ?? '–',
        candidate.name,
        shareText(alarmShare(own, candidate)),
        numberText(median(alarmed)),
        percentText(flaggedOf(own, candidate) / queries),
        numberText(queries / own.length),
        own.filter((session) => !isEvidence(session, candidate)).length,
      ]
    }),
  )
  return {
    columns: [
      'workload',
      'profile',
      'alarm when',
      'sessions with an alarm',
      'median first alarm',
      'queries flagged',
      'queries a session',
      'sessions with errors',
    ],
    rows,
  }
}

/** Queries that a detector flags under its own threshold; NaN under another one, for only the records are kept. */
function flaggedOf(sessions: readonly SessionResult[], { thresholds }: Candidate): number {
  const [[label, threshold] = ['', 0], ...others] = Object.entries(thresholds)
  if (threshold !== 'own' || others.length > 0) return Number.NaN
  return sessions.reduce((sum, { detectors }) => sum + (detectors[label]?.flagged ?? 0), 0)
}

/** What extraction has got by the time of the alarm. */
export function extractionTable(sessions: readonly SessionResult[], candidates: readonly Candidate[]): Table {
  const rows = [...byClient(sessions.filter(({ role }) => role === 'extraction' || role === 'misuse'))].flatMap(
    ([client, own]) =>
      candidates.map((candidate) => [
        client,
        candidate.name,
        shareText(alarmShare(own, candidate)),
        spreadText(own.map((session) => firstAlarm(session, candidate))),
        percentText(median(own.map((session) => figureAt(session, 'fidelity', firstAlarm(session, candidate))))),
        percentText(median(own.map((session) => figureAt(session, 'fidelity', Infinity)))),
        percentText(median(own.map((session) => figureAt(session, 'accuracy', Infinity)))),
      ]),
  )
  return {
    title: 'Extraction and misuse',
    note: 'Fidelity: the share of held-out inputs on which the copy answers as the model does.',
    columns: [
      'attack',
      'alarm when',
      'sessions with an alarm',
      'first alarm: median [quartiles]',
      'fidelity at the alarm',
      'fidelity at the end',
      'accuracy at the end',
    ],
    rows,
  }
}

/** The latest value no later than a query; NaN without one, and before the first. */
function figureAt({ figures }: SessionResult, name: string, query: number): number {
  const past = figures?.[name]?.filter(([at]) => at <= query) ?? []
  return past.at(-1)?.[1] ?? Number.NaN
}

export function selectionTable(selections: readonly Selection[]): Table {
  return {
    title: 'Chosen under a budget of benign alarms',
    note: 'Candidates were declared before any result. Chosen on calibration sources: at most a share alpha of the sessions of every workload of the profile alarms. Looked at once on held-out ones.',
    columns: ['budget', 'chosen', 'status', 'worst held-out workload', 'timely, held out', 'timely, calibration'],
    rows: selections.map(({ budget, status, candidate, calibration, heldout }) => [
      `${budget.profile} ${percentText(budget.alpha)}`,
      candidate?.name ?? '–',
      status,
      heldout?.worst === undefined ? '–' : `${heldout.worst.workload}: ${shareText(heldout.worst)}`,
      heldout === undefined ? '–' : shareText(heldout.timely),
      calibration === undefined ? '–' : shareText(calibration.timely),
    ]),
  }
}

/** Beside accuracy always: what a detector costs. */
export function costTable(sessions: readonly SessionResult[], labels: readonly string[]): Table {
  return {
    title: 'Cost',
    note: 'State of one session at its largest, and CPU a query with the feature; the feature is counted for each detector that needs it.',
    columns: ['detector', 'bytes: mean', '99th percentile', 'largest', 'µs a query: median', '99th percentile'],
    rows: labels.map((label) => {
      const seen = sessions.flatMap(({ detectors }) => detectors[label] ?? [])
      const bytes = Float64Array.from(seen, ({ peakBytes }) => peakBytes).sort()
      const mean = bytes.reduce((sum, value) => sum + value, 0) / bytes.length
      return [
        label,
        Math.round(mean),
        quantile(bytes, 0.99),
        bytes.at(-1) ?? Number.NaN,
        median(seen.map(({ micros }) => micros.median)),
        median(seen.map(({ micros }) => micros.p99)),
      ]
    }),
  }
}
