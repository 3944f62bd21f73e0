/** The extraction status before the laws. */
import {
  createDetector,
  type ExtractionStatusConfig,
  extractionProbes,
  type Observation,
} from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random } from '../tools/random.ts'

const SEED = 20261124
/** A category, as `scaledRow` writes them. */
const NAME = 65_536 + 77 / 8

type Subject = LawSubject<Observation> & { readonly detector: string }

function extractionSubject(what: string, options: Partial<ExtractionStatusConfig> = {}): Subject {
  const config = { warmUp: 10, window: 40, maxBytes: 1024, threshold: 0.3, ...options }
  const answer = (p: number[]) => (options.outputs === 'logits' ? p.map((v) => Math.log(v) + 3) : p)
  const make = (seed: number, count: number, distinct = (_: number) => Infinity) =>
    rows(seed, count, distinct).map((vector) => ({ vector, probabilities: answer(model(vector)) }))
  const vector = [0.1, 0.2, 0.3]
  const probabilities = answer([0.1, 0.8, 0.1])
  return {
    detector: 'extraction_status',
    name: `extraction_status, ${what}`,
    window: 240,
    make: () => createDetector('extraction_status', config),
    queries: (count) => make(SEED, count),
    bad: {
      nothing: {},
      null: null,
      'a vector alone': { vector },
      'an answer alone': { probabilities },
      'an empty vector': { vector: [], probabilities },
      NaN: { vector: [1, Number.NaN, 1], probabilities },
      'a number too large': { vector: [1, 1e31, 1], probabilities },
      strings: { vector: ['1', '2'], probabilities },
      'one class': { vector, probabilities: [1] },
      'another number of classes': { vector, probabilities: [0.5, 0.5] },
      'NaN among the answers': { vector, probabilities: [Number.NaN, 1, 0] },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () =>
      make(SEED + 1, 160, (i) => (i < 60 ? 5 : Infinity)).map((observation, i) => ({
        observation,
        suspicious: i >= 100,
      })),
    async: {
      make: () => getDetector('extraction_status', config),
      queries: (count) =>
        Array.from({ length: count }, (_, i) => ({ input: { a: i % 7, b: `c${i % 3}` }, modelOutput: [i % 2, 1, 0] })),
      failing: { input: { a: 1 } },
    },
  }
}

/** Rows of two numbers and sometimes a category; every seventh repeats an earlier one, all do once there are enough. */
function rows(seed: number, count: number, distinct: (i: number) => number): number[][] {
  const next = random(seed)
  const seen: number[][] = []
  return Array.from({ length: count }, (_, i) => {
    if (i % 7 === 6 || seen.length >= distinct(i)) return [...seen[Math.floor(seen.length * next())]!]
    const row = [next(), next() < 0.3 ? NAME : next(), ...(next() < 0.2 ? [next()] : [])]
    seen.push(row)
    return row
  })
}

function model([a = 0, b = 0]: readonly number[]): number[] {
  if (b === NAME) return [0.2, 0.1, 0.7]
  return a < 0.5 ? [0.8, 0.15, 0.05] : [0.3, 0.6, 0.1]
}

const PROBES = extractionProbes(rows(7, 60, () => Infinity).map((vector) => ({ vector, probabilities: model(vector) })))

export const extractionSubjects = [
  extractionSubject('its own queries'),
  extractionSubject('probes', { probes: PROBES, confidence: 0.8 }),
  extractionSubject('logits, a key', { outputs: 'logits', key: 2 ** 40 + 3 }),
]
