/** The rate before the laws. */
import { createDetector, type Observation, type QueryRateConfig } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random } from '../tools/random.ts'

const SEED = 20261124
const START = 1_790_000_000_000

type Subject = LawSubject<Observation> & { readonly detector: string }

function rateSubject(what: string, options: Partial<QueryRateConfig> = {}): Subject {
  const windows = [
    { withinMs: 1000, queries: 4 },
    { withinMs: 60_000, queries: 30 },
  ]
  const config = { windows, gaps: 8, ...options }
  return {
    detector: 'query_rate',
    name: `query_rate, ${what}`,
    window: 40,
    make: () => createDetector('query_rate', config),
    queries: (count) => times(SEED, count).map(({ timeMs }) => ({ timeMs })),
    bad: {
      nothing: {},
      null: null,
      'a date': { timeMs: new Date(0) },
      text: { timeMs: '1790000000000' },
      NaN: { timeMs: Number.NaN },
      'a time before 1970': { timeMs: -1 },
      'a time that no calendar has': { timeMs: 1e16 },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () => times(SEED + 1, 80).map(({ timeMs, isFast }) => ({ observation: { timeMs }, suspicious: isFast })),
    async: {
      make: () => getDetector('query_rate', config),
      queries: (count) => times(SEED, count).map(({ timeMs }) => ({ input: 'any', timeMs })),
      failing: { input: 'without a time' },
    },
  }
}

/** Now seconds apart, now a crowd, now and then a step back. */
function times(seed: number, count: number): { readonly timeMs: number; readonly isFast: boolean }[] {
  const next = random(seed)
  let timeMs = START
  return Array.from({ length: count }, (_, i) => {
    const isFast = i % 20 >= 12
    timeMs += isFast ? 100 * next() : 5000 * next() - 200
    return { timeMs, isFast }
  })
}

export const rateSubjects = [
  rateSubject('two windows'),
  rateSubject('bursts and clocks', { burst: 5, regularity: 0.5 }),
  rateSubject('the defaults', { windows: undefined as never, gaps: 32 }),
]
