/**
 * Runs every stream at every level and takes down what comes out. No platform API: the same file runs everywhere.
 *
 *     core            a detector over observations, with a snapshot through bytes, a batch and a reset in mid-stream
 *     features        fingerprints, vectors and statistics of raw input
 *     stream monitor  the detector per client and for all of them, with suspensions, evictions, snapshots through bytes
 *     monitor         the same over raw queries, features included
 */
import { createMonitor, createRegistry, fromBytes, listDetectors, type Query } from 'monitaur'
import type { Detector, Observation } from 'monitaur/core'
import { createStreamMonitor, type Entry } from 'monitaur/embed'
import { random } from '../../tools/random.ts'
import type { FeatureLine } from './feature.ts'
import { FEATURES } from './features.ts'
import { nameOf, Recorder, type Row, throughBytes, type Wanted } from './record.ts'
import { STATISTICS } from './statistics.ts'
import { LINES, type Line } from './streams.ts'

/** Everything that one runtime found. */
export interface MatrixRun {
  readonly rows: readonly Row[]
  /** Detectors that have no stream. */
  readonly missing: readonly string[]
  /** The wanted step in words. */
  readonly told: string | undefined
}

/** Runs all streams, or only the one of which a step is wanted. */
export async function runMatrix(wanted?: Wanted): Promise<MatrixRun> {
  const rows: Row[] = []
  let told: string | undefined
  for (const [level, subject, mode, run] of everything()) {
    const isWanted = wanted?.row === nameOf({ level, subject, mode })
    if (wanted !== undefined && !isWanted) continue
    const record = new Recorder(wanted?.step)
    await run(record)
    rows.push(record.row(level, subject, mode))
    told = record.told ?? told
  }
  return { rows, missing: withoutStream(listDetectors().map(({ name }) => name)), told }
}

/** Those of the detectors that no line of the table names. */
export function withoutStream(detectors: readonly string[]): string[] {
  return detectors.filter((name) => !LINES.some(({ detector }) => detector === name))
}

type Run = (record: Recorder) => void | Promise<void>

function* everything(): Generator<[level: string, subject: string, mode: string, Run]> {
  for (const line of [...FEATURES, ...STATISTICS]) {
    yield ['features', line.subject, line.mode, (record) => runFeature(line, record)]
  }
  for (const line of LINES) {
    yield ['core', line.detector, line.mode, (record) => runDetector(line, record)]
    yield ['stream monitor', line.detector, line.mode, (record) => runStreamMonitor(line, record)]
    yield ['monitor', line.detector, line.mode, (record) => runMonitor([line], line.queries(), record)]
  }
  const firsts = LINES.filter((line, i) => LINES.findIndex(({ detector }) => detector === line.detector) === i)
  const mixed = firsts.flatMap(({ queries }) => queries().slice(0, 24))
  yield ['monitor', 'all detectors', '', (record) => runMonitor(firsts, mixed, record)]
}

function runFeature({ inputs, start }: FeatureLine, record: Recorder): void {
  const take = start()
  for (const input of inputs()) record.step(() => take(input as never))
}

function makeDetector({ detector, config }: Line): Detector<Observation, unknown> {
  return createRegistry().createDetector(detector as never, config() as never) as Detector<Observation, unknown>
}

function runDetector(line: Line, record: Recorder): void {
  const observations = line.observations() as Observation[]
  const third = Math.floor(observations.length / 3)
  let detector = makeDetector(line)
  for (const [i, observation] of observations.entries()) {
    if (i === third) {
      const saved = throughBytes(record, detector.snapshot(), fromBytes)
      detector = makeDetector(line)
      detector.restore(saved)
    }
    record.step(() => detector.process(observation))
  }
  const few = observations.slice(0, 4) // the fifth of a stream is followed by an odd one
  record.step(() => detector.processBatch(few))
  record.step(() => detector.processBatch(observations.slice(0, 30)))
  record.step(() => detector.describe())
  record.step(() => detector.snapshot())
  detector.reset()
  record.step(() => detector.snapshot())
}

const CLIENTS = ['', 'ann', 'bob', '__proto__', 'שרה', '👩🏽', 'eve', 'eve', 'eve']
const POLICY = { mode: 'enforce', throttleAt: 2, suspendAt: 5, suspendForMs: 20_000, fadePerMinute: 2 } as const
/** Fewer than there are clients, so that some have to leave. */
const TABLE = { maxClients: 4, stormWindowMs: 30_000 } as const

/** The detector with a memory for each client, and with one for all. */
function slotsOf({ detector, config }: Line, prefix = '') {
  const slot = { ...config(), name: detector }
  return [
    { ...slot, label: `${prefix}own` },
    { ...slot, label: `${prefix}all`, scope: 'global' as const },
  ]
}

function runStreamMonitor(line: Line, record: Recorder): void {
  const config = { detectors: slotsOf(line), policy: POLICY, clients: TABLE }
  const entries = entriesOf(line.observations())
  let monitor = createStreamMonitor(config)
  for (const [i, entry] of entries.entries()) {
    if (i === Math.floor(entries.length / 2)) {
      const saved = throughBytes(record, monitor.snapshot(), fromBytes)
      monitor = createStreamMonitor(config)
      monitor.restore(saved)
    }
    if ('client' in entry) record.step(() => monitor.admit(entry.client, entry.timeMs))
    record.step(() => monitor.apply(entry))
  }
  record.step(() => [monitor.clients(), monitor.suspensions(), monitor.describe(), { ...monitor.snapshot() }])
}

/** The observations as a log of several clients, with an operator's hand in it, and with entries that are none. */
function entriesOf(observations: readonly unknown[]): Entry[] {
  const next = random(observations.length)
  let timeMs = 1_790_000_000_000
  return observations.flatMap((observation, i): Entry[] => {
    timeMs += Math.floor(4000 * next()) - 500 // sometimes backwards
    const client = CLIENTS[Math.floor(next() * CLIENTS.length)]!
    const failed = { name: 'MonitorError', code: 'embedder_failed', message: 'no vector', path: 'own' } as const
    const eaten = observation as Observation
    const query = (own: Observation | typeof failed | null, more: object = {}) =>
      ({ kind: 'query', client, timeMs, id: `q${i}`, observations: [own, eaten], ...more }) as Entry
    if (i % 40 === 7) return [query(null), query(failed)]
    if (i % 40 === 17) return [query(eaten, { client: 'x\ud800' }), query(eaten, { timeMs: Number.NaN })]
    if (i % 40 === 27) return [{ kind: 'suspend', client, timeMs, untilMs: timeMs + 5000 }, query(eaten)]
    if (i % 40 === 37)
      return [
        { kind: 'release', client: 'eve', timeMs },
        { kind: 'expire', timeMs, unseenMs: 60_000 },
      ]
    return [query(eaten)]
  })
}

async function runMonitor(lines: readonly Line[], queries: readonly object[], record: Recorder): Promise<void> {
  const detectors = lines.flatMap((line, i) => slotsOf(line, `${i}.`).map((slot) => ({ ...slot, ...line.features })))
  const next = random(queries.length)
  let timeMs = 1_790_000_000_000
  const make = () => createMonitor({ detectors, policy: POLICY, clients: TABLE }, { now: () => timeMs })
  let monitor = make()
  // One after the other: what is compared is the state after each.
  for (const [i, query] of queries.entries()) {
    timeMs += Math.floor(3000 * next())
    const client = CLIENTS[Math.floor(next() * CLIENTS.length)]!
    if (i === Math.floor(queries.length / 2)) {
      const saved = throughBytes(record, await monitor.snapshot(), fromBytes)
      monitor = make()
      await monitor.restore(saved)
    }
    await record.stepLater(() => monitor.inspect({ ...query, client } as Query))
  }
  const few = queries.slice(0, 3).map((query) => ({ ...query, client: 'bob' }) as Query)
  await record.stepLater(() => monitor.inspectBatch(few))
  await record.stepLater(async () => [
    await monitor.clients(),
    await monitor.describe(),
    { ...(await monitor.snapshot()) },
  ])
}
