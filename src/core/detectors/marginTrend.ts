/**
 * Margin trend: among queries for inputs that are alike, whether the model's margin keeps falling.
 *
 * A query belongs to the group of the earlier one with which it shares most of its windows' hashes, if those are more than
 * half, as in `content_fingerprint`; what the model answered has no part in it. Within a group the rank of each margin among
 * those before it is a p-value: uniform and independent while the margins come in an order of chance, as those of LIME,
 * KernelSHAP, RISE, retries and noise copies do. A mixture of power martingales bets on low ranks. The first query of a group is left
 * out, since explainers begin with the clean input. The n-th group that reaches `least` members has to reach n(n + 1)/alpha:
 * so P(a client with such groups ever alarms) ≤ alpha, whatever the length of the stream, without any calibration.
 *
 * Catches evasion by small steps that needs the margin to fall. Does not see a fall in less than some dozens of queries, an
 * attack whose steps are too large for the windows, copies with high margins in between (they stretch the fall), an attack
 * split over accounts. Flags what falls in an honest order: sweeps, walks, occlusion from the rim inwards,
 * optimisers that lower the margin on purpose; the bound says nothing about them. Needs the input and the answers; with labels alone
 * (`outputs: 'labels'`) it sees that the class of the first query is lost more and more often. Keeps the hashes of
 * `maxHistorySize` queries, 1 kB each, and 8 bytes for each of the last `members` margins of a group; costs O(hashes ·
 * matches + log members). Source: after "Optimization Is Not an Attack" (Montazeri and Ghatee, 2026), whose one look at
 * Kendall's tau at the end of a session is here a test that may look at every query (Vovk et al., 2003 and 2005).
 *
 * The score is the share of the logarithm of that limit which is reached, at least 0; 1 alarms.
 */
import { checkChoice, checkNumber, elementType, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { log } from '../math.ts'
import { Ring } from '../ring.ts'
import { checkShingleOptions, SHINGLE_DEFAULTS, type ShingleOptions, wordsOf } from '../shingles/options.ts'
import { checkSavedOverlaps, checkShingles, overlapLimit } from '../shingles/overlap.ts'
import { OverlapIndex, type SavedOverlaps } from '../shingles/overlapIndex.ts'
import { removeAt } from '../sorted.ts'
import { readDoubles, readList, readNumber, readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { checkHistory, toConfidence } from './limits.ts'
import { checkOutputs, largestClass, marginOf } from './lineage/margin.ts'
import { MarginGroup } from './trend/marginGroup.ts'

export interface MarginTrendConfig extends ShingleOptions {
  /** Share of clients with margins in an order of chance that may ever alarm, 1e-9 … 0.5. Default 0.01. */
  readonly alpha: number
  /** Hashes shared with an earlier query above which a query joins its group, 0 … `kept`. Default 25 of 50. */
  readonly overlap: number
  /** Inputs with fewer windows join no group, 1 … 1024. Default 4. */
  readonly leastWindows: number
  /** Members, without the first, that a group must have before it is tested, 1 … 1024. Default 14: the published 15. */
  readonly least: number
  /** Margins remembered in a group, 2 … 65 536; then its ranks begin anew. Default 1024. */
  readonly members: number
  /** Groups remembered, 1 … 1024; the one without a new member for longest leaves. Default 8. */
  readonly groups: number
  /** Queries whose hashes are remembered, 1 … 10 million. Default 100. */
  readonly maxHistorySize: number
  /** What the model gives. `labels`: only the largest counts, all else may be missing or wrong. Default `probabilities`. */
  readonly outputs: 'probabilities' | 'logits' | 'labels'
}

export interface MarginTrendMetadata {
  /** Number of the group, from 1; null for a query that is like none. */
  readonly group: number | null
  /** Members of the group, its first query included; 1 without a group. */
  readonly members: number
  /** Hashes shared with the nearest earlier query. */
  readonly shared: number
  /** The class whose margin is followed: that of the group's first query. */
  readonly referenceClass: number
  /** In nats; with labels 1 or 0: whether the class is still the same. */
  readonly margin: number
  /** Of the margin's rank in its group; 1 without a group. */
  readonly rankP: number
  /** ln of the evidence of the group, and what it must reach; null before the group is tested. */
  readonly evidence: number | null
  readonly limit: number | null
  /** Past queries compared with. */
  readonly historySize: number
}

const OUTPUTS = ['probabilities', 'logits', 'labels'] as const

export const marginTrend = defineDetector({
  family: 'trend',
  modality: 'any',
  needs: 'shingles',
  needsAnswer: true,
  version: 1,
  summary: 'like inputs whose margins keep falling',
  techniques: [BLACK_BOX_OPTIMIZATION],
  paper: 'Optimization Is Not an Attack, Montazeri and Ghatee, 2026; sequential ranks of Vovk et al., 2005',
  defaults: {
    alpha: 0.01,
    overlap: 25,
    leastWindows: 4,
    least: 14,
    members: 1024,
    groups: 8,
    maxHistorySize: 100,
    outputs: 'probabilities',
    ...SHINGLE_DEFAULTS,
  },
  threshold: () => 1,
  logic,
})

/** A remembered query: its class, and its group, 0 for none. */
interface Member {
  readonly label: number
  group: number
}

function logic(config: MarginTrendConfig, path: string): Logic<Observation, Observation, MarginTrendMetadata> {
  const options = checkShingleOptions(config, path)
  const whole = (name: 'leastWindows' | 'least' | 'groups', max = 1024) =>
    checkNumber(config[name], { min: 1, max, integer: true }, `${path}.${name}`)
  const alpha = checkNumber(config.alpha, { min: 1e-9, max: 0.5 }, `${path}.alpha`)
  const overlap = checkNumber(config.overlap, { min: 0, max: options.kept }, `${path}.overlap`)
  const leastWindows = whole('leastWindows')
  const least = whole('least')
  const mostGroups = whole('groups')
  const mostMembers = checkNumber(config.members, { min: 2, max: 65_536, integer: true }, `${path}.members`)
  const capacity = checkHistory(config, path)
  const outputs = checkChoice(config.outputs, OUTPUTS, `${path}.outputs`)
  const shape = { kept: options.kept, width: wordsOf(options) }
  const rule = { threshold: overlap, kept: options.kept, leastWindows }
  const base = -log(alpha)

  let index = new OverlapIndex(capacity, shape.width)
  let past = new Ring<Member>(capacity)
  /** The least recently joined first. */
  let groups: MarginGroup[] = []
  let opened = 0
  let tested = 0
  let classes = 0

  return { check, checkBatch, apply, save, load, clear, size: () => index.size, bytes, describe }

  function check(observation: Observation): Observation {
    checkShingles(observation.shingles, shape)
    const answer = checkOutputs(observation.probabilities, outputs === 'probabilities' ? outputs : 'logits')
    checkClasses(answer.length, classes, 'probabilities')
    return observation
  }

  function checkBatch(queries: readonly Observation[]): void {
    for (const [i, { probabilities }] of queries.entries()) {
      checkClasses(probabilities!.length, queries[0]!.probabilities!.length, `[${i}].probabilities`)
    }
  }

  function apply({ shingles, probabilities }: Observation) {
    const { hashes, windows } = shingles!
    const answer = probabilities!
    const historySize = index.size
    const found = index.mostShared(hashes)
    const label = largestClass(answer)
    classes = answer.length
    const isLike = found !== undefined && found.shared > overlapLimit(windows, rule)
    const group = isLike ? join(past.at(found.index)) : undefined
    index.push(hashes)
    past.push({ label, group: group?.id ?? 0 })
    const referenceClass = group?.reference ?? label
    const margin = outputs === 'labels' ? Number(label === referenceClass) : marginOf(answer, referenceClass, outputs)
    group?.push(margin, options.key)
    if (group?.members === least) group.number = ++tested
    const isTested = group !== undefined && group.number > 0
    const evidence = isTested ? group.logE : null
    const limit = isTested ? base + log(group.number * (group.number + 1)) : null
    const score = evidence === null || limit === null ? 0 : Math.max(evidence, 0) / limit
    const members = (group?.members ?? 0) + 1
    return {
      suspicious: score >= 1,
      score,
      threshold: 1,
      confidence: toConfidence(score),
      reason: reasonFor(members, evidence, limit),
      metadata: {
        group: group?.id ?? null,
        members,
        shared: found?.shared ?? 0,
        referenceClass,
        margin,
        rankP: group?.lastP ?? 1,
        evidence,
        limit,
        historySize,
      },
    }
  }

  /** The group of a remembered query, which is its first member if it has none. */
  function join(like: Member): MarginGroup {
    const place = placeOfGroup(like.group)
    const group = groups[place] ?? new MarginGroup(++opened, like.label, mostMembers)
    like.group = group.id
    if (place < groups.length) removeAt(groups, place)
    if (groups.length === mostGroups) groups.shift()
    groups.push(group)
    return group
  }

  /** Behind the last where there is none of that name. */
  function placeOfGroup(id: number): number {
    let place = 0
    while (place < groups.length && groups[place]!.id !== id) place++
    return place
  }

  function reasonFor(members: number, evidence: number | null, limit: number | null): string {
    if (members === 1) return 'Like no remembered query.'
    if (evidence === null || limit === null) {
      return `Query ${members} of a group of like ones; its margins are tested from query ${least + 1} on.`
    }
    return `Query ${members} of a group of like ones; evidence that their margins fall: ${evidence.toFixed(2)} of ${limit.toFixed(2)}.`
  }

  function save(): PlainData {
    const list = past.list()
    return {
      ...index.save(),
      labels: Uint32Array.from(list, ({ label }) => label),
      joined: Float64Array.from(list, ({ group }) => group),
      groups: groups.map((group) => group.save()),
      opened,
      tested,
      classes,
    }
  }

  function load(state: PlainData): void {
    const fields = ['counts', 'hashes', 'labels', 'joined', 'groups', 'opened', 'tested', 'classes']
    const saved = readState(state, fields)
    const overlaps = saved as unknown as SavedOverlaps
    checkSavedOverlaps(overlaps, capacity, shape)
    const members = readMembers(saved, overlaps.counts.length)
    const next = readList(saved['groups'], 'state.groups', mostGroups, (one, at) =>
      MarginGroup.read(one, at, mostMembers),
    )
    const counters = ['opened', 'tested', 'classes'].map((name) => readNumber(saved[name], `state.${name}`))
    const highest = next.reduce((most, { id }) => Math.max(most, id), 0)
    if (highest > counters[0]!) refuse('bad_snapshot', `must be ${highest} or more`, counters[0], 'state.opened')
    clear()
    index.load(overlaps)
    for (const member of members) past.push(member)
    groups = next
    ;[opened, tested, classes] = counters as [number, number, number]
  }

  function readMembers(saved: Readonly<Record<string, PlainData>>, count: number): Member[] {
    const labels = saved['labels'] as Uint32Array
    if (!(elementType(labels) === 'Uint32Array' && labels.length === count)) {
      refuse('bad_snapshot', `must be a Uint32Array of ${count}`, labels, 'state.labels')
    }
    const joined = readDoubles(saved['joined'], 'state.joined', count)
    if (joined.length !== count) refuse('bad_snapshot', `must be ${count} numbers`, joined, 'state.joined')
    return Array.from(labels, (label, i) => ({ label, group: joined[i]! }))
  }

  function clear(): void {
    index = new OverlapIndex(capacity, shape.width)
    past = new Ring(capacity)
    groups = []
    opened = 0
    tested = 0
    classes = 0
  }

  function bytes(): number {
    return groups.reduce((sum, group) => sum + group.bytes(), index.bytes + 40 * index.size + 64)
  }

  function describe() {
    return {
      config: {
        alpha,
        overlap,
        leastWindows,
        least,
        members: mostMembers,
        groups: mostGroups,
        maxHistorySize: capacity,
        outputs,
        ...options,
      },
      details: { groups: groups.length, opened, tested, classes },
    }
  }
}

function checkClasses(given: number, before: number, path: string): void {
  if (before !== 0 && given !== before) {
    refuse('bad_query', `must have ${before} numbers like the ones before; or reset the detector`, given, path)
  }
}
