/** What an operator's entries do to the state of a monitor: release, erase, expire. */
import type { ClientState } from './clients.ts'
import type { State } from './machine.ts'
import type { MonitorEvent } from './verdict.ts'

type Tell = (event: MonitorEvent) => void

/** It was a mistake: also what the client's group is suspended for. */
export function releaseClient(state: State, id: string, tell: Tell): void {
  const client = state.clients.get(id)
  if (client !== undefined) {
    forgive(client)
    const group = state.groups.get(client.group)
    if (group !== undefined && state.suspendedGroups.end(group.id)) forgive(group)
  }
  endSuspension(state, id, tell)
}

/**
 * Forgets a client: its memories, its evidence and its suspension. What detectors of other scopes have learned from it
 * stays: it has no name there.
 */
export function eraseClient(state: State, id: string, tell: Tell): void {
  const wasKnown = state.clients.remove(id)
  const wasSuspended = endSuspension(state, id, tell)
  if (wasKnown || wasSuspended) tell({ kind: 'erased', client: id, timeMs: state.nowMs })
}

/** Forgets all that were not seen for `unseenMs`, and suspensions that have ended. */
export function expireClients(state: State, unseenMs: number): void {
  const { nowMs } = state
  state.clients.forget(nowMs - unseenMs)
  state.groups.forget(nowMs - unseenMs)
  state.suspended.expire(nowMs)
  state.suspendedGroups.expire(nowMs)
}

function endSuspension(state: State, id: string, tell: Tell): boolean {
  const wasSuspended = state.suspended.end(id)
  if (wasSuspended) tell({ kind: 'released', client: id, timeMs: state.nowMs })
  return wasSuspended
}

function forgive(owner: ClientState): void {
  owner.evidence.clear()
  owner.suspensions = 0
}
