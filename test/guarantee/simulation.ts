/** The promise put to the test: which share of benign clients is suspended, and when attackers are. */
import { ConformalScale, clopperPearson, type Interval, meanLogE, mixtureLogE } from '../../src/core/index.ts'
import {
  calibrateStreamMonitor,
  createStreamMonitor,
  type MonitorCalibration,
  type QueryEntry,
  type StreamMonitorConfig,
  type Verdict,
} from '../../src/core/monitor/index.ts'
import { type Attack, attack, type Population, traffic } from './clients.ts'
import type { World } from './worlds.ts'

/** Room for every client of a simulation. */
const ROOM = { maxClients: 1_000_000, maxBytes: 1e12 }

/** How many of how many, and the interval for the share behind it. */
export interface Share {
  readonly count: number
  readonly of: number
  readonly share: number
  /** Clopper and Pearson, 95 %. */
  readonly interval: Interval
}

function shareOf(count: number, of: number): Share {
  return { count, of, share: count / of, interval: clopperPearson(count, of, 0.05) }
}

/** The record of a population's traffic. */
export function calibrated(world: World, entries: readonly QueryEntry[], alpha: number, assurance?: number) {
  const { detectors } = world
  const promise = assurance === undefined ? { alpha } : { alpha, assurance }
  return calibrateStreamMonitor({ detectors, clients: ROOM }, entries, promise)
}

export interface Benign {
  readonly suspended: Share
  readonly throttled: Share
  /** Suspended ones by the length of their streams: 1 … 9, 10 … 99, 100 … 999, 1000 and more. */
  readonly byLength: readonly Share[]
  readonly drifts: number
  readonly queries: number
}

/** What becomes of benign clients in a monitor; `config` holds what it has beside its detectors. */
export function benignOutcome(
  world: World,
  entries: readonly QueryEntry[],
  config: Omit<StreamMonitorConfig, 'detectors'>,
): Benign {
  const monitor = createStreamMonitor({ detectors: world.detectors, clients: ROOM, ...config })
  const lengths = new Map<string, number>()
  const suspended = new Set<string>()
  const throttled = new Set<string>()
  let drifts = 0
  for (const entry of entries) {
    const { verdict, events } = monitor.apply(entry)
    lengths.set(entry.client, (lengths.get(entry.client) ?? 0) + 1)
    if (verdict.proposed === 'suspend') suspended.add(entry.client)
    if (verdict.proposed === 'throttle') throttled.add(entry.client)
    drifts += events.filter(({ kind }) => kind === 'drift').length
  }
  return {
    suspended: shareOf(suspended.size, lengths.size),
    throttled: shareOf(throttled.size, lengths.size),
    byLength: byLength(lengths, suspended),
    drifts,
    queries: entries.length,
  }
}

export const LENGTHS = ['1 … 9', '10 … 99', '100 … 999', '1000 and more'] as const

function byLength(lengths: ReadonlyMap<string, number>, found: ReadonlySet<string>): Share[] {
  return LENGTHS.map((_, digits) => {
    const own = [...lengths].filter(([, length]) => Math.min(String(length).length - 1, LENGTHS.length - 1) === digits)
    return shareOf(own.filter(([client]) => found.has(client)).length, Math.max(1, own.length))
  })
}

/** After how many queries of the attack itself each of several attackers is suspended; Infinity for never. */
export function attackOutcome(
  world: World,
  record: MonitorCalibration,
  { kind, filler, count, attackers }: { kind: Attack; filler: number; count: number; attackers: number },
): number[] {
  return Array.from({ length: attackers }, (_, seed) => {
    const monitor = createStreamMonitor({ detectors: world.detectors, calibration: record })
    let sent = 0
    for (const { entry, isAttack } of attack(world, kind, { filler, count, seed: seed + 1 })) {
      if (isAttack) sent++
      if (monitor.apply(entry).verdict.proposed === 'suspend') return sent
    }
    return Infinity
  })
}

/**
 * What looks right and is not: conformal p-values of single queries, their e-values averaged over the detectors and
 * multiplied from query to query, never below 1 so that filler cannot hide an attack, and a suspension at 1/alpha. It
 * takes a client's queries for independent, all clients for alike, and every query for a new chance.
 */
export function naiveProduct(
  world: World,
  calibration: readonly QueryEntry[],
  test: readonly QueryEntry[],
  alpha: number,
): Share {
  const scales = world.detectors.map(() => [] as number[])
  for (const { detections } of verdicts(world, calibration)) {
    for (const [i, { score }] of detections.entries()) scales[i]!.push(score)
  }
  const ready = scales.map((scores) => new ConformalScale(scores))
  const evidence = new Map<string, number>()
  const suspended = new Set<string>()
  for (const { detections, client } of verdicts(world, test)) {
    const step = meanLogE(detections.map(({ score }, i) => mixtureLogE(ready[i]!.pValue(score))))
    const sum = Math.max(0, (evidence.get(client.id) ?? 0) + step)
    evidence.set(client.id, sum)
    if (sum >= -Math.log(alpha)) suspended.add(client.id)
  }
  return shareOf(suspended.size, evidence.size)
}

function* verdicts(world: World, entries: readonly QueryEntry[]): Generator<Verdict> {
  const monitor = createStreamMonitor({ detectors: world.detectors, clients: ROOM })
  for (const entry of entries) yield monitor.apply(entry).verdict
}

/** The traffic of calibration and that of the test, from inputs and clients that have nothing in common. */
export function bothTraffics(
  world: World,
  sizes: { readonly calibration: number; readonly test: number },
  shape: Pick<Population, 'longest' | 'tail'>,
) {
  return {
    calibration: traffic(world, { part: 'calibration', seed: 1, clients: sizes.calibration, ...shape }),
    test: traffic(world, { part: 'test', seed: 2, clients: sizes.test, ...shape }),
  }
}
