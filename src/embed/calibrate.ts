/** Calibration over raw queries. */
import {
  type CalibrateOptions,
  type Calibration,
  Calibrator,
  createRegistry,
  isMonitorError,
  type NamedDetector,
  type Observation,
  readNamed,
  withPath,
} from '../core/index.ts'
import {
  type CalibrateMonitorOptions,
  type MonitorCalibration,
  MonitorCalibrator,
  type MonitorEvent,
  type QueryEntry,
  type StreamMonitorConfig,
  type Verdict,
} from '../core/monitor/index.ts'
import { featuresHashOf, holdsForOf } from './calibratedFeatures.ts'
import { type AnyRegistry, splitConfig } from './engine.ts'
import { allParts } from './engines.ts'
import { QueryFeatures } from './featurize.ts'
import { monitorEngineWith } from './monitorEngine.ts'
import { Order } from './order.ts'
import { checkQuery, holdQuery, type Query } from './query.ts'

/** Benign queries, in their order. */
export type BenignQueries = Iterable<Query> | AsyncIterable<Query>

export interface CalibrateHostOptions {
  /** Where names are looked up. Default: the built-in detectors. */
  readonly registry?: AnyRegistry
  readonly signal?: AbortSignal
  /** Told of each query once it has been scored. */
  readonly onQuery?: (queries: number) => void
}

/** Scores benign queries as they come, and makes the record at the end. */
export interface QueryCalibrator<Said, Record> {
  /** Scores one query, in the order of the calls. Rejects with `bad_query` for one that cannot be scored, and goes on. */
  add(query: Query): Promise<Said>
  /** The record of all queries so far. Rejects with `bad_config` where they are too few for alpha. */
  finish(): Promise<Record>
}

/** For one detector. Throws `bad_config`. */
export function createCalibrator(
  detector: NamedDetector,
  options: CalibrateOptions,
  { registry = createRegistry() }: Pick<CalibrateHostOptions, 'registry'> = {},
): QueryCalibrator<{ readonly score: number }, Calibration> {
  const { name, config } = readNamed(detector)
  const { featurizer, features, options: own } = splitConfig({ name, config, registry, parts: allParts }, name)
  const prepared = registry.prepareDetector(name, own as never)
  const holdsFor = { model: null, dtype: null, backend: null }
  const subject = {
    detector: name,
    configHash: prepared.configHash(),
    featuresHash: featuresHashOf(features),
    holdsFor,
  }
  const calibrator = new Calibrator<Observation>(prepared.make as never, subject, options)
  const order = new Order({ maxPending: Infinity })
  return {
    async add(query) {
      const held = checkQuery(holdQuery(query))
      const observe = () => featurizer.observe(new QueryFeatures(held), {})
      return order.run(observe, (observation) => calibrator.add(observation, held.client))
    },
    async finish() {
      return calibrator.finish(await holdsForOf(featurizer))
    },
  }
}

/** For a monitor as a whole. Throws `bad_config`. */
export function createMonitorCalibrator(
  { detectors, clients }: Pick<StreamMonitorConfig, 'detectors' | 'clients'>,
  options: CalibrateMonitorOptions,
  { registry = createRegistry() }: Pick<CalibrateHostOptions, 'registry'> = {},
): QueryCalibrator<Verdict, MonitorCalibration> {
  const engine = monitorEngineWith(allParts, { detectors, ...(clients === undefined ? {} : { clients }) }, { registry })
  const calibrator = new MonitorCalibrator(engine.subjects(), options)
  const order = new Order({ maxPending: Infinity })
  let lastMs = 0
  return {
    async add(query) {
      const { timeMs = lastMs } = query
      // One that will be refused must not take the next one with it.
      if (Number.isFinite(timeMs) && timeMs >= 0) lastMs = timeMs
      const held = holdQuery({ ...query, timeMs })
      return order.run(
        () => engine.featurize(held, {}),
        (entry) => {
          calibrator.checkOrder(entry as QueryEntry)
          const { verdict, events } = engine.apply(entry) as { verdict: Verdict; events: readonly MonitorEvent[] }
          calibrator.add(entry as QueryEntry, { verdict, events })
          return verdict
        },
      )
    },
    async finish() {
      return calibrator.finish(await Promise.all(engine.featurizers.map(holdsForOf)))
    },
  }
}

/**
 * What benign traffic scores with a detector: the record that its option `calibration` takes.
 *
 *     const record = await calibrate('text_similarity', queries, { alpha: 0.001 })
 *     getDetector('text_similarity', { calibration: record })
 *
 * Where queries name their clients, the promise is about clients: at most a share alpha of benign ones ever has a
 * suspicious query. Rejects with `bad_config` where there is too little traffic for alpha, saying how much is needed, and
 * with `bad_query`, the place in the path, for a query that cannot be scored.
 */
export async function calibrate(
  detector: NamedDetector,
  benign: BenignQueries,
  { registry, signal, onQuery, ...options }: CalibrateOptions & CalibrateHostOptions,
): Promise<Calibration> {
  const calibrator = createCalibrator(detector, options, registry === undefined ? {} : { registry })
  await addAll(calibrator, benign, { signal, onQuery })
  return calibrator.finish()
}

/**
 * What benign traffic does in a monitor: the record that its option `calibration` takes. At most a share alpha of benign
 * clients is then ever suspended, with the assurance that was asked for.
 *
 * @param config As for `createMonitor`; the policy does not matter.
 * @param benign All queries of benign clients, in the order of their times. A query without a time has that of the one
 * before; one without a client counts for nothing.
 */
export async function calibrateMonitor(
  config: StreamMonitorConfig,
  benign: BenignQueries,
  { registry, signal, onQuery, ...options }: CalibrateMonitorOptions & CalibrateHostOptions,
): Promise<MonitorCalibration> {
  const calibrator = createMonitorCalibrator(config, options, registry === undefined ? {} : { registry })
  await addAll(calibrator, benign, { signal, onQuery })
  return calibrator.finish()
}

/** Queries on their way at a time. */
const AT_A_TIME = 16

async function addAll(
  calibrator: QueryCalibrator<unknown, unknown>,
  benign: BenignQueries,
  { signal, onQuery }: { readonly [Key in 'signal' | 'onQuery']: CalibrateHostOptions[Key] | undefined },
): Promise<void> {
  let place = 0
  const underWay: Promise<void>[] = []
  for await (const query of benign) {
    signal?.throwIfAborted()
    const one = addAt(place++, query)
    one.catch(() => {}) // told when its turn comes
    underWay.push(one)
    if (underWay.length >= AT_A_TIME) await underWay.shift()
  }
  await Promise.all(underWay)

  async function addAt(index: number, query: Query): Promise<void> {
    try {
      await calibrator.add(query)
    } catch (thrown) {
      throw isMonitorError(thrown) ? withPath(thrown, `[${index}]`) : thrown
    }
    onQuery?.(index + 1)
  }
}
