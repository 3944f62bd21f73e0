/** A detector's calibration over observations. */
import { isPlainObject, refuse } from '../checkers.ts'
import { isMonitorError, withPath } from '../errors.ts'
import { createRegistry, type Registry } from '../registry.ts'
import type { Observation } from '../types.ts'
import { type BenignObservation, type CalibrateOptions, Calibrator } from './calibrator.ts'
import type { Calibration } from './record.ts'

/** A detector: its registry name, and its options. */
export type NamedDetector = string | (Readonly<Record<string, unknown>> & { readonly name: string })

export interface CalibrateDetectorOptions extends CalibrateOptions {
  /** Where names are looked up. Default: the built-in detectors. */
  // biome-ignore lint/suspicious/noExplicitAny: any registry will do
  readonly registry?: Registry<any>
}

/** No model is known behind an observation. */
const ANY = { model: null, dtype: null, backend: null }

/**
 * What benign traffic scores with a detector: the record that its option `calibration` takes.
 *
 *     const record = calibrate('text_similarity', queries, { alpha: 0.001 })
 *     createDetector('text_similarity', { calibration: record })
 *
 * Throws `bad_config` where there is too little traffic for alpha, saying how much is needed, and `bad_query`, with the
 * place in the path, for an observation that the detector refuses.
 */
export function calibrate(
  detector: NamedDetector,
  benign: Iterable<BenignObservation<Observation>>,
  { registry = createRegistry(), ...options }: CalibrateDetectorOptions,
): Calibration {
  const { name, config } = readNamed(detector)
  const prepared = registry.prepareDetector(name, config as never)
  const subject = { detector: name, configHash: prepared.configHash(), featuresHash: null, holdsFor: ANY }
  const calibrator = new Calibrator<Observation>(prepared.make as never, subject, options)
  let i = 0
  for (const { observation, client } of benign) {
    try {
      calibrator.add(observation, client)
    } catch (thrown) {
      throw isMonitorError(thrown) ? withPath(thrown, `[${i}]`) : thrown
    }
    i++
  }
  return calibrator.finish()
}

/** The name of a detector and its options, which must not hold a calibration. Throws `bad_config`. */
export function readNamed(detector: NamedDetector): {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
} {
  const given = typeof detector === 'string' ? { name: detector } : detector
  if (!isPlainObject(given)) refuse('bad_config', 'must be a name or { name, … }', given, 'detector')
  const { name, ...config } = given
  if (config['calibration'] !== undefined) {
    refuse('bad_config', 'must be left out: it is what shall be found', config['calibration'], 'detector.calibration')
  }
  return { name: name as string, config }
}
