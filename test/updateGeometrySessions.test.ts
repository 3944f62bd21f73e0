/**
 * The update geometry at a real network, at its defaults: which attacks and which honest clients it flags, and when. By
 * default one picture shows it; `MONITAUR_GEOMETRY=8` takes that many and writes `reports/geometry.json`, from which the
 * table of docs/detectors.md is (minutes).
 */
import { describe, expect, test } from 'vitest'
import { binOf, UNRELATED_PHOTOS } from '../src/core/detectors/geometry/reference.ts'
import { Turns } from '../src/core/detectors/geometry/turns.ts'
import { createDetector } from '../src/core/index.ts'
import { nesA, nesB, simba, square } from './lineage/attacks.ts'
import * as honest from './lineage/clients.ts'
import { hopSkipJump, rays } from './lineage/labelOnly.ts'
import { findSources, largest, missing, openTarget, readPictures, SIZE, type Target } from './lineage/target.ts'
import type { Network } from './lineage/watched.ts'
import { normal, random } from './tools/random.ts'
import { type ReportRow, writeReport } from './tools/report.ts'

const full = Number(process.env['MONITAUR_GEOMETRY'] ?? 0)
const BUDGET = full > 0 ? 1024 : 160
/** The first query at which anything is decided: 64 turns need 66. */
const FIRST = 66

type Client = (network: Network) => Promise<void>
type Source = Network['source']

/** Queries are counted from 1; Infinity means never. */
interface Outcome {
  readonly alarm: number
  /** The first wrong answer. */
  readonly success: number
  readonly highest: number
}

class Ended extends Error {}

/** A client's session; before each of its queries come about `padding` unrelated pictures. */
async function sessionOf(client: Client, target: Target, source: Source, padding = 0): Promise<Outcome> {
  const next = random(source.index)
  const pictures = padding > 0 ? readPictures() : []
  const detector = createDetector('update_geometry')
  const seen = { queries: 0, alarm: Infinity, success: Infinity, highest: 0 }
  const see = (x: Float64Array) => {
    if (seen.queries === BUDGET) throw new Ended()
    seen.queries++
    const { score, suspicious } = detector.process({ vector: x })
    seen.highest = Math.max(seen.highest, score)
    if (suspicious) seen.alarm = Math.min(seen.alarm, seen.queries)
  }
  const network: Network = {
    source,
    next,
    whole: (count) => Math.floor(count * next()),
    noise: () => Float64Array.from({ length: SIZE }, () => normal(next)),
    ask: async (x) => (await network.askAll([x]))[0]!,
    async askAll(asked) {
      const answers = await target(asked)
      for (const [i, x] of asked.entries()) {
        for (let left = padding; next() < left; left--) see(pictures[Math.floor(pictures.length * next())]!.x)
        see(x)
        if (largest(answers[i]!) !== source.label) seen.success = Math.min(seen.success, seen.queries)
      }
      return answers
    },
  }
  try {
    await client(network)
  } catch (thrown) {
    if (!(thrown instanceof Ended)) throw thrown
  }
  return seen
}

const ATTACKS: Readonly<Record<string, Client>> = {
  'NES (b) .25/255': (s) => nesB(s, { step: 0.25 / 255 }),
  'NES (b) 1/255': (s) => nesB(s, { step: 1 / 255 }),
  'NES (a)': nesA,
  SimBA: simba,
  HopSkipJump: hopSkipJump,
  RayS: rays,
}
const EXPLAINERS: Readonly<Record<string, Client>> = {
  LIME: honest.lime,
  KernelSHAP: honest.kernelShap,
  RISE: honest.rise,
}
const NEAR: Readonly<Record<string, Client>> = {
  restoration: honest.restoration(1 / 255),
  'confidence raising': honest.confidenceRaising,
  'noise copies': honest.noiseCopies(0.1),
  sweep: honest.sweep,
  occlusion: honest.occlusion,
  'random walk': honest.randomWalk,
}

const named = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')})`

describe.skipIf(missing.length > 0)(`on real photos${named}`, () => {
  const inOrder = (next: () => number) =>
    readPictures()
      .map(({ x }) => ({ x, key: next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ x }) => x)

  test('the default reference is what twenty random orders of 1000 photos give', () => {
    const next = random(5)
    const counts = UNRELATED_PHOTOS.counts.map(() => 0)
    for (let run = 0; run < 20; run++) {
      const turns = new Turns()
      for (const x of inOrder(next)) {
        const turn = turns.push(x)
        if (turn !== null) counts[binOf(turn, counts.length)]!++
      }
    }
    expect(counts).toEqual(UNRELATED_PHOTOS.counts)
  })

  test('unrelated photos never alarm, and probes around one do as soon as anything is decided', () => {
    const photos = inOrder(random(1))
    const d = createDetector('update_geometry')
    expect(photos.filter((vector) => d.process({ vector }).suspicious).length).toBe(0)
    d.reset()
    const next = random(2)
    const probe = () => photos[0]!.map((value) => Math.min(Math.max(value + (2 / 255) * normal(next), 0), 1))
    const alarms = Array.from({ length: 70 }, () => d.process({ vector: probe() }).suspicious)
    expect(alarms.indexOf(true)).toBe(65)
  })
})

describe.skipIf(missing.length > 0 || full > 0)(`on one picture${named}`, () => {
  test('attacks alarm at once, explainers and unrelated pictures never, honest near-duplicates as attacks do', async () => {
    const target = await openTarget()
    const [source] = await findSources(target, 1)
    const alarmOf = async (client: Client) => (await sessionOf(client, target, source!)).alarm
    for (const [name, client] of Object.entries({ ...ATTACKS, ...NEAR })) {
      const alarm = await alarmOf(client)
      expect(alarm, name).toBeGreaterThanOrEqual(FIRST)
      expect(alarm, name).toBeLessThan(FIRST + 5) // a repeat is no step
    }
    const quiet = { ...EXPLAINERS, shuffled: honest.shuffled(readPictures()) }
    for (const [name, client] of Object.entries(quiet)) expect(await alarmOf(client), name).toBe(Infinity)
  })
})

describe.skipIf(missing.length > 0 || full === 0)('the table', () => {
  test(
    'of attacks, attacks among unrelated pictures, and honest clients',
    async () => {
      const target = await openTarget()
      const pictures = readPictures()
      const sources = await findSources(target, full)
      const rows: ReportRow[] = []
      const note = async (name: string, client: Client, padding = 0) => {
        const outcomes: Outcome[] = []
        for (const source of sources) outcomes.push(await sessionOf(client, target, source, padding))
        const flagged = outcomes.filter(({ alarm }) => alarm < Infinity)
        const succeeded = outcomes.filter(({ success }) => success < Infinity)
        const timely = succeeded.filter(({ alarm, success }) => alarm < success)
        const first = flagged.map(({ alarm }) => alarm).sort((a, b) => a - b)
        const scores = outcomes.map(({ highest }) => highest.toFixed(2)).sort()
        const unit = `of ${outcomes.length} sessions flagged, median alarm ${first[first.length >> 1] ?? 'none'}, timely ${timely.length}/${succeeded.length}, highest scores ${scores[0]} … ${scores.at(-1)}`
        rows.push({ name, value: flagged.length, unit, met: null })
        console.log(name.padEnd(22), flagged.length, unit)
      }
      for (const [name, client] of Object.entries({ ...ATTACKS, Square: (s: Network) => square(s, BUDGET) })) {
        await note(name, client)
      }
      for (const padding of [0.25, 0.5, 1, 2, 4]) {
        await note(`NES (b) 1/255 + ${padding}`, ATTACKS['NES (b) 1/255']!, padding)
        await note(`SimBA + ${padding}`, simba, padding)
      }
      const others = {
        shuffled: honest.shuffled(pictures),
        video: honest.video(pictures),
        retries: honest.retries(pictures),
        editing: honest.editing,
      }
      for (const [name, client] of Object.entries({ ...EXPLAINERS, ...NEAR, ...others })) await note(name, client)
      writeReport('geometry', rows)
    },
    24 * 3_600_000,
  )
})
