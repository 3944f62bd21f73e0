/**
 * The descent lineage at a real network: published attacks are caught before they succeed, explainers are never flagged.
 * By default two pictures show that it works; `MONITAUR_LINEAGE=80` takes that many and every workload, and makes the table
 * of docs/detectors.md (hours).
 */
import { describe, expect, test } from 'vitest'
import type { DescentLineageConfig } from '../src/core/index.ts'
import { eightBits, oneInverted, withDecoys } from './lineage/adaptive.ts'
import { nesA, nesB, simba, square } from './lineage/attacks.ts'
import {
  confidenceRaising,
  editing,
  kernelShap,
  lime,
  noiseCopies,
  occlusion,
  randomWalk,
  restoration,
  retries,
  rise,
  shuffled,
  sweep,
  video,
} from './lineage/clients.ts'
import { hopSkipJump, rays } from './lineage/labelOnly.ts'
import { findSources, missing, openTarget, readPictures, type Source, type Target } from './lineage/target.ts'
import { type Network, type Outcome, Session } from './lineage/watched.ts'
import { type ReportRow, writeReport } from './tools/report.ts'

const full = Number(process.env['MONITAUR_LINEAGE'] ?? 0)
/** The first pictures are those that the rules were chosen on. */
const FIRST = 60
const BUDGET = 1024

type Client = (network: Network) => Promise<void>

const ATTACKS: Readonly<Record<string, Client>> = {
  'NES (b) .25/255': (s) => nesB(s, { step: 0.25 / 255 }),
  'NES (b) 1/255': (s) => nesB(s, { step: 1 / 255 }),
  'NES (b) 2/255': (s) => nesB(s, { step: 2 / 255 }),
  'NES (a)': nesA,
  'SimBA 8/255': simba,
  'Square 8/255': (s) => square(s, BUDGET),
}

const LABEL_ONLY: Readonly<Record<string, Client>> = { RayS: rays, HopSkipJump: hopSkipJump }

const ADAPTIVE: Readonly<Record<string, Client>> = {
  'blind NES .25/255': (s) => nesB(s, { step: 0.25 / 255, isBlind: true }),
  'blind NES 1/255': (s) => nesB(s, { step: 1 / 255, isBlind: true }),
  'NES 1/255, 4 decoys': (s) => nesB(withDecoys(s), { step: 1 / 255 }),
  'NES 1/255, 8 bits': (s) => nesB(eightBits(s), { step: 1 / 255 }),
  'SimBA, 8 bits': (s) => simba(eightBits(s)),
  'NES 1/255, one inverted': (s) => nesB(oneInverted(s), { step: 1 / 255 }),
}

const EXPLAINERS: Readonly<Record<string, Client>> = { LIME: lime, KernelSHAP: kernelShap, occlusion, RISE: rise }

const CONFIGS: Readonly<Record<string, Partial<DescentLineageConfig>>> = { default: {} }
const VARIANTS: Readonly<Record<string, Partial<DescentLineageConfig>>> = {
  ...CONFIGS,
  percentile98: { gate: 'percentile98' },
  bytes: { storage: 'bytes' },
  'bytes, clipped': { storage: 'bytes', parent: 'clipped' },
  'clipped, p98': { storage: 'bytes', parent: 'clipped', gate: 'percentile98' },
  reduced: { ring: 8, adopted: 2, groups: 2 },
}

interface Run {
  readonly target: Target
  readonly sources: readonly Source[]
  readonly configs: typeof CONFIGS
  readonly successWithin?: number
}

async function runAll(name: string, client: Client, run: Run): Promise<Outcome[]> {
  const { sources, successWithin, ...rest } = run
  const outcomes: Outcome[] = []
  for (const source of sources) {
    const ball = successWithin === undefined ? {} : { successWithin }
    const seed = 1000 * source.index + name.length
    outcomes.push(await new Session({ ...rest, ...ball, source, budget: BUDGET, seed }).run(client))
  }
  return outcomes
}

const isTimely = (outcome: Outcome, config: string, rule: 'M' | 'S') =>
  outcome.alarms[config]![rule] < outcome.success && outcome.success < Infinity

const named = `${missing.length === 0 ? '' : ` (SKIPPED: no ${missing.join(', ')})`}`

describe.skipIf(missing.length > 0 || full > 0)(`on two pictures${named}`, () => {
  test('most attacks that succeed are caught before, and no explainer adopts three times', async () => {
    const target = await openTarget()
    const sources = await findSources(target, 2)
    const run = { target, sources, configs: CONFIGS, successWithin: Infinity }
    const attacks: Outcome[] = []
    for (const [name, client] of Object.entries(ATTACKS)) attacks.push(...(await runAll(name, client, run)))
    const succeeded = attacks.filter(({ success }) => success < Infinity)
    expect(succeeded.length).toBeGreaterThan(3)
    expect(succeeded.filter((one) => isTimely(one, 'default', 'M')).length).toBeGreaterThanOrEqual(succeeded.length / 2)
    for (const [name, client] of Object.entries(EXPLAINERS)) {
      const [outcome] = await runAll(name, client, { target, sources: sources.slice(0, 1), configs: CONFIGS })
      expect(outcome!.longest, name).toBeLessThan(3)
      expect(outcome!.alarms['default'], name).toEqual({ M: Infinity, S: Infinity })
    }
  })
})

describe.skipIf(missing.length > 0 || full === 0)('the table', () => {
  const rows: ReportRow[] = []

  test(
    'of attacks and honest workloads',
    async () => {
      const target = await openTarget()
      const pictures = readPictures()
      const sources = (await findSources(target, FIRST + full)).slice(FIRST)
      const HONEST: Readonly<Record<string, Client>> = {
        ...EXPLAINERS,
        shuffled: shuffled(pictures),
        'restoration .3/255': restoration(0.3 / 255),
        'restoration 1/255': restoration(1 / 255),
        'confidence raising': confidenceRaising,
        'near-duplicate noise': noiseCopies(0.1),
        'noise copies': noiseCopies(25.5),
        sweep,
        video: video(pictures),
        retries: retries(pictures),
        'random walk': randomWalk,
        editing,
      }
      const attacks: [typeof ATTACKS, number, number][] = [
        [ATTACKS, Infinity, full],
        [LABEL_ONLY, 12.75 / 255, full],
        [ADAPTIVE, Infinity, Math.min(full, 20)],
      ]
      for (const [clients, successWithin, count] of attacks) {
        const run = { target, sources: sources.slice(0, count), configs: VARIANTS, successWithin }
        for (const [name, client] of Object.entries(clients)) note(name, await runAll(name, client, run))
      }
      for (const [name, client] of Object.entries(HONEST))
        note(name, await runAll(name, client, { target, sources, configs: VARIANTS }))
      writeReport('lineage', rows)
    },
    24 * 3_600_000,
  )

  /** One line a workload and configuration: of attacks the timely among the successful, of others the flagged sessions. */
  function note(name: string, outcomes: readonly Outcome[]): void {
    const succeeded = outcomes.filter(({ success }) => success < Infinity)
    const of = succeeded.length > 0 ? succeeded : outcomes
    for (const config of Object.keys(VARIANTS)) {
      const flagged = (rule: 'M' | 'S') =>
        of.filter((one) => (succeeded.length > 0 ? isTimely(one, config, rule) : one.alarms[config]![rule] < Infinity))
          .length
      const first = (rule: 'M' | 'S') => median(of.map((one) => one.alarms[config]![rule]))
      for (const rule of ['M', 'S'] as const) {
        const value = flagged(rule)
        rows.push({ name: `${name}, ${config}, ${rule}`, value, unit: `of ${of.length} sessions`, met: null })
      }
      console.log(
        [name.padEnd(22), config.padEnd(15), `M ${flagged('M')}`, `S ${flagged('S')}`, `of ${of.length}`].join('  '),
        `alarm ${first('M')} / ${first('S')}`,
        `success ${median(succeeded.map(({ success }) => success))}`,
        `longest ${Math.max(...outcomes.map(({ longest }) => longest))}`,
      )
    }
  }
})

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
