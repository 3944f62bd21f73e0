/** What stands behind a monitor of raw queries: from a query to an entry, and from entries to verdicts. */
import {
  checkObject,
  createRegistry,
  isPlainObject,
  MonitorError,
  type Observation,
  type PlainError,
  toMonitorError,
  withPath,
} from '../core/index.ts'
import {
  type CalibratedDetector,
  createStreamMonitor,
  type Entry,
  MONITOR_KEYS,
  type MonitorDescription,
  type MonitorEvent,
  type MonitoredDetector,
  type QueryEntry,
  type StreamMonitor,
  type StreamMonitorConfig,
  type Verdict,
} from '../core/monitor/index.ts'
import { featuresHashOf, guarded } from './calibratedFeatures.ts'
import { type AnyRegistry, type Engine, splitConfig } from './engine.ts'
import { type Featurizer, QueryFeatures } from './featurize.ts'
import type { LabelledModel } from './models.ts'
import type { MonitorConfig } from './monitor.ts'
import type { CallOptions } from './order.ts'
import type { Parts } from './parts.ts'
import { checkQuery, holdQuery, type Query } from './query.ts'

/** What a monitor's engine gives for an entry. */
export interface Applied {
  readonly verdict?: Verdict
  readonly events: readonly MonitorEvent[]
}

export interface MonitorEngine extends Engine<Query, Entry, Applied, MonitorDescription> {
  readonly stream: StreamMonitor
  /** Of each detector. */
  readonly featurizers: readonly Featurizer[]
  /** What a calibration of each detector is bound to. */
  subjects(): CalibratedDetector[]
}

export interface EngineOptions {
  /** Where names are looked up. Default: the built-in detectors. */
  readonly registry?: AnyRegistry | undefined
  /** For queries without a time, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** How far ahead of the host's clock a query's time may be, in ms. */
const MAX_AHEAD_MS = 300_000

/**
 * The query as it is now, with the host's time where it brings none; not copied where the caller gives it away. Throws
 * `bad_query` for a time far in the future: it would end suspensions and fade evidence for everybody, and the stream's
 * time never goes back.
 */
export function stamp(
  query: Query,
  now: () => number,
  call: CallOptions,
  copyPixels?: (data: ArrayBufferView) => unknown,
  copyVector?: (vector: ArrayLike<number>) => ArrayLike<number>,
): Query {
  const held = holdQuery(query, call, copyPixels, copyVector)
  const nowMs = now()
  if (held.timeMs === undefined) return { ...held, timeMs: nowMs }
  const isAhead = typeof held.timeMs === 'number' && held.timeMs > nowMs + MAX_AHEAD_MS
  if (!isAhead) return held // what is no time is refused with the rest of the query
  const remedy = "leave it out, mend the clock it comes from, or give the monitor that clock as 'now'"
  const message = `is more than ${MAX_AHEAD_MS} ms ahead of the host's clock (${nowMs}), got ${held.timeMs}; ${remedy}`
  throw new MonitorError('bad_query', message, 'timeMs')
}

/** Tells the host what happened, after the state has been changed, and gives the verdict. */
export function announce({ verdict, events }: Applied, onEvent: MonitorConfig['onEvent']): Verdict {
  if (verdict !== undefined) onEvent?.({ kind: 'verdict', verdict })
  for (const event of events) onEvent?.(event)
  return verdict as Verdict
}

/** The engine of a monitor. Throws `bad_config`. */
export function monitorEngineWith(
  parts: Parts,
  config: StreamMonitorConfig,
  { registry = createRegistry(), now = Date.now }: EngineOptions = {},
): MonitorEngine {
  checkObject(config, MONITOR_KEYS, 'monitor')
  const { detectors: given } = config
  const read = Array.isArray(given)
    ? given.map((one, i) => readSlot(one, `monitor.detectors[${i}]`, registry, parts))
    : []
  const detectors = read.length === 0 ? config.detectors : read.map(({ core }) => core)
  const stream = createStreamMonitor({ ...config, detectors }, registry)
  const labels = stream.detectors.map(({ label }) => label)
  // The records have been read with the stream.
  const slots = read.map((slot, i) => {
    const record = config.calibration?.detectors[i]?.record
    if (record === undefined) return slot
    const path = `monitor.calibration.detectors[${i}].record`
    return { ...slot, featurizer: guarded(slot.featurizer, { features: slot.features, record }, path) }
  })

  return {
    name: 'monitor',
    stream,
    featurize,
    apply: stream.apply,
    applyBatch: (entries) => entries.map((entry) => stream.apply(entry)),
    snapshot: stream.snapshot,
    restore: stream.restore,
    reset: stream.reset,
    describe: stream.describe,
    featurizers: slots.map(({ featurizer }) => featurizer),
    subjects: () =>
      stream.subjects().map((subject, i) => ({ ...subject, featuresHash: featuresHashOf(slots[i]!.features) })),
    models: slots.flatMap(({ featurizer }, i): LabelledModel[] =>
      featurizer.model === undefined ? [] : [[labels[i]!, featurizer.model]],
    ),
  }

  async function featurize(query: Query, call: CallOptions): Promise<QueryEntry> {
    const features = new QueryFeatures(checkQuery(query))
    const found = await Promise.all(slots.map(({ featurizer }, i) => observe(featurizer, features, labels[i]!, call)))
    const observations = found.every((one) => one === null) ? labels.map(nothingApplies) : found
    const { client = '', group, id, timeMs = now() } = query
    const names = { ...(group === undefined ? {} : { group }), ...(id === undefined ? {} : { id }) }
    return { kind: 'query', client, ...names, timeMs, observations }
  }
}

function readSlot(
  given: unknown,
  path: string,
  registry: AnyRegistry,
  parts: Parts,
): { featurizer: Featurizer; features: Readonly<Record<string, unknown>>; core: MonitoredDetector } {
  if (typeof given !== 'string' && !isPlainObject(given)) {
    throw new MonitorError('bad_config', 'must be a name or { name, … }', path)
  }
  const { name, label, scope, ...config } = typeof given === 'string' ? { name: given } : given
  const { featurizer, features, options } = splitConfig({ name, config, registry, parts }, path)
  const place = { ...(label === undefined ? {} : { label }), ...(scope === undefined ? {} : { scope }) }
  return { featurizer, features, core: { name, ...place, ...options } as MonitoredDetector }
}

/** The observation, null where the detector does not apply, or why it could not be had. An abort stops the whole query. */
async function observe(
  featurizer: Featurizer,
  features: QueryFeatures,
  label: string,
  call: CallOptions,
): Promise<Observation | PlainError | null> {
  if (!featurizer.applies(features.query)) return null
  try {
    return await featurizer.observe(features, call)
  } catch (thrown) {
    if (call.signal?.aborted) throw thrown
    return withPath(toMonitorError(thrown, 'embedder_failed'), label).toJSON()
  }
}

function nothingApplies(label: string): PlainError {
  const message = 'no detector of this monitor takes this kind of query; check input and modelOutput'
  return new MonitorError('bad_query', message, `${label}.input`).toJSON()
}
