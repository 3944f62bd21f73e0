/**
 * Several detectors over one stream, per client: pure and synchronous like the rest of the core, but a door of its own,
 * so that who needs one detector does not carry it.
 */
export type { ClientLimits, ClientsConfig } from './clients.ts'
export { checkClient, createStreamMonitor } from './monitor.ts'
export type { Action, Policy, PolicyConfig } from './policy.ts'
export type {
  Admission,
  ClientSummary,
  DescribedDetector,
  Entry,
  MonitorDescription,
  MonitorEvent,
  MonitoredDetector,
  QueryEntry,
  StreamMonitor,
  StreamMonitorConfig,
  Verdict,
} from './verdict.ts'
