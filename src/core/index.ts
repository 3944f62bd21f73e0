/**
 * The platform-free core: what a detector is, and every number. Pure and synchronous; the same input gives the same
 * result on every runtime.
 */
export type { Builtins } from './builtins.ts'
export { fromBytes, toBytes } from './bytes.ts'
export {
  type ColumnSchema,
  canonicalRow,
  checkRow,
  checkRowSchema,
  type RowSchema,
  rowFingerprint,
  rowVector,
} from './canonical.ts'
export { checkFunction, checkNumber, checkObject, hint, isPlainObject, refuse } from './checkers.ts'
export { type DetectorSpec, defineDetector, type Logic, makeDetector } from './detector.ts'
export type { ConfidenceConfig, ConfidenceMetadata } from './detectors/confidence.ts'
export type { ImageRepetitionConfig, RepetitionConfig, RepetitionMetadata } from './detectors/repetition.ts'
export type { SimilarityConfig, SimilarityFunction, SimilarityMetadata } from './detectors/similarity.ts'
export type { TabularSimilarityConfig } from './detectors/tabularSimilarity.ts'
export { embedRow } from './embedRow.ts'
export { embedText } from './embedText.ts'
export {
  type ErrorCode,
  errorFromPlain,
  isMonitorError,
  MonitorError,
  type PlainError,
  toMonitorError,
  withPath,
} from './errors.ts'
export { type FitTabularOptions, fitTabular } from './fitTabular.ts'
export { sha256Hex } from './hash.ts'
export { hammingDistance, perceptualHash } from './phash.ts'
export { type EmbedPixelsOptions, embedPixels, THUMBNAIL_SIZE, thumbnail } from './pictures/index.ts'
export { checkPixels, flattenAlpha, mirrorPixels, toBytes as toPixelBytes } from './pixels.ts'
export { checkProbabilities, checkScores, softmax } from './probability.ts'
export {
  type ConfigOf,
  createDetector,
  createRegistry,
  type DetectorListing,
  type DetectorOf,
  type ListFilter,
  listDetectors,
  type MetadataOf,
  type ObservationOf,
  type Registry,
  type Specs,
} from './registry.ts'
export { axisWeights } from './resample.ts'
export { normalizeText, textFingerprint } from './text.ts'
export type {
  Cell,
  Description,
  Detection,
  Detector,
  Feature,
  Modality,
  Observation,
  Pixels,
  PlainData,
  Row,
  Snapshot,
} from './types.ts'
export { checkVector } from './vectorRing.ts'
