/**
 * Several detectors over one stream, per client: pure and synchronous like the rest of the core, but a door of its own,
 * so that who needs one detector does not carry it.
 */
export { type CalibrateStreamOptions, calibrateStreamMonitor } from './calibrateStreamMonitor.ts'
export {
  type CalibratedDetector,
  type CalibrateMonitorOptions,
  MonitorCalibrator,
} from './calibration/calibrator.ts'
export {
  calibratedLimits,
  type MonitorCalibration,
} from './calibration/record.ts'
export type { ClientsConfig } from './clients.ts'
export { checkClient, checkGroup } from './entry.ts'
export { createStreamMonitor, MONITOR_KEYS } from './monitor.ts'
export type { Action, Policy, PolicyConfig } from './policy.ts'
export type { Scope } from './slots.ts'
export { suspects } from './suspects.ts'
export { type Suspension, toldOf } from './suspensions.ts'
export type {
  Admission,
  ClientExport,
  ClientSummary,
  DescribedCalibration,
  Entry,
  MonitorDescription,
  MonitorEvent,
  MonitoredDetector,
  QueryEntry,
  StreamMonitor,
  StreamMonitorConfig,
  Verdict,
} from './verdict.ts'
