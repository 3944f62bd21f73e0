/** `monitaur calibrate`: a file of benign queries to the record of a detector or a monitor. */
import { setImmediate } from 'node:timers/promises'
import { type Calibration, hint, isMonitorError, MonitorError } from '../core/index.ts'
import type { MonitorCalibration } from '../core/monitor/index.ts'
import { createCalibrator, createMonitorCalibrator, type QueryCalibrator } from '../embed/index.ts'
import { CALIBRATE_HELP, type CalibrateCommand, readCalibrateOptions } from './calibrateOptions.ts'
import { plotOf } from './calibrationPlot.ts'
import { type Counted, summaryOf } from './calibrationReport.ts'
import { loadConfig } from './config/source.ts'
import { InFlight } from './inFlight.ts'
import type { Io } from './main.ts'
import { Output, printable, printableJson } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import { reasonOf } from './reason.ts'
import { type Item, openSource, type Source } from './source.ts'
import { writeWhole } from './wholeFile.ts'

/** Queries read and not yet scored. */
const IN_FLIGHT = { maxCount: 64, maxBytes: 64 * 2 ** 20 }
/** Longest time in ms without a look at anything else. */
const TURN_MS = 50

type Record = Calibration | MonitorCalibration

/** Runs the command and gives its exit code. Throws a `MonitorError` for wrong use, too few clients and bad files. */
export async function calibrate(args: readonly string[], io: Io): Promise<number> {
  const stdout = new Output(io.stdout)
  const command = readCalibrateOptions(args)
  if (command === 'help') {
    await stdout.write(CALIBRATE_HELP)
    return 0
  }
  const calibrator = await calibratorOf(command)
  const source = await openSource(command.path, command.source, { stdin: io.stdin, signal: io.interrupted })
  const counted = await readAll(source, calibrator, command, io)
  if (io.interrupted?.aborted) return 130
  const record = await calibrator.finish()
  await write(command.output, `${JSON.stringify(record)}\n`)
  await write(command.plot, plotOf(record))
  const summary = summaryOf(record, counted, command)
  await stdout.write(command.json ? `${printableJson({ calibration: summary.data })}\n` : summary.text)
  return counted.bad > 0 || counted.unjudged > 0 ? 2 : 0
}

/** What scores the queries, and whether it could. */
interface Scoring {
  add(item: Item & { readonly kind: 'query' }): Promise<boolean>
  finish(): Promise<Record>
}

async function calibratorOf(command: CalibrateCommand): Promise<Scoring> {
  const { promise, detectors, unit, halfLifeMs, config } = command
  const options = { ...promise, date: new Date().toISOString() }
  const [only, ...more] = detectors ?? []
  if (only !== undefined && more.length === 0) {
    const { scope: _, ...detector } = only
    const one = createCalibrator(
      { ...detector, name: only.name },
      { ...options, ...(unit === undefined ? {} : { unit }) },
    )
    return scoringOf(one, () => true)
  }
  const model = config === undefined ? { detectors: detectors! } : await modelOf(config)
  const all = createMonitorCalibrator(model, {
    ...options,
    ...(halfLifeMs === undefined ? {} : { halfLifeMs }),
  })
  return scoringOf(all, ({ detections }) => detections.length > 0)
}

function scoringOf<Said>(calibrator: QueryCalibrator<Said, Record>, isJudged: (said: Said) => boolean): Scoring {
  return { add: async ({ query }) => isJudged(await calibrator.add(query)), finish: () => calibrator.finish() }
}

async function modelOf({ file, model }: NonNullable<CalibrateCommand['config']>) {
  const { models } = await loadConfig({ file, withoutCalibration: true }, {})
  if (model === undefined) {
    if (models.length === 1) return models[0]!
    const names = models.map(({ name }) => name).join(', ')
    throw new MonitorError('bad_config', `is missing: which of ${names}`, '--model')
  }
  const found = models.find(({ name }) => name === model)
  if (found !== undefined) return found
  const remedy = hint(
    model,
    models.map(({ name }) => name),
  )
  throw new MonitorError('bad_config', `no model is called '${model.slice(0, 64)}'; ${remedy}`, '--model')
}

function progressOf({ quiet }: CalibrateCommand, { totalBytes }: Source, { stderr, now }: Io): Progress | undefined {
  if (quiet) return undefined
  return createProgress({ style: stderr.isTTY === true ? 'bar' : 'lines', stream: stderr, now, total: totalBytes })
}

/** Scores everything, in order; tells of lines that cannot be. */
async function readAll(source: Source, scoring: Scoring, command: CalibrateCommand, io: Io): Promise<Counted> {
  const stderr = new Output(io.stderr)
  const progress = progressOf(command, source, io)
  const counted = { queries: 0, bad: 0, unjudged: 0 }
  const flight = new InFlight(count, IN_FLIGHT)
  let turnMs = io.now()
  try {
    for await (const item of source.items) {
      await flight.add(scored(item), item.kind === 'query' ? item.bytes : 0)
      if (io.now() - turnMs > TURN_MS) {
        await setImmediate() // or an interrupt would not get through
        turnMs = io.now()
      }
      progress?.update(source.readBytes(), `${counted.queries} queries`)
      if (io.interrupted?.aborted) break
    }
  } catch (thrown) {
    if (!io.interrupted?.aborted) throw thrown
  } finally {
    progress?.clear()
  }
  await flight.drain()
  return counted

  async function scored(item: Item): Promise<{ readonly line: number; readonly said: boolean | MonitorError }> {
    if (item.kind === 'bad') return { line: item.line, said: item.error }
    try {
      return { line: item.line, said: await scoring.add(item) }
    } catch (thrown) {
      if (!isMonitorError(thrown)) throw thrown
      return { line: item.line, said: thrown }
    }
  }

  async function count({ line, said }: { readonly line: number; readonly said: boolean | MonitorError }) {
    if (said === true) counted.queries++
    else if (said === false) counted.unjudged++
    else {
      counted.bad++
      progress?.clear()
      await stderr.write(`line ${line}: ${printable(said.message)}\n`)
    }
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeWhole(path, new TextEncoder().encode(text))
  } catch (cause) {
    throw new MonitorError('bad_config', `cannot be written: ${reasonOf(cause)}`, path, { cause })
  }
}
