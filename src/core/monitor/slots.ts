/** The detectors of a monitor, as its configuration names them. */
import type { Calibration } from '../calibration/record.ts'
import { checkChoice, isPlainObject, refuse } from '../checkers.ts'
import { MonitorError, toMonitorError, withPath } from '../errors.ts'
import type { Registry, Specs } from '../registry.ts'
import type { Technique } from '../techniques.ts'
import type { Detector, Observation } from '../types.ts'

/** The most detectors of one monitor. */
export const MAX_DETECTORS = 64

/** Who shares a detector's memory. */
export type Scope = 'client' | 'group' | 'global'

/** One place in a monitor, and how to make the detector that stands there. */
export interface Slot {
  readonly label: string
  readonly name: string
  readonly scope: Scope
  /** True for a detector that eats the time of the stream. */
  readonly isTimed: boolean
  /** What it finds signs of. */
  readonly techniques: readonly Technique[]
  readonly calibration: Calibration | undefined
  configHash(): string
  make(): Detector<Observation, unknown>
}

/**
 * Reads and checks the list of detectors; makes one of each, so that a bad option shows now. `records` holds the
 * calibration of each, where the monitor has one. Throws `bad_config`.
 */
export function readSlots(
  detectors: unknown,
  registry: Registry<Specs>,
  records?: readonly (Calibration | undefined)[],
): Slot[] {
  if (!Array.isArray(detectors) || detectors.length < 1 || detectors.length > MAX_DETECTORS) {
    refuse('bad_config', `must be a list of 1 … ${MAX_DETECTORS} detectors`, detectors, 'monitor.detectors')
  }
  const slots = (detectors as unknown[]).map((given, i) => {
    return readSlot(given, `monitor.detectors[${i}]`, registry, records?.[i])
  })
  const twice = slots.find(({ label }, i) => slots.findIndex((slot) => slot.label === label) !== i)
  if (twice === undefined) return slots
  throw new MonitorError(
    'bad_config',
    `two detectors are called '${twice.label}'; give each a label`,
    'monitor.detectors',
  )
}

function readSlot(given: unknown, path: string, registry: Registry<Specs>, record: Calibration | undefined): Slot {
  if (typeof given !== 'string' && !isPlainObject(given))
    refuse('bad_config', 'must be a name or { name, … }', given, path)
  const { name, label = name, scope = 'client', ...options } = typeof given === 'string' ? { name: given } : given
  const { needs, techniques = [] } = registry.find(name, `${path}.name`)
  if (typeof label !== 'string' || !/^[\w.-]{1,64}$/.test(label)) {
    refuse('bad_config', 'must be 1 … 64 letters, digits, _ . or -', label, `${path}.label`)
  }
  const where = checkChoice(scope as string, ['client', 'group', 'global'], `${path}.scope`) as Scope
  if (record !== undefined && options['calibration'] !== undefined) {
    const message = 'stands beside that of the whole monitor: keep one of them'
    throw new MonitorError('bad_config', message, `${path}.calibration`)
  }
  const own = record === undefined ? options : { ...options, calibration: record }
  try {
    const prepared = registry.prepareDetector(name as string, own as never)
    const make = () => prepared.make() as Detector<Observation, unknown>
    make()
    const { calibration, configHash } = prepared
    return {
      label,
      name: name as string,
      scope: where,
      isTimed: needs === 'timeMs',
      techniques,
      calibration,
      configHash,
      make,
    }
  } catch (thrown) {
    throw withPath(toMonitorError(thrown, 'bad_config'), path)
  }
}
