/**
 * Several detectors over one ordered stream, per client. Like a detector it is a deterministic state machine: it eats
 * entries, each of which carries its time, and the same entries give the same verdicts and the same state anywhere. So a
 * log of entries and a snapshot are all that crash recovery and replication need.
 */
import { checkNumber, checkObject, isWellFormed, refuse } from '../checkers.ts'
import { checkSnapshot } from '../detector.ts'
import { type ErrorCode, type PlainError, toMonitorError, withPath } from '../errors.ts'
import { createRegistry, type Registry } from '../registry.ts'
import { readList, readNumber, readState, readText } from '../state.ts'
import type { Detection, Detector, Observation, PlainData, Snapshot } from '../types.ts'
import { type ClientState, ClientTable, checkClients } from './clients.ts'
import { type Action, checkPolicy, fade, proposeAction } from './policy.ts'
import { MAX_DETECTORS, readSlots } from './slots.ts'
import {
  type Admission,
  type ClientSummary,
  COUNTS,
  type CountName,
  type DescribedDetector,
  type Entry,
  type MonitorDescription,
  type MonitorEvent,
  type QueryEntry,
  type StreamMonitor,
  type StreamMonitorConfig,
  type Verdict,
} from './verdict.ts'

const NAME = 'monitor'
const VERSION = 1
const MAX_ID = 256

interface State {
  clients: ClientTable
  global: Map<string, Detector<Observation, unknown>>
  /** Client to the end of its suspension, in the order they were suspended. */
  suspended: Map<string, number>
  nowMs: number
  counts: Record<CountName, number>
  stormStartMs: number
  stormEvictions: number
}

/** A monitor over observations. Throws `bad_config`. */
export function createStreamMonitor(
  config: StreamMonitorConfig,
  // biome-ignore lint/suspicious/noExplicitAny: any registry will do
  registry: Registry<any> = createRegistry(),
): StreamMonitor {
  checkObject(config, ['detectors', 'clients', 'policy'], 'monitor')
  const slots = readSlots(config.detectors, registry)
  const limits = checkClients(config.clients, 'monitor.clients')
  const policy = checkPolicy(config.policy, 'monitor.policy')
  let state = emptyState()

  return {
    detectors: slots.map(({ label, name, scope }) => ({ label, name, scope })),
    admit,
    apply: apply as StreamMonitor['apply'],
    clients: () => [...state.clients].map(summary),
    suspensions: () => [...state.suspended].map(([client, untilMs]) => ({ client, untilMs })),
    snapshot,
    restore,
    reset: () => {
      state = emptyState()
    },
    describe,
  }

  function emptyState(): State {
    const shared = slots.filter(({ scope }) => scope === 'global')
    return {
      clients: new ClientTable(limits),
      global: new Map(shared.map((slot) => [slot.label, slot.make()])),
      suspended: new Map(),
      nowMs: 0,
      counts: Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<CountName, number>,
      stormStartMs: 0,
      stormEvictions: 0,
    }
  }

  function admit(client: string, timeMs: number): Admission {
    checkClient(client)
    const suspendedUntilMs = suspension(client, Math.max(timeMs, state.nowMs))
    return policy.mode === 'observe' || suspendedUntilMs === undefined
      ? { allowed: true }
      : { allowed: false, suspendedUntilMs }
  }

  function suspension(client: string, nowMs: number): number | undefined {
    const untilMs = state.suspended.get(client)
    return untilMs !== undefined && untilMs > nowMs ? untilMs : undefined
  }

  function apply(entry: Entry): { verdict?: Verdict; events: MonitorEvent[] } {
    checkEntry(entry, slots.length)
    const events: MonitorEvent[] = []
    state.nowMs = Math.max(state.nowMs, entry.timeMs)
    if (entry.kind === 'query') return { verdict: judge(entry, events), events }
    if (entry.kind === 'suspend') suspend(entry.client, entry.untilMs, events)
    else if (entry.kind === 'release') release(entry.client, events)
    else expire(entry.unseenMs)
    return { events }
  }

  function judge(entry: QueryEntry, events: MonitorEvent[]): Verdict {
    const before = state.clients.get(entry.client)
    const client = before ?? newClient(entry.client)
    const { detections, errors, skipped } = detectAll(entry, client)
    const found = detections.some((d) => d.suspicious)
    const failed = errors.length > 0
    client.evidence = fade(client.evidence, state.nowMs - client.lastMs, policy) + (found ? 1 : 0)
    client.lastMs = state.nowMs
    client.queries++
    if (found) client.suspicious++
    // Queries that no detector could use must not push honest clients out of the table.
    if (detections.length > 0 || before !== undefined) evictions(state.clients.keep(client), events)

    const isSuspended = suspension(entry.client, state.nowMs) !== undefined
    const suspicious = found || (failed && policy.onError === 'closed')
    const proposed = proposeAction({ suspicious: found, failed, isSuspended }, client.evidence, policy)
    if (proposed === 'suspend' && !isSuspended) suspend(entry.client, state.nowMs + policy.suspendForMs, events)
    const action = policy.mode === 'enforce' ? proposed : suspicious ? 'flag' : 'allow'
    count(suspicious, failed, action)
    const untilMs = suspension(entry.client, state.nowMs)
    return {
      suspicious,
      action,
      proposed,
      detections,
      skipped,
      errors,
      client: {
        id: entry.client,
        evidence: client.evidence,
        ...(untilMs === undefined ? {} : { suspendedUntilMs: untilMs }),
      },
      ...(entry.id === undefined ? {} : { id: entry.id }),
      timeMs: state.nowMs,
    }
  }

  function detectAll(entry: QueryEntry, client: ClientState) {
    const detections: Detection[] = []
    const errors: PlainError[] = []
    const skipped: string[] = []
    let own = 0
    for (const [i, slot] of slots.entries()) {
      const detector = slot.scope === 'global' ? state.global.get(slot.label)! : client.detectors[own++]!
      const observation = entry.observations[i]!
      if (observation === null) {
        skipped.push(slot.label)
      } else if (isPlainError(observation)) {
        errors.push(observation)
      } else {
        const eaten = slot.isTimed ? { ...observation, timeMs: state.nowMs } : observation
        try {
          detections.push({ ...(detector as Detector<Observation>).process(eaten), detector: slot.label })
        } catch (thrown) {
          errors.push(withPath(toMonitorError(thrown, 'plugin_failed'), slot.label).toJSON())
        }
      }
    }
    return { detections, errors, skipped }
  }

  function newClient(id: string): ClientState {
    const own = slots.filter(({ scope }) => scope === 'client')
    return {
      id,
      detectors: own.map((slot) => slot.make()),
      evidence: 0,
      lastMs: state.nowMs,
      queries: 0,
      suspicious: 0,
    }
  }

  function count(suspicious: boolean, failed: boolean, action: Action): void {
    state.counts.queries++
    if (suspicious) state.counts.suspicious++
    if (failed) state.counts.errors++
    state.counts[action]++
  }

  function suspend(client: string, untilMs: number, events: MonitorEvent[]): void {
    state.suspended.delete(client)
    state.suspended.set(client, untilMs)
    for (const [other, end] of state.suspended) {
      if (end > state.nowMs && state.suspended.size <= limits.maxClients) break
      state.suspended.delete(other)
    }
    events.push({ kind: 'suspended', client, untilMs, timeMs: state.nowMs })
  }

  function release(client: string, events: MonitorEvent[]): void {
    const known = state.clients.get(client)
    if (known !== undefined) known.evidence = 0
    if (state.suspended.delete(client)) events.push({ kind: 'released', client, timeMs: state.nowMs })
  }

  function expire(unseenMs: number): void {
    state.clients.forget(state.nowMs - unseenMs)
    for (const [client, untilMs] of state.suspended) if (untilMs <= state.nowMs) state.suspended.delete(client)
  }

  function evictions(gone: readonly string[], events: MonitorEvent[]): void {
    for (const client of gone) events.push({ kind: 'evicted', client, timeMs: state.nowMs })
    state.counts.evictions += gone.length
    if (state.nowMs - state.stormStartMs > limits.stormWindowMs) {
      state.stormStartMs = state.nowMs
      state.stormEvictions = 0
    }
    const limit = limits.maxClients / 2
    const wasCalm = state.stormEvictions <= limit
    state.stormEvictions += gone.length
    if (wasCalm && state.stormEvictions > limit) {
      events.push({ kind: 'eviction_storm', evictions: state.stormEvictions, timeMs: state.nowMs })
    }
  }

  function summary({ id, evidence, lastMs, queries, suspicious }: ClientState): ClientSummary {
    const untilMs = suspension(id, state.nowMs)
    const faded = fade(evidence, state.nowMs - lastMs, policy)
    const known = { id, evidence: faded, lastMs, queries, suspicious }
    return untilMs === undefined ? known : { ...known, suspendedUntilMs: untilMs }
  }

  function describe(): MonitorDescription {
    const suspended = [...state.suspended.values()].filter((untilMs) => untilMs > state.nowMs).length
    return {
      detectors: histories(),
      policy,
      clients: { ...limits, active: state.clients.size, suspended, bytes: state.clients.bytes },
      counts: { ...state.counts },
    }
  }

  /** O(clients). */
  function histories(): DescribedDetector[] {
    const sums = slots.map(({ label, name, scope }) => ({ label, name, scope, entries: 0, bytes: 0 }))
    const own = sums.filter(({ scope }) => scope === 'client')
    for (const { detectors } of state.clients) for (const [i, detector] of detectors.entries()) add(own[i]!, detector)
    for (const sum of sums) if (sum.scope === 'global') add(sum, state.global.get(sum.label)!)
    return sums
  }

  function snapshot(): Snapshot {
    const { nowMs, stormStartMs, stormEvictions } = state
    return {
      detector: NAME,
      version: VERSION,
      state: {
        labels: slots.map(({ label }) => label),
        nowMs,
        stormStartMs,
        stormEvictions,
        counts: { ...state.counts },
        suspended: [...state.suspended].map(([client, untilMs]) => [client, untilMs]),
        global: [...state.global.values()].map(plainSnapshot),
        clients: [...state.clients].map(({ id, evidence, lastMs, queries, suspicious, detectors }) => {
          return { id, evidence, lastMs, queries, suspicious, detectors: detectors.map(plainSnapshot) }
        }),
      },
    }
  }

  function restore(snapshot: Snapshot): void {
    checkSnapshot(snapshot, NAME, VERSION)
    const fields = readState(snapshot.state, FIELDS)
    const labels = readList(fields['labels'], 'state.labels', MAX_DETECTORS, (v, path) => readText(v, path, MAX_ID))
    const expected = slots.map(({ label }) => label)
    if (labels.join() !== expected.join()) {
      refuse(
        'bad_snapshot',
        `is of other detectors: expected ${expected.join(', ')}`,
        labels.join(', '),
        'state.labels',
      )
    }
    const next = emptyState()
    next.nowMs = readTime(fields['nowMs'], 'state.nowMs')
    next.stormStartMs = readTime(fields['stormStartMs'], 'state.stormStartMs')
    next.stormEvictions = readNumber(fields['stormEvictions'], 'state.stormEvictions')
    const counts = readState(fields['counts']!, COUNTS)
    for (const name of COUNTS) next.counts[name] = readNumber(counts[name], `state.counts.${name}`)
    next.suspended = new Map(readList(fields['suspended'], 'state.suspended', Infinity, readSuspension))
    readDetectors(fields['global'], [...next.global.values()], 'state.global')
    for (const client of readList(fields['clients'], 'state.clients', Infinity, readClient)) next.clients.keep(client)
    state = next
  }

  function readClient(value: unknown, path: string): ClientState {
    const fields = readState(value as PlainData, CLIENT_FIELDS)
    const client = newClient(readText(fields['id'], `${path}.id`, MAX_ID))
    client.evidence = readNumber(fields['evidence'], `${path}.evidence`, { fraction: true })
    client.lastMs = readTime(fields['lastMs'], `${path}.lastMs`)
    client.queries = readNumber(fields['queries'], `${path}.queries`)
    client.suspicious = readNumber(fields['suspicious'], `${path}.suspicious`)
    readDetectors(fields['detectors'], client.detectors, `${path}.detectors`)
    return client
  }
}

function add(sum: { entries: number; bytes: number }, detector: Pick<Detector, 'size' | 'bytes'>): void {
  sum.entries += detector.size()
  sum.bytes += detector.bytes()
}

const FIELDS = ['labels', 'nowMs', 'stormStartMs', 'stormEvictions', 'counts', 'suspended', 'global', 'clients']
const CLIENT_FIELDS = ['id', 'evidence', 'lastMs', 'queries', 'suspicious', 'detectors']

function plainSnapshot(detector: Pick<Detector, 'snapshot'>): PlainData {
  return { ...detector.snapshot() }
}

function readDetectors(value: unknown, detectors: readonly Pick<Detector, 'restore'>[], path: string): void {
  const snapshots = readList(value, path, MAX_DETECTORS, (v) => v as Snapshot)
  if (snapshots.length !== detectors.length)
    refuse('bad_snapshot', `must be ${detectors.length} snapshots`, value, path)
  for (const [i, detector] of detectors.entries()) detector.restore(snapshots[i]!)
}

function readSuspension(value: unknown, path: string): [string, number] {
  const pair = readList(value, path, 2, (v) => v)
  return [readText(pair[0], `${path}[0]`, MAX_ID), readTime(pair[1], `${path}[1]`)]
}

function readTime(value: unknown, path: string): number {
  return readNumber(value, path, { max: Number.MAX_VALUE, fraction: true })
}

function isPlainError(value: Observation | PlainError): value is PlainError {
  return (value as PlainError).name === 'MonitorError'
}

const KINDS: readonly unknown[] = ['query', 'suspend', 'release', 'expire'] satisfies Entry['kind'][]

function checkEntry(entry: Entry, detectors: number): void {
  if (typeof entry !== 'object' || entry === null) refuse('bad_query', 'must be an entry', entry, 'entry')
  if (!KINDS.includes(entry.kind)) refuse('bad_query', `must be one of ${KINDS.join(', ')}`, entry.kind, 'kind')
  checkNumber(entry.timeMs, { min: 0 }, 'timeMs', 'bad_query')
  if (entry.kind === 'expire') {
    checkNumber(entry.unseenMs, { min: 0 }, 'unseenMs', 'bad_query')
    return
  }
  checkClient(entry.client)
  if (entry.kind === 'suspend') checkNumber(entry.untilMs, { min: 0 }, 'untilMs', 'bad_query')
  if (entry.kind !== 'query') return
  if (entry.id !== undefined) checkText(entry.id, 'id')
  const { observations } = entry
  const fits = Array.isArray(observations) && observations.length === detectors
  if (!fits) refuse('bad_query', `must have one item for each of ${detectors} detectors`, observations, 'observations')
}

/** Checks a client's name: a well-formed string of at most 256 characters, '' for an unknown one. Throws `bad_query`. */
export function checkClient(client: unknown): string {
  return checkText(client, 'client')
}

function checkText(value: unknown, path: string, code: ErrorCode = 'bad_query'): string {
  const ok = typeof value === 'string' && value.length <= MAX_ID && isWellFormed(value)
  if (!ok) refuse(code, `must be a well-formed string of at most ${MAX_ID} characters`, value, path)
  return value
}
