/** Runs of the matrix side by side: where they differ, and all of it as a table. */
import type { ReportRow } from '../../tools/report.ts'
import { nameOf, type Row, STEP, type Wanted } from './record.ts'
import type { MatrixRun } from './run.ts'

/** What one runtime did, as far as it got. */
export interface Column {
  readonly runtime: string
  version?: string
  run?: MatrixRun
  /** In words, such as `wasm within 3e-8`. */
  network?: { readonly words: string; readonly met: boolean }
}

/** The first step of each stream that differs from the reference's, or is missing; also of streams that only one has. */
export function differences(reference: MatrixRun, run: MatrixRun): Wanted[] {
  const stepsOf = ({ rows }: MatrixRun) => new Map(rows.map((row) => [nameOf(row), row.steps]))
  const [mine, theirs] = [stepsOf(run), stepsOf(reference)]
  return [...new Set([...theirs.keys(), ...mine.keys()])].flatMap((row) => {
    const step = firstDifference(theirs.get(row) ?? '', mine.get(row) ?? '')
    return step === -1 ? [] : [{ row, step }]
  })
}

function firstDifference(a: string, b: string): number {
  if (a === b) return -1
  let at = 0
  while (a[at] === b[at]) at++
  return Math.floor(at / STEP)
}

const NETWORK = 'our network (ONNX)'

/** The groups of features and the detectors, in the order of the streams; those without a stream last. */
function subjectsOf({ rows, missing }: MatrixRun): string[] {
  return [...new Set(rows.map(({ subject }) => subject)), ...missing]
}

interface Cell {
  readonly words: string
  readonly met: boolean
}

const NOTHING: Cell = { words: 'did not run', met: false }

function cellOf({ run, network }: Column, subject: string, reference: MatrixRun): Cell {
  if (subject === NETWORK) return network ?? NOTHING
  if (reference.missing.includes(subject)) return { words: 'no stream', met: false }
  if (run === undefined) return NOTHING
  const isOf = (row: Row) => row.subject === subject
  const streams = reference.rows.filter(isOf).length
  const differing = differences(
    { ...reference, rows: reference.rows.filter(isOf) },
    { ...run, rows: run.rows.filter(isOf) },
  )
  if (differing.length > 0) return { words: `${differing.length} of ${streams} differ`, met: false }
  return { words: run === reference ? `${streams} stream${streams === 1 ? '' : 's'}` : `${streams} same`, met: true }
}

/** Detectors down, runtimes across; the first column is the reference. */
export function tableOf(columns: readonly Column[]): string {
  const [{ run: reference } = {}] = columns
  if (reference === undefined) return 'The reference did not run: there is nothing to compare.\n'
  const head = [
    ['', ...columns.map(({ runtime }) => runtime)],
    ['', ...columns.map(({ version = '' }) => version)],
  ]
  const body = [...subjectsOf(reference), NETWORK].map((subject) => [
    subject,
    ...columns.map((column) => cellOf(column, subject, reference).words),
  ])
  const lines = [...head, ...body]
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  const padded = (line: readonly string[]) => line.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')
  return lines.map((line) => `${padded(line).trimEnd()}\n`).join('')
}

/** The same for `reports/runtimes.json`. */
export function reportRows(columns: readonly Column[]): ReportRow[] {
  const [{ run: reference } = {}] = columns
  const subjects = reference === undefined ? [] : subjectsOf(reference)
  return columns.flatMap((column) =>
    [...subjects, NETWORK].map((subject) => {
      const { words, met } = cellOf(column, subject, reference ?? { rows: [], missing: [], told: undefined })
      return { name: `${subject} in ${column.runtime} (${column.version ?? 'missing'})`, value: words, unit: '', met }
    }),
  )
}
