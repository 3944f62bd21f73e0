/** Every detector in a few configurations, with observations that it takes. */
import { createDetector, type Observation } from '../../../src/core/index.ts'
import type { LawSubject } from '../../../src/laws/index.ts'
import { lineageSubjects } from '../../lineage/subject.ts'
import { fingerprintSubjects } from '../../subjects/contentFingerprint.ts'
import { coverageSubjects } from '../../subjects/coverage.ts'
import { shiftSubjects } from '../../subjects/distributionShift.ts'
import { extractionSubjects } from '../../subjects/extractionStatus.ts'
import { hardnessSubjects } from '../../subjects/hardnessHistogram.ts'
import { trendSubjects } from '../../subjects/marginTrend.ts'
import { neighbourSubjects } from '../../subjects/neighbourDistance.ts'
import { pradaSubjects } from '../../subjects/prada.ts'
import { provenanceSubjects } from '../../subjects/provenance.ts'
import { rateSubjects } from '../../subjects/queryRate.ts'
import { geometrySubjects } from '../../subjects/updateGeometry.ts'
import { distribution, random, vector } from '../../tools/random.ts'

export type Subject = Pick<LawSubject<Observation>, 'name' | 'make' | 'queries'>

function simple(name: string, config: object, observe: (next: () => number) => Observation): Subject {
  const make = () => createDetector(name as 'confidence', config)
  return {
    name,
    make,
    queries(count) {
      const next = random(1)
      return Array.from({ length: count }, () => observe(next))
    },
  }
}

const WINDOW = { maxHistorySize: 8 }

export const subjects: readonly Subject[] = [
  simple('confidence', WINDOW, (next) => ({ probabilities: distribution(next, 4, 3) })),
  simple('text_repetition', WINDOW, (next) => ({ fingerprint: `query ${Math.floor(4 * next())}` })),
  simple('image_repetition', { ...WINDOW, radius: 3 }, (next) => ({
    fingerprint: Array.from({ length: 16 }, () => Math.floor(16 * next()).toString(16)).join(''),
  })),
  simple('text_similarity', WINDOW, (next) => ({ embedding: Float32Array.from(vector(next, 8)) })),
  simple('tabular_similarity', WINDOW, (next) => ({ row: { age: Math.floor(90 * next()), job: 'clerk', ok: true } })),
  ...lineageSubjects,
  ...fingerprintSubjects,
  ...coverageSubjects,
  ...shiftSubjects,
  ...extractionSubjects,
  ...hardnessSubjects,
  ...trendSubjects,
  ...neighbourSubjects,
  ...pradaSubjects,
  ...provenanceSubjects,
  ...rateSubjects,
  ...geometrySubjects,
]
