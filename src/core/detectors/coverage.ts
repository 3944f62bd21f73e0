/**
 * How much of the model's answer space a client covers: somebody who copies a model has to see all of it, and its borders.
 *
 * The space is cut into cells, the predicted class by the margin to the second class in tenths. Learns first, then scores:
 * the cells that the last queries cover, by the cells that as many queries of honest traffic would cover (option `benign`),
 * or, without it, as many queries that fall anywhere alike. Catches extraction that spreads its queries over classes and
 * margins. Does not see a thief of one class, one who keeps to confident answers, or the first `warmUp` queries; flags an
 * honest client with a broad mix, the more the less is known of honest traffic. Needs probabilities, or the label alone as
 * one 1 among zeros. Keeps 8 bytes a query and 4 a cell, of which there are at most 4096; costs O(classes), with a profile
 * O(cells) until the window is full. Source: after QUEEN's coverage (2024), without its network; Good (1953) for the unseen.
 */
import { checkChoice, checkNumber, elementType, refuse } from '../checkers.ts'
import {
  type CellOptions,
  cellOf,
  cellsOf,
  checkAnswer,
  checkEdges,
  evenCoverage,
  profiledCoverage,
  TENTHS,
} from '../coverage/cells.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { Ring } from '../ring.ts'
import { readNumber, readState } from '../state.ts'
import { EXTRACT_MODEL } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { checkHistory, toConfidence } from './limits.ts'

export interface CoverageConfig extends CellOptions {
  /**
   * Cells covered, as a multiple of those expected, that make a query suspicious, above 0, inclusive. Default null: 1.3 with
   * `benign`, and 0.9 without: nearly as many as an explorer without a preference would.
   */
  readonly threshold: number | null
  /** Queries remembered, 1 … 10 million. Default 1000. */
  readonly maxHistorySize: number
  /** Queries before the first decision; the score is 0 until then. At most `maxHistorySize`. Default 100. */
  readonly warmUp: number
  /** Answers of honest clients in each cell, as `coverageProfile` counts them. Default `undefined`: any cell alike. */
  readonly benign: readonly number[] | undefined
}

export interface CoverageMetadata {
  /** The cell of this query's answer. */
  readonly cell: number
  /** Cells that hold an answer of the window, this one included, and cells in all. */
  readonly covered: number
  readonly cells: number
  /** Cells that as many honest, or indifferent, queries would cover. */
  readonly expected: number
  /**
   * Share of the window's queries that are alone in their cell: about the probability that the next one opens a new cell
   * (Good and Turing).
   */
  readonly unseen: number
  /** Queries in the window. */
  readonly historySize: number
}

const OUTPUTS = ['probabilities', 'logits'] as const

export const coverage = defineDetector({
  family: 'coverage',
  modality: 'any',
  needs: 'probabilities',
  version: 1,
  summary: 'answers that cover more of the classes and margins than honest ones',
  techniques: [EXTRACT_MODEL],
  paper: 'after QUEEN, Chen et al. 2024',
  defaults: {
    threshold: null,
    maxHistorySize: 1000,
    warmUp: 100,
    edges: [...TENTHS],
    outputs: 'probabilities',
    benign: undefined,
  },
  threshold: thresholdOf,
  logic,
})

interface Checked {
  readonly cell: number
  readonly classes: number
}

function thresholdOf({ threshold, benign }: CoverageConfig): number {
  return threshold ?? (benign === undefined ? 0.9 : 1.3)
}

function logic(config: CoverageConfig, path: string): Logic<Observation, Checked, CoverageMetadata> {
  const threshold = checkNumber(thresholdOf(config), { min: 1e-6 }, `${path}.threshold`)
  const capacity = checkHistory(config, path)
  const warmUp = checkNumber(config.warmUp, { min: 1, max: capacity, integer: true }, `${path}.warmUp`)
  const outputs = checkChoice(config.outputs, OUTPUTS, `${path}.outputs`)
  const options = { edges: checkEdges(config.edges, `${path}.edges`), outputs }
  const benign = checkBenign(config.benign, `${path}.benign`)
  let window = new Ring<number>(capacity)
  let counts = new Uint32Array(0)
  let classes = 0
  let covered = 0
  let single = 0
  /** Cells expected of so many queries: the same at every query once the window is full. */
  let expected = { queries: 0, cells: 0 }

  return { check, checkBatch, apply, save, load, clear, size: () => window.items.length, bytes, describe }

  function check({ probabilities }: Observation): Checked {
    if (probabilities === undefined) {
      refuse('bad_query', 'pass the class probabilities of the model', probabilities, 'probabilities')
    }
    checkAnswer(probabilities, outputs, 'probabilities')
    checkClasses(probabilities.length, classes, 'probabilities')
    return { cell: cellOf(probabilities, options), classes: probabilities.length }
  }

  function checkClasses(given: number, before: number, at: string): void {
    if (before !== 0 && given !== before) {
      refuse('bad_query', `must have ${before} numbers like the ones before; or reset the detector`, given, at)
    }
    if (benign !== undefined && cellsOf(given, options) !== benign.length) {
      refuse('bad_query', `must have as many classes as the profile: ${benign.length} cells`, given, at)
    }
  }

  function checkBatch(queries: readonly Checked[]): void {
    for (const [i, query] of queries.entries()) {
      checkClasses(query.classes, queries[0]!.classes, `[${i}].probabilities`)
    }
  }

  function apply(query: Checked) {
    learn(query)
    const queries = window.items.length
    const cells = counts.length
    const score = queries < warmUp ? 0 : covered / expectedCells()
    return {
      suspicious: score >= threshold,
      score,
      threshold,
      confidence: toConfidence(score),
      reason: reasonFor(score),
      metadata: {
        cell: query.cell,
        covered,
        cells,
        expected: expectedCells(),
        unseen: single / queries,
        historySize: queries,
      },
    }
  }

  function learn(query: Checked): void {
    if (classes === 0) {
      classes = query.classes
      counts = new Uint32Array(cellsOf(classes, options))
    }
    const left = window.push(query.cell)
    if (left !== undefined) add(left, -1)
    add(query.cell, 1)
  }

  function add(cell: number, times: 1 | -1): void {
    const before = counts[cell]!
    const after = before + times
    counts[cell] = after
    covered += Number(after > 0) - Number(before > 0)
    single += Number(after === 1) - Number(before === 1)
  }

  function expectedCells(): number {
    const queries = window.items.length
    if (expected.queries !== queries) {
      const cells = benign === undefined ? evenCoverage(counts.length, queries) : profiledCoverage(benign, queries)
      expected = { queries, cells }
    }
    return expected.cells
  }

  function reasonFor(score: number): string {
    const queries = window.items.length
    if (queries < warmUp) return `Queries remembered: ${queries}. Nothing is decided before there are ${warmUp}.`
    const whose = benign === undefined ? 'queries without a preference' : 'honest queries'
    return `${queries} queries cover ${covered} of ${counts.length} cells, ${score.toFixed(2)} times what as many ${whose} would.`
  }

  function save(): PlainData {
    return { cells: Uint32Array.from(window.list()), classes }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['cells', 'classes'])
    const given = readNumber(saved['classes'], 'state.classes', { max: 1e6 })
    const cells = readCells(saved['cells']!, given === 0 ? 0 : cellsOf(given, options))
    const fits = (given === 0) === (cells.length === 0) && given !== 1
    if (!fits) refuse('bad_snapshot', 'must be the classes of the answers', given, 'state.classes')
    clear()
    for (const cell of cells) learn({ cell, classes: given })
  }

  function readCells(value: PlainData, most: number): Uint32Array {
    const cells = value as Uint32Array
    const isList = elementType(cells) === 'Uint32Array' && cells.length <= capacity && cells.every((c) => c < most)
    if (!isList) refuse('bad_snapshot', `must be at most ${capacity} numbers below ${most}`, value, 'state.cells')
    return cells
  }

  function clear(): void {
    window = new Ring(capacity)
    counts = new Uint32Array(0)
    classes = 0
    covered = 0
    single = 0
    expected = { queries: 0, cells: 0 }
  }

  function bytes(): number {
    return 8 * window.items.length + 4 * counts.length + 64
  }

  function describe() {
    return {
      config: {
        threshold,
        maxHistorySize: capacity,
        warmUp,
        edges: [...options.edges],
        outputs,
        ...(benign === undefined ? {} : { benign: [...benign] }),
      },
      details: { classes, covered, cells: counts.length },
    }
  }
}

function checkBenign(value: readonly number[] | undefined, path: string): readonly number[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > 4096) refuse('bad_config', 'must be the counts of a profile', value, path)
  const counts = value.map((count, i) => checkNumber(count, { min: 0, max: 1e15 }, `${path}[${i}]`))
  if (!counts.some((count) => count > 0)) refuse('bad_config', 'must have a count above 0', value, path)
  return counts
}
