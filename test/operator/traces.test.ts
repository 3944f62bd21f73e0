/** The recorded traces: what the file keeps, and the figures that a choice comes to. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { figuresOf, tradeOffs } from '../../demo/traces/figures.ts'
import { levelOf, packTraces, readTraces, type Scale, type TraceFile, type Traces } from '../../demo/traces/traces.ts'
import {
  CLIENTS,
  type RunRecord,
  runSession,
  type SessionResult,
  TOY_SHAPE,
  toyPictures,
  toyVictim,
  watchDetectors,
} from '../../src/eval/index.ts'

const LENIENT: Scale = { name: 'image_similarity', about: '', step: 0.9 / 180, levels: 200, own: 180, isStrict: false }
const STRICT: Scale = { name: 'content_fingerprint', about: '', step: 1, levels: 50, own: 25, isStrict: true }
const RECORD = {
  budget: 60,
  victims: [{ name: 'toy', hash: 'toy-1' }],
  data: [{ name: 'toy', hash: 'x', count: 4 }],
} as unknown as RunRecord

describe('a scale', () => {
  test.each([LENIENT, STRICT])('changes no side of any of its thresholds: $name', (scale) => {
    const score = fc.oneof(
      fc.double({ min: -1, max: 60, noNaN: true }),
      fc.nat(200).map((k) => k * scale.step),
    )
    fc.assert(
      fc.property(score, (given) => {
        const reached = levelOf(given, scale)
        for (let level = 0; level <= scale.levels; level++) {
          const alarms = scale.isStrict ? given > level * scale.step : given >= level * scale.step
          expect(reached >= level, `${given} at level ${level}`).toBe(alarms)
        }
      }),
      { seed: 1 },
    )
  })
})

/** Real sessions at the toy model. */
async function sessions(): Promise<SessionResult[]> {
  const pictures = toyPictures(12)
  const results: SessionResult[] = []
  for (const name of ['square', 'lime', 'shuffled'] as const) {
    const client = CLIENTS.find((one) => one.name === name)!
    for (const source of [0, 1]) {
      const detectors = {
        image_similarity: { name: 'image_similarity' },
        content_fingerprint: { name: 'content_fingerprint' },
      }
      const watcher = watchDetectors<'image'>(detectors, { kind: 'image', shape: TOY_SHAPE })
      const { input, label } = pictures[source]!
      const task = { source: input, label, classes: 4, shape: TOY_SHAPE, budget: 60, pool: pictures.slice(2) }
      const { queries, success } = await runSession({
        client: client as never,
        victim: toyVictim(),
        task,
        seed: source,
        watchers: [watcher],
      })
      results.push({
        client: name,
        kind: 'image',
        role: client.role,
        victim: 'toy',
        source,
        split: 'calibration',
        seed: 1,
        queries,
        ...(success !== undefined && { success }),
        hash: '',
        detectors: watcher.results(),
      })
    }
  }
  return results
}

const clientsOf = (names: readonly string[]) =>
  names.map((name) => {
    const { role, profile, summary } = CLIENTS.find((one) => one.name === name)!
    return { name, role, summary, ...(profile !== undefined && { profile }) }
  })

describe('a file of real sessions', () => {
  test('gives the first alarm that the scores gave, at every threshold of the scale', async () => {
    const recorded = await sessions()
    const file = packTraces({
      record: RECORD,
      sessions: recorded,
      scales: [LENIENT, STRICT],
      clients: clientsOf(['square', 'lime', 'shuffled']),
      command: 'test',
    })
    const { traces } = readTraces(JSON.parse(JSON.stringify(file)))
    expect(traces).toHaveLength(6)
    let alarms = 0
    const ordered = recorded.toSorted((a, b) => a.source - b.source || (a.client < b.client ? -1 : 1))
    for (const [i, { client, rises }] of traces.entries()) {
      const same = ordered[i]!
      expect(client).toBe(same.client)
      for (const scale of [LENIENT, STRICT]) {
        for (let level = 0; level <= scale.levels; level++) {
          const threshold = level * scale.step
          const { records } = same.detectors[scale.name]!
          const first = records.find(([, score]) => (scale.isStrict ? score > threshold : score >= threshold))?.[0]
          expect(rises[scale.name]!.find(([, reached]) => reached >= level)?.[0]).toBe(first)
          if (first !== undefined) alarms++
        }
      }
    }
    expect(alarms).toBeGreaterThan(100)
  })

  test("a scale that does not give a detector's own alarms is refused", async () => {
    const packing = { record: RECORD, sessions: await sessions(), clients: clientsOf(['square', 'lime', 'shuffled']) }
    const wrong = { ...LENIENT, own: 200 }
    expect(() => packTraces({ ...packing, scales: [wrong], command: '' })).toThrow(/image_similarity alarms on/)
  })

  test('another format is refused with the remedy', () => {
    expect(() => readTraces({ format: 2 } as unknown as TraceFile)).toThrow(/run scripts\/traces\.mjs/)
  })
})

/** Four attacks and two workloads of two sessions; levels 0 … 10. */
// biome-ignore format: one session a line
const MADE: Traces = {
  model: { name: 'm', hash: '' },
  data: { name: 'd', hash: '', count: 1 },
  budget: 100,
  command: '',
  detectors: [{ name: 'd', about: '', step: 1, levels: 10, own: 5, isStrict: false }],
  clients: [
    { name: 'attack', role: 'evasion', summary: '' },
    { name: 'calm', role: 'benign', profile: 'E', summary: '' },
    { name: 'busy', role: 'benign', profile: 'F', summary: '' },
  ],
  traces: [
    { client: 'attack', queries: 40, success: 40, rises: { d: [[3, 2], [10, 6]] } }, // in time at 5
    { client: 'attack', queries: 8, success: 8, rises: { d: [[8, 9]] } }, // at the very query that succeeds: too late
    { client: 'attack', queries: 100, success: undefined, rises: { d: [[50, 5]] } }, // in time
    { client: 'attack', queries: 100, success: undefined, rises: { d: [[1, 4]] } }, // never at 5
    { client: 'calm', queries: 100, success: undefined, rises: { d: [[1, 1]] } },
    { client: 'calm', queries: 100, success: undefined, rises: { d: [] } },
    { client: 'busy', queries: 100, success: undefined, rises: { d: [[20, 5]] } },
    { client: 'busy', queries: 100, success: undefined, rises: { d: [[2, 4], [30, 7]] } },
  ],
}

describe('the figures of a choice', () => {
  const figures = figuresOf(MADE, { attack: 'attack', detector: 'd', level: 5 })

  test('an alarm counts before the query that succeeds, and any alarm where none does', () => {
    expect(figures.caught).toMatchObject({ count: 2, of: 4 })
    expect(figures.caughtOfSuccessful).toMatchObject({ count: 1, of: 2 })
    expect(figures.medianAlarm).toBe(10) // 8, 10, 50, never
    expect(figures.medianSuccess).toBe(40) // 8, 40, never, never
  })

  test('two of four lie between 6.8 and 93.2 % by Clopper and Pearson', () => {
    const { low, high } = figures.caught.interval
    expect(Math.abs(low - 0.0676)).toBeLessThan(5e-4) // scipy.stats.binomtest(2, 4).proportion_ci()
    expect(Math.abs(high - 0.9324)).toBeLessThan(5e-4)
  })

  test('workloads stand one by one, the most disturbed first', () => {
    expect(
      figures.workloads.map(({ client, count, of, medianAlarm }) => [client.name, count, of, medianAlarm]),
    ).toEqual([
      ['busy', 2, 2, 20],
      ['calm', 0, 2, undefined],
    ])
  })

  test('the curve falls with the threshold and ends at nothing', () => {
    const points = tradeOffs(MADE, { attack: 'attack', detector: 'd' })
    expect(points).toHaveLength(12)
    expect(points[0]).toEqual({ level: 0, caught: 0.75, worst: 1 })
    expect(points[5]).toEqual({ level: 5, caught: 0.5, worst: 1 })
    expect(points[6]).toEqual({ level: 6, caught: 0.25, worst: 0.5 })
    expect(points[11]).toEqual({ level: 11, caught: 0, worst: 0 })
  })
})

describe('the committed file', () => {
  const bytes = readFileSync(new URL('../../demo/traces/recorded.json', import.meta.url))
  const traces = readTraces(JSON.parse(bytes.toString()))

  test('is at most 60 kB compressed', () => {
    expect(gzipSync(bytes).length).toBeLessThanOrEqual(60_000)
  })

  test('has twenty sessions of each client, and each detector in all of them', () => {
    const names = traces.detectors.map(({ name }) => name)
    for (const { name } of traces.clients) {
      const own = traces.traces.filter(({ client }) => client === name)
      expect(own, name).toHaveLength(20)
      for (const { rises, queries } of own) {
        expect(Object.keys(rises)).toEqual(names)
        for (const one of Object.values(rises)) {
          for (const [i, [query, level]] of one.entries()) {
            expect(query).toBeLessThanOrEqual(queries)
            if (i > 0) expect(query > one[i - 1]![0] && level > one[i - 1]![1]).toBe(true)
          }
        }
      }
    }
  })

  test('tells what the evaluation told: lineage catches SimBA and disturbs no explainer, the fingerprint does both', () => {
    const lineage = figuresOf(traces, {
      attack: 'simba',
      detector: 'descent_lineage',
      level: ownLevel('descent_lineage'),
    })
    const print = figuresOf(traces, {
      attack: 'simba',
      detector: 'content_fingerprint',
      level: ownLevel('content_fingerprint'),
    })
    const countOf = (figures: typeof lineage, name: string) =>
      figures.workloads.find(({ client }) => client.name === name)!.count
    expect(lineage.caught.count).toBeGreaterThanOrEqual(18)
    for (const explainer of ['lime', 'kernel_shap', 'occlusion']) {
      expect(countOf(lineage, explainer)).toBe(0)
      expect(countOf(print, explainer)).toBe(20)
    }
    expect(print.caught.count).toBe(20)
  })

  function ownLevel(detector: string): number {
    return traces.detectors.find(({ name }) => name === detector)!.own
  }
})
