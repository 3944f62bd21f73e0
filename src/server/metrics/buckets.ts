/** Buckets of histograms. A score's fit its unit, and each threshold is one of them, so the share above it is exact. */
import type { ScoreUnit } from '../http/watched.ts'

/** Upper bounds, inclusive. */
const SCORES: Readonly<Record<ScoreUnit, readonly number[]>> = {
  // Entropy: ln 2 = 0.69, ln 10 = 2.3, ln 1000 = 6.9, ln 1 000 000 = 13.8.
  nats: [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.6, 2, 2.5, 3, 4, 5, 7, 10, 14],
  probability: [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1],
  count: [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 1000],
  // Unlike things lie below a half; thresholds lie close to 1.
  cosine: [0, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 0.99, 0.999, 1],
  // 1 / (1 + mean distance): unlike unit vectors have 0.41, fifty cosines of 0.9 have 0.69.
  nearness: [0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1],
  matches: [0, 1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 100, 1000],
  // Of a limit: 1 reaches it.
  share: [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 2, 5, 10, 100],
  score: [0.01, 0.1, 0.5, 1, 2, 5, 10, 100, 1000],
}

/** The reference's `detection_confidence_score`: a share of 1, and beyond it the entropies of the confidence detector. */
export const CONFIDENCE_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.5, 2, 3, 5, 7, 10, 14]

/** Seconds. A decision takes microseconds, a picture's embedding tens of milliseconds, a cold model seconds. */
export const DURATION_BUCKETS = [
  0.00001, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** The buckets of scores in a unit, with the thresholds of its detectors among them. */
export function scoreBuckets(unit: ScoreUnit, thresholds: readonly number[]): number[] {
  const positive = thresholds.filter((threshold) => Number.isFinite(threshold) && threshold > 0)
  return [...new Set([...SCORES[unit], ...positive])].sort((a, b) => a - b)
}
