/** The metrics that are read when somebody collects: kind, meaning, and where each value lies. */
import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api'
import type { Action, DescribedCalibration } from '../../core/monitor/index.ts'
import type { LogState } from '../http/memory.ts'
import type { MeasuredModel, ModelCounts } from './instruments.ts'
import type { ObservingMeter } from './textMeter.ts'

const ACTIONS: readonly Action[] = ['allow', 'flag', 'throttle', 'suspend']

/** Tells one value. */
export type Observe = (name: keyof typeof OBSERVED, value: number, attributes: Attributes) => void

/** Everything of one model. */
export function observeModel(observe: Observe, counts: ModelCounts, model: MeasuredModel, nowMs: number): void {
  const { name, detectors, description, log, calibratedMs, backends } = model
  const { clients, policy } = description
  const own = { model: name }
  for (const { label, threshold, unit } of detectors) {
    const { attributes, plain, judged, suspicious, errors } = counts.detectors.get(label)!
    observe('detector_requests_total', judged, plain)
    observe('suspicious_queries_total', suspicious, plain)
    observe('detector_errors_total', errors, plain)
    observe('monitaur_threshold', threshold, { ...attributes, unit })
    const backend = backends[label]
    if (backend !== undefined) observe('monitaur_backend_info', 1, { ...attributes, backend })
  }
  for (const action of ACTIONS) {
    observe('monitaur_decisions_total', counts.actions[action], { ...own, action })
    observe('monitaur_proposed_decisions_total', counts.proposed[action], { ...own, action })
  }
  for (const [code, count] of counts.errors) observe('monitaur_errors_total', count, { ...own, code })
  for (const [key, count] of counts.feedback) {
    const [detector = '', kind = ''] = key.split(' ')
    observe('monitaur_feedback_total', count, { ...own, detector, kind })
  }
  for (const [key, count] of counts.backendChanges) {
    const [detector = '', from = '', to = ''] = key.split(' ')
    observe('monitaur_backend_changes_total', count, { ...own, detector, from, to })
  }
  observe('monitaur_refused_total', counts.refused, own)
  observe('monitaur_suspensions_total', counts.events.suspended, own)
  observe('monitaur_releases_total', counts.events.released, own)
  observe('monitaur_erasures_total', counts.events.erased, own)
  observe('monitaur_evictions_total', counts.events.evicted, own)
  observe('monitaur_eviction_storms_total', counts.events.eviction_storm, own)
  observe('monitaur_enforcing', policy.mode === 'enforce' ? 1 : 0, own)
  observe('monitaur_clients_active', clients.active, own)
  observe('monitaur_clients_suspended', clients.suspended, own)
  observe('monitaur_clients_limit', clients.maxClients, own)
  observe('monitaur_clients_bytes', clients.bytes, own)
  observe('monitaur_clients_bytes_limit', clients.maxBytes, own)
  for (const { label, entries, bytes } of description.detectors) {
    const { attributes } = counts.detectors.get(label)!
    observe('monitaur_history_entries', entries, attributes)
    observe('monitaur_history_bytes', bytes, attributes)
  }
  if (log !== undefined) observeLog(observe, log, own)
  observe('monitaur_drifts_total', counts.events.drift, own)
  const { calibration } = description
  if (calibration !== undefined) observeCalibration(observe, calibration, { own, detectors: counts.detectors })
  if (calibratedMs !== undefined) {
    observe('monitaur_calibration_age_seconds', Math.max(0, nowMs - calibratedMs) / 1000, own)
  }
}

function observeLog(observe: Observe, log: LogState, own: Attributes): void {
  observe('monitaur_log_lag_entries', log.lag.entries, own)
  observe('monitaur_log_lag_seconds', log.lag.seconds, own)
  observe('monitaur_log_failing', log.state === 'failing' ? 1 : 0, own)
  observe('monitaur_log_failures_total', log.failures, own)
  observe('monitaur_log_refused_total', log.refused, own)
  observe('monitaur_log_unsaved_total', log.unsaved, own)
  observe('monitaur_log_lost_total', log.lost, own)
  observe('monitaur_log_duplicates_total', log.duplicates, own)
  observe('monitaur_log_entries', log.entries, own)
  observe('monitaur_log_snapshots_total', log.snapshots, own)
  observe('monitaur_log_snapshot_failures_total', log.snapshotFailures, own)
}

const DIRECTIONS = { higher: 1, lower: -1 } as const

function observeCalibration(
  observe: Observe,
  { alpha, drift, isHeld }: DescribedCalibration,
  { own, detectors }: { readonly own: Attributes; readonly detectors: ModelCounts['detectors'] },
): void {
  observe('monitaur_calibration_alpha', alpha, own)
  observe('monitaur_suspensions_held', isHeld ? 1 : 0, own)
  for (const [label, { attributes }] of detectors) {
    const found = drift.find(({ detector }) => detector === label)
    observe('monitaur_calibration_drift', found === undefined ? 0 : DIRECTIONS[found.direction], attributes)
  }
}

/** Everything that is asked for at collection: kind and meaning. */
const OBSERVED = {
  detector_requests_total: ['counter', 'Queries that a detector judged'],
  suspicious_queries_total: ['counter', 'Queries that a detector found suspicious'],
  detector_errors_total: [
    'counter',
    'Queries that a detector could not judge; they count as neither benign nor suspicious',
  ],
  monitaur_threshold: ['gauge', 'Score from which a detector calls a query suspicious, in its unit'],
  monitaur_backend_info: ['gauge', 'What runs the model of an embedder'],
  monitaur_backend_changes_total: ['counter', 'Backends that were lost, and made again or replaced by the next'],
  monitaur_decisions_total: ['counter', 'Verdicts by the action they ask for'],
  monitaur_proposed_decisions_total: ['counter', 'Verdicts by the action that enforcement takes or would take'],
  monitaur_errors_total: ['counter', 'Errors of detectors by code'],
  monitaur_feedback_total: ['counter', 'What people said of verdicts'],
  monitaur_refused_total: ['counter', 'Queries of suspended clients, turned away'],
  monitaur_suspensions_total: ['counter', 'Suspensions begun'],
  monitaur_releases_total: ['counter', 'Suspensions ended by hand'],
  monitaur_erasures_total: ['counter', 'Clients erased by hand'],
  monitaur_evictions_total: ['counter', 'Clients forgotten to make room'],
  monitaur_eviction_storms_total: ['counter', 'Times that half of the remembered clients had to leave within a window'],
  monitaur_enforcing: ['gauge', '1 where the policy refuses clients, 0 where it only tells'],
  monitaur_clients_active: ['gauge', 'Clients remembered'],
  monitaur_clients_suspended: ['gauge', 'Clients suspended'],
  monitaur_clients_limit: ['gauge', 'Most clients remembered at a time'],
  monitaur_clients_bytes: ['gauge', 'Estimated bytes of what is remembered of clients'],
  monitaur_clients_bytes_limit: ['gauge', 'Most bytes of what is remembered of clients'],
  monitaur_history_entries: ['gauge', 'Queries that a detector remembers, of all clients together'],
  monitaur_history_bytes: ['gauge', 'Estimated bytes of them'],
  monitaur_calibration_alpha: ['gauge', 'Share of benign clients that may ever be suspended, as calibrated'],
  monitaur_calibration_drift: [
    'gauge',
    '1 where the benign scores of a detector have risen since the calibration, -1 where they have fallen',
  ],
  monitaur_drifts_total: ['counter', 'Times that the benign scores of a detector were found to have moved'],
  monitaur_suspensions_held: ['gauge', '1 while nobody is suspended because benign scores have risen'],
  monitaur_calibration_age_seconds: ['gauge', 'Time since the thresholds were calibrated'],
  monitaur_log_lag_entries: ['gauge', 'Entries in the log that others have written and this server has not read'],
  monitaur_log_lag_seconds: ['gauge', 'For how long it has been behind, or has heard nothing of the log'],
  monitaur_log_failing: ['gauge', '1 while the log cannot be written'],
  monitaur_log_failures_total: ['counter', 'Calls of the log or the snapshots that failed or were late'],
  monitaur_log_refused_total: ['counter', 'Queries refused because they could not be written'],
  monitaur_log_unsaved_total: ['counter', 'Queries judged in memory because they could not be written'],
  monitaur_log_lost_total: ['counter', 'Of these, those that were not written later either'],
  monitaur_log_duplicates_total: ['counter', 'Queries that were delivered again, and counted once'],
  monitaur_log_entries: ['gauge', 'Entries in the log behind the last snapshot of this server'],
  monitaur_log_snapshots_total: ['counter', 'Snapshots written'],
  monitaur_log_snapshot_failures_total: ['counter', 'Snapshots that could not be written'],
  http_requests_total: ['counter', 'Requests answered'],
  http_requests_in_flight: ['gauge', 'Requests being answered'],
  http_requests_cut_total: ['counter', 'Requests given up because their bodies came too slowly for a full server'],
  monitaur_event_listeners: ['gauge', 'Listeners of events'],
  monitaur_event_listeners_dropped_total: ['counter', 'Listeners of events that were too slow'],
  monitaur_config_reloads_total: ['counter', 'Configuration files read while running'],
  monitaur_build_info: ['gauge', 'What runs here'],
} as const satisfies Readonly<Record<string, readonly ['counter' | 'gauge', string]>>

/** Registers all of them; `collect` tells their values. */
export function observeAll(meter: ObservingMeter, collect: (observe: Observe) => void): void {
  const made = Object.entries(OBSERVED).map(([name, [kind, description]]): [string, Observable] => {
    const options = { description }
    return [
      name,
      kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options),
    ]
  })
  const byName = new Map(made)
  meter.addBatchObservableCallback(
    (result: BatchObservableResult) => {
      collect((name, value, attributes) => result.observe(byName.get(name)!, value, attributes))
    },
    made.map(([, observable]) => observable),
  )
}
