/**
 * What stands behind an asynchronous detector or monitor: it turns a query into an entry (which may wait) and applies
 * entries (which may not). A host in another thread or on a log uses the same two steps.
 */
import {
  type Calibration,
  checkObject,
  type Detection,
  type Detector,
  isMonitorError,
  isPlainObject,
  MonitorError,
  type Observation,
  type Registry,
  refuse,
  type Snapshot,
  withPath,
} from '../core/index.ts'
import { guarded } from './calibratedFeatures.ts'
import { featureKeys } from './featureConfig.ts'
import { createFeaturizer, QueryFeatures } from './featurize.ts'
import type { LabelledModel } from './models.ts'
import type { CallOptions } from './order.ts'
import type { Parts } from './parts.ts'
import { checkQuery, type Query } from './query.ts'

/** Queries of a batch that are featurized at the same time. */
const BATCH = 8

/** Turns queries into entries and entries into results. An entry is plain data. */
export interface Engine<Q, Entry, Result, Description> {
  readonly name: string
  /** May wait; changes nothing. Rejects with the error of a bad query. */
  featurize(query: Q, options: CallOptions): Promise<Entry>
  /** The same at once, where the query brings all that it takes, which `apply` checks; else `undefined`. May throw as well. */
  ready?(query: Q): Entry | undefined
  /** Learns; throws with the state unchanged. */
  apply(entry: Entry): Result
  /** All or nothing. */
  applyBatch(entries: readonly Entry[]): Result[]
  snapshot(): Snapshot
  restore(snapshot: Snapshot): void
  reset(): void
  describe(): Description
  /** The embedders with a model. */
  readonly models: readonly LabelledModel[]
}

/** Any registry will do; the typed view is the caller's. */
// biome-ignore lint/suspicious/noExplicitAny: a registry of unknown detectors
export type AnyRegistry = Registry<any>

export type DetectorEngine<Meta = unknown> = Engine<
  Query,
  Observation,
  Detection<Meta>,
  ReturnType<Detector['describe']>
>

/** The engine of one detector. Throws `bad_config`. */
export function detectorEngineWith(
  parts: Parts,
  name: string,
  config: Readonly<Record<string, unknown>>,
  registry: AnyRegistry,
): DetectorEngine {
  const { featurizer, options } = splitConfig({ name, config, registry, parts }, name)
  const detector: Detector = registry.createDetector(name, options as never)
  return {
    name,
    featurize: async (query, call) => featurizer.observe(new QueryFeatures(checkQuery(query)), call),
    ready: (query) => featurizer.ready(checkQuery(query)),
    apply: (observation) => detector.process(observation),
    applyBatch: (observations) => detector.processBatch(observations),
    snapshot: () => detector.snapshot(),
    restore: (snapshot) => detector.restore(snapshot),
    reset: () => detector.reset(),
    describe: () => detector.describe(),
    models: featurizer.model === undefined ? [] : [[name, featurizer.model]],
  }
}

/** A detector's options as the featurizer that reads its own, and the rest for the core. Throws `bad_config`. */
export function splitConfig(
  {
    name,
    config,
    registry,
    parts,
  }: {
    readonly name: unknown
    readonly config: Readonly<Record<string, unknown>>
    readonly registry: AnyRegistry
    readonly parts: Parts
  },
  path: string,
) {
  const spec = registry.find(name)
  if (!isPlainObject(config)) refuse('bad_config', 'must be a plain object', config, path)
  const mine = featureKeys(spec)
  checkObject(config, [...Object.keys(spec.defaults), ...mine, 'calibration'], path)
  const own = Object.entries(config).filter(([key]) => mine.includes(key))
  const options = Object.fromEntries(Object.entries(config).filter(([key]) => !mine.includes(key)))
  const features = Object.fromEntries(own)
  const plain = createFeaturizer({ spec, options: features, detector: options, parts }, path)
  const record = options['calibration'] as Calibration | undefined
  return {
    featurizer: record === undefined ? plain : guarded(plain, { features, record }, `${path}.calibration`),
    features,
    options,
  }
}

/** `{ name, … }` from outside, apart: nothing is changed in it. Throws `bad_config`. */
export function splitName(json: unknown): {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
} {
  if (!isPlainObject(json)) refuse('bad_config', 'must be an object like { "name": "text_repetition" }', json, '')
  const { name, ...config } = json
  if (typeof name === 'string') return { name, config }
  throw new MonitorError('bad_config', 'is missing: the name of a detector', 'name')
}

/** Entries of a batch, made at most eight at a time; an error's path begins with the query's place. */
export async function featurizeAll<Q, Entry>(
  engine: Pick<Engine<Q, Entry, unknown, unknown>, 'featurize' | 'ready'>,
  queries: readonly Q[],
  call: CallOptions,
): Promise<Entry[]> {
  const entries = readyOf(engine, queries)
  for (let start = entries.length; start < queries.length; start += BATCH) {
    const part = queries.slice(start, start + BATCH)
    entries.push(
      ...(await Promise.all(part.map((query, i) => atPlace(start + i, () => engine.featurize(query, call))))),
    )
  }
  return entries
}

/** Entries of as many of the first queries as need no waiting. */
export function readyOf<Q, Entry>(
  engine: Pick<Engine<Q, Entry, unknown, unknown>, 'ready'>,
  queries: readonly Q[],
): Entry[] {
  // A typed array would map promises to numbers, and nobody would hear them fail.
  if (!Array.isArray(queries)) refuse('bad_query', 'must be a list of queries', queries, '')
  const entries: Entry[] = []
  if (engine.ready === undefined) return entries
  for (const [i, query] of queries.entries()) {
    const entry = inPlace(i, () => engine.ready!(query))
    if (entry === undefined) break
    entries.push(entry)
  }
  return entries
}

/** Also what is thrown at once: else the failures of the queries before it would be heard by nobody. */
async function atPlace<T>(index: number, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (thrown) {
    throw placed(thrown, index)
  }
}

function inPlace<T>(index: number, make: () => T): T {
  try {
    return make()
  } catch (thrown) {
    throw placed(thrown, index)
  }
}

function placed(thrown: unknown, index: number): unknown {
  return isMonitorError(thrown) ? withPath(thrown, `[${index}]`) : thrown
}
