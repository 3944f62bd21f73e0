/** The update geometry before the laws. */
import { createDetector, type Observation, type UpdateGeometryConfig } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random, vector } from '../tools/random.ts'

const SEED = 20261124
const DIMENSION = 6
/** Of unrelated normal vectors, about. */
const SPREAD = [5, 40, 60, 40, 20, 10, 3]

type Subject = LawSubject<Observation> & { readonly detector: string }

function geometrySubject(what: string, turns: number, options: Partial<UpdateGeometryConfig> = {}): Subject {
  const config = { reference: { counts: SPREAD, turns, threshold: 0.2 }, ...options }
  return {
    detector: 'update_geometry',
    name: `update_geometry, ${what}`,
    // Every seventh query is a repeat.
    window: 2 * turns + 4,
    make: () => createDetector('update_geometry', config),
    queries: (count) => stream(SEED, count, (i) => i % 60 >= 30),
    isSuspicious: (d) => d.score > d.threshold,
    bad: {
      nothing: {},
      null: null,
      'an empty vector': { vector: [] },
      'another length': { vector: [1, 2, 3] },
      NaN: { vector: Float64Array.from({ length: DIMENSION }, (_, i) => (i === 5 ? Number.NaN : 1)) },
      'a number too large': { vector: Array.from({ length: DIMENSION }, () => 1e16) },
      strings: { vector: Array.from({ length: DIMENSION }, () => '1') },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () =>
      stream(SEED + 1, 160, (i) => i >= 80).map((observation, i) => ({ observation, suspicious: i >= 90 })),
    async: {
      make: () => getDetector('update_geometry', config),
      queries: (count) => Array.from({ length: count }, (_, i) => ({ input: { a: i % 7, b: i / 3 } })),
      failing: { input: { a: 1, b: Number.NaN } },
    },
  }
}

/** Unrelated vectors, or steps there and back along one coordinate after the other. */
function stream(seed: number, count: number, isProbe: (i: number) => boolean): Observation[] {
  const next = random(seed)
  let base = vector(next, DIMENSION)
  return Array.from({ length: count }, (_, i) => {
    if (i % 7 !== 6) {
      const at = Math.floor(i / 2) % DIMENSION
      base = isProbe(i) ? base.with(at, base[at]! + (i % 2 === 0 ? 0.1 : -0.1)) : vector(next, DIMENSION)
    }
    return { vector: i % 3 === 0 ? Float32Array.from(base) : base.slice() }
  })
}

export const geometrySubjects = [
  geometrySubject('ten turns', 10),
  geometrySubject('a threshold of its own', 16, { threshold: 0.4 }),
  geometrySubject('three parts, six turns', 6, { reference: { counts: [8, 2, 1], turns: 6, threshold: 0.1 } }),
]
