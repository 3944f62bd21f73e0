/** Raw queries in, awaited detections out. */
import type {
  Builtins,
  ConfigOf,
  Description,
  Detection,
  DetectorSpec,
  MetadataOf,
  Registry,
  Snapshot,
  Specs,
} from '../core/index.ts'
import { type AnyRegistry, type DetectorEngine, featurizeAll, splitName } from './engine.ts'
import { createDetectorEngine } from './engines.ts'
import type { FeatureConfig } from './featureConfig.ts'
import { type ModelEvent, type ModelHost, modelHost } from './models.ts'
import { type CallOptions, Order, type OrderOptions } from './order.ts'
import { holdQuery, type InputOf, type Query } from './query.ts'

/**
 * A detector with its featurizer. Every verb is promised; verdicts follow the order of the calls even when embeddings
 * finish out of order, and a failed query leaves the state as it was.
 */
export interface AsyncDetector<In = unknown, Meta = unknown> extends ModelHost {
  readonly name: string
  /** Scores one query and learns it. Rejects with a `MonitorError`. */
  process(query: Query<In>, options?: CallOptions): Promise<Detection<Meta>>
  /** What `process` gives one by one, in order; all or nothing. */
  processBatch(queries: readonly Query<In>[], options?: CallOptions): Promise<Detection<Meta>[]>
  /** The state after all earlier calls. */
  snapshot(): Promise<Snapshot>
  restore(snapshot: Snapshot): Promise<void>
  reset(): Promise<void>
  describe(): Promise<Description>
}

/** The input type of a spec's modality. */
export type InputOfSpec<Spec> =
  Spec extends DetectorSpec<infer _C, infer _O, infer _M, infer Input, infer _N> ? InputOf[Input] : unknown

/** All options of a detector: its own and those of its featurizer. */
export type DetectorConfig<Spec> = ConfigOf<Spec> &
  (Spec extends DetectorSpec<infer _C, infer _O, infer _M, infer Input, infer Need>
    ? FeatureConfig<Input, Need>
    : unknown)

export interface DetectorHostOptions<Table extends Specs = Builtins> extends OrderOptions {
  /** Where names are looked up. Default: the built-in detectors. */
  readonly registry?: Registry<Table>
  /** Told of what the model of the embedder does: its loading, and a backend that was lost. */
  readonly onEvent?: (event: ModelEvent) => void
}

/**
 * A detector of raw queries: `getDetector('image_similarity', { threshold: 0.95 })`. The name types the options and the
 * input. Throws `bad_config`.
 */
export function getDetector<Name extends keyof Table & string, Table extends Specs = Builtins>(
  name: Name,
  config?: DetectorConfig<Table[Name]>,
  options: DetectorHostOptions<Table> = {},
): AsyncDetector<InputOfSpec<Table[Name]>, MetadataOf<Table[Name]>> {
  const engine = createDetectorEngine(
    name,
    config as Record<string, unknown> | undefined,
    options.registry as AnyRegistry,
  )
  return detectorOver(engine, options) as AsyncDetector<InputOfSpec<Table[Name]>, MetadataOf<Table[Name]>>
}

/**
 * A detector from JSON: `loadDetector({ name: 'text_repetition', threshold: 3 })`. The object is checked and not
 * changed. Throws `bad_config`.
 */
export function loadDetector(json: unknown, options: DetectorHostOptions<Specs> = {}): AsyncDetector {
  const { name, config } = splitName(json)
  return detectorOver(createDetectorEngine(name, config, options.registry as AnyRegistry), options)
}

/** The verbs of an {@link AsyncDetector} over an engine, in the order of the calls. */
export function detectorOver(
  engine: DetectorEngine,
  options: OrderOptions & Pick<DetectorHostOptions, 'onEvent'> = {},
): AsyncDetector {
  const { onEvent, ...rest } = options
  const order = new Order(rest)
  const now = <R>(step: () => R) => order.run(async () => undefined, step)
  return {
    name: engine.name,
    async process(query, call = {}) {
      const held = holdQuery(query, call)
      return order.run(() => engine.featurize(held, call), engine.apply, call)
    },
    async processBatch(queries, call = {}) {
      const held = queries.map((query) => holdQuery(query, call))
      return order.run(() => featurizeAll(engine, held, call), engine.applyBatch, call)
    },
    snapshot: () => now(engine.snapshot),
    restore: (snapshot) => now(() => engine.restore(snapshot)),
    reset: () => now(engine.reset),
    describe: () => now(engine.describe),
    ...modelHost(engine.models, onEvent, () => order.dispose()),
  }
}
