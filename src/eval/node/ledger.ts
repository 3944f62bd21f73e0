/**
 * The folder of a run: `run.json` says what is run, `results.ndjson` has a line for each session as it ends. A process that is
 * killed leaves at worst the last line torn, which is dropped; whoever goes on runs what has no line.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { MonitorError } from '../../core/index.ts'
import type { Failure } from '../report/report.ts'
import type { RunRecord, SessionResult } from '../results.ts'
import { writeAtOnce } from './files.ts'
import type { Plan } from './plan.ts'

/** What `run.json` holds. */
export interface RunFile {
  readonly record: RunRecord
  readonly plan: Plan
  readonly planHash: string
}

/** A session that failed, as a line. */
export interface FailedLine extends Failure {
  readonly seed: number
  readonly failed: true
}

type Line = SessionResult | FailedLine

/** A run as it was written down, by client, model, source and seed. */
export interface Run {
  readonly record: RunRecord
  readonly sessions: readonly SessionResult[]
  readonly failures: readonly FailedLine[]
}

type Named = Pick<SessionResult, 'client' | 'victim' | 'source' | 'seed'>

/** What names a session in its run. */
function keyOf({ client, victim, source, seed }: Named): string {
  return JSON.stringify([client, victim, source, seed])
}

/** The lines of one run, for one process at a time. */
export class Ledger {
  readonly #file: number
  readonly #done: ReadonlySet<string>

  private constructor(file: number, done: ReadonlySet<string>) {
    this.#file = file
    this.#done = done
  }

  /** Begins a run in a folder, or goes on with it. Throws `bad_config` if another one is in it. */
  static async open(folder: string, run: RunFile): Promise<Ledger> {
    mkdirSync(folder, { recursive: true })
    const known = existsSync(runOf(folder)) ? readRunFile(folder) : undefined
    if (known !== undefined && known.planHash !== run.planHash) {
      const message = 'holds another run: its plan, data or plug-ins differ; choose another folder, or delete this one'
      throw new MonitorError('bad_config', message, folder)
    }
    if (known === undefined) await writeAtOnce(runOf(folder), `${JSON.stringify(run, null, 1)}\n`)
    const path = resultsOf(folder)
    const { lines, end } = readLines(path)
    if (existsSync(path)) truncateSync(path, end)
    const done = lines.filter((line) => !isFailed(line)).map(keyOf)
    return new Ledger(openSync(path, 'a'), new Set(done))
  }

  /** True for a session that has its result. One that failed is tried again. */
  has(session: Named): boolean {
    return this.#done.has(keyOf(session))
  }

  write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** A run from its folder, complete or not. Throws `bad_config` if there is none. */
export function readRun(folder: string): Run {
  const { record } = readRunFile(folder)
  const last = new Map(readLines(resultsOf(folder)).lines.map((line) => [keyOf(line), line]))
  const lines = [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
  return {
    record,
    sessions: lines.filter((line): line is SessionResult => !isFailed(line)),
    failures: lines.filter(isFailed),
  }
}

function isFailed(line: Line): line is FailedLine {
  return 'failed' in line
}

function runOf(folder: string): string {
  return join(folder, 'run.json')
}

function resultsOf(folder: string): string {
  return join(folder, 'results.ndjson')
}

function readRunFile(folder: string): RunFile {
  try {
    return JSON.parse(readFileSync(runOf(folder), 'utf8')) as RunFile
  } catch (cause) {
    const message = 'must be the folder of a run, with its run.json'
    throw new MonitorError('bad_config', message, folder, { cause })
  }
}

/** Every whole line, and where they end. */
function readLines(path: string): { readonly lines: readonly Line[]; readonly end: number } {
  if (!existsSync(path)) return { lines: [], end: 0 }
  const bytes = readFileSync(path)
  const lines: Line[] = []
  let end = 0
  for (let next = bytes.indexOf(10); next !== -1; next = bytes.indexOf(10, end)) {
    try {
      lines.push(JSON.parse(bytes.toString('utf8', end, next)) as Line)
    } catch {
      break // written by a machine that fell: what follows cannot be trusted either
    }
    end = next + 1
  }
  return { lines, end }
}
