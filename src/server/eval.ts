/** `monitaur eval`: attacks and honest workloads against a model, under the eyes of detectors. */
import { compareRuns, markdownTable } from '../eval/index.ts'
import { type RunSummary, readRun, runPlan, writeReport } from '../eval/node/index.ts'
import { type CompareCommand, EVAL_HELP, type EvalCommand, readEvalOptions } from './evalOptions.ts'
import type { Io } from './main.ts'
import { Output, printable, printableJson } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import { version } from './version.ts'

/** Runs the command and gives its exit code. */
export async function evaluate(args: readonly string[], io: Io): Promise<number> {
  const command = await readEvalOptions(args)
  const stdout = new Output(io.stdout)
  if (command === 'help') {
    await stdout.write(EVAL_HELP)
    return 0
  }
  return command.kind === 'compare' ? compare(command, stdout) : run(command, stdout, io)
}

async function compare({ folders, json }: CompareCommand, stdout: Output): Promise<number> {
  const [a, b] = folders.map((folder) => readRun(folder).sessions)
  const table = compareRuns(a!, b!)
  await stdout.write(json ? `${printableJson(table)}\n` : `${table.note ?? ''}\n\n${markdownTable(table)}\n`)
  return 0
}

async function run(command: EvalCommand, stdout: Output, io: Io): Promise<number> {
  const { plan, out, cache, threads, json } = command
  const stderr = new Output(io.stderr)
  const report = reporterOf(command, io)
  const summary = await runPlan({
    plan,
    out,
    version: version(),
    ...(cache !== undefined && { cache }),
    ...(threads !== undefined && { threads }),
    ...(io.interrupted !== undefined && { signal: io.interrupted }),
    onProgress: report.update,
  })
  report.clear()
  const { record, sessions, failures } = readRun(out)
  const { markdown, tables, withoutPlots } = await writeReport(out, {
    title: 'Evaluation',
    record,
    sessions,
    failures,
  })
  for (const { client, victim, source, message } of failures) {
    await stderr.write(`failed: ${printable(`${client} on input ${source} of ${victim}: ${message}`)}\n`)
  }
  if (withoutPlots !== undefined) await stderr.write(`monitaur: ${withoutPlots}\n`)
  await stdout.write(
    json ? `${printableJson({ out, ...summary, tables })}\n` : `${shown(markdown)}\n${wordsOf(summary, out)}\n`,
  )
  if (summary.isInterrupted) return 130
  return failures.length > 0 ? 2 : 0
}

/** Fit for a terminal: messages of failed sessions may hold anything. */
function shown(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

function wordsOf({ done, total, failed, before, isInterrupted }: RunSummary, out: string): string {
  const earlier = before > 0 ? `, ${before} were there before` : ''
  const broken = failed > 0 ? `, ${failed} failed` : ''
  const rest = isInterrupted ? `; interrupted, ${total - done} are left: start again to go on` : ''
  return `${done} sessions run${earlier}${broken}${rest}. Report: ${out}/report.html`
}

/** Draws how far the run is, once it is known how far there is to go. */
function reporterOf({ quiet }: EvalCommand, { stderr, now }: Io) {
  let progress: Progress | undefined
  return {
    update({ done, total, failed }: { readonly done: number; readonly total: number; readonly failed: number }) {
      if (quiet) return
      progress ??= createProgress({
        style: stderr.isTTY === true ? 'bar' : 'lines',
        stream: stderr,
        now,
        total,
        format: (amount) => String(Number(amount.toFixed(amount < 10 ? 1 : 0))),
      })
      progress.update(done, failed > 0 ? `sessions, ${failed} failed` : 'sessions')
    },
    clear: () => progress?.clear(),
  }
}
