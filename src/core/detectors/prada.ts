/**
 * PRADA: whether the distances between a client's queries look normal. Queries that somebody makes out of each other lie at
 * distances of a few steps, and the bell shape that distances between natural inputs have is gone.
 *
 * Each class keeps the queries that lay further from its earlier ones than mean − standard deviation of such distances. At
 * every tenth query the distances of all classes, without those 3 standard deviations off, go through the test of Shapiro
 * and Wilk. Learns first, then tests. Catches extraction with synthetic queries (JBDA: 97 % within 500 queries, as
 * re-measured by HODA); of natural pictures (Knockoff) at most 4 %. Does not see the first hundred queries, natural
 * queries, queries padded with natural ones, an attack split over accounts; flags honest clients whose inputs come in
 * clusters. A baseline: its threshold does not carry over from one kind of input to another. Needs the input as numbers, and
 * probabilities, logits or the label as one 1 among zeros. Keeps at most `maxPoints` inputs and `maxHistorySize` distances, in
 * `maxBytes` all together; costs O(points of the class · numbers), and O(distances · log) at a test. Source: PRADA (Juuti,
 * Szyller, Marchal, Asokan, EuroS&P 2019) and its released code; W as Royston's AS R94.
 *
 * The score is 1 − W, and 0 between two tests: an alarm is not sticky. A strict rule, as published: suspicious is
 * `score > threshold`, that is W below the option `threshold`.
 */
import { checkChoice, checkNumber } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readNumber, readState } from '../state.ts'
import { shapiroWilk } from '../stats/index.ts'
import { EXTRACT_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { toConfidence } from './limits.ts'
import { checkOutputs, largestClass } from './lineage/margin.ts'
import { checkNumbersOf, GrowingSets } from './prada/growingSets.ts'

export interface PradaConfig {
  /**
   * δ: W below which the distances are suspicious, above 0, below 1. Default 0.9, the paper's, a guess for other inputs:
   * re-measured thresholds lie between 0.818 (100 queries) and 0.973 (500 queries) on CIFAR-10.
   */
  readonly threshold: number
  /** Queries from one test to the next, 1 … 10 000. Default 10. */
  readonly every: number
  /** Distances that a class must have to take part, 1 … 5000. Default 10. */
  readonly leastOfClass: number
  /** Distances that are too few for a test: there must be more. 3 … 4999. Default 100. */
  readonly tooFew: number
  /** Distances remembered, above `tooFew`, at most 5000, where W ends; the published code remembers all. Default 1000. */
  readonly maxHistorySize: number
  /** Inputs remembered, of all classes together, 1 … 100 000; the published code remembers all. Default 500. */
  readonly maxPoints: number
  /**
   * Bytes for all that is remembered, 4096 … 1e9: beyond them the oldest inputs leave, and with very many classes distances.
   * Default 64 000, enough for 500 rows of 10 numbers, or 160 pictures at `maxNumbers` 64.
   */
  readonly maxBytes: number
  /**
   * Longer inputs are kept as so many sums of their numbers with signs, 1 … 65 536: distances are then off by about
   * 1/√(2 · maxNumbers). Up to it, and with 65 536 always, distances are as published. Default 64: 9 %.
   */
  readonly maxNumbers: number
  /** What the model gives; only the largest counts. Default `probabilities`. */
  readonly outputs: 'probabilities' | 'logits'
}

export interface PradaMetadata {
  /** The class of this query. */
  readonly label: number
  /** Distance to the nearest remembered query of the class; null for the first. */
  readonly distance: number | null
  /** W of this query's test; null between tests and where there are too few distances. */
  readonly w: number | null
  /** Distances that went into the test; 0 without one. */
  readonly tested: number
  /** Distances and inputs remembered, this query included. */
  readonly historySize: number
  readonly points: number
}

export const prada = defineDetector({
  family: 'normality',
  modality: 'any',
  needs: 'vector',
  version: 2,
  summary: 'pictures and rows: distances between queries that are not normally distributed',
  techniques: [EXTRACT_MODEL],
  paper: 'PRADA, Juuti et al., EuroS&P 2019, arXiv 1805.02628',
  defaults: {
    threshold: 0.9,
    every: 10,
    leastOfClass: 10,
    tooFew: 100,
    maxHistorySize: 1000,
    maxPoints: 500,
    maxBytes: 64_000,
    maxNumbers: 64,
    outputs: 'probabilities',
  },
  threshold: ({ threshold }) => 1 - threshold,
  logic,
})

interface Test {
  readonly w: number
  readonly tested: number
}

function logic(config: PradaConfig, path: string): Logic<Observation, Observation, PradaMetadata> {
  type Whole = 'every' | 'leastOfClass' | 'tooFew' | 'maxPoints' | 'maxBytes' | 'maxNumbers'
  const whole = (name: Whole, min: number, max: number) =>
    checkNumber(config[name], { min, max, integer: true }, `${path}.${name}`)
  const delta = checkNumber(config.threshold, { min: 1e-6, max: 1 - 1e-6 }, `${path}.threshold`)
  const every = whole('every', 1, 10_000)
  const leastOfClass = whole('leastOfClass', 1, 5000)
  const tooFew = whole('tooFew', 3, 4999)
  const maxPoints = whole('maxPoints', 1, 100_000)
  const maxBytes = whole('maxBytes', 4096, 1e9)
  const maxNumbers = whole('maxNumbers', 1, 65_536)
  const range = { min: tooFew + 1, max: 5000, integer: true }
  const maxHistorySize = checkNumber(config.maxHistorySize, range, `${path}.maxHistorySize`)
  const outputs = checkChoice(config.outputs, ['probabilities', 'logits'], `${path}.outputs`)
  const threshold = 1 - delta
  const empty = () => new GrowingSets({ maxPoints, maxHistorySize, maxBytes, maxNumbers })
  let sets = empty()
  let queries = 0
  /** Of the last test. */
  let lastW: number | null = null

  return { check, apply, save, load, clear, size: () => sets.distances, bytes: () => sets.bytes() + 32, describe }

  function check(observation: Observation): Observation {
    checkNumbersOf(observation.vector)
    checkOutputs(observation.probabilities, outputs)
    return observation
  }

  function apply({ vector, probabilities }: Observation) {
    const label = largestClass(probabilities!)
    const distance = sets.add(vector!, label)
    queries++
    const test = queries % every === 0 ? testNow() : undefined
    if (test !== undefined) lastW = test.w
    const score = test === undefined ? 0 : 1 - test.w
    return {
      suspicious: score > threshold,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: reasonFor(test),
      metadata: {
        label,
        distance,
        w: test?.w ?? null,
        tested: test?.tested ?? 0,
        historySize: sets.distances,
        points: sets.points,
      },
    }
  }

  function testNow(): Test | undefined {
    const sample = withoutOutliers(sets.sample(leastOfClass))
    if (sample.length <= tooFew) return undefined
    // Equal distances have no W; SciPy says 1.
    return { w: isFlat(sample) ? 1 : shapiroWilk(sample).w, tested: sample.length }
  }

  function reasonFor(test: Test | undefined): string {
    if (test !== undefined) {
      return `W of ${test.tested} distances is ${test.w.toFixed(4)}; below ${delta} they are suspicious.`
    }
    if (queries % every !== 0)
      return `Query ${queries}; the next test comes at query ${queries + every - (queries % every)}.`
    return `Too few distances for a test: there must be more than ${tooFew} in classes that have ${leastOfClass}.`
  }

  function save(): PlainData {
    return { ...sets.save(), queries, lastW }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['sets', 'owners', 'distances', 'distanceSets', 'queries', 'lastW'])
    const next = empty()
    next.load(saved)
    const w = saved['lastW'] === null ? null : readNumber(saved['lastW'], 'state.lastW', { max: 1, fraction: true })
    queries = readNumber(saved['queries'], 'state.queries')
    lastW = w
    sets = next
  }

  function clear(): void {
    sets = empty()
    queries = 0
    lastW = null
  }

  function describe() {
    return {
      config: {
        threshold: delta,
        every,
        leastOfClass,
        tooFew,
        maxHistorySize,
        maxPoints,
        maxBytes,
        maxNumbers,
        outputs,
      },
      details: { queries, points: sets.points, classes: sets.classes, lastW },
    }
  }
}

/**
 * Those less than three standard deviations (divisor n) from the mean: strictly, as published. Overwrites the list and gives
 * the part of it that is left.
 */
function withoutOutliers(values: Float64Array): Float64Array {
  const { length } = values
  let mean = 0
  for (let i = 0; i < length; i++) mean += values[i]!
  mean /= length
  let squares = 0
  for (let i = 0; i < length; i++) squares += (values[i]! - mean) * (values[i]! - mean)
  const limit = 3 * Math.sqrt(squares / length)
  let kept = 0
  for (let i = 0; i < length; i++) if (Math.abs(values[i]! - mean) < limit) values[kept++] = values[i]!
  return values.subarray(0, kept)
}

function isFlat(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false
  return true
}
