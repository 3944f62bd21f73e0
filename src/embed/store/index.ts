/** Model files by URL, path or bytes: checked before use, cached, shared by concurrent callers. */
export { type CacheChoice, checkCacheChoice } from './cache.ts'
export { checkDigest } from './digest.ts'
export { type LoadModelOptions, loadModel } from './load.ts'
export type { ModelSource } from './source.ts'
