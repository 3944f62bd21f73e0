/**
 * Descent lineage, our own method: whether the queries that a client builds on keep falling in margin.
 *
 * A query's parent is the nearest remembered one, if no number changed by more than a small step. A query is *adopted* when
 * three later ones have it for their parent: the client builds on it. Explainers adopt nothing, sweeps and videos are
 * chains of one child each, who restores a picture adopts in all directions, an attack adopts downwards nearly every time.
 * Along each path of adoptions two rules look at the margin of the class that the first query had:
 * - S, an e-process: a fall multiplies the evidence by 1.9, a rise by 0.1. If a client is no more likely to go on from a
 *   lower point than from a higher one, a path ever reaches 1/alpha with a probability of at most alpha, whatever its length.
 * - M: S; or three records, and a fall of 3 nats and of 35 % of the first margin, nearly all of it downhill. No such bound.
 *
 * Catches evasion by small steps that uses scores (NES, SimBA, Square). Does not see label-only attacks, steps above
 * 20/255, at most two children a point, other inputs between the probes than it remembers, attacks split over accounts; flags
 * editing with undo now and then (M), and whoever lowers the margin on purpose, such as an auditor. Needs the input as
 * numbers, and probabilities or logits. Keeps up to groups · (ring + adopted) points, about 4.2 kB each at 32 × 32 × 3;
 * costs one comparison of 256 numbers with each. docs/detectors.md has the rest.
 *
 * A query's score is that of the path it goes on: the share of the rule's condition that is reached, at least 0; 1 alarms.
 */
import { refuse } from '../checkers.ts'
import { markOf } from '../countSketch.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { removeAt } from '../sorted.ts'
import { readNumber, readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION, EVADE_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { toConfidence } from './limits.ts'
import { checkLineage, type DescentLineageConfig, LINEAGE_DEFAULTS, stakesOf } from './lineage/config.ts'
import { Group, type Nearest } from './lineage/group.ts'
import { checkOutputs, largestClass, marginOf } from './lineage/margin.ts'
import { DOWN, EVIDENCE, LENGTH, RECORDS, shareOfM, shareOfS, TIP, TIP_MARGIN, UP, WIDTH } from './lineage/path.ts'
import { checkPoint, storageFor, takePoint } from './lineage/points.ts'
import { readGroups, saveGroup } from './lineage/saved.ts'

/** Queries are counted from 1, since the start or the last reset. */
export interface DescentLineageMetadata {
  /** `new`: no parent, it begins a group · `repeat`: the same as its parent, not kept · `step`: a child of its parent. */
  readonly kind: 'new' | 'repeat' | 'step'
  /** The parent; null for a new group. */
  readonly parent: number | null
  /** True if this query made its parent adopted. */
  readonly adoption: boolean
  /** The adopted query at the tip of the path, which names the path. */
  readonly path: number
  /** Adoptions along the path since its group began. */
  readonly length: number
  /** The class whose margin is followed: that of the group's first query. */
  readonly referenceClass: number
  /** Margin of this query, in nats: how far that class stands above the strongest other. */
  readonly margin: number
  /** Margin of the group's first query. */
  readonly firstMargin: number
  /** First margin − margin at the tip. */
  readonly drop: number
  /** Adoptions that were the lowest of their path. */
  readonly records: number
  /** (falls − rises) ÷ (falls + rises) along the path, −1 … 1; 0 before any. */
  readonly steadiness: number
  /** Rule S: logarithm of the path's e-process. */
  readonly evidence: number
  /** The strongest rule that the path has reached, whatever the option `rule`: S to act on, M to review. */
  readonly rule: 'S' | 'M' | null
}

export const descentLineage = defineDetector({
  family: 'lineage',
  modality: 'any',
  needs: 'vector',
  version: 1,
  summary: 'pictures and rows: queries built on have ever lower margins',
  techniques: [BLACK_BOX_OPTIMIZATION, EVADE_MODEL],
  paper: 'our own',
  defaults: { ...LINEAGE_DEFAULTS },
  threshold: () => 1,
  logic,
})

/** Where a query went. */
interface Place {
  readonly kind: DescentLineageMetadata['kind']
  readonly group: Group
  readonly slot: number
  readonly margin: number
  readonly parent: number | null
  readonly adoption: boolean
}

function logic(given: DescentLineageConfig, path: string): Logic<Observation, Observation, DescentLineageMetadata> {
  const config = checkLineage(given, path)
  const stakes = stakesOf(config)
  const clip = config.parent === 'clipped' ? config.maxStep : 0
  /** The least recently used first. */
  let groups: Group[] = []
  let queries = 0

  return { check, apply, save, load, clear, size, bytes, describe }

  function check(observation: Observation): Observation {
    checkPoint(observation.vector, config.storage)
    checkOutputs(observation.probabilities, config.outputs)
    return observation
  }

  function apply({ vector, probabilities }: Observation) {
    const [input, outputs] = [vector!, probabilities!]
    queries++
    takePoint(input, storageFor(input.length, config.storage), config.key)
    const nearest = findNearest(input.length, outputs.length)
    const { group, slot } = nearest
    const isKnown = group !== undefined && isNear(group, slot)
    return detection(isKnown ? goOn(outputs, group, nearest) : begin(input.length, outputs))
  }

  function findNearest(length: number, classes: number): Nearest {
    const nearest: Nearest = { group: undefined, slot: 0, distance: Infinity, query: 0 }
    for (let i = 0; i < groups.length; i++) if (fits(groups[i]!)) groups[i]!.lookAtLatest(nearest, clip)
    for (let i = 0; i < groups.length; i++) if (fits(groups[i]!)) groups[i]!.look(nearest, clip)
    return nearest

    function fits({ head }: Group): boolean {
      return head.length === length && head.classes === classes
    }
  }

  function isNear(group: Group, slot: number): boolean {
    const free = config.gate === 'largest' ? 0 : Math.floor(group.head.length / 50)
    return group.points.countAbove(slot, config.maxStep) <= free
  }

  function begin(length: number, outputs: ArrayLike<number>): Place {
    const reference = largestClass(outputs)
    const margin = marginOf(outputs, reference, config.outputs)
    const head = { length, classes: outputs.length, reference, firstMargin: margin }
    const group = new Group(head, storageFor(length, config.storage), config)
    if (groups.length === config.groups) evict()
    groups.push(group)
    return { kind: 'new', group, slot: group.begin(queries), margin, parent: null, adoption: false }
  }

  function evict(): void {
    const spare = config.evict === 'oldest' ? 0 : groups.findIndex((group) => !group.hasAdopted)
    removeAt(groups, Math.max(spare, 0))
  }

  function goOn(outputs: ArrayLike<number>, group: Group, { slot: parent, distance, query }: Nearest): Place {
    removeAt(groups, groups.indexOf(group))
    groups.push(group)
    const margin = marginOf(outputs, group.head.reference, config.outputs)
    if (group.points.isRepeated(parent, distance)) {
      return { kind: 'repeat', group, slot: parent, margin, parent: query, adoption: false }
    }
    const adoption = group.vote(parent, stakes)
    return { kind: 'step', group, slot: group.push(parent, queries, margin), margin, parent: query, adoption }
  }

  function detection(place: Place) {
    const { group, slot } = place
    const { firstMargin } = group.head
    const at = slot * WIDTH
    const s = shareOfS(group.rows, at, stakes)
    const m = Math.max(s, shareOfM(group.rows, at, firstMargin, config))
    const score = config.rule === 'S' ? s : m
    const metadata = describePath(place, s >= 1 ? 'S' : m >= 1 ? 'M' : null)
    return {
      suspicious: score >= 1,
      score,
      threshold: 1,
      confidence: toConfidence(score),
      reason: reasonFor(metadata, stakes.limit),
      metadata,
    }
  }

  function save(): PlainData {
    return { queries, mark: markOf(config.key), groups: groups.map(saveGroup) }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['queries', 'mark', 'groups'])
    if (saved['mark'] !== markOf(config.key)) {
      refuse('bad_snapshot', 'must come from a detector with the same key', saved['mark'], 'state.mark')
    }
    const count = readNumber(saved['queries'], 'state.queries')
    groups = readGroups(saved['groups']!, config, count)
    queries = count
  }

  function clear(): void {
    groups = []
    queries = 0
  }

  function size(): number {
    return groups.reduce((sum, group) => sum + group.size, 0)
  }

  function bytes(): number {
    return groups.reduce((sum, group) => sum + group.bytes, 64)
  }

  function describe() {
    const paths = groups.flatMap((group) => group.paths())
    return {
      config: { ...config },
      details: {
        queries,
        groups: groups.length,
        longestPath: paths.reduce((most, { length }) => Math.max(most, length), 0),
        highestEvidence: paths.reduce((most, { evidence }) => Math.max(most, evidence), 0),
      },
    }
  }
}

function describePath(place: Place, rule: DescentLineageMetadata['rule']): DescentLineageMetadata {
  const { kind, group, slot, margin, parent, adoption } = place
  const { rows, head } = group
  const at = slot * WIDTH
  const down = rows[at + DOWN]!
  const up = rows[at + UP]!
  return {
    kind,
    parent,
    adoption,
    path: rows[at + TIP]!,
    length: rows[at + LENGTH]!,
    referenceClass: head.reference,
    margin,
    firstMargin: head.firstMargin,
    drop: head.firstMargin - rows[at + TIP_MARGIN]!,
    records: rows[at + RECORDS]!,
    steadiness: down + up > 0 ? (down - up) / (down + up) : 0,
    evidence: rows[at + EVIDENCE]!,
    rule,
  }
}

function reasonFor(metadata: DescentLineageMetadata, limit: number): string {
  const { kind, parent, path, length, firstMargin, drop, records, evidence, rule } = metadata
  if (kind === 'new') return `Near no remembered query; its margin is ${firstMargin.toFixed(2)}.`
  const verb = kind === 'repeat' ? 'Repeats' : 'Builds on'
  if (length === 0) return `${verb} query ${parent}; nothing since query ${path}, the first of its group, was adopted.`
  const alarm = rule === null ? '' : `; rule ${rule} alarms`
  return `${verb} query ${parent}; adoptions since the first: ${length}; the margin went from ${firstMargin.toFixed(2)} to ${(firstMargin - drop).toFixed(2)} (records: ${records}); evidence ${evidence.toFixed(2)} of ${limit.toFixed(2)}${alarm}.`
}
