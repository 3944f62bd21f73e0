/** What the story's monitor runs with; apart from it, since others of the page want to know. */
import type { StreamMonitorConfig } from '../../src/core/monitor/index.ts'

/** With `protection` the first alarm suspends the client; without it is only told. */
export function watchConfig(protection: boolean): StreamMonitorConfig {
  return {
    detectors: [{ name: 'descent_lineage' }],
    policy: { mode: protection ? 'enforce' : 'observe', throttleAt: 1, suspendAt: 1 },
  }
}
