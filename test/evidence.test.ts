import { describe, expect, test } from 'vitest'
import { calibrate, clopperPearson, fromBytes, type Observation, toBytes } from '../src/core/index.ts'
import { fitLevels, fitWeights, Heights } from '../src/core/monitor/calibration/fit.ts'
import { type Bet, betsOn, evenBook, P_LEVELS, RATES, SPANS, spanOf } from '../src/core/monitor/evidence/book.ts'
import { Drift, DriftPace, typicalOf } from '../src/core/monitor/evidence/drift.ts'
import { Wealth } from '../src/core/monitor/evidence/wealth.ts'
import {
  calibrateStreamMonitor,
  createStreamMonitor,
  type MonitorEvent,
  type PolicyConfig,
  type QueryEntry,
  type StreamMonitorConfig,
  suspects,
  type Verdict,
} from '../src/core/monitor/index.ts'
import { random } from './tools/random.ts'

const HOUR = 3_600_000

/** One bet on scores above 0.9, of which benign clients have one in four: twice as many are expected. */
const BET: Bet = { slot: 0, rate: 0.25, above: 0.9, hit: 2, miss: 0.5 / 0.75 }

describe('the bets', () => {
  test('expect two and eight times the rate, at most three quarters, and cost nothing on average at the rate', () => {
    const bets = betsOn(
      3,
      RATES.map((_, k) => (k === 2 ? null : k)),
    )
    expect(bets).toHaveLength(2 * (RATES.length - 1))
    for (const { slot, rate, hit, miss } of bets) {
      expect(slot).toBe(3)
      expect(rate * hit + (1 - rate) * miss).toBeCloseTo(1, 14)
    }
    expect(bets.slice(0, 2)).toMatchObject([
      { rate: 0.25, hit: 2, miss: 2 / 3 },
      { rate: 0.25, hit: 3, miss: 1 / 3 },
    ])
    expect(bets.at(-2)!.hit).toBe(2)
    expect(bets.at(-1)!.hit).toBe(8)
  })

  test('on p-values are hit by those up to the rate, inclusive', () => {
    for (const [k, rate] of RATES.entries()) {
      expect(-rate > P_LEVELS[k]!).toBe(true)
      expect(-(rate + 1e-15) > P_LEVELS[k]!).toBe(false)
    }
  })

  test('spans are 1 … 3, 4 … 15, 16 … 63 queries, and the last has no end', () => {
    expect([1, 3, 4, 15, 16, 63, 64, 1e6, 1e12].map(spanOf)).toEqual([0, 0, 1, 1, 2, 2, 3, 8, 8])
  })
})

describe('wealth', () => {
  const reserve = (n: number) => 1 / (1 + Math.log(1 + n))

  test('is what the stakes laid bit by bit have become, and the reserve', () => {
    const wealth = new Wealth(evenBook([BET], HOUR))
    expect(wealth.logE()).toBe(0)
    let capital = 0
    for (const [i, score] of [0.95, 0.1, 0.95, 0.9].entries()) {
      wealth.learn(Float64Array.of(score))
      capital = (capital + reserve(i) - reserve(i + 1)) * (score > 0.9 ? 2 : 2 / 3)
      expect(wealth.logE()).toBeCloseTo(Math.log(capital + reserve(i + 1)), 12)
    }
    expect(wealth.count).toBe(4)
  })

  test('does not change by a detector that said nothing', () => {
    const wealth = new Wealth(evenBook([BET], HOUR))
    wealth.learn(Float64Array.of(0.95))
    const before = wealth.logE()
    wealth.learn(Float64Array.of(Number.NaN))
    expect(wealth.logE()).toBeCloseTo(before, 14)
  })

  test('fades by time and not by count: half of the logarithm in the half-life', () => {
    const wealth = new Wealth(evenBook([BET], HOUR))
    for (let i = 0; i < 40; i++) wealth.learn(Float64Array.of(1))
    const capital = wealth.capital[0]!
    expect(Math.exp(wealth.logE(HOUR))).toBeCloseTo(Math.sqrt(capital) + reserve(40), 6)
    wealth.fade(HOUR)
    expect(wealth.capital[0]).toBeCloseTo(Math.sqrt(capital), 6)
    wealth.fade(1000 * HOUR)
    expect(wealth.logE()).toBeLessThan(1)
  })

  test('grows on though a hundred harmless queries come with each hit', () => {
    const bets = betsOn(
      0,
      RATES.map((rate) => 1 - rate),
    )
    const wealth = new Wealth(evenBook(bets, HOUR))
    const cycle = () => {
      wealth.learn(Float64Array.of(1))
      for (let i = 0; i < 100; i++) wealth.learn(Float64Array.of(0))
      return wealth.logE()
    }
    for (let i = 0; i < 20; i++) cycle()
    for (let before = wealth.logE(), i = 0; i < 20; i++) {
      const after = cycle()
      expect(after).toBeGreaterThan(before)
      before = after
    }
    expect(wealth.logE()).toBeGreaterThan(10)
  })

  test('a late attack needs about ln n more nats than an early one, however long the quiet time', () => {
    const hitsNeeded = (quiet: number) => {
      const wealth = new Wealth(evenBook([BET], HOUR))
      for (let i = 0; i < quiet; i++) wealth.learn(Float64Array.of(0))
      let hits = 0
      for (; wealth.logE() < 5; hits++) wealth.learn(Float64Array.of(1))
      return hits
    }
    expect(hitsNeeded(10_000) - hitsNeeded(0)).toBeLessThan(2 * Math.log2(10_000))
    expect(hitsNeeded(10_000)).toBeGreaterThan(hitsNeeded(0))
  })

  test('ever reaches 1/alpha for at most a share alpha of clients at the rate, whatever their length', () => {
    const alpha = 0.05
    const next = random(11)
    let reached = 0
    for (let client = 0; client < 2000; client++) {
      const wealth = new Wealth(
        evenBook(
          betsOn(
            0,
            RATES.map((rate) => 1 - rate),
          ),
          HOUR,
        ),
      )
      const length = Math.min(2000, Math.floor(1 / next()))
      let isReached = false
      for (let i = 0; i < length && !isReached; i++) {
        wealth.fade(60_000 * next())
        wealth.learn(Float64Array.of(next()))
        isReached = wealth.logE() >= -Math.log(alpha)
      }
      if (isReached) reached++
    }
    expect(reached).toBeGreaterThan(0)
    expect(clopperPearson(reached, 2000, 0.01).low).toBeLessThanOrEqual(alpha)
  })

  test('goes on exactly from what was saved, and refuses what does not fit', () => {
    const [a, b] = [new Wealth(evenBook([BET], HOUR)), new Wealth(evenBook([BET], HOUR))]
    for (const score of [1, 0, 1]) a.learn(Float64Array.of(score))
    b.load(a.save())
    expect(b.save()).toEqual(a.save())
    for (const bad of [
      { count: 1, capital: new Float64Array(2) },
      { count: 1, capital: Float64Array.of(-1) },
      { count: 1 },
    ]) {
      expect(() => b.load(bad)).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
    }
    expect(b.save()).toEqual(a.save())
  })
})

describe('what the bets are laid on', () => {
  test('levels leave at most the rate above them, by queries and by clients', () => {
    const next = random(2)
    const heavy = Float64Array.from({ length: 5000 }, () => 0.5 + 0.5 * next())
    const light = Array.from({ length: 200 }, () => Float64Array.from({ length: 5 }, () => 0.8 * next()))
    const levels = fitLevels([heavy, ...light])
    const all = [...heavy, ...light.flatMap((own) => [...own])]
    for (const [k, rate] of RATES.entries()) {
      expect(all.filter((score) => score > levels[k]!).length / all.length).toBeLessThanOrEqual(rate)
    }
    // By queries alone a quarter would lie above 0.83; by clients alone above 0.6.
    expect(levels[0]).toBeGreaterThan(0.8)
  })

  test('a level that is no higher than the one before is none', () => {
    const ties = Array.from({ length: 50 }, () => Float64Array.of(1, 1, 1, 2))
    expect(fitLevels(ties)).toEqual([1, 2, null, null, null, null, null, null])
  })

  test('weights are what benign clients leave of a bet: small where they win it, smaller for longer streams', () => {
    const bets = [BET, { ...BET, above: 0.99 }]
    const heights = Array.from({ length: 400 }, (_, client) => {
      const own = new Heights(2)
      for (let n = 1; n <= (client < 300 ? 3 : 40); n++) own.see(Float64Array.of(n, 0.5), n)
      return own
    })
    const weights = fitWeights(heights, bets, 0.05)
    expect(weights).toHaveLength(SPANS)
    const total = weights[0]!.reduce((sum, weight) => sum + weight, 0)
    expect(total).toBeCloseTo(1, 14)
    expect(weights[0]![0]! / weights[0]![1]!).toBeCloseTo(1 / 3, 12)
    expect(weights[1]![0]! / weights[0]![0]!).toBeCloseTo(3 / 15, 12)
    expect(weights[2]![0]! / weights[0]![0]!).toBeCloseTo(3 / 40, 12)
    for (let span = 1; span < SPANS; span++) {
      for (const bet of [0, 1]) expect(weights[span]![bet]).toBeLessThanOrEqual(weights[span - 1]![bet]!)
    }
    // Nobody came so far: one in 20 may have twenty times as much.
    expect(weights[8]![1]! / weights[0]![1]!).toBeCloseTo(1 / 20, 12)
  })
})

// ——— monitors

const REPETITION = { name: 'text_repetition', threshold: 3 } as const

/** Honest clients: questions of their own, and now and then one again. */
function honest(clients: number, seed = 1, { group = '' } = {}): QueryEntry[] {
  const next = random(seed)
  const entries = Array.from({ length: clients }, (_, client): QueryEntry[] => {
    let timeMs = 1e12 + Math.floor(HOUR * next())
    return Array.from({ length: 1 + Math.floor(12 * next()) }, (_, i): QueryEntry => {
      timeMs += Math.floor(20_000 * next())
      const fingerprint = i > 0 && next() < 0.1 ? `${client} ${i - 1}` : `${client} ${i}`
      return entryOf(`client ${client}`, timeMs, fingerprint, group === '' ? {} : { group: `${group} ${client % 60}` })
    })
  })
  return entries.flat().sort((a, b) => a.timeMs - b.timeMs)
}

function entryOf(client: string, timeMs: number, fingerprint: string, more: { group?: string } = {}): QueryEntry {
  return { kind: 'query', client, timeMs, observations: [{ fingerprint }], ...more }
}

const detectors = [REPETITION]
const AVERAGE = { alpha: 0.02, assurance: 0 }
const calibration = calibrateStreamMonitor({ detectors }, honest(400), { ...AVERAGE, date: '2026-11-24' })

function monitorWith(policy: PolicyConfig = {}, more: Partial<StreamMonitorConfig> = {}) {
  const monitor = createStreamMonitor({ detectors, calibration, policy: { mode: 'enforce', ...policy }, ...more })
  const events: MonitorEvent[] = []
  const ask = (client: string, timeMs: number, fingerprint: string, names: { group?: string } = {}): Verdict => {
    const applied = monitor.apply(entryOf(client, timeMs, fingerprint, names))
    events.push(...applied.events)
    return applied.verdict
  }
  /** The same question until the client is suspended. */
  const attack = (client: string, timeMs: number, names: { group?: string } = {}): Verdict => {
    for (let i = 0; i < 100; i++) {
      const verdict = ask(client, timeMs + i, 'again', names)
      if (verdict.proposed === 'suspend') return verdict
    }
    throw new Error('was never suspended')
  }
  return { monitor, events, ask, attack }
}

describe('a calibrated monitor', () => {
  test('suspends who repeats, leaves others alone, and says why in a sentence with numbers', () => {
    const { monitor, ask, attack, events } = monitorWith()
    for (let i = 0; i < 50; i++) expect(ask('honest', i, `question ${i}`).action).toBe('allow')
    const verdict = attack('attacker', 100)
    expect(verdict).toMatchObject({ action: 'suspend', client: { suspendedUntilMs: verdict.timeMs + HOUR } })
    expect(verdict.client.pValue).toBeLessThanOrEqual(0.02)
    expect(verdict.client.evidence).toBeGreaterThanOrEqual(monitor.describe().policy.suspendAt)
    expect(verdict.explanation).toMatch(
      /^Suspended for 1 h: evidence [\d.]+ after \d+ queries, at least [\d.]+, and as much as a share of at most [\d.]+ of benign clients ever has\. It comes from text_repetition 100 % \(scores above \d+ more often than 1 in \d+\)\. MITRE ATLAS: AML\.T\d+ /,
    )
    expect(events).toEqual([
      {
        kind: 'suspended',
        client: 'attacker',
        untilMs: verdict.timeMs + HOUR,
        timeMs: verdict.timeMs,
        reason: verdict.explanation,
      },
    ])
    expect(monitor.admit('attacker', verdict.timeMs).allowed).toBe(false)
    expect(monitor.admit('honest', verdict.timeMs).allowed).toBe(true)
  })

  test('describes what it promises', () => {
    const { monitor } = monitorWith()
    expect(monitor.describe()).toMatchObject({
      evidence: 'calibrated',
      calibration: {
        alpha: 0.02,
        assurance: 0,
        clients: 400,
        date: '2026-11-24',
        checksum: calibration.checksum,
        drift: [],
        isHeld: false,
      },
    })
  })

  test('throttles, before it suspends, the queries that add to the evidence, and only those', () => {
    const { monitor, ask } = monitorWith({ throttleAlpha: 0.5 })
    const { throttleAt, suspendAt } = monitor.describe().policy
    expect(throttleAt).toBeLessThan(suspendAt)
    let verdict = ask('a', 0, 'again')
    for (let i = 1; verdict.proposed !== 'throttle'; i++) verdict = ask('a', i, 'again')
    expect(verdict.client.evidence).toBeGreaterThanOrEqual(throttleAt)
    expect(verdict.client.evidence).toBeLessThan(suspendAt)
    expect(verdict.explanation).toMatch(/^Throttled: /)
    expect(ask('a', 100, 'something else').proposed).toBe('allow')
  })

  test('suspends longer each time, up to the longest; a release starts anew', () => {
    const { monitor, attack } = monitorWith({ suspendForMs: HOUR, suspendGrowth: 3, longestSuspensionMs: 5 * HOUR })
    const lengths: number[] = []
    let timeMs = 0
    for (let i = 0; i < 4; i++) {
      if (i === 3) monitor.apply({ kind: 'release', client: 'a', timeMs })
      const { client, timeMs: atMs } = attack('a', timeMs)
      lengths.push((client.suspendedUntilMs! - atMs) / HOUR)
      if (i === 1) expect(client.suspendedSinceMs).toBe(atMs)
      timeMs = client.suspendedUntilMs! + 1
    }
    expect(lengths).toEqual([1, 3, 5, 1])
  })

  test('after a suspension new evidence must be earned', () => {
    const { ask, attack } = monitorWith()
    const until = attack('a', 0).client.suspendedUntilMs!
    expect(ask('a', until + 1, 'a harmless question')).toMatchObject({ proposed: 'allow', client: { evidence: 0 } })
  })

  test('never throttles or suspends who is on the list, by name or by hash, but judges and counts them', () => {
    // printf 'hashed auditor' | sha256sum
    const hash = 'sha256:9d5f9c14f4b5be8a6f7c2f374d2c02f4c57ba9987f341c0e49992915a1adb77a'
    const { monitor, ask } = monitorWith({ allow: ['auditor', hash] })
    for (const client of ['auditor', 'hashed auditor']) {
      const actions = new Set(Array.from({ length: 60 }, (_, i) => ask(client, i, 'again').action))
      expect([...actions].sort()).toEqual(['allow', 'flag'])
      expect(monitor.clients().find(({ id }) => id === client)).toMatchObject({ queries: 60 })
      expect(monitor.clients().find(({ id }) => id === client)!.evidence).toBeGreaterThan(5)
    }
    monitor.apply({ kind: 'suspend', client: 'auditor', timeMs: 100, untilMs: 200 })
    expect(monitor.admit('auditor', 150).allowed).toBe(false) // an operator may
  })

  test('holds nothing against clients without a name', () => {
    const { ask } = monitorWith()
    for (let i = 0; i < 60; i++) expect(['allow', 'flag']).toContain(ask('', i, 'again').action)
  })

  test.each(['silent', 'delayed'] as const)('tells hosts to refuse in the way that the policy wants: %s', (reply) => {
    const { ask, attack } = monitorWith({ reply })
    expect(ask('honest', 0, 'a question')).not.toHaveProperty('reply')
    expect(attack('a', 1).reply).toBe(reply)
  })

  test('goes on exactly from a snapshot at any point', () => {
    const entries = [...honest(30, 5), ...Array.from({ length: 40 }, (_, i) => entryOf('attacker', 2e12 + i, 'again'))]
    for (const cut of [0, 17, entries.length - 25, entries.length - 1]) {
      const [a, b] = [monitorWith().monitor, monitorWith().monitor]
      for (const one of entries.slice(0, cut)) a.apply(one)
      b.restore(fromBytes(toBytes(a.snapshot())))
      for (const one of entries.slice(cut)) expect(b.apply(one)).toEqual(a.apply(one))
      expect(toBytes(b.snapshot())).toEqual(toBytes(a.snapshot()))
    }
  })

  test('takes the state of a monitor with another calibration, and begins with the evidence anew', () => {
    const before = monitorWith()
    before.attack('suspended', 0)
    for (let i = 0; i < 2; i++) before.ask('watched', 50 + i, 'again')
    expect(before.monitor.clients().at(-1)!.evidence).toBeGreaterThan(0)
    const other = calibrateStreamMonitor({ detectors }, honest(400, 2), AVERAGE)
    for (const config of [{ detectors, calibration: other }, { detectors }]) {
      const monitor = createStreamMonitor(config)
      monitor.restore(before.monitor.snapshot())
      expect(monitor.clients().map(({ id, evidence, queries }) => [id, evidence, queries > 0])).toEqual([
        ['suspended', 0, true],
        ['watched', 0, true],
      ])
      expect(monitor.suspensions()).toHaveLength(1)
    }
  })

  const bad: [name: string, config: Record<string, unknown>, path: string][] = [
    ['other detectors', { detectors: ['repetition'] }, 'monitor.calibration.detectors'],
    ['another order of labels', { detectors: [{ ...REPETITION, label: 'x' }] }, 'monitor.calibration.detectors'],
    ['another scope', { detectors: [{ ...REPETITION, scope: 'global' }] }, 'monitor.calibration.detectors'],
    [
      'other options',
      { detectors: [{ ...REPETITION, maxHistorySize: 50 }] },
      'monitor.detectors[0].text_repetition.calibration.configHash',
    ],
    ['a limit that the calibration sets', { policy: { suspendAt: 10 } }, 'monitor.policy.suspendAt'],
    ['an alpha beside that of the record', { policy: { alpha: 0.01 } }, 'monitor.policy.alpha'],
    ['a half-life beside that of the record', { policy: { halfLifeMs: HOUR } }, 'monitor.policy.halfLifeMs'],
    ['a throttleAlpha below alpha', { policy: { throttleAlpha: 0.001 } }, 'monitor.policy.throttleAlpha'],
    [
      'a detector calibrated by itself',
      { detectors: [{ ...REPETITION, calibration: calibration.detectors[0]!.record }] },
      'monitor.detectors[0].calibration',
    ],
    ['a damaged record', { calibration: { ...calibration, alpha: 0.5 } }, 'monitor.calibration'],
    ['the record of a detector', { calibration: calibration.detectors[0]!.record }, 'monitor.calibration.kind'],
    ['an allow-list that is none', { policy: { allow: 'auditor' } }, 'monitor.policy.allow'],
    ['a nameless client allowed', { policy: { allow: [''] } }, 'monitor.policy.allow[0]'],
    ['a reply that is none', { policy: { reply: 'tag' } }, 'monitor.policy.reply'],
    ['suspensions that shrink', { policy: { suspendGrowth: 0.5 } }, 'monitor.policy.suspendGrowth'],
    [
      'a longest suspension below the first',
      { policy: { longestSuspensionMs: 1 } },
      'monitor.policy.longestSuspensionMs',
    ],
  ]
  test.each(bad)('with %s is refused', (_, config, path) => {
    expect(() => createStreamMonitor({ detectors, calibration, ...config } as never)).toThrow(
      expect.objectContaining({ code: 'bad_config', path }),
    )
  })
})

describe('calibrating a monitor', () => {
  test('says how many clients it takes', () => {
    expect(() => calibrateStreamMonitor({ detectors }, honest(400), { alpha: 0.001 })).toThrow(
      expect.objectContaining({
        code: 'bad_config',
        path: 'alpha',
        message: expect.stringContaining('alpha 0.001 with an assurance of 0.95 needs 4493 benign clients, got 400'),
      }),
    )
    expect(() => calibrateStreamMonitor({ detectors }, honest(88), { alpha: 0.05 })).toThrow(
      'needs 89 benign clients, got 88: give more, or a larger alpha, ' +
        'or a lower assurance: 0 takes 29, and promises alpha on average over calibrations only',
    )
    expect(calibrateStreamMonitor({ detectors }, honest(89), { alpha: 0.05 }).assurance).toBe(0.95)
    const average = { alpha: 0.05, assurance: 0 }
    expect(() => calibrateStreamMonitor({ detectors }, honest(28), average)).toThrow(
      /needs 29 benign clients, got 28: /,
    )
    calibrateStreamMonitor({ detectors }, honest(29), average)
  })

  test('gives the same record for the same traffic, whatever the policy', () => {
    const again = calibrateStreamMonitor({ detectors, policy: { suspendAt: 5 } }, honest(400), {
      ...AVERAGE,
      date: '2026-11-24',
    })
    expect(again).toEqual(calibration)
    expect(JSON.parse(JSON.stringify(again))).toEqual(again)
  })

  test('takes its threshold from clients that the bets were not fitted on', () => {
    const { clients } = calibration
    expect(clients.fitted).toBe(134)
    expect(clients.maxima.n).toBe(266)
  })

  test('refuses traffic that is not in the order of its times, and counts nameless clients for nothing', () => {
    const late = [entryOf('a', 1e6, 'x'), entryOf('b', 1e5, 'x')]
    expect(() => calibrateStreamMonitor({ detectors }, late, { alpha: 0.1 })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'timeMs' }),
    )
    const nameless = Array.from({ length: 500 }, (_, i) => entryOf('', i, `${i}`))
    expect(() => calibrateStreamMonitor({ detectors }, nameless, { alpha: 0.1 })).toThrow(/got 0/)
  })
})

describe('evidence by Ville, without calibration of the whole', () => {
  const ofDetector = calibrate(
    REPETITION,
    honest(400).map(({ client, observations }) => ({ client, observation: observations[0] as Observation })),
    { alpha: 0.02, unit: 'query' },
  )

  test('is nats, and acts at ln(1/alpha)', () => {
    const monitor = createStreamMonitor({
      detectors: [{ ...REPETITION, calibration: ofDetector }],
      policy: { mode: 'enforce', alpha: 0.001 },
    })
    const { evidence, policy } = monitor.describe()
    expect(evidence).toBe('e-process')
    expect(policy.suspendAt).toBeCloseTo(Math.log(1000), 12)
    expect(policy.throttleAt).toBeCloseTo(Math.log(200), 12)
    let verdict: Verdict | undefined
    for (let i = 0; verdict?.proposed !== 'suspend'; i++) verdict = monitor.apply(entryOf('a', i, 'again')).verdict
    expect(verdict.explanation).toMatch(
      /at least 6\.91 nats\. It comes from text_repetition 100 % \(p up to [\d.]+ more often than 1 in \d+\)/,
    )
    expect(suspects(monitor.clients(), 0.1)).toEqual([]) // it is spent
  })

  test('needs calibrated detectors', () => {
    expect(() => createStreamMonitor({ detectors, policy: { alpha: 0.01 } })).toThrow(
      expect.objectContaining({ code: 'bad_config', path: 'monitor.policy.alpha' }),
    )
  })

  test('e-BH names those whose evidence stands out of all', () => {
    const clients = [6, 0, 5, 1, 0, 0].map((evidence, i) => ({
      id: `${i}`,
      evidence,
      lastMs: 0,
      queries: 1,
      suspicious: 0,
    }))
    // 6 clients at 0.1: two of them need e ≥ 6 / 2 / 0.1 = 30, and e⁵ is 148; three would need 20.
    expect(suspects(clients, 0.1).map(({ id }) => id)).toEqual(['0', '2'])
    expect(suspects([], 0.1)).toEqual([])
  })
})

describe('groups', () => {
  const grouped = [REPETITION, { name: 'text_repetition', label: 'of_group', scope: 'group' } as const]
  const withGroup = (one: QueryEntry): QueryEntry => ({
    ...one,
    observations: [one.observations[0]!, one.observations[0]!],
  })

  test('a detector of a group sees all its members, and does not apply where no group is named', () => {
    const monitor = createStreamMonitor({ detectors: grouped })
    const ask = (client: string, group?: string) =>
      monitor.apply(withGroup(entryOf(client, 0, 'x', group === undefined ? {} : { group }))).verdict
    expect(ask('a', 'g').detections.map(({ score }) => score)).toEqual([1, 1])
    expect(ask('b', 'g').detections.map(({ score }) => score)).toEqual([1, 2])
    expect(ask('c', 'other').detections.map(({ score }) => score)).toEqual([1, 1])
    expect(ask('d')).toMatchObject({ skipped: ['of_group'], detections: [{ score: 1 }] })
  })

  test('one attack over many accounts is suspended by its group, and only with it', () => {
    const benign = honest(400, 3, { group: 'network' }).map(withGroup)
    const record = calibrateStreamMonitor({ detectors: grouped }, benign, { alpha: 0.1, assurance: 0 })
    expect(record.groups).not.toBeNull()
    expect([record.clients.alpha, record.groups!.alpha]).toEqual([0.05, 0.05])
    const monitor = createStreamMonitor({
      detectors: grouped,
      calibration: record,
      policy: { mode: 'enforce', allow: ['auditor'] },
    })
    const ask = (client: string, i: number, group: string, what = 'again') =>
      monitor.apply(withGroup(entryOf(client, 2e12 + i, what, { group }))).verdict
    ask('auditor', 0, 'bad network')
    ask('elsewhere', 0, 'other network')
    let verdict = ask('account 0', 0, 'bad network')
    // Each account asks once: nothing speaks against any of them alone.
    let accounts = 1
    for (; verdict.proposed !== 'suspend'; accounts++) verdict = ask(`account ${accounts}`, accounts, 'bad network')
    expect(verdict.group!.evidence).toBeGreaterThan(verdict.client.evidence)
    expect(verdict.explanation ?? '').toBe('')
    const suspended = monitor.suspensions().map(({ client }) => client)
    expect(suspended).toHaveLength(accounts)
    expect(suspended).not.toContain('auditor')
    expect(suspended).not.toContain('elsewhere')
    expect(ask('a new account', accounts, 'bad network', 'a first question').action).toBe('suspend')
    expect(ask('auditor', accounts, 'bad network').action).not.toBe('suspend')
    expect(monitor.admit('elsewhere', 2e12 + accounts).allowed).toBe(true)
    const copy = createStreamMonitor({
      detectors: grouped,
      calibration: record,
      policy: { mode: 'enforce', allow: ['auditor'] },
    })
    copy.restore(fromBytes(toBytes(monitor.snapshot())))
    const after = withGroup(entryOf('another', 2e12 + 1000, 'x', { group: 'bad network' }))
    expect(copy.apply(after)).toEqual(monitor.apply(after))
    monitor.apply({ kind: 'release', client: 'account 0', timeMs: 2e12 + 2000 })
    expect(ask('yet another', 2001, 'bad network', 'y').action).toBe('allow')
  })

  test('too few groups have no evidence', () => {
    const few = honest(400, 3, { group: 'network' }).map((one) => ({ ...one, group: 'one for all' }))
    const record = calibrateStreamMonitor({ detectors }, few, AVERAGE)
    expect(record.groups).toBeNull()
    expect(record.clients.alpha).toBe(0.02)
  })

  test('a name that is too long is refused', () => {
    const monitor = createStreamMonitor({ detectors })
    expect(() => monitor.apply(entryOf('a', 0, 'x', { group: 'g'.repeat(257) }))).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'group' }),
    )
  })
})

describe('drift', () => {
  const typical = typicalOf(Array.from({ length: SPANS }, () => Array.from({ length: 100 }, (_, i) => i)))

  test('scores as before give no alarm, higher ones one, and the same again ends it', () => {
    const drift = new Drift(typical)
    const next = random(9)
    const push = (count: number, score: () => number) => {
      let alarms = 0
      for (let i = 0; i < count; i++) if (drift.push(score(), 5, i)) alarms++
      return alarms
    }
    expect(push(5000, () => 100 * next())).toBe(0)
    expect(push(1000, () => 50 + 50 * next())).toBe(1)
    expect(drift.direction).toBe('higher')
    expect(push(1000, () => 20 * next())).toBe(1)
    expect(drift.direction).toBe('lower')
    push(8000, () => 100 * next())
    expect(drift.direction).toBeNull()
  })

  test('a population that is another from the first day on shows', () => {
    const drift = new Drift(typical)
    const found = Array.from({ length: 600 }, (_, i) => drift.push(75 + (i % 25), 2, i)).filter(Boolean)
    expect(found).toHaveLength(1)
  })

  test('a busy client does not pass for a crowd', () => {
    const pace = new DriftPace()
    const due = Array.from({ length: 10_000 }, (_, i) => pace.isDue(i + 1, 1000 * i)).filter(Boolean)
    expect(due.length).toBeLessThan(25)
    expect(Array.from({ length: 4 }, (_, i) => new DriftPace().isDue(i + 1, 0))).toEqual([false, true, true, true])
  })

  test('goes on from what was saved', () => {
    const [a, b] = [new Drift(typical), new Drift(typical)]
    for (let i = 0; i < 300; i++) a.push(90, 5, i)
    b.load(a.save())
    expect(b.save()).toEqual(a.save())
    expect(b.direction).toBe(a.direction)
  })

  test('holds suspensions until there is a new calibration, and says so; or only says so', () => {
    const changed = (i: number) =>
      Array.from({ length: 6 }, (_, k) => entryOf(`new client ${i}`, 2e12 + 100 * i + k, `${i} ${k >> 1}`))
    const found = (onDrift: 'hold' | 'tell') => {
      const { monitor } = monitorWith({ onDrift })
      const events: MonitorEvent[] = []
      for (let i = 0; i < 600; i++) for (const one of changed(i)) events.push(...monitor.apply(one).events)
      return { events, monitor }
    }
    const held = found('hold')
    expect(held.events.filter(({ kind }) => kind === 'drift')).toMatchObject([
      { detector: 'text_repetition', direction: 'higher' },
    ])
    expect(held.monitor.describe().calibration).toMatchObject({
      isHeld: true,
      drift: [{ detector: 'text_repetition', direction: 'higher' }],
    })
    const actions = new Set(
      Array.from({ length: 60 }, (_, i) => held.monitor.apply(entryOf('attacker', 3e12 + i, 'again')).verdict.action),
    )
    expect(actions).toContain('throttle')
    expect(actions).not.toContain('suspend')
    const told = found('tell')
    expect(told.monitor.describe().calibration).toMatchObject({ isHeld: false, drift: [{ direction: 'higher' }] })
    const copy = monitorWith().monitor
    copy.restore(fromBytes(toBytes(held.monitor.snapshot())))
    expect(copy.describe().calibration).toEqual(held.monitor.describe().calibration)
  })
})
