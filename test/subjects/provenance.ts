/** The provenance before the laws. */
import { createDetector, type Observation, type ProvenanceConfig } from '../../src/core/index.ts'
import { getDetector } from '../../src/embed/index.ts'
import type { LawSubject } from '../../src/laws/index.ts'
import { random } from '../tools/random.ts'

const SEED = 20261124

type Subject = LawSubject<Observation> & { readonly detector: string }

function provenanceSubject(what: string, digits: 16 | 32, options: Partial<ProvenanceConfig> = {}): Subject {
  const config = { threshold: 3, maxHistorySize: 30, ...options }
  return {
    detector: 'provenance',
    name: `provenance, ${what}`,
    window: 30,
    make: () => createDetector('provenance', config),
    queries: (count) => families(SEED, count, digits).map(({ fingerprint }) => ({ fingerprint })),
    isSuspicious: (d) => d.score > d.threshold,
    bad: {
      nothing: {},
      null: null,
      'an empty hash': { fingerprint: '' },
      'a number': { fingerprint: 5 },
      'a hash of another length': { fingerprint: '0123456789abcdef01' },
      'SHA-256': { fingerprint: 'a'.repeat(64) },
      'no hexadecimal digits': { fingerprint: 'g'.repeat(digits) },
      'upper case': { fingerprint: 'A'.repeat(digits) },
    },
    foreign: { detector: 'other', version: 1, state: {} },
    labelled: () =>
      families(SEED + 1, 120, digits).map(({ fingerprint, isNear }) => ({
        observation: { fingerprint },
        suspicious: isNear,
      })),
    async: {
      make: () => getDetector('provenance', config),
      queries: (count) => Array.from({ length: count }, (_, i) => ({ input: `How do I block card ${i % 4} of mine?` })),
      failing: { input: '' },
    },
  }
}

/** Every third query is one digit away from an earlier one of a family. */
function families(seed: number, count: number, digits: number): { fingerprint: string; isNear: boolean }[] {
  const next = random(seed)
  const digit = () => Math.floor(16 * next()).toString(16)
  const fresh = () => Array.from({ length: digits }, digit).join('')
  let last = fresh()
  return Array.from({ length: count }, (_, i) => {
    const isNear = i % 3 === 2
    const at = Math.floor(next() * digits)
    if (i % 45 === 0) last = fresh()
    if (isNear) last = last.slice(0, at) + digit() + last.slice(at + 1)
    return { fingerprint: isNear ? last : fresh(), isNear }
  })
}

export const provenanceSubjects = [
  provenanceSubject('texts', 32),
  provenanceSubject('pictures', 16),
  provenanceSubject('a small radius', 32, { textRadius: 2, alpha: 0.2, threshold: 1.5 }),
]
