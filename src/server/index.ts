/** The monitoring server as an app with a plain `fetch`, for hosts of your own: Node, Deno, Bun, Workers. */
export {
  checkConfig,
  isLoopback,
  type ModelConfig,
  type ServerConfig,
  type ServerConfigInput,
} from './config/config.ts'
export type { LimitsConfig, ServerLimits } from './config/limits.ts'
export { createServerApp, type ServerApp } from './http/app.ts'
export type { DirectAnswer, DirectDetect } from './http/direct.ts'
export type { LogRecord } from './http/log.ts'
export type { Asset, Build, ServerAppOptions } from './http/service.ts'
export { createMetrics, type Metrics } from './metrics/provider.ts'
export { type RedisStoresOptions, redisStores } from './redis/redisStores.ts'
export { type FileStoresOptions, fileStores } from './stores/fileStores.ts'
export { type SealedStoresOptions, sealedStores } from './stores/sealedStores.ts'
