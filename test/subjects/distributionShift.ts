/** The distribution shift before the laws. */
import { createDetector, type FitShiftOptions, fitShift, type Observation } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random, vector } from '../tools/random.ts'

const SEED = 20261124
const DIMENSION = 6

type Subject = LawSubject<Observation> & { readonly detector: string }

function shiftSubject(what: string, fit: FitShiftOptions): Subject {
  const clients = Array.from({ length: 40 }, (_, i) => stream(i, 30, () => false))
  const config = { reference: fitShift(clients, { queries: 16, references: 40, alpha: 0.1, frequencies: 32, ...fit }) }
  return {
    detector: 'distribution_shift',
    name: `distribution_shift, ${what}`,
    window: 16,
    make: () => createDetector('distribution_shift', config),
    queries: (count) => stream(SEED, count, (i) => i % 50 >= 25).map((embedding) => ({ embedding })),
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
      stream(SEED + 1, 140, (i) => i >= 70).map((embedding, i) => ({
        observation: { embedding },
        suspicious: i >= 80,
      })),
    async: {
      make: () =>
        getDetector('distribution_shift', { ...config, embedder: (input) => [1, 2, 3, 4, 5, String(input).length] }),
      queries: (count) => Array.from({ length: count }, (_, i) => ({ input: 'x'.repeat(1 + (i % 7)) })),
      failing: { input: '' },
    },
  }
}

/** Directions around one, or around its opposite. */
function stream(seed: number, count: number, isForeign: (i: number) => boolean): ArrayLike<number>[] {
  const next = random(seed)
  return Array.from({ length: count }, (_, i) => {
    const embedding = vector(next, DIMENSION).map((x, k) => x + (k === 0 ? (isForeign(i) ? -2 : 2) : 0))
    return i % 3 === 0 ? Float32Array.from(embedding) : embedding
  })
}

export const shiftSubjects = [
  shiftSubject('a stream', {}),
  shiftSubject('a window', { form: 'window' }),
  shiftSubject('a window at every query', { form: 'window', every: 1 }),
  shiftSubject('bets', { form: 'bets', every: 10 }),
]
