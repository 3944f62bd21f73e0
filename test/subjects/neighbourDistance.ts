/** The nearest neighbours before the laws. */
import { createDetector, type NeighbourDistanceConfig, type Observation } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random, vector } from '../tools/random.ts'

const SEED = 20261124
const DIMENSION = 12

type Subject = LawSubject<Observation> & { readonly detector: string }

function neighbourSubject(what: string, config: Partial<NeighbourDistanceConfig>, window = 20): Subject {
  return {
    detector: 'neighbour_distance',
    name: `neighbour_distance, ${what}`,
    window,
    make: () => createDetector('neighbour_distance', { k: 3, maxHistorySize: 20, threshold: 2, ...config }),
    queries: (count) => stream(SEED, count).map(({ embedding }) => ({ embedding })),
    isSuspicious: (d) => d.score > d.threshold,
    bad: {
      nothing: {},
      null: null,
      'an empty vector': { embedding: [] },
      'another length': { embedding: [1, 2, 3] },
      NaN: { embedding: Float64Array.from({ length: DIMENSION }, (_, i) => (i === 5 ? Number.NaN : 1)) },
      strings: { embedding: Array.from({ length: DIMENSION }, () => '1') },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () =>
      stream(SEED + 1, 80).map(({ embedding, isNear }) => ({ observation: { embedding }, suspicious: isNear })),
    async: {
      make: () => getDetector('neighbour_distance', { k: 3, maxHistorySize: 20, threshold: 0.6, ...config }),
      queries: (count) => Array.from({ length: count }, (_, i) => ({ input: `How do I block card ${i % 4} of mine?` })),
      failing: { input: '' },
    },
  }
}

/** Every second query lies near one of a few places. */
function stream(seed: number, count: number): { readonly embedding: ArrayLike<number>; readonly isNear: boolean }[] {
  const next = random(seed)
  const places = [vector(next, DIMENSION), vector(next, DIMENSION)]
  return Array.from({ length: count }, (_, i) => {
    const isNear = i % 2 === 1
    const near = places[Math.floor(i / 40) % 2]!.map((x) => x + 0.2 * (next() - 0.5))
    const embedding = isNear ? near : vector(next, DIMENSION)
    return { embedding: i % 3 === 0 ? Float32Array.from(embedding) : embedding, isNear }
  })
}

export const neighbourSubjects = [
  // After 23 queries the next alarm is due: the memory is as full as it gets.
  neighbourSubject('forgetting after an alarm', {}, 23),
  neighbourSubject('remembering after an alarm', { resetOnAlarm: false }),
  neighbourSubject('one neighbour', { k: 1, threshold: 1 }),
  neighbourSubject('exact vectors', { storage: 'exact', resetOnAlarm: false }),
]
