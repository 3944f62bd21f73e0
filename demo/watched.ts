/**
 * The detectors of this page as metrics show them. Written out, since the library's own table carries all detectors, none
 * of which runs in the page itself; a test holds the two equal.
 */
import type { MonitoredDetector } from '../src/core/monitor/index.ts'
import type { MonitorConfig } from '../src/embed/index.ts'
import type { WatchedDetector } from '../src/server/metrics/index.ts'

interface Kind {
  readonly family: string
  readonly unit: WatchedDetector['unit']
  /** Where the detector's options name none. */
  readonly threshold?: number
}

const SIMILARITY: Kind = { family: 'similarity', unit: 'cosine' }
const REPETITION: Kind = { family: 'repetition', unit: 'count' }

const KINDS: Readonly<Record<string, Kind>> = {
  answer_following: { family: 'following', unit: 'share', threshold: 1 },
  image_repetition: REPETITION,
  image_similarity: SIMILARITY,
  tabular_repetition: REPETITION,
  tabular_similarity: SIMILARITY,
  text_repetition: REPETITION,
  text_similarity: SIMILARITY,
}

/** The detectors of a configuration of this page, which writes each of them as an object. */
export function watchedHere({ detectors }: Pick<MonitorConfig, 'detectors'>): WatchedDetector[] {
  return (detectors as readonly MonitoredDetector[]).map(({ name, scope = 'client', ...options }) => {
    const { threshold, ...kind } = KINDS[name]!
    return { label: name, name, scope, ...kind, threshold: threshold ?? Number(options['threshold']), options }
  })
}
