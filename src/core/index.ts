/**
 * The platform-free core: what a detector is, and every number. Pure and synchronous; the same input gives the same
 * result on every runtime.
 */
export type { Builtins } from './builtins.ts'
export { fromBytes, fromFrame, toBytes, toFrame } from './bytes.ts'
export { type CalibrateDetectorOptions, calibrate, type NamedDetector, readNamed } from './calibration/calibrate.ts'
export { type BenignObservation, CALIBRATE_KEYS, type CalibrateOptions, Calibrator } from './calibration/calibrator.ts'
export { configHashOf } from './calibration/configHash.ts'
export type { Promised } from './calibration/promise.ts'
export type { Calibration, HoldsFor, Subject } from './calibration/record.ts'
export { stableJson } from './calibration/stableJson.ts'
export {
  type ColumnSchema,
  canonicalRow,
  checkRow,
  checkRowSchema,
  type RowSchema,
  rowFingerprint,
  rowVector,
} from './canonical.ts'
export {
  checkChoice,
  checkFunction,
  checkNumber,
  checkObject,
  elementType,
  hint,
  isPlainObject,
  refuse,
} from './checkers.ts'
export { coverageProfile } from './coverage/profile.ts'
export {
  type Calibrated,
  type DetectorSpec,
  defineDetector,
  type Logic,
  makeDetector,
  type PreparedDetector,
} from './detector.ts'
export type { DetectorCost } from './detectorCosts.ts'
export type { ConfidenceConfig, ConfidenceMetadata } from './detectors/confidence.ts'
export type { ContentFingerprintConfig, ContentFingerprintMetadata } from './detectors/contentFingerprint.ts'
export type { CoverageConfig, CoverageMetadata } from './detectors/coverage.ts'
export type { DescentLineageMetadata } from './detectors/descentLineage.ts'
export type { DistributionShiftConfig, DistributionShiftMetadata } from './detectors/distributionShift.ts'
export { type ExtractionProbe, extractionProbes } from './detectors/extraction/probes.ts'
export type { ExtractionStatusConfig, ExtractionStatusMetadata } from './detectors/extractionStatus.ts'
export type { AnswerFollowingConfig } from './detectors/following/config.ts'
export type { AnswerFollowingMetadata } from './detectors/following/describe.ts'
export { type FitGeometryOptions, fitGeometry, type GeometryReference } from './detectors/geometry/reference.ts'
export type { HardnessForm } from './detectors/hardness/histogram.ts'
export { type FitHardnessOptions, fitHardness, type HardnessReference } from './detectors/hardness/reference.ts'
export type { HardnessHistogramConfig, HardnessHistogramMetadata } from './detectors/hardnessHistogram.ts'
export type { DescentLineageConfig } from './detectors/lineage/config.ts'
export type { MarginTrendConfig, MarginTrendMetadata } from './detectors/marginTrend.ts'
export type { NeighbourDistanceConfig, NeighbourDistanceMetadata } from './detectors/neighbourDistance.ts'
export type { PradaConfig, PradaMetadata } from './detectors/prada.ts'
export type { ProvenanceConfig, ProvenanceMetadata } from './detectors/provenance.ts'
export type { QueryRateConfig, QueryRateMetadata, RateWindow } from './detectors/queryRate.ts'
export type { ImageRepetitionConfig, RepetitionConfig, RepetitionMetadata } from './detectors/repetition.ts'
export type { ShiftEvidence } from './detectors/shift/bets.ts'
export { type FitShiftOptions, fitShift } from './detectors/shift/fit.ts'
export type { ShiftReference } from './detectors/shift/reference.ts'
export type { SimilarityConfig, SimilarityFunction, SimilarityMetadata } from './detectors/similarity.ts'
export type { TabularSimilarityConfig } from './detectors/tabularSimilarity.ts'
export type { UpdateGeometryConfig, UpdateGeometryMetadata } from './detectors/updateGeometry.ts'
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
export { sha256Hex, sha256HexAfter, sha256HexOfText } from './hash.ts'
export { isDeeperThan } from './json.ts'
export { installKernels, type WasmModule } from './kernels/wasm.ts'
export { hammingDistance, perceptualHash } from './phash.ts'
export { type EmbedPixelsOptions, embedPixels, THUMBNAIL_SIZE, thumbnail } from './pictures/index.ts'
export { pictureVector } from './pictureVector.ts'
export { type InPieces, inPieces, restoreInPieces } from './pieces.ts'
export { checkPixels, flattenAlpha, mirrorPixels, toBytes as toPixelBytes } from './pixels.ts'
export { checkProbabilities, checkScores, softmax } from './probability.ts'
export { recommended, type Use } from './recommended.ts'
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
export { scaledRow } from './scaledRow.ts'
export { type ShingleOptions, shingleOptionsOf } from './shingles/options.ts'
export { type PictureShingleOptions, pictureShingles, rowShingles, textShingles } from './shingles/shingles.ts'
export { simHash } from './simHash.ts'
export {
  Adwin,
  type AdwinOptions,
  ConformalScale,
  Cusum,
  type CusumOptions,
  clopperPearson,
  conformalPValue,
  conformalSize,
  cusumRunLength,
  eBenjaminiHochberg,
  FeatureMean,
  type FeatureMeanOptions,
  type Grubbs,
  grubbs,
  grubbsOutliers,
  type Interval,
  KendallWindow,
  kendallTau,
  type MmdOptions,
  meanLogE,
  medianBandwidth,
  mixtureLogE,
  mmdSquared,
  mmdSquaredOfMeans,
  PowerProcess,
  type PowerProcessOptions,
  powerLogE,
  QuantileSketch,
  type QuantileSketchOptions,
  RandomFeatures,
  type RandomFeaturesOptions,
  rejectsAt,
  SequentialRanks,
  type ShapiroWilk,
  SimpleJumper,
  type SimpleJumperOptions,
  shapiroWilk,
} from './stats/index.ts'
export type { Technique } from './techniques.ts'
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
  Shingles,
  Snapshot,
} from './types.ts'
export { checkVector } from './vectorRing.ts'
