/** What the story's monitor runs with; apart from it, since others of the page want to know. */
import type { StreamMonitorConfig } from '../../src/core/monitor/index.ts'

/** `client`: each account by itself · `group`: the accounts of a user together, where somebody knows them. */
export type WatchScope = 'client' | 'group'

/** With `protection` the first alarm suspends the client; without it is only told. */
export function watchConfig(protection: boolean, scope: WatchScope = 'client'): StreamMonitorConfig {
  return {
    detectors: [{ name: 'answer_following', scope }],
    policy: { mode: protection ? 'enforce' : 'observe', throttleAt: 1, suspendAt: 1 },
  }
}
