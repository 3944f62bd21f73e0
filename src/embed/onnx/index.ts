/** Models by onnxruntime: any ONNX file as an embedder, our own network, and a session under watch. */
export { type CopyNetOptions, copyNet } from './copyNet.ts'
export { explain } from './explain.ts'
export {
  type FeedInput,
  type FeedMaker,
  type FromOnnxOptions,
  fromOnnx,
  type OnnxOptions,
  type PixelInput,
  type ThumbnailInput,
} from './fromOnnx.ts'
export { withRuntimeLock } from './lock.ts'
export { type MonitorOnnxOptions, monitorOnnx, type WatchedRunOptions, type WatchedSession } from './monitorOnnx.ts'
export { type PictureOptions, type PictureRule, pictureFeed, pictureRule } from './picture.ts'
export type {
  ArtifactOptions,
  Artifacts,
  Feed,
  Feeds,
  Outputs,
  RuntimeOptions,
  SessionLike,
  TensorData,
  TensorLike,
} from './types.ts'
