/** A calibration in words. */
import type { Calibration } from '../core/index.ts'
import { calibratedLimits, type MonitorCalibration } from '../core/monitor/index.ts'

/** Lines by what became of them. */
export interface Counted {
  /** Scored by some detector. */
  readonly queries: number
  /** Could not be read, or not be scored by the one detector. */
  readonly bad: number
  /** Scored by no detector of the monitor. */
  readonly unjudged: number
}

type Rows = readonly (readonly [label: string, text: string])[]

/** The summary for people, and as data. */
export function summaryOf(
  record: Calibration | MonitorCalibration,
  counted: Counted,
  { output, plot }: { readonly output: string; readonly plot: string },
): { readonly text: string; readonly data: object } {
  const { kind, alpha, assurance } = record
  const files = { output, plot }
  const rows: Rows = [
    ['queries', queriesText(counted)],
    ...(record.kind === 'monitor' ? monitorRows(record) : detectorRows(record)),
    ['written', `${output}, ${plot}`],
  ]
  const details = record.kind === 'monitor' ? monitorData(record) : detectorData(record)
  return {
    text: `${rows.map(([label, text]) => `${label.padEnd(12)}${text}`).join('\n')}\n`,
    data: { kind, alpha, assurance, ...counted, ...details, ...files },
  }
}

function queriesText({ queries, bad, unjudged }: Counted): string {
  const parts = [
    `${queries}`,
    ...(unjudged === 0 ? [] : [`${unjudged} that no detector could judge`]),
    ...(bad === 0 ? [] : [`${bad} bad lines`]),
  ]
  return parts.join(', ')
}

type Promised = Pick<Calibration, 'alpha' | 'assurance'>

function promiseRows({ alpha, assurance }: Promised, units: string, what: string): Rows {
  const how =
    assurance === 0
      ? 'none: the promise holds on average over calibrations; for this one the share may be higher'
      : `${short(100 * assurance)} %: in so many of 100 calibrations the promise holds for the one that was made`
  return [
    ['promise', `of benign ${units} at most 1 in ${short(1 / alpha)} ${what}`],
    ['assurance', how],
  ]
}

function detectorRows(record: Calibration): Rows {
  const { detector, unit, scores, threshold } = record
  const units = unit === 'client' ? 'clients' : 'queries'
  return [
    ...promiseRows(record, units, 'has a suspicious score'),
    ['detector', `${detector}: suspicious above a score of ${short(threshold)}, by ${scores.n} benign ${units}`],
  ]
}

function monitorRows(record: MonitorCalibration): Rows {
  const { clients, groups, detectors } = record
  const limits = calibratedLimits(record)
  return [
    ...promiseRows(record, 'clients', 'is ever suspended'),
    ['clients', `${clients.maxima.n + clients.fitted}, of which ${clients.fitted} fitted the bets`],
    [
      'groups',
      groups === null
        ? 'too few are named to say anything: none is ever suspended'
        : `${groups.maxima.n + groups.fitted}`,
    ],
    [
      'evidence',
      `queries refused above ${short(limits.throttleAt)} nats, clients suspended above ${short(limits.suspendAt)}`,
    ],
    ...detectors.map(({ label, record: { threshold, scores } }, i): [string, string] => {
      return [
        i === 0 ? 'detectors' : '',
        `${label}: suspicious above a score of ${short(threshold)}, by ${scores.n} benign clients`,
      ]
    }),
  ]
}

function detectorData({ detector, unit, scores, threshold }: Calibration): object {
  return { detector, unit, n: scores.n, threshold }
}

function monitorData(record: MonitorCalibration): object {
  const { clients, groups, detectors } = record
  return {
    clients: clients.maxima.n + clients.fitted,
    groups: groups === null ? 0 : groups.maxima.n + groups.fitted,
    ...calibratedLimits(record),
    detectors: Object.fromEntries(
      detectors.map(({ label, record: { threshold, scores } }) => [label, { threshold, n: scores.n }]),
    ),
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}
