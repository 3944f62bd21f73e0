/** What is said of a run: alarms, shares, the choice under a budget, the report. */
import { describe, expect, test } from 'vitest'
import {
  alarmShare,
  anyOf,
  type Candidate,
  compareRuns,
  delays,
  firstAlarm,
  htmlReport,
  isTimely,
  markdownReport,
  type SessionResult,
  type Split,
  select,
  signTest,
  thresholdsOf,
  timelyShare,
  tradeOffs,
  workloadsOf,
  worstWorkload,
} from '../../src/eval/index.ts'
import { figuresOf, loadPens } from '../../src/eval/node/plots.ts'
import { RECORD, session, watched } from './made.ts'

const at = (threshold: number): Candidate => ({ name: `d ≥ ${threshold}`, thresholds: { d: threshold } })

/** A session whose score reaches each level at the given query. */
const rising = (steps: readonly (readonly [number, number])[], rest: Partial<SessionResult> = {}) =>
  session({ detectors: { d: watched(steps) }, ...rest })

const benign = (client: string, score: number, rest: Partial<SessionResult> = {}) =>
  rising([[5, score]], { client, role: 'benign', profile: 'E', ...rest })

describe('an alarm', () => {
  const one = rising([
    [1, 0.2],
    [7, 0.5],
    [30, 1.5],
  ])

  test('is the first query that reaches the threshold', () => {
    expect([0.2, 0.3, 0.5, 0.6, 1.5, 1.6].map((threshold) => firstAlarm(one, at(threshold)))).toEqual([
      1,
      7,
      7,
      30,
      30,
      Infinity,
    ])
  })

  test("is the detector's own where nothing else is said", () => {
    expect(firstAlarm(one, { name: 'own', thresholds: { d: 'own' } })).toBe(30)
  })

  test('of several detectors is the earliest', () => {
    const both = session({ detectors: { a: watched([[9, 2]]), b: watched([[4, 2]]) } })
    const any = anyOf('any', [
      { name: 'a', thresholds: { a: 1 } },
      { name: 'b', thresholds: { b: 1 } },
    ])
    expect(firstAlarm(both, any)).toBe(4)
  })

  test('is timely strictly before the success only', () => {
    expect([31, 30, 29].map((success) => isTimely({ ...one, success }, at(1)))).toEqual([true, false, false])
    expect(isTimely(one, at(1))).toBe(true)
    expect(isTimely(one, at(2))).toBe(false)
  })
})

describe('shares', () => {
  test('leave out what a detector did not see whole', () => {
    const sessions = [
      benign('lime', 2),
      benign('lime', 0),
      session({ client: 'lime', role: 'benign', detectors: { d: watched([[1, 2]], { errors: 1 }) } }),
      session({ client: 'lime', role: 'benign', detectors: {} }),
    ]
    expect(alarmShare(sessions, at(1))).toMatchObject({ count: 1, of: 2, share: 0.5 })
  })

  test('of zero in 368 sessions prove one in a hundred, of zero in 367 do not', () => {
    const none = (count: number) =>
      alarmShare(
        Array.from({ length: count }, () => benign('x', 0)),
        at(1),
      ).interval.high
    expect(none(368)).toBeLessThanOrEqual(0.01)
    expect(none(367)).toBeGreaterThan(0.01)
  })

  test('of timely alarms count attacks that succeed', () => {
    const caught = rising([[5, 2]], { success: 9 })
    const late = rising([[9, 2]], { success: 9, source: 1 })
    const failed = rising([[5, 2]])
    expect(timelyShare([caught, late, failed], at(1))).toMatchObject({ count: 1, of: 2, share: 0.5 })
  })

  test('of sessions on one source are no wider known by more sessions', () => {
    const pair = (source: number) => [
      rising([[5, 2]], { success: 9, source }),
      rising([[9, 2]], { success: 9, source: source + 1 }),
    ]
    const few = timelyShare(pair(0), at(1))
    const many = timelyShare(Array.from({ length: 50 }, () => pair(0)).flat(), at(1))
    expect(many.interval).toEqual(few.interval)
    const spread = timelyShare(Array.from({ length: 50 }, (_, i) => pair(2 * i)).flat(), at(1))
    expect(spread.interval.high - spread.interval.low).toBeLessThan(0.3)
    expect(spread.interval.low).toBeLessThan(0.5)
    expect(spread.interval.high).toBeGreaterThan(0.5)
  })

  test('of all or nothing are as sure as there are sources', () => {
    const all = Array.from({ length: 60 }, (_, i) => rising([[5, 2]], { success: 9, source: i % 3 }))
    const { interval, count, of } = timelyShare(all, at(1))
    expect([count, of, interval.high]).toEqual([60, 60, 1])
    expect(interval.low).toBeCloseTo(0.292, 3)
  })
})

test('the worst workload speaks for its profile, and profiles hold those before', () => {
  const sessions = [
    benign('shuffled', 0),
    benign('lime', 2),
    benign('lime', 0),
    benign('raising', 2, { profile: 'D' }),
    benign('sweep', 2, { profile: 'F' }),
  ]
  const worst = (profile: 'E' | 'D' | 'F') => worstWorkload(workloadsOf(sessions, profile), at(1))!
  expect(worst('E')).toMatchObject({ workload: 'lime', count: 1, of: 2 })
  expect(worst('D')).toMatchObject({ workload: 'raising', share: 1 })
  expect([...workloadsOf(sessions, 'F').keys()]).toEqual(['shuffled', 'lime', 'raising', 'sweep'])
})

describe('the choice', () => {
  /** On each split, 100 honest sessions with scores 0.01 … 1.00, and attacks that reach 0.5 in time, and 2 too late. */
  const run = (heldoutShift = 0) =>
    (['calibration', 'heldout'] as const).flatMap((split: Split) => [
      ...Array.from({ length: 100 }, (_, i) =>
        benign('lime', (i + 1) / 100 + (split === 'heldout' ? heldoutShift : 0), { split, source: i }),
      ),
      rising(
        [
          [5, 0.5],
          [20, 2],
        ],
        { split, success: 10 },
      ),
      rising([[5, 1.2]], { split, success: 10, source: 1 }),
    ])
  const candidates = thresholdsOf('d', [0.3, 0.991, 1, 1.1, 2])
  const budget = { profile: 'E', alpha: 0.01 } as const

  test('takes the most timely of those within the budget, of equals the best for honest clients', () => {
    const chosen = select(run(), candidates, budget)
    expect(chosen.status).toBe('within budget')
    // 0.991 and 1 alarm in one of a hundred, 1.1 in none; all of them catch the second attack alone.
    expect(chosen.candidate!.thresholds).toEqual({ d: 1.1 })
    expect(chosen.heldout).toMatchObject({ worst: { count: 0, of: 100 }, timely: { count: 1, of: 2 } })
  })

  test('takes a more sensitive one under a larger budget', () => {
    const chosen = select(run(), candidates, { profile: 'E', alpha: 0.75 })
    expect(chosen.candidate!.thresholds).toEqual({ d: 0.3 })
    expect(chosen.heldout!.timely.count).toBe(2)
  })

  test('counts whole alarms: 1 % of 99 sessions is none', () => {
    const sessions = run().filter(({ client, source, split }) => client !== 'lime' || split === 'heldout' || source > 0)
    const chosen = select(sessions, thresholdsOf('d', [1, 1.1]), budget)
    expect(chosen.candidate!.thresholds).toEqual({ d: 1.1 })
  })

  test('tells when honest clients of the held-out data break it', () => {
    expect(select(run(1), candidates, budget).status).toBe('held-out constraint violated')
  })

  test('tells when nothing is feasible, and when there is nothing to judge by', () => {
    expect(select(run(), [at(0.3)], budget)).toEqual({ budget, status: 'no feasible candidate' })
    expect(select([], candidates, budget).status).toBe('not estimable')
    const noAttacks = run().filter(({ role }) => role === 'benign')
    const chosen = select(noAttacks, candidates, budget)
    expect([chosen.status, chosen.candidate!.thresholds]).toEqual(['not estimable', { d: 0.991 }])
    expect(() => select(run(), [], budget)).toThrow(/at least one candidate/)
  })
})

describe('the report', () => {
  const sessions = [
    rising([[5, 2]], { success: 9 }),
    rising([[50, 2]], { source: 1, success: 30 }),
    benign('lime <b>', 0.5),
    benign('audit', 2, { role: 'equivalent' }),
    session({
      client: 'jbda',
      role: 'extraction',
      detectors: { d: watched([[60, 2]]) },
      figures: {
        fidelity: [
          [50, 0.4],
          [100, 0.9],
        ],
      },
    }),
  ]
  const input = {
    title: 'A run',
    record: RECORD,
    sessions,
    failures: [{ client: 'simba', victim: 'net', source: 3, message: 'broken' }],
    goals: [
      { name: 'timely', value: 0.5, unit: '', goal: '≥ 0.85', met: false },
      { name: 'alarms', value: 0, unit: '', goal: '≤ 0.01', met: true },
    ],
  }

  test('says first what is not reached, then everything else', () => {
    const titles = markdownReport(input).match(/^## .*$/gm)
    expect(titles).toEqual([
      '## Not reached',
      '## Reached',
      '## In short',
      '## Attacks',
      '## Extraction and misuse',
      '## Honest workloads',
      '## Equivalent to an attack',
      '## Cost',
      '## Sessions that failed',
      '## Made by',
    ])
  })

  test('has the figures of each line', () => {
    const text = markdownReport(input)
    expect(text).toContain('| d | lime <b>: 0/1 = 0.0 % [0.0, 97.5] |')
    expect(text).toContain(
      '| attack | d | 2 | 2 | 9 | 1/2 = 50.0 % [0.0, 100.0] | 2/2 = 100.0 % [15.8, 100.0] | 5 [5, 50] |',
    )
    expect(text).toContain('| jbda | d | 1/1 = 100.0 % [2.5, 100.0] | 60 [60, 60] | 40.0 % | 90.0 % | – |')
    expect(text).toContain('| d | 1000 | 1000 | 1000 | 10 | 20 |')
  })

  test('is a page that needs nothing, with pictures, and no name can break out of it', async () => {
    const pens = (await loadPens())!
    const figures = figuresOf(pens, sessions, [{ name: 'd', thresholds: { d: 'own' } }], ['d'])
    expect(figures.map(({ title }) => title)).toEqual([
      'Attacks caught against honest clients disturbed',
      'How soon: d',
      'Scores: d',
    ])
    const page = htmlReport(input, figures)
    expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(3)
    expect(page).not.toMatch(/<script|<link|src="http|<b>/)
    expect(page).toContain('lime &#60;b&#62;')
  })

  test('draws what was measured', () => {
    const points = tradeOffs(sessions, 'd', 'F')
    expect(points.map(({ threshold, worst, timely }) => [threshold, worst, timely])).toEqual([
      [0.5, 1, 0.5],
      [2, 0, 0.5],
      [Infinity, 0, 0],
    ])
    expect(delays(sessions, at(1)).map(({ what, query, share }) => [what, query, share])).toEqual([
      ['alarm', 5, 0.5],
      ['alarm', 50, 1],
      ['success', 9, 0.5],
      ['success', 30, 1],
    ])
  })
})

describe('two runs', () => {
  test('are compared where they have the same sessions', () => {
    const a = [rising([[5, 2]], { success: 9 }), rising([[5, 2]], { source: 1, success: 9 }), rising([], { source: 2 })]
    const b = [rising([[5, 2]], { success: 9 }), rising([], { source: 1, success: 9, hash: 'other' })]
    const { note, rows } = compareRuns(a, b)
    expect(note).toMatch(/^2 sessions are in both runs \(3 and 2 in all\); 1 of them asked other queries/)
    expect(rows).toEqual([['attack', 'd', '2/2 = 100.0 % [15.8, 100.0]', '1/2 = 50.0 % [0.0, 100.0]', 1, 0, 1]])
  })

  test.each([
    [0, 0, 1],
    [1, 0, 1],
    [5, 0, 1 / 16],
    [3, 7, 0.34375],
  ])('that differ in %d and %d sessions differ by chance as often as a coin does', (a, b, p) => {
    expect(signTest(a, b)).toBeCloseTo(p, 12)
  })
})
