/** What a test part or a bench has found out, as a file: `reports/<name>.json`, which is not committed. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunnerTestCase } from 'vitest'

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** One line of a report. */
export interface ReportRow {
  readonly name: string
  readonly value: number | string
  /** Of the value: `ms`, `kB`, `''` for a word. */
  readonly unit: string
  readonly spread?: number
  readonly goal?: number | string
  /** Null: for information only. */
  readonly met: boolean | null
}

interface Report {
  readonly revision: string
  readonly date: string
  readonly machine: string
  readonly rows: readonly ReportRow[]
}

/** Writes `reports/<name>.json` and returns its path. `more` describes the machine further, such as its browser. */
export function writeReport(name: string, rows: readonly ReportRow[], more?: string): string {
  const path = pathOf(`${name}.json`)
  const report: Report = { revision: revision(), date: new Date().toISOString(), machine: machine(more), rows }
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
  return path
}

/**
 * {@link writeReport} for a report that several test files share: the rows of this part, now named `<part>: …`, take the
 * place of its earlier ones; those of other parts stay if they are of the same revision.
 */
export function writePart(name: string, part: string, rows: readonly ReportRow[], more?: string): string {
  const own = rows.map((row) => ({ ...row, name: `${part}: ${row.name}` }))
  return writeReport(name, [...rowsOfOthers(name, part), ...own], more)
}

function rowsOfOthers(name: string, part: string): ReportRow[] {
  const path = pathOf(`${name}.json`)
  if (!existsSync(path)) return []
  const { revision: of, rows } = JSON.parse(readFileSync(path, 'utf8')) as Report
  return of === revision() ? rows.filter((row) => !row.name.startsWith(`${part}: `)) : []
}

/** A table for people, as `reports/<name>.txt`: `scripts/test.mjs` prints that of the runtimes last. */
export function writeTable(name: string, table: string): void {
  writeFileSync(pathOf(`${name}.txt`), table)
}

/** A file of the folder `reports`, which is there then. */
function pathOf(file: string): string {
  const path = resolve(repository, 'reports', file)
  mkdirSync(dirname(path), { recursive: true })
  return path
}

/** The commit, or `unknown` outside a checkout. */
function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

function machine(more: string | undefined): string {
  const cores = cpus()
  const parts = [`${cores.length} × ${cores[0]?.model.trim() || 'unknown processor'}`, process.platform, process.arch]
  return [...parts, `Node ${process.versions.node}`, ...(more === undefined ? [] : [more])].join(', ')
}

/** One row for each finished test: how long it took, and whether it passed. */
export function rowsOf(tests: readonly Readonly<RunnerTestCase>[]): ReportRow[] {
  return tests.map(({ name, suite, result }) => ({
    name: suite === undefined || suite.name === '' ? name : `${suite.name}: ${name}`,
    value: Math.round(result?.duration ?? 0),
    unit: 'ms',
    met: result?.state === 'pass',
  }))
}
