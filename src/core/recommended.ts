/** Which detectors to begin with, by what is watched. */
import { checkChoice } from './checkers.ts'
import type { MonitoredDetector } from './monitor/index.ts'

const SETS = {
  'image-classifier': [{ name: 'answer_following' }, { name: 'query_rate' }],
  'tabular-api': [{ name: 'query_rate' }],
  'text-api': [{ name: 'margin_trend' }, { name: 'query_rate' }],
  llm: [{ name: 'query_rate' }],
} as const satisfies Readonly<Record<string, readonly MonitoredDetector[]>>

/** What is watched: a classifier of pictures, of rows, of texts that answers with probabilities, or a model that writes texts. */
export type Use = keyof typeof SETS

/**
 * Detectors for `createMonitor`, chosen by the evaluation: of those that disturbed none of the honest workloads there, the ones
 * that caught most. Each client has a memory of its own, of at most about 83 kB (bench/results/recommended.md).
 *
 * - `image-classifier`: `answer_following`, with probabilities as `modelOutput` (bench/results/eval-cifar10.md).
 * - `text-api`: `margin_trend`, with probabilities as `modelOutput`: prompt fuzzing, and little else (eval-banking77.md).
 * - `tabular-api`, `llm`: nothing but `query_rate`. Nothing tried there caught attacks or misuse without disturbing who works with
 *   what-if grids, sweeps, templates or edits (eval-adult.md, eval-prompts.md); `calibrate` a detector on your own traffic.
 *
 * Whoever has traffic of honest clients adds `distribution_shift` with what `fitShift(clients, { form: 'bets' })` gives: in our tests it
 * saw thieves who do nothing else within some ten queries; bench/results/extraction.md says whom it disturbed.
 *
 * All of them with `query_rate`, whose limits are a guess. They are chosen for silence: bench/results says what each misses.
 *
 * @throws `bad_config` for another word.
 */
export function recommended(use: Use): MonitoredDetector[] {
  const known = checkChoice(use, Object.keys(SETS) as Use[], 'use')
  return SETS[known].map((one) => ({ ...one }))
}
