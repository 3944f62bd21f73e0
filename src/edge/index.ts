/** Monitors at the edge: what remembers, and what stands in front of a model. Fetch-standard things only. */
export { type Identify, type IdentifyOptions, identifyClient } from './client/identify.ts'
export type { Secret } from './client/keyedHash.ts'
export { type Cloudflare, type CloudflareOptions, cloudflare, type ObjectClass } from './cloudflare/cloudflare.ts'
export type { CloudflareConfig, CloudflareParts } from './cloudflare/config.ts'
export type { CloudflareMonitor } from './cloudflare/monitor.ts'
export type { CloudflareEnv, KvNamespace, ObjectNamespace, ObjectState } from './cloudflare/platform.ts'
export { type DurableMonitor, type DurableOptions, durableMonitor } from './journal/durableMonitor.ts'
export { Journal } from './journal/journal.ts'
export { lateAfter } from './journal/late.ts'
export type { JournalDescription, JournalEvent, JournalOptions } from './journal/options.ts'
export { decodeEntry, encodeEntry, type LoggedEntry } from './journal/record.ts'
export type { Machine } from './journal/replica.ts'
export type { DelayOptions } from './middleware/delay.ts'
export { honoMonitor } from './middleware/honoMonitor.ts'
export { type Handler, monitorFetch, type Watched, type WatchedHandler } from './middleware/monitorFetch.ts'
export type { BodyCopy, RequestCopy } from './middleware/openCopy.ts'
export type { Decoy, LimitsOptions, MonitorOptions, Reply, When } from './middleware/options.ts'
export { type ProbabilitiesOptions, probabilitiesAt, type ReadOutput } from './middleware/output.ts'
export { type FromJsonOptions, fromBody, fromJson, fromMultipart, type ReadQuery } from './middleware/query.ts'
export type { Refusal } from './middleware/refusal.ts'
export type { EdgeCounts, EdgeEvent, FailureCode, SkipReason } from './middleware/tally.ts'
export type { Watcher } from './middleware/watcher.ts'
export { type DenoKvLike, type DenoKvOptions, denoKvStores } from './stores/denoKv.ts'
export { type IndexedDbOptions, indexedDbStores } from './stores/indexedDb.ts'
export { memoryStores } from './stores/memory.ts'
export { type SqlStorageLike, sqlStores } from './stores/sql.ts'
export {
  type Appended,
  appendedAfter,
  checkFollows,
  type LogRecord,
  type LogStore,
  numberOf,
  positionOf,
  type SnapshotStore,
  type Stores,
  type SuspensionBoard,
} from './stores/store.ts'
