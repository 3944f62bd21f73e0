/** What features a calibration holds for: options, models and backends. */
import { type Calibration, type HoldsFor, MonitorError, sha256HexOfText, stableJson } from '../core/index.ts'
import type { Featurizer } from './featurize.ts'
import { isModelEmbedder } from './models.ts'

/** Raised when the features that come with the library change, so that calibrations made before no longer hold. */
const FEATURES = 1

type Features = Readonly<Record<string, unknown>>

/** SHA-256 of the options of a featurizer that its features depend on. Of a plain function nothing can be told. */
export function featuresHashOf({ limits: _, ...features }: Features): string {
  return sha256HexOfText(stableJson({ version: FEATURES, ...features, embedder: descriptionOf(features) }))
}

function descriptionOf({ embedder }: Features): unknown {
  return isModelEmbedder(embedder) ? (embedder.description ?? embedder) : embedder
}

/** The model behind a featurizer, as far as it is known before it is loaded. */
function modelOf({ model }: Featurizer): Omit<HoldsFor, 'backend'> {
  const { from = null, model: name = from, dtype = null } = model?.description ?? {}
  return { model: wordOf(name), dtype: wordOf(dtype) }
}

function wordOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The model behind a featurizer, and what runs it. */
export async function holdsForOf(featurizer: Featurizer): Promise<HoldsFor> {
  const backend = (await featurizer.model?.capabilities())?.backend ?? null
  return { ...modelOf(featurizer), backend }
}

/**
 * The featurizer of a calibrated detector: it refuses features of another kind than the record's, at once where options or
 * the model differ, and with each query where the model has come to run on another backend. Throws `bad_config`.
 */
export function guarded(
  featurizer: Featurizer,
  { features, record }: { readonly features: Features; readonly record: Calibration },
  path: string,
): Featurizer {
  const { featuresHash, holdsFor } = record
  const own = modelOf(featurizer)
  for (const key of ['model', 'dtype'] as const) {
    if (featuresHash !== null && holdsFor[key] !== own[key]) refuseOther(key, holdsFor[key], own[key], path)
  }
  if (featuresHash !== null && featuresHash !== featuresHashOf(features)) {
    const message =
      'is of other features; calibrate with the options that are in force, or put back those of the record'
    throw new MonitorError('bad_config', message, `${path}.featuresHash`)
  }
  const { model } = featurizer
  if (model === undefined || holdsFor.backend === null) return featurizer
  return {
    ...featurizer,
    ready: () => undefined,
    async observe(query, call) {
      const observation = await featurizer.observe(query, call)
      const { backend = holdsFor.backend } = await model.capabilities()
      if (backend !== holdsFor.backend) refuseOther('backend', holdsFor.backend, backend, 'calibration')
      return observation
    },
  }
}

function refuseOther(key: keyof HoldsFor, expected: string | null, got: string | null, path: string): never {
  const name = (value: string | null) => (value === null ? 'none' : `'${value}'`)
  const message = `holds for the ${key} ${name(expected)}, here is ${name(got)}; calibrate with this one`
  throw new MonitorError('bad_config', message, `${path}.holdsFor.${key}`)
}
