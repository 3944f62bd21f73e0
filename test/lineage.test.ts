/** The descent lineage against an independent, slow restatement of its rule, and what it must keep besides the laws. */
import { describe, expect, test } from 'vitest'
import {
  createDetector,
  type DescentLineageConfig,
  type DescentLineageMetadata,
  type Detection,
  type Detector,
  fromBytes,
  type Observation,
  toBytes,
} from '../src/core/index.ts'
import { KINDS, type Sent, session } from './lineage/sessions.ts'
import { type Constants, createSlow, reached, type SlowVerdict } from './lineage/slow.ts'
import { random } from './tools/random.ts'

type Lineage = Detector<Observation, DescentLineageMetadata>

const SEED = 20261124
const SESSIONS_PER_KIND = 8

/** The options that a session may have, by the names of the detector. */
const OPTIONS = {
  rule: ['M', 'S'],
  gate: ['largest', 'percentile98'],
  search: ['projected', 'bytes', 'exact', 'bytes, clipped', 'exact, clipped'],
  outputs: ['probabilities', 'logits'],
  memory: ['32+4 in 8', '8+2 in 2', '3+1 in 1'],
  evict: ['oldest', 'unadopted'],
  children: [3, 2, 1],
  maxStep: [20, 12],
  alpha: [0.01, 0.2],
  records: [3, 1],
  drop: [3, 0.5],
  key: [0, 987654321012345],
} as const

type Choice = { readonly [Name in keyof typeof OPTIONS]: (typeof OPTIONS)[Name][number] }

const choices = pairwise(SEED)

/** Combinations in which every two values of two options meet; the defaults come first. */
function pairwise(seed: number): Choice[] {
  const next = random(seed)
  const names = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]
  const pick = (index: (length: number) => number) =>
    Object.fromEntries(names.map((name) => [name, OPTIONS[name][index(OPTIONS[name].length)]])) as unknown as Choice
  const made = [pick(() => 0)]
  const met = new Set(pairsOf(made[0]!))
  const all = names.flatMap((a, i) =>
    names.slice(i + 1).flatMap((b) => OPTIONS[a].flatMap((x) => OPTIONS[b].map((y) => pairKey(a, x, b, y)))),
  )
  while (met.size < all.length) {
    const tries = Array.from({ length: 30 }, () => pick((length) => Math.floor(length * next())))
    const gain = (choice: Choice) => pairsOf(choice).filter((pair) => !met.has(pair)).length
    const best = tries.reduce((a, b) => (gain(b) > gain(a) ? b : a))
    if (gain(best) === 0) continue
    made.push(best)
    for (const pair of pairsOf(best)) met.add(pair)
  }
  return made
}

function pairsOf(choice: Choice): string[] {
  const entries = Object.entries(choice)
  return entries.flatMap(([a, x], i) => entries.slice(i + 1).map(([b, y]) => pairKey(a, x, b, y)))
}

function pairKey(a: string, x: unknown, b: string, y: unknown): string {
  return `${a}=${x} ${b}=${y}`
}

function configOf({ search, memory, ...rest }: Choice): Partial<DescentLineageConfig> {
  const [storage, clipped] = search.split(', ')
  const [ring, adopted, groups] = memory.split(/\D+/).map(Number)
  return {
    ...rest,
    storage: storage as 'exact',
    parent: clipped === undefined ? 'distance' : 'clipped',
    ring: ring!,
    adopted: adopted!,
    groups: groups!,
  }
}

function constantsOf(config: Partial<DescentLineageConfig>): Partial<Constants> {
  const {
    ring,
    adopted,
    groups,
    children,
    maxStep,
    alpha,
    records,
    drop,
    rule,
    gate,
    parent,
    storage,
    outputs,
    evict,
    key,
  } = config as DescentLineageConfig
  return {
    ...{ R: ring, A: adopted, G: groups, C: children, TAU: maxStep, ALPHA: alpha, NREC: records, DROP: drop },
    ...{ rule, gate, parent, storage, outputs, evict, key },
  }
}

function observe({ x, l }: Sent): Observation {
  return { vector: x, probabilities: l }
}

/** The parts of a detection that the restatement tells, in its form. */
function told({ score, metadata }: Detection<DescentLineageMetadata>) {
  const { kind, parent, adoption, path, length, referenceClass, margin, firstMargin } = metadata
  const { drop, records, steadiness, evidence, rule } = metadata
  return {
    ...{ kind, parent, adoption, path, length, referenceClass, margin, firstMargin },
    ...{ drop, records, steadiness, evidence, rule, score },
  }
}

function toldBySlow(verdict: SlowVerdict, options: Partial<Constants>) {
  const { kind, parent, adoption, ref, m, mStart, path, score } = verdict
  const { query, k, nrec, dn, up, W } = path
  return {
    ...{ kind, parent, adoption, path: query, length: k, referenceClass: ref, margin: m, firstMargin: mStart },
    ...{ drop: mStart - path.m, records: nrec, steadiness: dn + up > 0 ? (dn - up) / (dn + up) : 0, evidence: W },
    ...{ rule: reached(verdict, options), score },
  }
}

describe('against the slow restatement of the rule', () => {
  const seen = { sessions: 0, queries: 0, adoptions: 0, S: 0, M: 0, repeat: 0, new: 0 }

  for (const [number, kind] of Object.keys(KINDS).entries()) {
    test(`${kind}: the same verdicts, to the bit, through a snapshot in the middle`, () => {
      for (let i = 0; i < SESSIONS_PER_KIND; i++) {
        const serial = number * SESSIONS_PER_KIND + i
        compare(kind, SEED + serial, choices[serial % choices.length]!)
      }
    })
  }

  test('the sessions are many, and take every branch of the rule', () => {
    expect(seen.sessions).toBeGreaterThanOrEqual(200)
    expect(seen.sessions).toBeGreaterThanOrEqual(choices.length)
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(50)
  })

  function compare(kind: string, seed: number, choice: Choice): void {
    const config = configOf(choice)
    const constants = constantsOf(config)
    const next = random(seed)
    const size = choice.search.startsWith('exact') ? 24 : 300
    const sent = session(kind, { seed, size, budget: 120 + Math.floor(80 * next()), outputs: choice.outputs })
    const cut = Math.floor(sent.length * next())
    const slow = createSlow(constants)
    let detector: Lineage = createDetector('descent_lineage', config)
    let alarmed = false
    for (const [i, one] of sent.entries()) {
      if (i === cut) detector = restored(detector, config)
      if (i % 50 === 7) refuseMissingOutput(detector, one)
      const verdict = slow(one.x, one.l)
      const detection = detector.process(observe(one))
      const where = `${kind}, seed ${seed}, query ${i + 1}, ${JSON.stringify(choice)}`
      expect(told(detection), where).toStrictEqual(toldBySlow(verdict, constants))
      expect(detection.suspicious, where).toBe(detection.score >= 1)
      const isAlarm = verdict.alarm !== null && (choice.rule === 'M' || verdict.alarm === 'S')
      // The description's alarms come with adoptions; the first suspicious query is the first alarm.
      if (verdict.adoption || !alarmed) expect(detection.suspicious, where).toBe(isAlarm)
      alarmed ||= isAlarm
      count(verdict)
    }
    seen.sessions++
  }

  function count({ adoption, alarm, kind }: SlowVerdict): void {
    seen.queries++
    if (adoption) seen.adoptions++
    if (alarm !== null) seen[alarm]++
    if (kind !== 'step') seen[kind]++
  }

  function restored(detector: Lineage, config: Partial<DescentLineageConfig>): Lineage {
    const copy = createDetector('descent_lineage', config)
    copy.restore(fromBytes(toBytes(detector.snapshot())))
    return copy
  }

  function refuseMissingOutput(detector: Lineage, { x }: Sent): void {
    expect(() => detector.process({ vector: x })).toThrow(
      expect.objectContaining({ code: 'bad_query', path: 'probabilities' }),
    )
  }
})
