/** PRADA before the laws. */
import { createDetector, type Observation, type PradaConfig } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { normal, random } from '../tools/random.ts'

const SEED = 20261124

type Subject = LawSubject<Observation> & { readonly detector: string }

function pradaSubject(what: string, options: Partial<PradaConfig> = {}): Subject {
  const config = { every: 1, leastOfClass: 3, tooFew: 10, maxHistorySize: 30, maxPoints: 12, ...options }
  const vector = [0.1, 0.2, 0.3]
  const probabilities = [0.2, 0.8]
  return {
    detector: 'prada',
    name: `prada, ${what}`,
    // Until then points come, as the limit rises slowly.
    window: 240,
    make: () => createDetector('prada', config),
    queries: (count) => stream(SEED, count, (i) => i % 60 < 30),
    isSuspicious: (d) => d.score > d.threshold,
    bad: {
      nothing: {},
      null: null,
      'a vector alone': { vector },
      'an answer alone': { probabilities },
      'an empty vector': { vector: [], probabilities },
      NaN: { vector: [1, Number.NaN, 1], probabilities },
      'a number too large': { vector: [1, 1e101, 1], probabilities },
      'one class': { vector, probabilities: [1] },
      strings: { vector: ['1', '2'], probabilities },
      'NaN among the answers': { vector, probabilities: [Number.NaN, 1] },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () =>
      stream(SEED + 1, 160, (i) => i < 80).map((observation, i) => ({ observation, suspicious: i >= 100 })),
    async: {
      make: () => getDetector('prada', config),
      queries: (count) =>
        Array.from({ length: count }, (_, i) => ({ input: { a: i % 7, b: i / 3 }, modelOutput: [i % 2, 1] })),
      failing: { input: { a: 1 } },
    },
  }
}

/** Natural queries, or copies of two kinds: a hair's breadth or a long way from one place. */
function stream(seed: number, count: number, isNatural: (i: number) => boolean): Observation[] {
  const next = random(seed)
  return Array.from({ length: count }, (_, i) => {
    const size = isNatural(i) ? 1 : next() < 0.85 ? 0.001 : 3
    const vector = Float64Array.from({ length: 8 }, () => size * normal(next))
    const probabilities = i % 3 === 0 ? [0.3, 0.7] : [0.6, 0.4]
    return { vector: i % 5 === 0 ? Array.from(vector) : vector, probabilities }
  })
}

export const pradaSubjects = [
  pradaSubject('a test at every query'),
  pradaSubject('a test now and then', { every: 4, threshold: 0.95, maxPoints: 40 }),
  pradaSubject('logits, one point', { outputs: 'logits', maxPoints: 1 }),
  pradaSubject('sums of numbers, few bytes', {
    maxNumbers: 5,
    maxBytes: 4096,
    maxPoints: 100_000,
    maxHistorySize: 200,
  }),
]
