/** The margin trend before the laws. */
import { createDetector, type MarginTrendConfig, type Observation, type Shingles } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random } from '../tools/random.ts'

const SEED = 20261124

type Subject = LawSubject<Observation> & { readonly detector: string }

function trendSubject(what: string, options: Partial<MarginTrendConfig> = {}): Subject {
  const config = { maxHistorySize: 15, least: 3, members: 20, groups: 2, ...options }
  const shingles = hashes(1, random(1))
  const probabilities = [0.2, 0.5, 0.3]
  return {
    detector: 'margin_trend',
    name: `margin_trend, ${what}`,
    window: 100,
    make: () => createDetector('margin_trend', config),
    queries: (count) => stream(SEED, count, (i) => i % 50 < 20),
    bad: {
      nothing: {},
      null: null,
      'shingles alone': { shingles },
      'an answer alone': { probabilities },
      'a hash twice': { shingles: { hashes: new Uint32Array(4).fill(7), windows: 9 }, probabilities },
      'other classes': { shingles, probabilities: [0.5, 0.5] },
      'one class': { shingles, probabilities: [1] },
      NaN: { shingles, probabilities: [0.5, Number.NaN, 0] },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () =>
      stream(SEED + 1, 160, (i) => i >= 80).map((observation, i) => ({ observation, suspicious: i >= 100 })),
    async: {
      make: () => getDetector('margin_trend', config),
      queries: (count) =>
        Array.from({ length: count }, (_, i) => ({
          input: `How do I block card ${i % 4} of mine before it is used by somebody else?`,
          modelOutput: [0.9 - i / 50, 0.1, i / 50],
        })),
      failing: { input: 'an answer is missing' },
    },
  }
}

/** The hashes of one of a few inputs, two of thirty of them new. */
function hashes(input: number, next: () => number): Shingles {
  const own = random(input)
  const words = Array.from({ length: 30 }, () => Math.floor(2 ** 32 * own()))
  for (let i = 0; i < 2; i++) words[Math.floor(30 * next())] = Math.floor(2 ** 32 * next())
  const sorted = [...new Set(words)].sort((a, b) => b - a)
  return { hashes: Uint32Array.from(sorted.flatMap((word) => [word, 0])), windows: 40 }
}

/** Like inputs whose margins fall where `falls` says so, and lie anyhow where not; others in between. */
function stream(seed: number, count: number, falls: (i: number) => boolean): Observation[] {
  const next = random(seed)
  let sure = 0.95
  return Array.from({ length: count }, (_, i) => {
    const isFalling = falls(i)
    sure = isFalling ? Math.max(sure - 0.04 * next(), 0.05) : 0.95
    const p = isFalling ? sure : 0.5 + 0.45 * next()
    const input = i % 6 === 5 ? 1000 + i : isFalling ? 1 : 2
    return { shingles: hashes(input, next), probabilities: [p, 0.7 * (1 - p), 0.3 * (1 - p)] }
  })
}

export const trendSubjects = [
  trendSubject('the defaults'),
  trendSubject('logits, one group', { outputs: 'logits', groups: 1, alpha: 0.2 }),
  trendSubject('labels alone', { outputs: 'labels', overlap: 10, members: 60, key: 2 ** 40 + 5 }),
]
