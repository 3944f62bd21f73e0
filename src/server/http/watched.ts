/** What metrics and the cockpit know of a model's detectors. */
import { type Calibration, createRegistry } from '../../core/index.ts'
import type { Scope, StreamMonitor } from '../../core/monitor/index.ts'
import type { ModelConfig } from '../config/config.ts'

/** What a score is counted in, and so which buckets fit it. */
export type ScoreUnit = 'nats' | 'probability' | 'count' | 'cosine' | 'nearness' | 'matches' | 'share' | 'score'

/** A detector as metrics and the cockpit show it. */
export interface WatchedDetector {
  readonly label: string
  readonly name: string
  readonly family: string
  readonly scope: Scope
  readonly unit: ScoreUnit
  readonly threshold: number
  /** The options in force, without functions. */
  readonly options: Readonly<Record<string, unknown>>
}

/** True for a detector that eats the model's output as it is: logits are turned into probabilities first. */
export function takesProbabilities({ name, options }: WatchedDetector): boolean {
  return createRegistry().find(name).needs === 'probabilities' && options['outputs'] !== 'logits'
}

const FAMILY_UNITS: Readonly<Record<string, ScoreUnit>> = {
  repetition: 'count',
  similarity: 'cosine',
  fingerprint: 'matches',
  neighbours: 'nearness',
  normality: 'probability',
  trend: 'share',
  hardness: 'share',
  shift: 'probability',
  geometry: 'probability',
  extraction: 'probability',
  provenance: 'count',
  lineage: 'share',
  following: 'share',
  rate: 'share',
  coverage: 'share',
}

/** Options that say where a detector stands, or are too long to show. */
const PLACE = ['name', 'label', 'scope', 'calibration']

/** The detectors of a model in their order, as they run. */
export function watchedDetectors(
  { detectors, calibration }: Pick<ModelConfig, 'detectors' | 'calibration'>,
  running: StreamMonitor['detectors'],
): WatchedDetector[] {
  const registry = createRegistry()
  return running.map(({ label, name, scope }, i) => {
    const { family, defaults, threshold } = registry.find(name)
    const given = detectors[i]
    const own = typeof given === 'object' ? Object.entries(given) : []
    const set = own.filter(([key]) => !PLACE.includes(key))
    const record = calibration?.detectors[i]?.record ?? calibrationOf(given)
    const options: Record<string, unknown> = { ...defaults, ...Object.fromEntries(set) }
    const plain = Object.fromEntries(
      Object.entries(options).filter(([, value]) => value !== undefined && typeof value !== 'function'),
    )
    return {
      label,
      name,
      family,
      scope,
      unit: unitOf(family, options),
      threshold: record?.threshold ?? threshold?.(options) ?? Number(options['threshold']),
      options: plain,
    }
  })
}

/** The record of a detector that is calibrated by itself. */
function calibrationOf(given: ModelConfig['detectors'][number] | undefined): Calibration | undefined {
  return typeof given === 'object' ? (given['calibration'] as Calibration | undefined) : undefined
}

function unitOf(family: string, { mode }: Readonly<Record<string, unknown>>): ScoreUnit {
  if (family === 'confidence') return mode === 'entropy' ? 'nats' : 'probability'
  return FAMILY_UNITS[family] ?? 'score'
}
