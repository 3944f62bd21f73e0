/**
 * Answer following, our own method: whether a client's queries follow the model's answers downhill.
 *
 * Every attack on a model whose inside it cannot see does one thing that no honest client does: what it asks next depends on what
 * it was told, and lowers the margin. A query's parent is the nearest remembered one, if it is near. Three tests, none of which
 * an independent client passes but by chance:
 * - choice: of several steps tried from one point, it goes on from the one with the lowest margin (SimBA, Square);
 * - slope: it builds on a point that lies where its probes had lower margins (NES and other estimates of a slope);
 * - bisection: it halves the way between two inputs of different classes, always to the half in which the class changes
 *   (RayS, HopSkipJump, Boundary, SurFree: attacks that see labels alone).
 * Each is evidence in nats, a logarithm of an e-value, added up along the path of queries that were built on each other.
 *
 * Explainers, sweeps, noise and video choose nothing by the answers; who restores a picture follows an aim of its own; who
 * raises its confidence goes uphill; who edits with undo, blind to the answers, keeps what it keeps by chance. Does not see
 * success within the first ten or twenty queries, attacks split over accounts, nor those who spend most of their queries on
 * looking honest; flags whoever looks for the boundary on purpose, such as an auditor. Rounded probabilities hide the slope.
 * Needs the input as numbers, all of one length, and probabilities or logits. Keeps 64 inputs of 256 numbers, 79 kB; costs one
 * comparison of 256 numbers with each. docs/detectors.md has the rest.
 *
 * A query's score is the share of the evidence that alarms which its path has, of the strongest test, at least 0; 1 alarms.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { markOf } from '../countSketch.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readNumber, readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION, EVADE_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { Bisection } from './following/bisection.ts'
import { testChoice } from './following/choice.ts'
import { type AnswerFollowingConfig, checkFollowing, FOLLOWING_DEFAULTS, limitFor } from './following/config.ts'
import { type AnswerFollowingMetadata, describePlace, type Place, reasonFor } from './following/describe.ts'
import {
  CHILDREN,
  CHOICE,
  CORRELATION,
  LABEL,
  LEFT_DOWN,
  LEFT_UP,
  LIKELIHOOD,
  MARGIN,
  Memory,
  PARENT,
  PENDING,
  QUERY,
  REFERENCE,
  ROOT,
  SLOPE,
  SLOPES,
  TAKEN_DOWN,
  TAKEN_UP,
  TOUCHED,
} from './following/memory.ts'
import { readBisection, readRows } from './following/saved.ts'
import { ADOPTED, testSlope } from './following/slope.ts'
import { checkVector, MAX_LENGTH, REPEATED, SCALE } from './following/vectors.ts'
import { toConfidence } from './limits.ts'
import { checkOutputs, largestClass, marginOf } from './lineage/margin.ts'

export const answerFollowing = defineDetector({
  family: 'following',
  modality: 'any',
  needs: 'vector',
  version: 1,
  summary: 'pictures and rows: queries that follow the answers downhill',
  techniques: [BLACK_BOX_OPTIMIZATION, EVADE_MODEL],
  paper: 'our own',
  defaults: { ...FOLLOWING_DEFAULTS },
  threshold: () => 1,
  logic,
})

/** What a child takes over from its parent. */
const INHERITED = [
  ROOT,
  REFERENCE,
  TAKEN_DOWN,
  TAKEN_UP,
  LEFT_DOWN,
  LEFT_UP,
  LIKELIHOOD,
  CHOICE,
  SLOPE,
  SLOPES,
  CORRELATION,
]

function logic(given: AnswerFollowingConfig, path: string): Logic<Observation, Observation, AnswerFollowingMetadata> {
  const config = checkFollowing(given, path)
  const limit = limitFor(config.alpha)
  const bisection = new Bisection()
  let memory = new Memory(0, config.points)
  let classes = 0
  let queries = 0

  return {
    check,
    checkBatch(queries) {
      const { vector, probabilities } = queries[0] ?? {}
      for (const [i, query] of queries.entries()) checkAlike(query, vector!.length, probabilities!.length, `[${i}].`)
    },
    apply,
    save: () => ({
      mark: markOf(config.key),
      queries,
      length: memory.vectors.length,
      classes,
      ...memory.save(),
      bisection: bisection.save(),
    }),
    load,
    clear() {
      memory = new Memory(0, config.points)
      bisection.clear()
      classes = 0
      queries = 0
    },
    size: () => memory.size,
    bytes: () => memory.bytes,
    describe: () => ({
      config: { ...config },
      details: { queries, length: memory.vectors.length, ...highest() },
    }),
  }

  function check(observation: Observation): Observation {
    checkVector(observation.vector)
    checkOutputs(observation.probabilities, config.outputs)
    if (queries > 0) checkAlike(observation, memory.vectors.length, classes, '')
    return observation
  }

  function apply({ vector, probabilities }: Observation) {
    const [input, outputs] = [vector!, probabilities!]
    if (queries === 0) {
      memory = new Memory(input.length, config.points)
      classes = outputs.length
    }
    queries++
    memory.vectors.take(input, config.key)
    const slot = findNearest()
    const distance = slot < 0 ? Infinity : memory.vectors.distance(slot, Infinity)
    const place =
      distance > furthest() ? begin(outputs) : distance <= REPEATED ? repeat(slot, outputs) : step(slot, outputs)
    return detection(place)
  }

  /** Of equally near ones the oldest; −1 where nothing is remembered. */
  function findNearest(): number {
    let nearest = -1
    let least = Infinity
    for (const slot of memory.slots()) {
      const distance = memory.vectors.distance(slot, least)
      if (!(distance < least)) continue
      nearest = slot
      least = distance
    }
    return nearest
  }

  /** Largest squared distance of a child from its parent, in units. */
  function furthest(): number {
    const change = (config.maxStep * SCALE) / 255
    return change * change * memory.vectors.length
  }

  function begin(outputs: ArrayLike<number>): Place {
    const slot = memory.add(queries)
    const label = largestClass(outputs)
    const margin = marginOf(outputs, label, config.outputs)
    memory.set(slot, ROOT, queries)
    memory.set(slot, REFERENCE, label)
    memory.set(slot, MARGIN, margin)
    memory.set(slot, LABEL, label)
    return { kind: 'new', slot, parent: null, margin, bisects: bisection.see(memory, slot) }
  }

  function repeat(parent: number, outputs: ArrayLike<number>): Place {
    memory.set(parent, TOUCHED, queries)
    const margin = marginOf(outputs, memory.get(parent, REFERENCE), config.outputs)
    return { kind: 'repeat', slot: parent, parent: memory.get(parent, QUERY), margin, bisects: false }
  }

  function step(nearest: number, outputs: ArrayLike<number>): Place {
    const parent = memory.get(nearest, QUERY)
    memory.set(nearest, TOUCHED, queries)
    memory.set(nearest, CHILDREN, memory.get(nearest, CHILDREN) + 1)
    const slot = memory.add(queries)
    const margin = marginOf(outputs, memory.get(nearest, REFERENCE), config.outputs)
    memory.set(slot, PARENT, parent)
    memory.set(slot, MARGIN, margin)
    memory.set(slot, LABEL, largestClass(outputs))
    memory.set(slot, PENDING, 1)
    inherit(slot, nearest)
    if (memory.get(nearest, PARENT) > 0) {
      const children = memory.get(nearest, CHILDREN)
      if (children === 1) testChoice(memory, nearest)
      if (children === ADOPTED) testSlope(memory, nearest)
      inherit(slot, nearest)
    }
    return { kind: 'step', slot, parent, margin, bisects: bisection.see(memory, slot) }
  }

  function inherit(slot: number, parent: number): void {
    for (const column of INHERITED) memory.set(slot, column, memory.get(parent, column))
  }

  function detection(place: Place) {
    const metadata = describePlace(memory, place, bisection.state)
    const score = Math.max(0, metadata.evidence) / limit
    return {
      suspicious: score >= 1,
      score,
      threshold: 1,
      confidence: toConfidence(score),
      reason: reasonFor(metadata, limit),
      metadata,
    }
  }

  function load(state: PlainData): void {
    const fields = ['mark', 'queries', 'length', 'classes', 'rows', 'inputs', 'bisection']
    const saved = readState(state, fields)
    if (saved['mark'] !== markOf(config.key)) {
      refuse('bad_snapshot', 'must come from a detector with the same key', saved['mark'], 'state.mark')
    }
    const count = readNumber(saved['queries'], 'state.queries')
    const least = count > 0 ? 1 : 0
    const length = readNumber(saved['length'], 'state.length', { min: least, max: count > 0 ? MAX_LENGTH : 0 })
    const outputs = readNumber(saved['classes'], 'state.classes', { min: 2 * least })
    const rows = readRows(saved['rows'], { points: config.points, queries: count, classes: outputs })
    const next = new Memory(length, config.points)
    next.load({ rows, inputs: saved['inputs'] })
    bisection.state = readBisection(saved['bisection']!, count)
    memory = next
    classes = outputs
    queries = count
  }

  function highest() {
    const most = (column: number) =>
      [...memory.slots()].reduce((max, slot) => Math.max(max, memory.get(slot, column)), 0)
    return { choice: most(CHOICE), slope: most(SLOPE), bisection: bisection.state.evidence, limit }
  }
}

/** Throws `bad_query` for a query of another shape than those before. */
function checkAlike({ vector, probabilities }: Observation, length: number, classes: number, path: string): void {
  const remedy = 'bring all inputs to one size and kind first, or reset the detector'
  if (vector!.length !== length) {
    refuse('bad_query', `must be ${length} numbers like the ones before; ${remedy}`, vector!.length, `${path}vector`)
  }
  if (probabilities!.length !== classes) {
    checkNumber(probabilities!.length, { min: classes, max: classes }, `${path}probabilities.length`, 'bad_query')
  }
}
