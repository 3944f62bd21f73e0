/** Distributions of scores for the eye: the buckets that matter, and where the threshold stands among them. */
import type { Scores, ScoreUnit } from './wire.ts'

export interface Bin {
  /** Scores above this … Undefined for the first bucket. */
  readonly above?: number
  /** … up to this, inclusive. Undefined for the last bucket. */
  readonly upTo?: number
  readonly count: number
  /** At or over the threshold, as a whole. */
  readonly isOver: boolean
}

export interface Distribution {
  readonly bins: readonly Bin[]
  /** Of the threshold, in widths of a bin from the left edge of the first one. */
  readonly place: number
}

/**
 * The buckets from the first to the last that is not empty, and in any case those beside the threshold. Counts are whole
 * numbers, so the bucket that ends at the threshold is over it; anywhere else a bucket is over it that begins there.
 */
export function distribution({ bounds, counts }: Scores, threshold: number, unit: ScoreUnit): Distribution {
  const place = placeOf(bounds, unit === 'count' ? Math.ceil(threshold) - 1 : threshold)
  const filled = counts.flatMap((count, i) => (count > 0 ? [i] : []))
  const first = Math.max(0, Math.min(filled[0] ?? Infinity, Math.ceil(place) - 1))
  const last = Math.min(counts.length - 1, Math.max(filled.at(-1) ?? 0, Math.floor(place)))
  const bins = counts.slice(first, last + 1).map((count, k): Bin => {
    const i = first + k
    const [above, upTo] = [bounds[i - 1], bounds[i]]
    const edges = { ...(above === undefined ? {} : { above }), ...(upTo === undefined ? {} : { upTo }) }
    return { ...edges, count, isOver: i >= place }
  })
  return { bins, place: place - first }
}

/** How many buckets lie below a value; a fraction where it lies within one. */
function placeOf(bounds: readonly number[], value: number): number {
  const i = bounds.findIndex((bound) => bound >= value)
  if (i === -1) return bounds.length
  const low = bounds[i - 1]
  return low === undefined ? (value < bounds[0]! ? 0 : 1) : i + (value - low) / (bounds[i]! - low)
}

/** What came after an earlier look at the same histogram; all of it if there is none, or if the server began anew. */
export function since(now: Scores, before: Scores | undefined): Scores {
  const counts = now.counts.map((count, i) => count - (before?.counts[i] ?? 0))
  return counts.some((count) => count < 0) ? now : { bounds: now.bounds, counts }
}

/** A bin in words: `3`, `7–8`, `0.7 – 0.8`, `above 14`. */
export function nameOf({ above, upTo }: Bin, unit: ScoreUnit): string {
  if (upTo === undefined) return `above ${above}`
  if (unit !== 'count') return above === undefined ? `up to ${upTo}` : `${above} – ${upTo}`
  const from = (above ?? 0) + 1
  return from >= upTo ? String(upTo) : `${from}–${upTo}`
}
