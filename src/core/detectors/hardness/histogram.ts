/** How hard an input is, and how far apart two histograms of hardness lie. */
import { checkChoice, checkNumber, checkNumbers, refuse } from '../../checkers.ts'
import { type CellOptions, checkAnswer, checkEdges, marginOfTop, partOf } from '../../coverage/cells.ts'
import { logEach } from '../../math.ts'
import { workDoubles } from '../../plainRows.ts'
import type { Observation } from '../../types.ts'

export const DISTANCES = ['pearson', 'jensen_shannon'] as const
// biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere, Math.LN2 need not
const LN2 = 0.6931471805599453
/** Labels are places in a list of at most a million. */
const LABELS = { most: 64, min: 0, max: 999_999 }

/**
 * What hardness is. `margin`: by which of the parts that `edges` makes the margin between the two likeliest classes falls into, the
 * narrowest first. `checkpoints`: the first of `checkpoints` stages of the model's training from which on all agree with the last.
 */
export type HardnessForm =
  | { readonly kind: 'margin'; readonly edges: readonly number[] }
  | { readonly kind: 'checkpoints'; readonly checkpoints: number }

/** Throws `bad_config`. */
export function checkForm(form: HardnessForm, path: string): HardnessForm {
  const kind = checkChoice(form?.kind, ['margin', 'checkpoints'], `${path}.kind`)
  if (kind === 'margin') {
    const edges = checkEdges((form as { readonly edges: unknown }).edges, `${path}.edges`)
    if (edges.length === 0) refuse('bad_config', 'must have an edge at least', edges.length, `${path}.edges`)
    return { kind, edges }
  }
  const { checkpoints } = form as { readonly checkpoints: number }
  return { kind, checkpoints: checkNumber(checkpoints, { min: 2, max: 64, integer: true }, `${path}.checkpoints`) }
}

export function binsOf(form: HardnessForm): number {
  return form.kind === 'margin' ? form.edges.length + 1 : form.checkpoints
}

/** The bin of an observation. Throws `bad_query`. */
export function binOf(observation: Observation, form: HardnessForm, outputs: CellOptions['outputs']): number {
  if (form.kind === 'checkpoints') return stageOf(observation.checkpoints, form.checkpoints)
  const { probabilities } = observation
  if (probabilities === undefined) {
    refuse('bad_query', 'pass the class probabilities of the model', probabilities, 'probabilities')
  }
  checkAnswer(probabilities, outputs, 'probabilities')
  return partOf(marginOfTop(probabilities, outputs).margin, form.edges)
}

function stageOf(labels: ArrayLike<number> | undefined, count: number): number {
  if (labels === undefined)
    refuse('bad_query', 'pass the label of each checkpoint, the oldest first', labels, 'checkpoints')
  checkNumbers(labels, LABELS, 'checkpoints')
  if (labels.length !== count) refuse('bad_query', `must be ${count} labels`, labels.length, 'checkpoints')
  for (let i = 0; i < count; i++) {
    if (!Number.isInteger(labels[i])) refuse('bad_query', 'must be a whole number', labels[i], `checkpoints[${i}]`)
  }
  let stage = count - 1
  while (stage > 0 && labels[stage - 1] === labels[count - 1]) stage--
  return stage
}

/** How far two histograms lie apart, whatever their sums: both above 0. */
export function histogramDistance(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  distance: (typeof DISTANCES)[number],
): number {
  return distance === 'pearson' ? 1 - pearson(a, b) : jensenShannon(a, b)
}

/** Pearson's correlation, −1 … 1; 0 where a histogram is flat. */
function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length
  const meanA = sumOf(a) / n
  const meanB = sumOf(b) / n
  let ab = 0
  let aa = 0
  let bb = 0
  for (let i = 0; i < n; i++) {
    const x = a[i]! - meanA
    const y = b[i]! - meanB
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 0 : Math.min(Math.max(ab / Math.sqrt(aa) / Math.sqrt(bb), -1), 1)
}

/** The divergence of Jensen and Shannon in bits, 0 … 1. */
function jensenShannon(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const sumA = sumOf(a)
  const sumB = sumOf(b)
  const logs = workDoubles(2 * a.length)
  for (let i = 0; i < a.length; i++) {
    const p = a[i]! / sumA
    const q = b[i]! / sumB
    const middle = (p + q) / 2
    logs[2 * i] = p / middle
    logs[2 * i + 1] = q / middle
  }
  logEach(logs, 2 * a.length)
  let nats = 0
  for (let i = 0; i < a.length; i++) {
    const p = a[i]! / sumA
    const q = b[i]! / sumB
    if (p > 0) nats += (p * logs[2 * i]!) / 2
    if (q > 0) nats += (q * logs[2 * i + 1]!) / 2
  }
  return Math.min(Math.max(nats / LN2, 0), 1)
}

/** A histogram as a list. `Array.from` would make an object for each number on the way, and `push` lists that it outgrows. */
export function listOf(histogram: Uint32Array): number[] {
  const list = new Array<number>(histogram.length)
  for (let i = 0; i < histogram.length; i++) list[i] = histogram[i]!
  return list
}

export function sumOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}
