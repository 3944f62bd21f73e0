/** What a calibration found, as plain data: how benign traffic scores, of which detector, and on what that holds. */
import { checkChoice, checkNumber, checkObject, isPlainObject, refuse } from '../checkers.ts'
import { MonitorError } from '../errors.ts'
import { sha256HexOfText } from '../hash.ts'
import { BenignScale, type SavedScale } from './benignScale.ts'
import { checkPromise, type Promised, requireUnits, UNITS, type Unit } from './promise.ts'
import { stableJson } from './stableJson.ts'

export const FORMAT = 'monitaur-calibration'
export const VERSION = 1

/** The model behind a detector's feature; null where there is none, or it is not known. */
export interface HoldsFor {
  /** Such as `Xenova/all-MiniLM-L6-v2`. */
  readonly model: string | null
  /** Such as `q8`. */
  readonly dtype: string | null
  /** What ran it, such as `wasm`. Null: it does not matter. */
  readonly backend: string | null
}

/** Which detector a record is of. */
export interface Subject {
  /** Its registry name. */
  readonly detector: string
  /** SHA-256 of the options that its scores depend on. */
  readonly configHash: string
  /** The same of the options of its featurizer; null where observations were given. */
  readonly featuresHash: string | null
  readonly holdsFor: HoldsFor
}

/** What benign traffic scores: the record of one detector. */
export interface Calibration extends Subject {
  readonly format: typeof FORMAT
  readonly version: typeof VERSION
  readonly kind: 'detector'
  readonly method: 'split-conformal'
  readonly alpha: number
  /** 0: on average over calibrations. */
  readonly assurance: number
  /** What a score is of: one query, or all queries of a client or a group, of which the largest counts. */
  readonly unit: Unit
  /** Queries behind the scores. */
  readonly queries: number
  /** From which score a query is suspicious, inclusive. */
  readonly threshold: number
  readonly scores: SavedScale
  /** SHA-256 of all scores in their order: the same data give the same. */
  readonly dataHash: string
  /** When it was made, as an ISO date, as whoever made it says. */
  readonly date: string | null
  /** SHA-256 of everything above. */
  readonly checksum: string
}

/** A record with its checksum. */
export function seal<T extends object>(record: T): T & { readonly checksum: string } {
  return { ...record, checksum: checksumOf(record) }
}

function checksumOf(record: object): string {
  return sha256HexOfText(stableJson(record))
}

/** The fields of a sealed record of this kind. Throws `bad_config` for another kind, another format, and for damage. */
export function openSeal(
  value: unknown,
  kind: string,
  fields: readonly string[],
  path: string,
): Readonly<Record<string, unknown>> {
  if (!isPlainObject(value) || value['format'] !== FORMAT) {
    refuse('bad_config', 'must be a record of a calibration, such as `monitaur calibrate` writes', value, path)
  }
  if (value['kind'] !== kind) refuse('bad_config', `must be the record of a ${kind}`, value['kind'], `${path}.kind`)
  if (value['version'] !== VERSION) {
    refuse('bad_config', `must be ${VERSION}: calibrate again with this release`, value['version'], `${path}.version`)
  }
  const { checksum, ...rest } = checkObject(value, [...fields, 'checksum'], path)
  const missing = fields.find((field) => rest[field] === undefined)
  if (missing !== undefined || checksum !== checksumOf(rest)) {
    throw new MonitorError('bad_config', 'is damaged or was changed by hand; calibrate again', path)
  }
  return value
}

const FIELDS = [
  'format',
  'version',
  'kind',
  'detector',
  'configHash',
  'featuresHash',
  'holdsFor',
  'method',
  'alpha',
  'assurance',
  'unit',
  'queries',
  'threshold',
  'scores',
  'dataHash',
  'date',
]

/** A record that has been read, and fits the detector that shall take it. */
export interface ReadCalibration {
  readonly record: Calibration
  readonly scale: BenignScale
  /** What each detection says after its p-value. */
  readonly words: string
}

/** Reads a detector's record and checks that it is of this one. Throws `bad_config`. */
export function readCalibration(
  value: unknown,
  { detector, configHash }: Pick<Subject, 'detector' | 'configHash'>,
  path: string,
): ReadCalibration {
  const fields = openSeal(value, 'detector', FIELDS, path) as unknown as Calibration
  if (fields.detector !== detector) {
    refuse('bad_config', `must be of '${detector}': it is of another detector`, fields.detector, `${path}.detector`)
  }
  if (fields.configHash !== configHash) {
    const remedy = 'calibrate with the options that are in force, or put back those of the record'
    throw new MonitorError(
      'bad_config',
      `is of other options, which score differently; ${remedy}`,
      `${path}.configHash`,
    )
  }
  const unit = checkChoice(fields.unit, ['query', 'client', 'group'], `${path}.unit`)
  const promise = checkPromise(fields, { unit, path })
  const scale = BenignScale.read(fields.scores, `${path}.scores`)
  requireUnits(scale.n, promise, unit, `${path}.scores.n`)
  checkSubject(fields, path)
  checkNumber(fields.threshold, {}, `${path}.threshold`)
  if (scale.threshold(promise) !== fields.threshold) {
    refuse('bad_config', 'must follow from the scores', fields.threshold, `${path}.threshold`)
  }
  const limit = Number(fields.threshold.toPrecision(3))
  const words = `among ${scale.n} benign ${UNITS[unit]}, suspicious above a score of ${limit}; the detector's own words:`
  return { record: fields, scale, words }
}

function checkSubject({ featuresHash, holdsFor, queries, date }: Calibration, path: string): void {
  checkWord(featuresHash, `${path}.featuresHash`)
  const fields = checkObject(holdsFor, ['model', 'dtype', 'backend'], `${path}.holdsFor`)
  for (const key of ['model', 'dtype', 'backend']) checkWord(fields[key], `${path}.holdsFor.${key}`)
  checkNumber(queries, { min: 0, integer: true }, `${path}.queries`)
  checkDate(date, `${path}.date`)
}

function checkWord(value: unknown, path: string): void {
  if (value !== null && typeof value !== 'string') refuse('bad_config', 'must be a text, or null', value, path)
}

/** What a record is made of, beside the scores. */
export interface RecordParts extends Subject {
  readonly promise: Required<Promised>
  readonly unit: Unit
  readonly queries: number
  readonly dataHash: string
  readonly date: string | null
}

/** The record of these scores. Throws `bad_config` where they are too few for the promise. */
export function recordOf(scores: ArrayLike<number>, parts: RecordParts): Calibration {
  const { promise, unit, detector, configHash, featuresHash, holdsFor, queries, dataHash, date } = parts
  requireUnits(scores.length, promise, unit, 'alpha')
  const scale = BenignScale.of(scores)
  return seal({
    format: FORMAT,
    version: VERSION,
    kind: 'detector',
    detector,
    configHash,
    featuresHash,
    holdsFor,
    method: 'split-conformal',
    ...promise,
    unit,
    queries,
    threshold: scale.threshold(promise)!,
    scores: scale.toJSON(),
    dataHash,
    date,
  })
}

/** The date of a record: ISO, or null. Throws `bad_config`. */
export function checkDate(date: unknown, path = 'date'): string | null {
  const isDate = date === null || (typeof date === 'string' && Number.isFinite(Date.parse(date)))
  if (!isDate) refuse('bad_config', 'must be a date such as 2026-11-24T12:00:00Z, or null', date, path)
  return date as string | null
}
