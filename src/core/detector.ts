/**
 * The template that every detector fills: a method supplies its rule, this file adds the name, the batch, the snapshot
 * and the refusals, so that no detector writes them again.
 */
import { configHashOf } from './calibration/configHash.ts'
import { type Calibration, type ReadCalibration, readCalibration } from './calibration/record.ts'
import { checkObject, isPlainObject, refuse } from './checkers.ts'
import { isMonitorError, withPath } from './errors.ts'
import type { Technique } from './techniques.ts'
import type { Description, Detection, Detector, Feature, Modality, Observation, PlainData, Snapshot } from './types.ts'

/**
 * The rule of one method. `check` may throw and changes nothing; `apply` gets what `check` returned and does not throw,
 * except where a plug-in function of the user does, and then before anything is learned.
 */
export interface Logic<Obs, Checked, Meta> {
  /** Throws `bad_query`, with a path inside the observation. May return the same object each time, see `keep`. */
  check(observation: Obs): Checked
  /** Scores and learns, in the order the method's doc states. A fresh object, on which the detector's name is put. */
  apply(checked: Checked): Omit<Detection<Meta>, 'detector'>
  /** A copy of what `check` returned, where it returns the same object each time: all of a batch is checked before it is applied. */
  keep?(checked: Checked): Checked
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
  /** Whether it reads the model's answer as well. Default: only where `needs` is `probabilities` or `vector`. */
  readonly needsAnswer?: boolean
  /** True if near-duplicates must have near fingerprints: texts `simHash`, pictures `perceptualHash`; rows have none. */
  readonly isNearHash?: boolean
  /** Version of its snapshot's state; raise it when the layout changes. */
  readonly version: number
  /** One line for lists. */
  readonly summary: string
  /** What it finds signs of, as MITRE ATLAS names it, the likeliest first. */
  readonly techniques?: readonly Technique[]
  /** Where the method comes from. */
  readonly paper?: string
  /** True where the threshold changes what is remembered, so that a calibration holds for one threshold only. */
  readonly thresholdChangesScores?: boolean
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

/** The option that every detector takes beside its own. */
export interface Calibrated {
  /**
   * What benign traffic scores, as `calibrate` found it. The threshold is then the one that follows from it, and each
   * detection tells its `pValue`; the option `threshold` is left to the detector's own words. Default: none.
   */
  readonly calibration?: Calibration
}

/** Makes a detector of a spec. Throws `bad_config` for an unknown option or a value out of range. */
export function makeDetector<Config extends object, Obs, Meta>(
  name: string,
  spec: DetectorSpec<Config, Obs, Meta>,
  config: Partial<Config> & Calibrated = {},
): Detector<Obs, Meta> {
  return prepareDetector(name, spec, config).make()
}

/** A detector that can be made as often as wanted: its calibration has been read. */
export interface PreparedDetector<Obs, Meta> {
  readonly calibration: Calibration | undefined
  /** What a calibration of it is bound to. */
  configHash(): string
  make(): Detector<Obs, Meta>
}

/** Checks the options' names and reads the calibration, once for all detectors to be made. Throws `bad_config`. */
export function prepareDetector<Config extends object, Obs, Meta>(
  name: string,
  spec: DetectorSpec<Config, Obs, Meta>,
  config: Partial<Config> & Calibrated = {},
): PreparedDetector<Obs, Meta> {
  checkObject(config, [...Object.keys(spec.defaults), 'calibration'], name)
  const { calibration, ...given } = config
  const options = { ...spec.defaults, ...defined(given) }
  const configHash = () => configHashOf(name, options, spec)
  const read =
    calibration === undefined
      ? undefined
      : readCalibration(calibration, { detector: name, configHash: configHash() }, `${name}.calibration`)
  return {
    calibration: read?.record,
    configHash,
    make: () => detectorOf(name, spec.version, spec.logic(options as Config, name), read),
  }
}

/** The entries that have a value. */
export function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

function detectorOf<Obs, Checked, Meta>(
  name: string,
  version: number,
  logic: Logic<Obs, Checked, Meta>,
  calibration?: ReadCalibration,
): Detector<Obs, Meta> {
  const keep = (checked: Checked) => logic.keep?.(checked) ?? checked
  const detector: Detector<Obs, Meta> = {
    name,
    process(observation) {
      return named(logic.apply(check(observation)))
    },
    processBatch(observations) {
      const checked = observations.map((observation, i) => inBatch(i, () => keep(check(observation))))
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
      const own = { detector: name, historySize: logic.size(), bytes: logic.bytes(), ...logic.describe() }
      if (calibration === undefined) return own
      return { ...own, config: { ...own.config, calibration: summaryOf(calibration) } }
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

  // The name is put on what `apply` made for this query: a copy would cost more than the score of the cheap detectors.
  function named(fresh: Omit<Detection<Meta>, 'detector'>): Detection<Meta> {
    if (calibration !== undefined) return judged(fresh, name, calibration)
    if (!Object.isExtensible(fresh)) return { ...fresh, detector: name }
    const detection = fresh as { -readonly [Key in keyof Detection<Meta>]: Detection<Meta>[Key] }
    detection.detector = name
    return detection
  }
}

/** What a calibrated detector says, by the benign scores in place of its own threshold. */
function judged<Meta>(
  { score, confidence, reason, metadata }: Omit<Detection<Meta>, 'detector'>,
  detector: string,
  { record, scale, words }: ReadCalibration,
): Detection<Meta> {
  const { threshold } = record
  const pValue = scale.pValue(score)
  return {
    suspicious: score >= threshold,
    score,
    threshold,
    confidence,
    pValue,
    reason: `p = ${Number(pValue.toPrecision(3))} ${words} ${reason}`,
    metadata,
    detector,
  }
}

function summaryOf({ record, scale }: ReadCalibration): PlainData {
  const { alpha, assurance, unit, threshold, queries, date, checksum } = record
  return { alpha, assurance, unit, n: scale.n, queries, threshold, date, checksum }
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
