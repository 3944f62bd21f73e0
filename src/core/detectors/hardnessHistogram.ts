/**
 * Hardness histogram: whether a client's inputs are as easy and as hard for the model as those of honest clients.
 *
 * The histogram of the last `queries` inputs' hardness is compared with the benign one of the reference. Hardness is the
 * stage of the model's training from which on its label stayed the same (`checkpoints`, as published), or, without
 * checkpoints, the margin between the two likeliest classes in fixed parts (`margin`, a proxy: its figures are not the published
 * ones). Learns first, then scores. Catches extraction with natural or synthetic queries: the published form all of JBDA,
 * JBRAND and Knockoff within 100 queries on CIFAR-10, 0.02 % false alarms. Does not see the first `queries` queries, queries padded
 * with nine honest ones each, an attack split over accounts; flags honest clients with inputs that are harder, or easier, than
 * the others', and everybody once the population drifts. Needs honest traffic (`fitHardness`), and probabilities or logits, or the labels of the
 * checkpoints. Keeps 8 bytes a query; costs O(classes + bins). Source: HODA (Sadeghzadeh et al., arXiv 2106.11424).
 *
 * The score is 1 − Pearson's correlation, 0 … 2, or the divergence of Jensen and Shannon in bits; 0 before the window is
 * full. A strict rule, as published: suspicious is `score > threshold`.
 */
import { checkChoice, checkNumber, checkObject, refuse } from '../checkers.ts'
import { defineDetector, type Logic } from '../detector.ts'
import { readState } from '../state.ts'
import { EXTRACT_MODEL } from '../techniques.ts'
import type { Observation } from '../types.ts'
import { requireReference } from './benignThreshold.ts'
import { BinWindow } from './binWindow.ts'
import { binOf, binsOf, checkForm, DISTANCES, histogramDistance, listOf, sumOf } from './hardness/histogram.ts'
import type { HardnessReference } from './hardness/reference.ts'
import { toConfidence } from './limits.ts'

export interface HardnessHistogramConfig {
  /** What `fitHardness` made of honest traffic. Required. */
  readonly reference: HardnessReference | undefined
  /** Distance above which a histogram is suspicious, 0 … 2. Default null: that of the reference. */
  readonly threshold: number | null
  /** What the model gives, in the form `margin`. Default `probabilities`. */
  readonly outputs: 'probabilities' | 'logits'
}

export interface HardnessHistogramMetadata {
  /** Hardness of this query, from 0: the checkpoint, or the part of the margin. */
  readonly bin: number
  /** Queries of the window in each bin, this one included. */
  readonly histogram: readonly number[]
  /** Queries in the window. */
  readonly historySize: number
}

export const hardnessHistogram = defineDetector({
  family: 'hardness',
  modality: 'any',
  needs: 'probabilities',
  version: 1,
  summary: 'inputs harder or easier for the model than those of honest clients',
  techniques: [EXTRACT_MODEL],
  paper: 'HODA, Sadeghzadeh et al., arXiv 2106.11424',
  defaults: { reference: undefined, threshold: null, outputs: 'probabilities' },
  threshold: ({ threshold, reference }) => threshold ?? reference?.threshold ?? 0,
  logic,
})

function logic(config: HardnessHistogramConfig, path: string): Logic<Observation, number, HardnessHistogramMetadata> {
  const reference = checkReference(config.reference, `${path}.reference`)
  const { form, counts, queries, distance } = reference
  const threshold = checkNumber(config.threshold ?? reference.threshold, { min: 0, max: 2 }, `${path}.threshold`)
  const outputs = checkChoice(config.outputs, ['probabilities', 'logits'], `${path}.outputs`)
  const size = { queries, bins: counts.length }
  let window = new BinWindow(size)

  return {
    check: (observation) => binOf(observation, form, outputs),
    apply,
    save: () => ({ bins: window.save() }),
    load: (state) => {
      window = BinWindow.read(readState(state, ['bins'])['bins'], size)
    },
    clear: () => {
      window = new BinWindow(size)
    },
    size: () => window.size,
    bytes: () => window.bytes + 32,
    describe: () => ({
      config: { reference: structure(reference), threshold, outputs },
      details: { histogram: Array.from(window.histogram) },
    }),
  }

  function apply(bin: number) {
    window.push(bin)
    const historySize = window.size
    const score = historySize < queries ? 0 : histogramDistance(counts, window.histogram, distance)
    const isEarly = historySize < queries
    return {
      suspicious: score > threshold,
      score,
      threshold,
      confidence: toConfidence(distance === 'pearson' ? score / 2 : score),
      reason: isEarly
        ? `Only ${historySize} queries are remembered; nothing is decided before there are ${queries}.`
        : `The last ${queries} inputs differ in hardness from honest ones by ${score.toFixed(4)}; more than ${threshold.toFixed(4)} is suspicious.`,
      metadata: { bin, histogram: listOf(window.histogram), historySize },
    }
  }
}

function checkReference(given: HardnessReference | undefined, path: string): HardnessReference {
  if (given === undefined) return requireReference(path, 'fitHardness(clients)')
  checkObject(given, ['form', 'counts', 'queries', 'distance', 'threshold'], path)
  const form = checkForm(given.form, `${path}.form`)
  const distance = checkChoice(given.distance, DISTANCES, `${path}.distance`)
  const queries = checkNumber(given.queries, { min: 2, max: 1_000_000, integer: true }, `${path}.queries`)
  const bins = binsOf(form)
  if (!Array.isArray(given.counts) || given.counts.length !== bins) {
    refuse('bad_config', `must be a list of ${bins} numbers`, given.counts, `${path}.counts`)
  }
  const counts = given.counts.map((count, i) => checkNumber(count, { min: 0, max: 1e15 }, `${path}.counts[${i}]`))
  if (sumOf(counts) === 0) refuse('bad_config', 'must not all be 0', 0, `${path}.counts`)
  if (distance === 'pearson' && counts.every((count) => count === counts[0])) {
    refuse(
      'bad_config',
      "must not all be the same; for a flat histogram use distance: 'jensen_shannon'",
      counts,
      `${path}.counts`,
    )
  }
  const threshold = checkNumber(given.threshold, { min: 0, max: 2 }, `${path}.threshold`)
  return { form, counts, queries, distance, threshold }
}

/** The reference as fresh plain data. */
function structure({ form, counts, ...rest }: HardnessReference) {
  const own = form.kind === 'margin' ? { kind: form.kind, edges: [...form.edges] } : { ...form }
  return { form: own, counts: [...counts], ...rest }
}
