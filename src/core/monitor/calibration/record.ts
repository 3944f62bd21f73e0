/** What a monitor's calibration found: each detector's record, the bets' weights, and what benign clients ever reach. */
import { BenignScale, type SavedScale } from '../../calibration/benignScale.ts'
import { checkPromise, type Promised, requireUnits } from '../../calibration/promise.ts'
import { type Calibration, FORMAT, openSeal, seal, VERSION } from '../../calibration/record.ts'
import { checkNumber, checkObject, refuse } from '../../checkers.ts'
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
  readonly assurance: number | null
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
  const promise = checkPromise(record, path)
  const halfLifeMs = checkNumber(record.halfLifeMs, { min: 1 }, `${path}.halfLifeMs`)
  checkSlots(record.detectors, slots, `${path}.detectors`)
  const bets = (isOwn: (slot: CalibratedSlot) => boolean) =>
    record.detectors.flatMap((slot, i) => (isOwn(slot) ? betsOn(i, slot.levels) : []))
  const clients = readUnits(record.clients, bets(isForClients), { promise, halfLifeMs, path: `${path}.clients` })
  const groups =
    record.groups === null
      ? null
      : readUnits(
          record.groups,
          bets(() => true),
          { promise, halfLifeMs, path: `${path}.groups` },
        )
  return { record, clients, groups }
}

/** A detector of a group says nothing of one client in it. */
export function isForClients({ scope }: { readonly scope: string }): boolean {
  return scope !== 'group'
}

/** From which evidence clients are throttled and suspended under the default policy, in nats. */
export function calibratedLimits({ clients, assurance }: MonitorCalibration): {
  readonly throttleAt: number
  readonly suspendAt: number
} {
  const maxima = BenignScale.read(clients.maxima, 'clients.maxima')
  const { alpha } = clients
  const throttleAlpha = throttleAlphaOf({ throttleAlpha: null }, alpha)
  return {
    throttleAt: limitOf(maxima, { alpha: throttleAlpha, assurance }),
    suspendAt: limitOf(maxima, { alpha, assurance }),
  }
}

/**
 * The evidence that at most a share alpha of benign units ever has, of enough of them. Never 0: without any evidence nobody
 * is suspended, also where hardly a benign client ever had some.
 */
export function limitOf(maxima: BenignScale, promise: Required<Promised>): number {
  return Math.max(maxima.threshold(promise)!, LEAST_EVIDENCE)
}

function checkSlots(
  detectors: readonly CalibratedSlot[],
  slots: readonly { readonly label: string; readonly scope: string }[],
  path: string,
): void {
  const name = ({ label, scope }: { readonly label: string; readonly scope: string }) => `${label} (${scope})`
  const expected = slots.map(name).join(', ')
  const got = Array.isArray(detectors) ? detectors.map(name).join(', ') : ''
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

function isNumberOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value)
}

function readUnits(
  value: CalibratedUnits,
  bets: readonly Bet[],
  { promise, halfLifeMs, path }: { promise: Required<Promised>; halfLifeMs: number; path: string },
): ReadUnits {
  checkObject(value, ['weights', 'maxima', 'alpha', 'fitted'], path)
  const { weights } = value
  const isWeights =
    Array.isArray(weights) &&
    weights.length === SPANS &&
    weights.every((span) => Array.isArray(span) && span.length === bets.length && span.every((w) => w >= 0 && w <= 1))
  if (!isWeights) refuse('bad_config', `must be ${SPANS} lists of ${bets.length} weights`, weights, `${path}.weights`)
  const maxima = BenignScale.read(value.maxima, `${path}.maxima`)
  const { alpha } = checkPromise({ ...promise, alpha: value.alpha }, path)
  requireUnits(maxima.n, { ...promise, alpha }, 'clients', `${path}.maxima.n`)
  return { book: { bets, weights: weights.map((span) => Float64Array.from(span)), halfLifeMs }, maxima, alpha }
}
