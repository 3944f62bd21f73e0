/** Options that several detectors share. */
import { checkNumber } from '../checkers.ts'

/** The largest window a detector takes: beyond it a mistyped number would eat the machine's memory. */
const MAX_HISTORY = 10_000_000

/** The option `maxHistorySize`: a whole number, 1 … 10 million. */
export function checkHistory(config: { readonly maxHistorySize: number }, path: string): number {
  return checkNumber(config.maxHistorySize, { min: 1, max: MAX_HISTORY, integer: true }, `${path}.maxHistorySize`)
}

/** A score as a confidence: cut to [0, 1]. */
export function toConfidence(score: number): number {
  return Math.min(Math.max(score, 0), 1)
}
