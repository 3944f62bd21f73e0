/** A monitor's calibration over observations. */
import { createRegistry, type Registry } from '../registry.ts'
import { type CalibrateMonitorOptions, MonitorCalibrator } from './calibration/calibrator.ts'
import type { MonitorCalibration } from './calibration/record.ts'
import { createStreamMonitor } from './monitor.ts'
import type { QueryEntry, StreamMonitorConfig } from './verdict.ts'

export interface CalibrateStreamOptions extends CalibrateMonitorOptions {
  /** Where names are looked up. Default: the built-in detectors. */
  // biome-ignore lint/suspicious/noExplicitAny: any registry will do
  readonly registry?: Registry<any>
}

/**
 * What benign traffic does in a monitor of these detectors: the record that its option `calibration` takes.
 *
 * @param config As for the monitor; its policy does not matter. Detectors must not have calibrations of their own.
 * @param benign Queries of benign clients, all their queries and in the order of their times. A client without a name counts
 * for nothing.
 *
 * Throws `bad_config` where there are too few clients for alpha, saying how many are needed, and `bad_query` for entries
 * that are malformed as a whole or out of order.
 */
export function calibrateStreamMonitor(
  config: StreamMonitorConfig,
  benign: Iterable<QueryEntry>,
  { registry = createRegistry(), ...options }: CalibrateStreamOptions,
): MonitorCalibration {
  const { detectors, clients } = config
  const monitor = createStreamMonitor({ detectors, ...(clients === undefined ? {} : { clients }) }, registry)
  const calibrator = new MonitorCalibrator(monitor.subjects(), options)
  for (const entry of benign) {
    calibrator.checkOrder(entry)
    calibrator.add(entry, monitor.apply(entry))
  }
  return calibrator.finish()
}
