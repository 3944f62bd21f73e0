/** A whole report as data: what it says, in which order. */
import type { Candidate } from '../metrics.ts'
import type { RunRecord, SessionResult } from '../results.ts'
import type { Selection } from '../selection.ts'
import { labelsOf } from './compare.ts'
import { html, htmlTable, markdownTable, numberText, type Table } from './table.ts'
import {
  attackTable,
  costTable,
  equivalentTable,
  extractionTable,
  selectionTable,
  summaryTable,
  workloadTable,
} from './tables.ts'

/** A session that could not be run to its end. */
export interface Failure {
  readonly client: string
  readonly victim: string
  readonly source: number
  readonly message: string
}

/** A figure with what it should be. */
export interface Goal {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal: string
  readonly met: boolean | null
}

export interface ReportInput {
  readonly title: string
  readonly record: RunRecord
  readonly sessions: readonly SessionResult[]
  readonly failures?: readonly Failure[]
  /** How alarms are raised. Default: each detector by itself, as configured. */
  readonly candidates?: readonly Candidate[]
  readonly selections?: readonly Selection[]
  readonly goals?: readonly Goal[]
  /** Tables of the caller's own, after the summary. */
  readonly tables?: readonly Table[]
}

/** Each detector by itself, as configured. */
export function ownCandidates(sessions: readonly SessionResult[]): Candidate[] {
  return labelsOf(sessions).map((label) => ({ name: label, thresholds: { [label]: 'own' } }))
}

/** Every table with a row, what is not reached first. */
export function tablesOf(input: ReportInput): Table[] {
  const { record, sessions, failures = [], selections = [], goals = [], tables = [] } = input
  const candidates = input.candidates ?? ownCandidates(sessions)
  return [
    goalTable(
      'Not reached',
      goals.filter(({ met }) => met === false),
    ),
    goalTable(
      'Reached',
      goals.filter(({ met }) => met !== false),
    ),
    summaryTable(sessions, candidates),
    selectionTable(selections),
    ...tables,
    attackTable(sessions, candidates),
    extractionTable(sessions, candidates),
    workloadTable(sessions, candidates),
    equivalentTable(sessions, candidates),
    costTable(sessions, labelsOf(sessions)),
    failureTable(failures),
    recordTable(record, sessions.length),
  ].filter(({ rows }) => rows.length > 0)
}

function goalTable(title: string, goals: readonly Goal[]): Table {
  return {
    title,
    columns: ['what', 'measured', 'goal'],
    rows: goals.map(({ name, value, unit, goal }) => [name, `${numberText(value)} ${unit}`.trim(), goal]),
  }
}

function failureTable(failures: readonly Failure[]): Table {
  return {
    title: 'Sessions that failed',
    columns: ['client', 'model', 'source', 'why'],
    rows: failures.map(({ client, victim, source, message }) => [client, victim, source, message]),
  }
}

function recordTable(record: RunRecord, sessions: number): Table {
  const { version, revision, seeds, budget, victims, data, machine, startedAt } = record
  return {
    title: 'Made by',
    columns: ['what', 'value'],
    rows: [
      ['monitaur', revision === undefined ? version : `${version}, revision ${revision}`],
      ['started', startedAt],
      ['machine', machine],
      ['seeds', seeds.join(', ')],
      ['queries a session, at most', budget],
      ['sessions', sessions],
      ...victims.map(({ name, hash, accuracy }) => [
        `model ${name}`,
        `sha256 ${hash.slice(0, 16)}…${accuracy === undefined ? '' : `, right on ${(100 * accuracy).toFixed(1)} %`}`,
      ]),
      ...data.map(({ name, hash, count }) => [`data ${name}`, `${count} inputs, sha256 ${hash.slice(0, 16)}…`]),
      ...Object.entries(record.detectors).map(([label, config]) => [`detector ${label}`, JSON.stringify(config)]),
      ...Object.entries(record.clients).map(([label, config]) => [`client ${label}`, JSON.stringify(config)]),
    ],
  }
}

export function markdownReport(input: ReportInput): string {
  const parts = tablesOf(input).map((table) =>
    [`## ${table.title}`, ...(table.note === undefined ? [] : [table.note]), markdownTable(table)].join('\n\n'),
  )
  return `# ${input.title}\n\n${parts.join('\n\n')}\n`
}

/** A picture for the page: SVG as text. */
export interface Figure {
  readonly title: string
  readonly note: string
  readonly svg: string
}

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}th,td{border-bottom:1px solid #8886;padding:.25rem .6rem;text-align:left;vertical-align:top}
thead th{position:sticky;top:0;background:Canvas}.wide{overflow-x:auto}figure{margin:1rem 0}svg{max-width:100%;height:auto;background:#fff;color:#222}h2{margin-top:2.5rem}`

/** One file that needs nothing from anywhere, and runs no script. */
export function htmlReport(input: ReportInput, figures: readonly Figure[] = []): string {
  const tables = tablesOf(input)
  const sections = tables.map(
    (table) =>
      `<section><h2>${html(table.title)}</h2>${table.note === undefined ? '' : `<p>${html(table.note)}</p>`}${htmlTable(table)}</section>`,
  )
  const drawn = figures.map(
    ({ title, note, svg }) =>
      `<section><h2>${html(title)}</h2><p>${html(note)}</p><figure role="img" aria-label="${html(title)}">${svg}</figure></section>`,
  )
  const at = tables.findIndex(({ title }) => title === 'Attacks')
  const split = at === -1 ? sections.length : at
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${html(input.title)}</title><style>${STYLE}</style></head><body><h1>${html(input.title)}</h1>
${[...sections.slice(0, split), ...drawn, ...sections.slice(split)].join('\n')}
</body></html>
`
}
