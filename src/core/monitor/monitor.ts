/**
 * Several detectors over one ordered stream, per client. Like a detector it is a deterministic state machine: it eats
 * entries, each of which carries its time, and the same entries give the same verdicts and the same state anywhere. So a
 * log of entries and a snapshot are all that crash recovery and replication need.
 */
import { checkObject } from '../checkers.ts'
import { checkSnapshot } from '../detector.ts'
import { sha256HexOfText } from '../hash.ts'
import { createRegistry, type Registry, type Specs } from '../registry.ts'
import { readList, readNumber, readState } from '../state.ts'
import type { Detector, PlainData, Snapshot } from '../types.ts'
import type { CalibratedDetector } from './calibration/calibrator.ts'
import { readMonitorCalibration } from './calibration/record.ts'
import { type ClientState, checkClients } from './clients.ts'
import { checkClient, checkEntry } from './entry.ts'
import { evidenceRules } from './evidence/rules.ts'
import { isHeld, machineOf, newOwner, newState, type Setup, type State } from './machine.ts'
import { allowList, checkPolicy } from './policy.ts'
import { checkLabels, loadDetectors, readName, readTime, saveDetectors } from './saved.ts'
import { readSlots, type Slot } from './slots.ts'
import { toldOf } from './suspensions.ts'
import {
  type Admission,
  type Applied,
  type ClientExport,
  type ClientSummary,
  COUNTS,
  type DescribedCalibration,
  type DescribedDetector,
  type Entry,
  type MonitorDescription,
  type StreamMonitor,
  type StreamMonitorConfig,
} from './verdict.ts'

const NAME = 'monitor'
const VERSION = 2

/** The keys of a monitor's configuration. */
export const MONITOR_KEYS = ['detectors', 'clients', 'policy', 'calibration']

/** A monitor over observations. Throws `bad_config`. */
export function createStreamMonitor(
  config: StreamMonitorConfig,
  // biome-ignore lint/suspicious/noExplicitAny: any registry will do
  registry: Registry<any> = createRegistry(),
): StreamMonitor {
  const { setup, calibration } = readSetup(config, registry)
  const { slots, limits, policy, rules } = setup
  const labels = slots.map(({ label }) => label)
  let state = newState(setup)
  let machine = machineOf(setup, state)

  return {
    detectors: slots.map(({ label, name, scope }) => ({ label, name, scope })),
    admit,
    apply: apply as StreamMonitor['apply'],
    clients: () => [...state.clients].map(summary),
    suspensions: () => state.suspended.list(),
    exportClient,
    subjects: () => slots.map(subjectOf),
    snapshot,
    restore,
    reset: () => begin(newState(setup)),
    describe,
  }

  function admit(client: string, timeMs: number): Admission {
    checkClient(client)
    const suspension = state.suspended.of(client, Math.max(timeMs, state.nowMs))
    if (policy.mode === 'observe' || suspension === undefined) return { allowed: true }
    return { allowed: false, ...toldOf(suspension, policy) }
  }

  function apply(entry: Entry): Applied {
    checkEntry(entry, slots.length)
    return machine(entry)
  }

  function begin(from: State): void {
    state = from
    machine = machineOf(setup, state)
  }

  function summary({ id, evidence, lastMs, queries, suspicious }: ClientState): ClientSummary {
    const known = { id, evidence: evidence.value(state.nowMs - lastMs), lastMs, queries, suspicious }
    const suspension = state.suspended.of(id, state.nowMs)
    return suspension === undefined ? known : { ...known, suspendedUntilMs: suspension.untilMs }
  }

  function exportClient(client: string): ClientExport | undefined {
    const id = checkClient(client)
    const known = state.clients.get(id)
    const suspension = state.suspended.known(id) ?? null
    if (known === undefined && suspension === null) return undefined
    if (known === undefined) return { id, group: '', summary: null, suspension, memories: [] }
    const own = slots.filter(({ scope }) => scope === 'client')
    const memories = known.detectors.map((detector, i) => ({ label: own[i]!.label, snapshot: detector.snapshot() }))
    return { id, group: known.group, summary: summary(known), suspension, memories }
  }

  function describe(): MonitorDescription {
    const suspended = state.suspended.countAt(state.nowMs)
    const bytes = state.clients.bytes + state.groups.bytes
    return {
      detectors: histories(),
      policy,
      clients: { ...limits, active: state.clients.size, suspended, bytes },
      counts: { ...state.counts },
      evidence: rules.clients.kind,
      ...(calibration === undefined ? {} : { calibration: describeCalibration() }),
    }
  }

  function describeCalibration(): DescribedCalibration {
    const { alpha, assurance, clients, date, checksum } = calibration!.record
    const moved = state.drifts.map(({ direction, mean, sinceMs }, i) => {
      return { detector: labels[i]!, direction, mean, sinceMs }
    })
    const drift = moved.filter((one): one is DescribedCalibration['drift'][number] => one.direction !== null)
    const count = clients.maxima.n + clients.fitted
    return { alpha, assurance, clients: count, date, checksum, drift, isHeld: isHeld(setup, state) }
  }

  /** O(clients). */
  function histories(): DescribedDetector[] {
    const sums = slots.map(({ label, name, scope }) => ({ label, name, scope, entries: 0, bytes: 0 }))
    for (const [scope, owners] of [['client', state.clients] as const, ['group', state.groups] as const]) {
      const own = sums.filter((sum) => sum.scope === scope)
      for (const { detectors } of owners) for (const [i, detector] of detectors.entries()) add(own[i]!, detector)
    }
    for (const sum of sums) if (sum.scope === 'global') add(sum, state.global.get(sum.label)!)
    return sums
  }

  function snapshot(): Snapshot {
    const { nowMs, stormStartMs, stormEvictions, clients, groups, suspended, suspendedGroups, global } = state
    return {
      detector: NAME,
      version: VERSION,
      state: {
        labels,
        rule: ruleName(),
        nowMs,
        stormStartMs,
        stormEvictions,
        counts: { ...state.counts },
        suspended: suspended.save(),
        suspendedGroups: suspendedGroups.save(),
        drifts: state.drifts.map((drift) => drift.save()),
        global: saveDetectors(global.values()),
        clients: [...clients].map(saveOwner),
        groups: [...groups].map(saveOwner),
      },
    }
  }

  /** Evidence by another rule, or against another calibration, means nothing. */
  function ruleName(): string {
    return `${rules.clients.kind} ${rules.groups?.kind ?? ''} ${calibration?.record.checksum ?? checksumOfAll(slots)}`
  }

  /**
   * Under another rule of evidence, or another calibration, everything is taken but the evidence: it begins anew, and so
   * does the watch for drift.
   */
  function restore(snapshot: Snapshot): void {
    checkSnapshot(snapshot, NAME, VERSION)
    const fields = readState(snapshot.state, FIELDS)
    checkLabels(fields['labels'], labels)
    const isSame = readName(fields['rule'], 'state.rule') === ruleName()
    const next = newState(setup)
    next.nowMs = readTime(fields['nowMs'], 'state.nowMs')
    next.stormStartMs = readTime(fields['stormStartMs'], 'state.stormStartMs')
    next.stormEvictions = readNumber(fields['stormEvictions'], 'state.stormEvictions')
    const counts = readState(fields['counts']!, COUNTS)
    for (const name of COUNTS) next.counts[name] = readNumber(counts[name], `state.counts.${name}`)
    next.suspended.load(fields['suspended'], 'state.suspended')
    next.suspendedGroups.load(fields['suspendedGroups'], 'state.suspendedGroups')
    loadDetectors(fields['global'], [...next.global.values()], 'state.global')
    const drifts = readList(fields['drifts'], 'state.drifts', slots.length, (one) => one as PlainData)
    if (isSame) for (const [i, drift] of next.drifts.entries()) drift.load(drifts[i]!)
    loadOwners(next, 'client', fields['clients'], isSame)
    loadOwners(next, 'group', fields['groups'], isSame)
    begin(next)
  }

  function loadOwners(next: State, scope: 'client' | 'group', value: unknown, withEvidence: boolean): void {
    const table = scope === 'client' ? next.clients : next.groups
    const path = `state.${scope}s`
    const make = (queries: number) => newOwner(setup, '', scope, { nowMs: 0, queries })
    const read = (one: unknown, at: string) => loadOwner(make, one, at, withEvidence)
    for (const owner of readList(value, path, Infinity, read)) table.keep(owner)
  }
}

function readSetup(config: StreamMonitorConfig, registry: Registry<Specs>) {
  checkObject(config, MONITOR_KEYS, 'monitor')
  const plain = readSlots(config.detectors, registry)
  const calibration =
    config.calibration === undefined
      ? undefined
      : readMonitorCalibration(config.calibration, plain, 'monitor.calibration')
  const records = calibration?.record.detectors.map(({ record }) => record)
  const slots = records === undefined ? plain : readSlots(config.detectors, registry, records)
  const limits = checkClients(config.clients, 'monitor.clients')
  const policy = checkPolicy(config.policy, 'monitor.policy')
  const rules = evidenceRules(slots, { policy, config: config.policy, path: 'monitor.policy' }, calibration)
  const { throttleAt, suspendAt } = rules.clients
  const setup: Setup = {
    slots,
    limits,
    policy: { ...policy, throttleAt, suspendAt, halfLifeMs: calibration?.record.halfLifeMs ?? policy.halfLifeMs },
    rules,
    isAllowed: allowList(policy),
    typical: calibration?.record.detectors.map(({ typical }) => typical) ?? [],
  }
  return { setup, calibration }
}

/** Names the calibrations of single detectors; '' where there is none. */
function checksumOfAll(slots: readonly Slot[]): string {
  const checksums = slots.map(({ calibration }) => calibration?.checksum ?? '')
  return checksums.every((one) => one === '') ? '' : sha256HexOfText(checksums.join())
}

/** Over observations nothing is known of a model. */
function subjectOf({ label, scope, name, configHash }: Slot): CalibratedDetector {
  const holdsFor = { model: null, dtype: null, backend: null }
  return { label, scope, detector: name, configHash: configHash(), featuresHash: null, holdsFor }
}

function add(sum: { entries: number; bytes: number }, detector: Pick<Detector, 'size' | 'bytes'>): void {
  sum.entries += detector.size()
  sum.bytes += detector.bytes()
}

const FIELDS = [
  'labels',
  'rule',
  'nowMs',
  'stormStartMs',
  'stormEvictions',
  'counts',
  'suspended',
  'suspendedGroups',
  'drifts',
  'global',
  'clients',
  'groups',
]
const OWNER_FIELDS = ['id', 'evidence', 'pace', 'lastMs', 'queries', 'suspicious', 'suspensions', 'group', 'detectors']

function saveOwner(owner: ClientState): PlainData {
  const { id, evidence, pace, lastMs, queries, suspicious, suspensions, group, detectors } = owner
  const saved = { evidence: evidence.save(), pace: pace.save(), detectors: saveDetectors(detectors) }
  return { id, ...saved, lastMs, queries, suspicious, suspensions, group }
}

/** Fills an owner with what was saved. Throws `bad_snapshot`. */
function loadOwner(
  make: (queries: number) => ClientState,
  value: unknown,
  path: string,
  withEvidence: boolean,
): ClientState {
  const fields = readState(value as PlainData, OWNER_FIELDS)
  const owner = make(readNumber(fields['queries'], `${path}.queries`))
  owner.lastMs = readTime(fields['lastMs'], `${path}.lastMs`)
  owner.suspicious = readNumber(fields['suspicious'], `${path}.suspicious`)
  owner.suspensions = readNumber(fields['suspensions'], `${path}.suspensions`)
  owner.group = readName(fields['group'], `${path}.group`)
  owner.pace.load(fields['pace']!)
  if (withEvidence) owner.evidence.load(fields['evidence']!)
  loadDetectors(fields['detectors'], owner.detectors, `${path}.detectors`)
  return { ...owner, id: readName(fields['id'], `${path}.id`) }
}
