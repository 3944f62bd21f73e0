/**
 * One monitor over several objects. A client's object has its client detectors, the evidence and the policy; one object for
 * all has the detectors of scope `global`, and what it says of a query goes into the entry for the client's object as a
 * ready detection. Each then has a log of its own that replays to its own state.
 */

import type { PlainError } from '../../core/index.ts'
import { createRegistry, type Detection, defineDetector, isPlainObject, refuse } from '../../core/index.ts'
import type { MonitoredDetector, QueryEntry, StreamMonitorConfig, Verdict } from '../../core/monitor/index.ts'
import { type AnyRegistry, type MonitorEngine, monitorEngineWith } from '../../embed/index.ts'
import type { CloudflareSettings } from './config.ts'

const ELSEWHERE = 'elsewhere'

/** Passes on what another object has detected. */
const elsewhere = defineDetector({
  family: 'elsewhere',
  modality: 'any',
  needs: 'probabilities',
  version: 1,
  summary: 'Passes a detection on.',
  defaults: {},
  logic: () => ({
    check({ detection }: { readonly detection: Detection }) {
      const { suspicious, score, confidence } = isPlainObject(detection) ? detection : {}
      const isDetection = typeof suspicious === 'boolean' && Number.isFinite(score) && Number.isFinite(confidence)
      return isDetection ? detection : refuse('bad_query', 'must be a detection', detection, 'detection')
    },
    apply: (detection) => detection,
    save: () => null,
    load() {},
    clear() {},
    size: () => 0,
    bytes: () => 0,
    describe: () => ({ config: {}, details: {} }),
  }),
})

/** The engine that takes features of queries. It judges nothing. */
export function featuresOf({ monitor, registry, parts }: CloudflareSettings): MonitorEngine {
  return monitorEngineWith(parts, monitor, { registry })
}

/** The engine of a client's object. */
export function shardEngine({ monitor, registry, parts }: CloudflareSettings): MonitorEngine {
  const all = registry ?? createRegistry()
  const detectors = detectorsOf(monitor).map((one) => {
    return isGlobal(one) ? { name: standInFor(one, all), label: labelOf(one) } : one
  })
  return monitorEngineWith(parts, { ...monitor, detectors }, { registry: all })
}

/** The name of what passes a detector's detections on, and says of them what that one would. */
function standInFor({ name }: MonitoredDetector, registry: AnyRegistry): string {
  const standIn = `${ELSEWHERE}_${name}`.slice(0, 64)
  const { techniques = [] } = registry.find(name)
  if (!Object.hasOwn(registry.specs, standIn)) registry.registerDetector(standIn, { ...elsewhere, techniques })
  return standIn
}

/** The engine of the object for all. Throws `bad_config` where no detector has scope `global`. */
export function globalEngine({ monitor, registry, parts }: CloudflareSettings): MonitorEngine {
  const detectors = detectorsOf(monitor).filter(isGlobal)
  return monitorEngineWith(parts, { detectors, clients: { maxClients: 1 } }, { registry })
}

/** Whether there is anything for the object for all. */
export function hasGlobal(engine: MonitorEngine): boolean {
  return engine.stream.detectors.some(({ scope }) => scope === 'global')
}

/** The entry for the object for all, without the client; undefined if it has nothing to judge. */
export function globalEntry(entry: QueryEntry, { stream }: MonitorEngine): QueryEntry | undefined {
  const observations = entry.observations.filter((_, i) => stream.detectors[i]!.scope === 'global')
  const isUseful = observations.some((one) => one !== null && !isPlainError(one))
  return isUseful ? { kind: 'query', client: '', timeMs: entry.timeMs, observations } : undefined
}

/** The entry for the client's object: what was said in the object for all stands in the places of its detectors. */
export function shardEntry(entry: QueryEntry, { stream }: MonitorEngine, said: Verdict | PlainError): QueryEntry {
  const observations = entry.observations.map((one, i) => {
    const { scope, label } = stream.detectors[i]!
    return scope !== 'global' || one === null || isPlainError(one) ? one : observationOf(said, label)
  })
  return { ...entry, observations: observations as QueryEntry['observations'] }
}

function observationOf(said: Verdict | PlainError, label: string) {
  if (isPlainError(said)) return { ...said, path: label }
  const detection = said.detections.find(({ detector }) => detector === label)
  if (detection !== undefined) return { detection }
  return said.errors.find(({ path }) => path === label || path.startsWith(`${label}.`)) ?? null
}

function isPlainError(value: unknown): value is PlainError {
  return (value as PlainError | null)?.name === 'MonitorError'
}

/** What is wrong with the list is told when the engine is made. */
function detectorsOf({ detectors }: StreamMonitorConfig): readonly (string | MonitoredDetector)[] {
  return Array.isArray(detectors) ? detectors : []
}

function isGlobal(detector: string | MonitoredDetector): detector is MonitoredDetector {
  return isPlainObject(detector) && detector['scope'] === 'global'
}

function labelOf({ name, label = name }: MonitoredDetector): string {
  return label
}
