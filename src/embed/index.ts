/** From raw input to features, and the hosts that wait for them. */
export {
  type CalibrateMonitorOptions,
  type CalibrateStreamOptions,
  calibrateStreamMonitor,
  createStreamMonitor,
  type Entry,
  type MonitorCalibration,
  type QueryEntry,
  type StreamMonitor,
  type StreamMonitorConfig,
} from '../core/monitor/index.ts'
export { imageOfBase64 } from './base64.ts'
export {
  type BenignQueries,
  type CalibrateHostOptions,
  calibrate,
  calibrateMonitor,
  createCalibrator,
  createMonitorCalibrator,
  type QueryCalibrator,
} from './calibrate.ts'
export { parseRecord } from './csv.ts'
export {
  type AsyncDetector,
  type DetectorConfig,
  type DetectorHostOptions,
  detectorOver,
  getDetector,
  type InputOfSpec,
  loadDetector,
} from './detector.ts'
export { type DoctorCheck, type DoctorOptions, doctor } from './doctor.ts'
export type {
  Backend,
  BackendChange,
  Capabilities,
  EmbedderEvent,
  LoadOptions,
  ModelEmbedder,
  ProgressEvent,
} from './embedder.ts'
export {
  type AnyRegistry,
  type DetectorEngine,
  type Engine,
  featurizeAll,
  readyOf,
  splitName,
} from './engine.ts'
export { createDetectorEngine, createMonitorEngine } from './engines.ts'
export type { Embedder, FeatureInput, Hash, Limits } from './featureConfig.ts'
export { decodeImage, type ImageInput } from './image.ts'
export { type ImageHeader, readImageHeader } from './imageHeader.ts'
export { type EmbedderDescription, embedderFrom } from './makers.ts'
export { type MonitorModelOptions, monitorModel } from './model.ts'
export {
  capabilitiesOfAll,
  disposeAll,
  type LabelledModel,
  listenToAll,
  type ModelCapabilities,
  type ModelEvent,
  type ModelHost,
  modelHost,
  warmupAll,
} from './models.ts'
export {
  createMonitor,
  type Monitor,
  type MonitorConfig,
  type MonitorHostEvent,
  type MonitorHostOptions,
} from './monitor.ts'
export {
  type Applied as MonitorApplied,
  announce,
  type EngineOptions,
  type MonitorEngine,
  monitorEngineWith,
  stamp,
} from './monitorEngine.ts'
export {
  type ArtifactOptions,
  type Artifacts,
  type CopyNetOptions,
  copyNet,
  explain,
  type Feed,
  type FeedInput,
  type FeedMaker,
  type Feeds,
  type FromOnnxOptions,
  fromOnnx,
  type MonitorOnnxOptions,
  monitorOnnx,
  type OnnxOptions,
  type Outputs,
  type PictureOptions,
  type PictureRule,
  type PixelInput,
  pictureFeed,
  pictureRule,
  type RuntimeOptions,
  type SessionLike,
  type TensorData,
  type TensorLike,
  type ThumbnailInput,
  type WatchedRunOptions,
  type WatchedSession,
  withRuntimeLock,
} from './onnx/index.ts'
export { type CallOptions, Order, type OrderOptions } from './order.ts'
export { fewParts, type Parts } from './parts.ts'
export { copyOf, copyOfView, holdQuery, type InputKind, type InputOf, kindOf, type Query } from './query.ts'
export { type CacheChoice, type LoadModelOptions, loadModel, type ModelSource } from './store/index.ts'
export { type Dtype, fromTransformers, type TransformersOptions, type TransformersTask } from './transformers/index.ts'
