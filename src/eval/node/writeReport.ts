/** The report of a run beside its results: Markdown, a page, JSON. */
import { join } from 'node:path'
import { labelsOf } from '../report/compare.ts'
import type { Figure } from '../report/report.ts'
import { htmlReport, markdownReport, ownCandidates, type ReportInput, tablesOf } from '../report/report.ts'
import { writeAtOnce } from './files.ts'
import { figuresOf, loadPens } from './plots.ts'

export interface WrittenReport {
  readonly markdown: string
  /** Every table as data. */
  readonly tables: ReturnType<typeof tablesOf>
  /** Why the page has no plots; undefined if it has. */
  readonly withoutPlots?: string
}

/** Writes `report.md`, `report.html` and `report.json` into a folder. */
export async function writeReport(folder: string, input: ReportInput): Promise<WrittenReport> {
  const markdown = markdownReport(input)
  const tables = tablesOf(input)
  const drawn = await figures(input)
  await writeAtOnce(join(folder, 'report.md'), markdown)
  await writeAtOnce(join(folder, 'report.html'), htmlReport(input, drawn.figures))
  await writeAtOnce(join(folder, 'report.json'), `${JSON.stringify({ title: input.title, tables })}\n`)
  return { markdown, tables, ...(drawn.reason !== undefined && { withoutPlots: drawn.reason }) }
}

async function figures({ sessions, candidates = ownCandidates(sessions) }: ReportInput) {
  const pens = await loadPens()
  if (pens !== undefined) return { figures: figuresOf(pens, sessions, candidates, labelsOf(sessions)) }
  const reason = "plots need the packages '@observablehq/plot' and 'linkedom': npm i @observablehq/plot linkedom"
  return { figures: [] as Figure[], reason }
}
