/** The state of a monitor, and what an entry does to it. */
import type { Detection } from '../types.ts'
import { eraseClient, expireClients, releaseClient } from './byHand.ts'
import { type ClientLimits, type ClientState, ClientTable } from './clients.ts'
import { Drift, DriftPace, type Typical } from './evidence/drift.ts'
import type { EvidenceRule } from './evidence/evidence.ts'
import type { Rules } from './evidence/rules.ts'
import { explain } from './explain.ts'
import { type Heard, hear, type Witnesses } from './hearing.ts'
import { type Action, newJudgement, type Policy, proposeAction, suspensionMs } from './policy.ts'
import type { Scope, Slot } from './slots.ts'
import { addSuspension, standingOf, type Writable } from './standing.ts'
import { countEvictions } from './storm.ts'
import { Suspensions } from './suspensions.ts'
import {
  type Applied,
  COUNTS,
  type CountName,
  type Entry,
  type MonitorEvent,
  type QueryEntry,
  type StreamDetector,
  type Verdict,
} from './verdict.ts'

/** What a monitor was configured to be. */
export interface Setup {
  readonly slots: readonly Slot[]
  readonly limits: ClientLimits
  readonly policy: Policy
  readonly rules: Rules
  /** Clients whom the policy leaves alone. */
  readonly isAllowed: (client: string) => boolean
  /** By detector, scores that drift is measured by; none without a calibration of the whole. */
  readonly typical: readonly Typical[]
}

export interface State {
  readonly clients: ClientTable
  readonly groups: ClientTable
  readonly global: ReadonlyMap<string, StreamDetector>
  readonly suspended: Suspensions
  readonly suspendedGroups: Suspensions
  /** By detector. */
  readonly drifts: readonly Drift[]
  readonly counts: Record<CountName, number>
  nowMs: number
  stormStartMs: number
  stormEvictions: number
}

/** The state before the first entry. */
export function newState({ slots, limits, typical }: Setup): State {
  const shared = slots.filter(({ scope }) => scope === 'global')
  return {
    clients: new ClientTable(limits),
    groups: new ClientTable(limits),
    global: new Map(shared.map((slot) => [slot.label, slot.make()])),
    suspended: new Suspensions(limits.maxClients),
    suspendedGroups: new Suspensions(limits.maxClients),
    drifts: typical.map((scores) => new Drift(scores)),
    counts: Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<CountName, number>,
    nowMs: 0,
    stormStartMs: 0,
    stormEvictions: 0,
  }
}

/** A client, or a group, of which nothing is known but how many queries it has asked. */
export function newOwner(
  { slots, rules }: Setup,
  id: string,
  scope: 'client' | 'group',
  { nowMs, queries = 0 }: { readonly nowMs: number; readonly queries?: number },
): ClientState {
  const own = slots.filter((slot) => slot.scope === (scope satisfies Scope))
  // Groups without evidence of their own still have detectors.
  const rule = (scope === 'group' ? rules.groups : undefined) ?? rules.clients
  return {
    id,
    detectors: own.map((slot) => slot.make()),
    evidence: rule.make(queries),
    pace: new DriftPace(),
    lastMs: nowMs,
    queries,
    suspicious: 0,
    suspensions: 0,
    group: '',
  }
}

/** True while drift of benign scores has put an end to suspensions. */
export function isHeld({ policy }: Setup, { drifts }: State): boolean {
  return policy.onDrift === 'hold' && drifts.some(isRising)
}

function isRising({ direction }: Drift): boolean {
  return direction === 'higher'
}

function isFlagged({ suspicious }: Detection): boolean {
  return suspicious
}

/** Makes the function that applies entries, which have been checked, to a state. */
export function machineOf(setup: Setup, state: State): (entry: Entry) => Applied {
  const { policy, rules, limits } = setup
  let { nowMs } = state
  let events: MonitorEvent[] = []
  /** Working memory: whom to ask, and what is known of the query that is judged. */
  const witnesses: { [Key in keyof Witnesses]: Witnesses[Key] | undefined } = {
    ...{ slots: setup.slots, global: state.global, client: undefined, group: undefined, nowMs: 0 },
  }
  const found = newJudgement()
  return apply

  function apply(entry: Entry): Applied {
    state.nowMs = Math.max(state.nowMs, entry.timeMs)
    nowMs = state.nowMs
    events = []
    if (entry.kind === 'query') return { verdict: judge(entry), events }
    if (entry.kind === 'suspend') suspend(entry.client, entry.untilMs)
    else if (entry.kind === 'release') releaseClient(state, entry.client, tell)
    else if (entry.kind === 'erase') eraseClient(state, entry.client, tell)
    else expireClients(state, entry.unseenMs)
    return { events }
  }

  function tell(event: MonitorEvent): void {
    events.push(event)
  }

  function judge(query: QueryEntry): Verdict {
    const { client: id, group: groupId = '' } = query
    const before = state.clients.get(id)
    const client = before ?? newOwner(setup, id, 'client', { nowMs })
    const group =
      groupId === '' ? undefined : (state.groups.get(groupId) ?? newOwner(setup, groupId, 'group', { nowMs }))
    const heard = hearOf(query, client, group)
    const isSuspicious = heard.detections.some(isFlagged)
    found.isSuspicious = isSuspicious
    found.failed = heard.errors.length > 0
    found.hasAdded = learn(client, heard, isSuspicious)
    client.group = groupId
    if (group !== undefined) learn(group, heard, isSuspicious)
    // Queries that no detector could use must not push honest clients out of the table.
    if (heard.detections.length > 0 || before !== undefined) keep(client, group)

    const evidence = client.evidence.value(0)
    const groupEvidence = group?.evidence.value(0) ?? 0
    found.evidence = evidence
    found.groupEvidence = groupEvidence
    const isExempt = isLeftAlone(id)
    if (group !== undefined) judgeGroup(group, groupEvidence)
    if (group !== undefined && !isExempt) joinSuspension(client, group)
    found.isSuspended = state.suspended.of(id, nowMs) !== undefined
    found.suspends = !isExempt && !isHeld(setup, state) && evidence >= rules.clients.suspendAt
    found.throttles = !isExempt && (evidence >= rules.clients.throttleAt || groupEvidence >= groupThrottleAt())
    found.proposed = proposeAction(found, policy)
    found.explanation = found.isSuspended || isExempt ? undefined : act(client, found.proposed)
    if (!isExempt && found.proposed !== 'suspend') watchDrift(client, heard)
    return verdictOf(query, heard)
  }

  /** Nobody stays among the witnesses: a client may be erased next. */
  function hearOf(query: QueryEntry, client: ClientState, group: ClientState | undefined): Heard {
    witnesses.client = client
    witnesses.group = group
    witnesses.nowMs = nowMs
    const heard = hear(query, witnesses as Witnesses)
    witnesses.client = undefined
    witnesses.group = undefined
    return heard
  }

  function learn(owner: ClientState, { bySlot }: Heard, isSuspicious: boolean): boolean {
    const hasAdded = owner.evidence.learn(bySlot, nowMs - owner.lastMs)
    owner.lastMs = nowMs
    owner.queries++
    if (isSuspicious) owner.suspicious++
    return hasAdded
  }

  function keep(client: ClientState, group: ClientState | undefined): void {
    countEvictions(state, limits, state.clients.keep(client), tell)
    if (group !== undefined) state.groups.keep(group)
  }

  /** On the operator's list, or nobody in particular: then what all the nameless do is held against none of them. */
  function isLeftAlone(client: string): boolean {
    return setup.isAllowed(client) || (client === '' && rules.clients.kind !== 'count')
  }

  function groupThrottleAt(): number {
    return rules.groups?.throttleAt ?? Infinity
  }

  /** Suspends a group whose own evidence calls for it, and with it all its members that are remembered. */
  function judgeGroup(group: ClientState, evidence: number): void {
    const isDue = evidence >= (rules.groups?.suspendAt ?? Infinity) && !isHeld(setup, state)
    if (!isDue || state.suspendedGroups.of(group.id, nowMs) !== undefined) return
    const untilMs = nowMs + suspensionMs(group.suspensions, policy)
    const reason = explanationOf(group, 'suspended', untilMs)
    group.suspensions++
    if (rules.groups!.kind !== 'count') group.evidence.clear()
    state.suspendedGroups.begin(group.id, { untilMs, sinceMs: nowMs }, nowMs)
    for (const { id, group: own } of state.clients) {
      if (own === group.id && !isLeftAlone(id)) suspend(id, untilMs, reason)
    }
  }

  /** Whoever asks for a suspended group is suspended as long as it is. */
  function joinSuspension({ id }: ClientState, group: ClientState): void {
    const ofGroup = state.suspendedGroups.of(group.id, nowMs)
    const own = state.suspended.of(id, nowMs)
    if (ofGroup === undefined || (own !== undefined && own.untilMs >= ofGroup.untilMs)) return
    suspend(id, ofGroup.untilMs, 'Its group is suspended.')
  }

  /** Does what is proposed, and says why, where the evidence is the reason. */
  function act(client: ClientState, proposed: Action): string | undefined {
    if (proposed === 'throttle') {
      return client.evidence.value(0) >= rules.clients.throttleAt ? explanationOf(client, 'throttled') : undefined
    }
    if (proposed !== 'suspend') return undefined
    const untilMs = nowMs + suspensionMs(client.suspensions, policy)
    const reason = explanationOf(client, 'suspended', untilMs)
    client.suspensions++
    // What it has cost is spent: after the suspension new evidence must be earned.
    if (rules.clients.kind !== 'count') client.evidence.clear()
    suspend(client.id, untilMs, reason)
    return reason
  }

  function explanationOf(owner: ClientState, what: 'throttled' | 'suspended', untilMs?: number): string {
    const isGroup = state.groups.get(owner.id) === owner
    const rule: EvidenceRule = isGroup ? rules.groups! : rules.clients
    const facts = { what, evidence: owner.evidence.value(0), queries: owner.queries, causes: owner.evidence.causes() }
    const length = untilMs === undefined ? {} : { forMs: untilMs - nowMs }
    return explain({ ...facts, ...length, isGroup }, rule, setup.slots)
  }

  function watchDrift(client: ClientState, { bySlot }: Heard): void {
    if (state.drifts.length === 0 || client.id === '' || !client.pace.isDue(client.queries, nowMs)) return
    for (const [i, drift] of state.drifts.entries()) {
      const score = bySlot[i]?.score
      if (score === undefined || !drift.push(score, client.queries, nowMs)) continue
      const { mean, direction } = drift
      tell({ kind: 'drift', detector: setup.slots[i]!.label, direction: direction!, mean, timeMs: nowMs })
    }
  }

  function verdictOf(query: QueryEntry, { detections, errors, skipped }: Heard): Verdict {
    const { isSuspicious, failed, proposed, explanation, evidence, groupEvidence } = found
    const { client: id, group: groupId = '' } = query
    const suspicious = isSuspicious || (failed && policy.onError === 'closed')
    const action = policy.mode === 'enforce' ? proposed : suspicious ? 'flag' : 'allow'
    const isRefused = proposed === 'throttle' || proposed === 'suspend'
    const suspension = state.suspended.of(id, nowMs)
    state.counts.queries++
    if (suspicious) state.counts.suspicious++
    if (failed) state.counts.errors++
    state.counts[action]++
    const client = standingOf(id, evidence, rules.clients)
    if (suspension !== undefined) addSuspension(client, suspension, policy)
    const verdict: Writable<Verdict> = {
      suspicious,
      action,
      proposed,
      detections,
      skipped,
      errors,
      client,
      timeMs: nowMs,
    }
    if (isRefused && policy.reply !== 'enforce') verdict.reply = policy.reply
    if (explanation !== undefined) verdict.explanation = explanation
    if (groupId !== '' && rules.groups !== undefined) verdict.group = standingOf(groupId, groupEvidence, rules.groups)
    if (query.id !== undefined) verdict.id = query.id
    return verdict
  }

  /** By an operator where there is no reason given. */
  function suspend(client: string, untilMs: number, reason?: string): void {
    state.suspended.begin(client, { untilMs, sinceMs: reason === undefined ? null : nowMs }, nowMs)
    tell({ kind: 'suspended', client, untilMs, timeMs: nowMs, ...(reason === undefined ? {} : { reason }) })
  }
}
