/** Clients that had to leave, and whether somebody may be flushing memories. */
import type { ClientLimits } from './clients.ts'
import type { MonitorEvent } from './verdict.ts'

/** What is counted. */
interface Counted {
  readonly counts: { evictions: number }
  readonly nowMs: number
  stormStartMs: number
  stormEvictions: number
}

/** Counts evictions, and tells of each, and once of a storm of them. */
export function countEvictions(
  state: Counted,
  { stormWindowMs, maxClients }: ClientLimits,
  gone: readonly string[],
  tell: (event: MonitorEvent) => void,
): void {
  const { nowMs } = state
  for (const client of gone) tell({ kind: 'evicted', client, timeMs: nowMs })
  state.counts.evictions += gone.length
  if (nowMs - state.stormStartMs > stormWindowMs) {
    state.stormStartMs = nowMs
    state.stormEvictions = 0
  }
  const limit = maxClients / 2
  const wasCalm = state.stormEvictions <= limit
  state.stormEvictions += gone.length
  if (wasCalm && state.stormEvictions > limit) {
    tell({ kind: 'eviction_storm', evictions: state.stormEvictions, timeMs: nowMs })
  }
}
