/**
 * Update geometry: how a client's queries follow each other. The step to a query has an angle to the step before it, and those
 * of random probes around a point, or of coordinates tried in turn, crowd at few angles where those of unrelated inputs spread.
 *
 * The cosines ("turns") of the last 64 steps make a histogram of 25 parts, whose divergence (Jensen and Shannon) from that of
 * honest clients is the score; `fitGeometry` makes that of yours, the default assumes unrelated photos. Learns first, then
 * scores; nothing is decided before the window is full, 66 queries. A repeat of the last query is no step and is passed over.
 * Catches gradient estimation and random steps (NES, SimBA, HopSkipJump, RayS), of any size and without the answers. Does not
 * see those first 66 queries, unrelated queries between the probes, several attacks in turn, an attack split over
 * accounts. Blind to intent: noise copies, sweeps, video, occlusion and honest optimisers look like attacks or are as far from
 * unrelated inputs; use it beside a detector that reads the answers. Needs the input as numbers, all of one length. Keeps two inputs,
 * 24 kB at 32 × 32 × 3, and 8 bytes a turn; costs O(numbers + bins). Source: the idea of GWAD (Park, McLaughlin and Alouani,
 * CVPR 2025, arXiv 2503.02986), from the formula, with a distance in place of its trained network.
 *
 * The score is in bits, 0 … 1, and 0 before the window is full. A strict rule: suspicious is `score > threshold`, as the
 * threshold is a score that an honest client has reached.
 */
import { checkNumber } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readNumber, readState } from '../state.ts'
import { BLACK_BOX_OPTIMIZATION } from '../techniques.ts'
import type { Observation, PlainData } from '../types.ts'
import { BinWindow } from './binWindow.ts'
import {
  binOf,
  distanceBetween,
  type GeometryReference,
  readReference,
  UNRELATED_PHOTOS,
} from './geometry/reference.ts'
import { checkLength, numbersOf, Turns } from './geometry/turns.ts'
import { listOf } from './hardness/histogram.ts'
import { toConfidence } from './limits.ts'

export interface UpdateGeometryConfig {
  /** What `fitGeometry` made of honest traffic. Default: the turns of unrelated photos, a guess for anything else. */
  readonly reference: GeometryReference
  /** Divergence above which a histogram is suspicious, 0 … 1. Default null: that of the reference. */
  readonly threshold: number | null
}

export interface UpdateGeometryMetadata {
  /** Cosine of the step to this query and the step before, −1 … 1; null for the first two and for a repeat. */
  readonly turn: number | null
  /** Turns of the window in each part of −1 … 1, this one included. */
  readonly histogram: readonly number[]
  /** Turns in the window. */
  readonly historySize: number
}

export const updateGeometry = defineDetector({
  family: 'geometry',
  modality: 'any',
  needs: 'vector',
  needsAnswer: false,
  version: 1,
  summary: 'pictures and rows: queries that follow each other as probes do',
  techniques: [BLACK_BOX_OPTIMIZATION],
  paper: 'after GWAD, Park, McLaughlin and Alouani, CVPR 2025, arXiv 2503.02986',
  defaults: { reference: { ...UNRELATED_PHOTOS }, threshold: null },
  threshold: ({ threshold, reference }) => threshold ?? reference.threshold,
  logic,
})

function logic(
  config: UpdateGeometryConfig,
  path: string,
): Logic<Observation, ArrayLike<number>, UpdateGeometryMetadata> {
  const reference = readReference(config.reference, `${path}.reference`)
  const { counts, turns } = reference
  const threshold = checkNumber(config.threshold ?? reference.threshold, { min: 0, max: 1 }, `${path}.threshold`)
  let inputs = new Turns()
  const size = { queries: turns, bins: counts.length }
  let window = new BinWindow(size)

  return {
    check: ({ vector }) => numbersOf(vector, inputs.length, 'vector'),
    checkBatch(vectors) {
      for (const [i, vector] of vectors.entries()) checkLength(vector, vectors[0]!.length, `[${i}].vector`)
    },
    apply,
    save: () => ({ ...inputs.save(), bins: window.save() }),
    load,
    clear,
    size: () => window.size,
    bytes: () => inputs.bytes() + window.bytes + 32,
    describe: () => ({
      config: { reference: { ...reference, counts: [...counts] }, threshold },
      details: { histogram: Array.from(window.histogram), length: inputs.length },
    }),
  }

  function apply(vector: ArrayLike<number>) {
    const turn = inputs.push(vector)
    if (turn !== null) window.push(binOf(turn, counts.length))
    const historySize = window.size
    const score = historySize < turns ? 0 : distanceBetween(counts, window.histogram)
    return {
      suspicious: score > threshold,
      score,
      threshold,
      confidence: toConfidence(score),
      reason:
        historySize < turns
          ? `Only ${historySize} turns are remembered; nothing is decided before there are ${turns}.`
          : `The last ${turns} turns differ from honest ones by ${score.toFixed(4)}; more than ${threshold.toFixed(4)} is suspicious.`,
      metadata: { turn, histogram: listOf(window.histogram), historySize },
    }
  }

  function load(state: PlainData): void {
    const saved = readState(state, ['inputs', 'count', 'bins'])
    const next = Turns.read(saved['inputs'], readNumber(saved['count'], 'state.count', { max: 2 }))
    window = BinWindow.read(saved['bins'], size, saved['count'] === 2 ? turns : 0)
    inputs = next
  }

  function clear(): void {
    inputs = new Turns()
    window = new BinWindow(size)
  }
}
