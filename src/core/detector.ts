/**
 * The template that every detector fills: a method supplies its rule, this file adds the name, the batch, the snapshot
 * and the refusals, so that no detector writes them again.
 */
import { checkObject, isPlainObject, refuse } from './checkers.ts'
import { isMonitorError, withPath } from './errors.ts'
import type { Description, Detection, Detector, Feature, Modality, Observation, PlainData, Snapshot } from './types.ts'

/**
 * The rule of one method. `check` may throw and changes nothing; `apply` gets what `check` returned and does not throw,
 * except where a plug-in function of the user does, and then before anything is learned.
 */
export interface Logic<Obs, Checked, Meta> {
  /** Throws `bad_query`, with a path inside the observation. */
  check(observation: Obs): Checked
  /** Scores and learns, in the order the method's doc states. */
  apply(checked: Checked): Omit<Detection<Meta>, 'detector'>
  /** Extra check of a whole batch that passed one by one, such as one length for all vectors. Throws `bad_query`. */
  checkBatch?(checked: readonly Checked[]): void
  /** True if `apply` calls a user's function, which may throw in the middle of a batch. */
  readonly mayThrow?: boolean
  /** Everything remembered, as fresh plain data. */
  save(): PlainData
  /** Reads a saved state completely, then puts it in place. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void
  clear(): void
  /** Queries remembered, in O(1). */
  size(): number
  /** In O(1). */
  bytes(): number
  describe(): Omit<Description, 'detector' | 'historySize' | 'bytes'>
}

/** A way to make one kind of detector, as it stands in the registry's table. */
export interface DetectorSpec<
  Config extends object = object,
  Obs = Observation,
  Meta = unknown,
  Input extends Modality = Modality,
  Need extends Feature = Feature,
> {
  /** Detectors of one family share a method. */
  readonly family: string
  readonly modality: Input
  /** The feature it reads from an observation. */
  readonly needs: Need
  /** Version of its snapshot's state; raise it when the layout changes. */
  readonly version: number
  /** One line for lists. */
  readonly summary: string
  /** Every option with its default; an option outside this list is refused. Functions and "no value" are `undefined`. */
  readonly defaults: Readonly<Record<string, PlainData | undefined>>
  /** The threshold of its scores under a complete configuration, where that is not the option `threshold` itself. */
  readonly threshold?: (config: Config) => number
  /** Gets a configuration whose keys are known and whose gaps are filled; checks the values. */
  readonly logic: (config: Config, path: string) => Logic<Obs, never, Meta>
}

/** Gives a spec its types without writing them twice: options, metadata, modality and feature follow from what is given. */
export function defineDetector<
  Config extends object,
  Obs,
  Checked,
  Meta,
  const Input extends Modality,
  const Need extends Feature,
>(
  spec: Omit<DetectorSpec<Config, Obs, Meta, Input, Need>, 'logic'> & {
    readonly logic: (config: Config, path: string) => Logic<Obs, Checked, Meta>
  },
): DetectorSpec<Config, Obs, Meta, Input, Need> {
  return spec as unknown as DetectorSpec<Config, Obs, Meta, Input, Need>
}

/** Makes a detector of a spec. Throws `bad_config` for an unknown option or a value out of range. */
export function makeDetector<Config extends object, Obs, Meta>(
  name: string,
  spec: DetectorSpec<Config, Obs, Meta>,
  config: Partial<Config> = {},
): Detector<Obs, Meta> {
  checkObject(config, Object.keys(spec.defaults), name)
  return detectorOf(name, spec.version, spec.logic({ ...spec.defaults, ...defined(config) } as Config, name))
}

/** The entries that have a value. */
export function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

function detectorOf<Obs, Checked, Meta>(
  name: string,
  version: number,
  logic: Logic<Obs, Checked, Meta>,
): Detector<Obs, Meta> {
  const detector: Detector<Obs, Meta> = {
    name,
    process(observation) {
      return named(logic.apply(check(observation)))
    },
    processBatch(observations) {
      const checked = observations.map((observation, i) => inBatch(i, () => check(observation)))
      logic.checkBatch?.(checked)
      const before = logic.mayThrow === true ? logic.save() : null
      try {
        return checked.map((one, i) => inBatch(i, () => named(logic.apply(one))))
      } catch (thrown) {
        logic.load(before)
        throw thrown
      }
    },
    snapshot() {
      return { detector: name, version, state: logic.save() }
    },
    restore(snapshot) {
      checkSnapshot(snapshot, name, version)
      logic.load(snapshot.state)
    },
    reset() {
      logic.clear()
    },
    describe() {
      return { detector: name, historySize: logic.size(), bytes: logic.bytes(), ...logic.describe() }
    },
    size() {
      return logic.size()
    },
    bytes() {
      return logic.bytes()
    },
  }
  return detector

  function check(observation: Obs): Checked {
    if (typeof observation !== 'object' || observation === null) {
      refuse(
        'bad_query',
        'must be an observation such as { probabilities }, { fingerprint }, { embedding }, { row } or { vector }',
        observation,
        '',
      )
    }
    return logic.check(observation)
  }

  // Written out field by field: a spread costs more than the score of the cheap detectors.
  function named(d: Omit<Detection<Meta>, 'detector'>): Detection<Meta> {
    const { suspicious, score, threshold, confidence, reason, metadata } = d
    return { suspicious, score, threshold, confidence, reason, metadata, detector: name }
  }
}

function inBatch<R>(index: number, step: () => R): R {
  try {
    return step()
  } catch (thrown) {
    throw isMonitorError(thrown) ? withPath(thrown, `[${index}]`) : thrown
  }
}

/** Refuses a snapshot of another maker or version. The state itself is checked by its reader. */
export function checkSnapshot(snapshot: Snapshot, detector: string, version: number): void {
  if (!isPlainObject(snapshot)) refuse('bad_snapshot', 'must be { detector, version, state }', snapshot, '')
  if (snapshot.detector !== detector) {
    refuse('bad_snapshot', `must be '${detector}': it is for another detector`, snapshot.detector, 'detector')
  }
  if (snapshot.version !== version) {
    const remedy = 'start from an empty state, or use the release that wrote it'
    refuse('bad_snapshot', `must be ${version} (${remedy})`, snapshot.version, 'version')
  }
}
