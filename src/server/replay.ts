/** `monitaur replay`: a file of queries through a monitor. */
import { setImmediate } from 'node:timers/promises'
import { isMonitorError } from '../core/index.ts'
import { createMonitor, type Monitor } from '../embed/index.ts'
import { InFlight } from './inFlight.ts'
import type { Io } from './main.ts'
import { Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import { REPLAY_HELP, type ReplayOptions, readReplayOptions } from './replayOptions.ts'
import { excerptOf, linesOf, type ReportOptions, summaryOf } from './report.ts'
import { loadSnapshot, saveSnapshot } from './snapshotFile.ts'
import { type Item, openSource, type Source } from './source.ts'
import { type Outcome, Tally } from './tally.ts'

/** Queries read and not yet printed: enough to decode and embed several at a time. */
const IN_FLIGHT = { maxCount: 64, maxBytes: 64 * 2 ** 20 }

/** Longest time in ms without a look at anything else. */
const TURN_MS = 50

/** Runs the command and gives its exit code. Throws a `MonitorError` for wrong use and unreadable files. */
export async function replay(args: readonly string[], io: Io): Promise<number> {
  const stdout = new Output(io.stdout)
  const options = readReplayOptions(args)
  if (options === 'help') {
    await stdout.write(REPLAY_HELP)
    return 0
  }
  const monitor = createMonitor(options.monitor)
  if (options.snapshotIn !== undefined) await monitor.restore(await loadSnapshot(options.snapshotIn))
  const source = await openSource(options.path, options.source, { stdin: io.stdin, signal: io.interrupted })
  const { detectors } = await monitor.describe()
  const labels = detectors.map(({ label }) => label)
  const run = {
    io,
    stdout,
    monitor,
    source,
    report: reportOptions(options, labels, source, io),
    tally: new Tally(labels),
  }
  return finish(await readAll(run, progressOf(options, source, io)), run, options)
}

interface Run {
  readonly io: Io
  readonly stdout: Output
  readonly monitor: Monitor
  readonly source: Source
  readonly report: ReportOptions
  readonly tally: Tally
}

function reportOptions(
  { json, onlySuspicious, enforce }: ReplayOptions,
  labels: readonly string[],
  { name }: Source,
  { stdout, env }: Io,
): ReportOptions {
  const colour = stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  return { json, onlySuspicious, colour, actions: enforce, name, labels }
}

/** A bar on a terminal that does not show the output already, lines in a log. */
function progressOf(
  { quiet }: ReplayOptions,
  { totalBytes }: Source,
  { stdout, stderr, now }: Io,
): Progress | undefined {
  if (quiet || (stderr.isTTY === true && stdout.isTTY === true)) return undefined
  return createProgress({ style: stderr.isTTY === true ? 'bar' : 'lines', stream: stderr, now, total: totalBytes })
}

/** Judges and prints everything, in order. */
async function readAll(run: Run, progress: Progress | undefined): Promise<{ interrupted: boolean; elapsedMs: number }> {
  const { io, stdout, monitor, source, report, tally } = run
  const stderr = new Output(io.stderr)
  const startMs = io.now()
  const flight = new InFlight(print, IN_FLIGHT)
  const judge = createJudge(monitor)
  let turnMs = startMs
  try {
    for await (const item of source.items) {
      await flight.add(judge(item), item.kind === 'query' ? item.bytes : 0)
      if (io.now() - turnMs > TURN_MS) {
        // A fast input and a fast output never wait for the system, and an interrupt would not get through for seconds.
        await setImmediate()
        turnMs = io.now()
      }
      progress?.update(source.readBytes(), `${tally.queries} queries, ${tally.suspicious} suspicious`)
      if (stdout.closed || io.interrupted?.aborted) break
    }
  } catch (thrown) {
    await flight.drain()
    if (!io.interrupted?.aborted) throw thrown
  } finally {
    progress?.clear()
  }
  await flight.drain()
  return { interrupted: io.interrupted?.aborted === true, elapsedMs: io.now() - startMs }

  async function print(outcome: Outcome): Promise<void> {
    tally.add(outcome)
    const lines = linesOf(outcome, report)
    if (lines.stderr !== '') {
      progress?.clear()
      await stderr.write(lines.stderr)
    }
    if (lines.stdout !== '') await stdout.write(lines.stdout)
  }
}

/** Judges items in the order of the calls. A query without a time has that of the one before it. */
function createJudge(monitor: Monitor): (item: Item) => Promise<Outcome> {
  let lastMs = 0
  return async (item) => {
    const { line } = item
    if (item.kind === 'bad') return { kind: 'bad', line, error: item.error.toJSON() }
    const { timeMs = lastMs } = item.query
    const excerpt = excerptOf(item.query, item.name)
    try {
      const answer = monitor.inspect({ ...item.query, timeMs }, { transfer: true })
      if (Number.isFinite(timeMs) && timeMs >= 0) lastMs = timeMs
      return { kind: 'verdict', line, verdict: await answer, excerpt }
    } catch (thrown) {
      if (!isMonitorError(thrown)) throw thrown
      return { kind: 'bad', line, error: thrown.toJSON() }
    }
  }
}

async function finish(
  { interrupted, elapsedMs }: { readonly interrupted: boolean; readonly elapsedMs: number },
  { stdout, monitor, report, tally }: Run,
  { snapshotOut }: ReplayOptions,
): Promise<number> {
  const { clients } = await monitor.describe()
  const { active: remembered, suspended } = clients
  const summary = tally.summary({ clients: { remembered, suspended }, elapsedMs, interrupted })
  await stdout.write(summaryOf(summary, report))
  if (interrupted) return 130
  if (stdout.closed) return 0 // whoever read the output has had enough
  if (snapshotOut !== undefined) await saveSnapshot(snapshotOut, await monitor.snapshot())
  return tally.isFlawed ? 2 : 0
}
