/** What a monitor's calibration found: each detector's record, the bets' weights, and what benign clients ever reach. */
import { BenignScale, type SavedScale } from '../../calibration/benignScale.ts'
import { checkPromise, type Promised, requireUnits } from '../../calibration/promise.ts'
import { type Calibration, checkDate, FORMAT, openSeal, seal, VERSION } from '../../calibration/record.ts'
import { checkNumber, checkObject, isPlainObject, refuse } from '../../checkers.ts'
import { MonitorError } from '../../errors.ts'
import { type Bet, type Book, betsOn, RATES, SPANS } from '../evidence/book.ts'
import { TYPICAL } from '../evidence/drift.ts'
import { LEAST_EVIDENCE } from '../evidence/wealth.ts'
import { throttleAlphaOf } from '../policy.ts'

/** What is known of one detector in its place. */
export interface CalibratedSlot {
  readonly label: string
  readonly scope: 'client' | 'group' | 'global'
  /** Unit: the client, or for a detector of scope `group` the group. */
  readonly record: Calibration
  /** The score that at most 1 in 4, 8 … 512 benign queries lies above; null: no higher than the one before. */
  readonly levels: readonly (number | null)[]
  /** Scores of benign clients now and then, ascending, by the length of the client's stream: what drift is measured by. */
  readonly typical: readonly (readonly number[])[]
}

/** What is known of clients, or of groups, as wholes. */
export interface CalibratedUnits {
  /** By length of the stream and by bet, see `SPANS`. */
  readonly weights: readonly (readonly number[])[]
  /** Of those that the weights were not fitted on: the most evidence that each ever had, in nats. */
  readonly maxima: SavedScale
  /** The share of them that may ever be suspended. */
  readonly alpha: number
  /** Units that the weights were fitted on. */
  readonly fitted: number
}

/** The record of a whole monitor. */
export interface MonitorCalibration {
  readonly format: typeof FORMAT
  readonly version: typeof VERSION
  readonly kind: 'monitor'
  readonly alpha: number
  /** 0: on average over calibrations. */
  readonly assurance: number
  /** Evidence halves in this time. */
  readonly halfLifeMs: number
  readonly detectors: readonly CalibratedSlot[]
  readonly clients: CalibratedUnits
  /** Null where the traffic named too few groups to say anything: then no group is ever suspended. */
  readonly groups: CalibratedUnits | null
  readonly queries: number
  /** Queries of the longest client, and ms from the first query to the last of all: what the promise is for. */
  readonly longest: number
  readonly spanMs: number
  readonly dataHash: string
  readonly date: string | null
  readonly checksum: string
}

const FIELDS = [
  'format',
  'version',
  'kind',
  'alpha',
  'assurance',
  'halfLifeMs',
  'detectors',
  'clients',
  'groups',
  'queries',
  'longest',
  'spanMs',
  'dataHash',
  'date',
]

export function sealMonitor(record: Omit<MonitorCalibration, 'format' | 'version' | 'kind' | 'checksum'>) {
  return seal({ format: FORMAT, version: VERSION, kind: 'monitor', ...record }) satisfies MonitorCalibration
}

/** What a monitor runs with, for clients or for groups. */
export interface ReadUnits {
  readonly book: Book
  readonly maxima: BenignScale
  readonly alpha: number
}

export interface ReadMonitorCalibration {
  readonly record: MonitorCalibration
  readonly clients: ReadUnits
  readonly groups: ReadUnits | null
}

/** Reads a record and checks that it is of these detectors, in this order. Throws `bad_config`. */
export function readMonitorCalibration(
  value: unknown,
  slots: readonly { readonly label: string; readonly scope: string }[],
  path: string,
): ReadMonitorCalibration {
  const record = openSeal(value, 'monitor', FIELDS, path) as unknown as MonitorCalibration
  const promise = checkPromise(record, { path })
  const halfLifeMs = checkNumber(record.halfLifeMs, { min: 1 }, `${path}.halfLifeMs`)
  checkSlots(record.detectors, slots, `${path}.detectors`)
  const bets = (isOwn: (slot: CalibratedSlot) => boolean) =>
    record.detectors.flatMap((slot, i) => (isOwn(slot) ? betsOn(i, slot.levels) : []))
  const read = (unit: 'client' | 'group', isOwn: (slot: CalibratedSlot) => boolean) =>
    readUnits(record[`${unit}s`]!, bets(isOwn), { promise, halfLifeMs, unit, path: `${path}.${unit}s` })
  for (const key of ['queries', 'longest', 'spanMs'] as const) checkNumber(record[key], { min: 0 }, `${path}.${key}`)
  checkDate(record.date, `${path}.date`)
  return {
    record,
    clients: read('client', isForClients),
    groups: record.groups === null ? null : read('group', () => true),
  }
}

/** A detector of a group says nothing of one client in it. */
export function isForClients({ scope }: { readonly scope: string }): boolean {
  return scope !== 'group'
}

/** From which evidence clients are throttled and suspended under the default policy, in nats. */
export function calibratedLimits({ clients, alpha, assurance }: MonitorCalibration): Limits {
  const maxima = BenignScale.read(clients.maxima, 'clients.maxima')
  return limitsOf(
    { maxima, alpha: clients.alpha },
    { alpha, assurance, throttleAlpha: throttleAlphaOf({ throttleAlpha: null }, alpha) },
  )
}

/** Limits of evidence, in nats. */
export interface Limits {
  readonly throttleAt: number
  readonly suspendAt: number
}

/** What is promised of all benign clients, of which clients and groups may each have their part. */
export interface Promises extends Required<Promised> {
  /** The share that may ever be throttled. */
  readonly throttleAlpha: number
}

/** From which evidence clients, or groups, are throttled and suspended. */
export function limitsOf(
  { maxima, alpha: own }: Pick<ReadUnits, 'maxima' | 'alpha'>,
  { alpha, assurance, throttleAlpha }: Promises,
): Limits {
  return {
    throttleAt: limitOf(maxima, { alpha: throttleAlpha * (own / alpha), assurance }),
    suspendAt: limitOf(maxima, { alpha: own, assurance }),
  }
}

/**
 * The evidence that at most a share alpha of benign units ever has, of enough of them. Never 0: without any evidence nobody
 * is suspended, also where hardly a benign client ever had some.
 */
function limitOf(maxima: BenignScale, promise: Required<Promised>): number {
  return Math.max(maxima.threshold(promise)!, LEAST_EVIDENCE)
}

function checkSlots(
  detectors: readonly CalibratedSlot[],
  slots: readonly { readonly label: string; readonly scope: string }[],
  path: string,
): void {
  const name = ({ label, scope }: { readonly label?: unknown; readonly scope?: unknown }) => `${label} (${scope})`
  const expected = slots.map(name).join(', ')
  const isList = Array.isArray(detectors) && detectors.every(isPlainObject)
  const got = isList ? detectors.map(name).join(', ') : ''
  if (got !== expected) {
    throw new MonitorError('bad_config', `must be of these detectors: ${expected}; it is of ${got || 'none'}`, path)
  }
  for (const [i, { levels, typical }] of detectors.entries()) {
    const isLevels = Array.isArray(levels) && levels.length === RATES.length && levels.every(isNumberOrNull)
    if (!isLevels) refuse('bad_config', `must be ${RATES.length} scores or nulls`, levels, `${path}[${i}].levels`)
    const isTypical = Array.isArray(typical) && typical.length === SPANS && typical.every(isAscending)
    if (!isTypical || typical.every(({ length }) => length === 0)) {
      refuse('bad_config', `must be ${SPANS} lists of ascending scores`, typical, `${path}[${i}].typical`)
    }
  }
}

function isAscending(scores: unknown): boolean {
  const isList = Array.isArray(scores) && scores.length <= TYPICAL
  return isList && scores.every((score, i) => Number.isFinite(score) && (i === 0 || scores[i - 1] <= score))
}

function isWeight(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value)
}

function readUnits(
  value: CalibratedUnits,
  bets: readonly Bet[],
  {
    promise,
    halfLifeMs,
    unit,
    path,
  }: { promise: Required<Promised>; halfLifeMs: number; unit: 'client' | 'group'; path: string },
): ReadUnits {
  checkObject(value, ['weights', 'maxima', 'alpha', 'fitted'], path)
  const { weights } = value
  const isWeights =
    Array.isArray(weights) &&
    weights.length === SPANS &&
    weights.every((span) => Array.isArray(span) && span.length === bets.length && span.every(isWeight))
  if (!isWeights) refuse('bad_config', `must be ${SPANS} lists of ${bets.length} weights`, weights, `${path}.weights`)
  const maxima = BenignScale.read(value.maxima, `${path}.maxima`)
  checkNumber(value.fitted, { min: 0, integer: true }, `${path}.fitted`)
  const { alpha } = checkPromise({ ...promise, alpha: value.alpha }, { path })
  requireUnits(maxima.n, { ...promise, alpha }, unit, `${path}.maxima.n`)
  return { book: { bets, weights: weights.map((span) => Float64Array.from(span)), halfLifeMs }, maxima, alpha }
}
