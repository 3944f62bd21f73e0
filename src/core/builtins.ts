/** The table of detectors. A new one adds a file and a line here; names, options and types are derived from it. */
import { answerFollowing } from './detectors/answerFollowing.ts'
import { confidence } from './detectors/confidence.ts'
import { contentFingerprint } from './detectors/contentFingerprint.ts'
import { coverage } from './detectors/coverage.ts'
import { descentLineage } from './detectors/descentLineage.ts'
import { distributionShift } from './detectors/distributionShift.ts'
import { extractionStatus } from './detectors/extractionStatus.ts'
import { hardnessHistogram } from './detectors/hardnessHistogram.ts'
import { marginTrend } from './detectors/marginTrend.ts'
import { neighbourDistance } from './detectors/neighbourDistance.ts'
import { prada } from './detectors/prada.ts'
import { provenance } from './detectors/provenance.ts'
import { queryRate } from './detectors/queryRate.ts'
import { imageRepetition, repetition, tabularRepetition, textRepetition } from './detectors/repetition.ts'
import { imageSimilarity, similarity, textSimilarity } from './detectors/similarity.ts'
import { tabularSimilarity } from './detectors/tabularSimilarity.ts'
import { updateGeometry } from './detectors/updateGeometry.ts'

/** Every detector that ships with the library, by its registry name. */
export const builtins = {
  confidence,
  repetition,
  image_repetition: imageRepetition,
  tabular_repetition: tabularRepetition,
  text_repetition: textRepetition,
  similarity,
  image_similarity: imageSimilarity,
  tabular_similarity: tabularSimilarity,
  text_similarity: textSimilarity,
  descent_lineage: descentLineage,
  content_fingerprint: contentFingerprint,
  neighbour_distance: neighbourDistance,
  coverage,
  query_rate: queryRate,
  prada,
  margin_trend: marginTrend,
  hardness_histogram: hardnessHistogram,
  distribution_shift: distributionShift,
  provenance,
  extraction_status: extractionStatus,
  update_geometry: updateGeometry,
  answer_following: answerFollowing,
} as const

export type Builtins = typeof builtins
