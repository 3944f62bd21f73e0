/** The engines of hosts that can do everything. */
import { createRegistry } from '../core/index.ts'
import type { StreamMonitorConfig } from '../core/monitor/index.ts'
import { type AnyRegistry, type DetectorEngine, detectorEngineWith } from './engine.ts'
import { embedderFrom } from './makers.ts'
import { type EngineOptions, type MonitorEngine, monitorEngineWith } from './monitorEngine.ts'
import type { Parts } from './parts.ts'

/** Everything that featurizers may need. */
export const allParts: Parts = { pictures: () => import('../core/pictures/index.ts'), embedderFrom }

/** The engine of one detector. Throws `bad_config`. */
export function createDetectorEngine(
  name: string,
  config: Readonly<Record<string, unknown>> = {},
  registry: AnyRegistry = createRegistry(),
): DetectorEngine {
  return detectorEngineWith(allParts, name, config, registry)
}

/** The engine of a monitor. Throws `bad_config`. */
export function createMonitorEngine(config: StreamMonitorConfig, options: EngineOptions = {}): MonitorEngine {
  return monitorEngineWith(allParts, config, options)
}
