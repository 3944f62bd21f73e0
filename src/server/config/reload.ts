/** What may change while the server runs. */
import { MonitorError } from '../../core/index.ts'
import type { ModelConfig, ServerConfig } from './config.ts'

/** Parts of the configuration that are read once, at the start. */
const FIXED = ['host', 'port', 'token', 'cors', 'state', 'metrics'] as const
/** Limits that size things when they are made. */
const FIXED_LIMITS = [
  'maxConnections',
  'maxHeaderBytes',
  'receiveTimeoutMs',
  'maxListeners',
  'listenerQueue',
  'maxEventsPerSecond',
  'recentPerClient',
  'recentClients',
  'maxPixels',
  'maxBodyBytes',
] as const

/**
 * Throws `bad_config` unless the two differ in thresholds, policies, calibration dates, log settings and the limits that
 * can change only: everything else shapes the state or what listens.
 */
export function checkReload(before: ServerConfig, after: ServerConfig): void {
  for (const key of FIXED) if (!isSame(before[key], after[key])) needsRestart(key)
  for (const key of FIXED_LIMITS) if (before.limits[key] !== after.limits[key]) needsRestart(`limits.${key}`)
  if (!isSame(namesOf(before), namesOf(after))) needsRestart('models')
  for (const [i, model] of after.models.entries()) {
    const old = before.models[i]!
    if (!isSame(withoutThresholds(old), withoutThresholds(model))) needsRestart(`models[${i}].detectors`)
    if (!isSame(old.clients, model.clients)) needsRestart(`models[${i}].clients`)
  }
}

function namesOf({ models }: ServerConfig): readonly string[] {
  return models.map(({ name }) => name)
}

function withoutThresholds({ detectors }: ModelConfig): unknown {
  return detectors.map((detector) => (typeof detector === 'string' ? detector : { ...detector, threshold: 0 }))
}

/** Both are plain data that came from a file. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

function needsRestart(path: string): never {
  const message = 'cannot change while the server runs; restart it, or put the old value back'
  throw new MonitorError('bad_config', message, path)
}
