/** The models behind a detector or monitor: one verb for all of them, each known by the label of its detector. */
import type { Capabilities, EmbedderEvent, LoadOptions, ModelEmbedder, ProgressEvent } from './embedder.ts'

/** What each model runs on, by the label of its detector; empty where no detector has one. */
export type ModelCapabilities = Readonly<Record<string, Capabilities>>

/** What a model tells, and whose it is. */
export type ModelEvent = EmbedderEvent & { readonly detector: string }

/** What has embedders that may stand on models. */
export interface ModelHost {
  /**
   * Loads the models now instead of with the first query, and runs each once; says what they run on. Where no embedder
   * has one there is nothing to do. Waits for no query and holds none up.
   */
  warmup(options?: LoadOptions): Promise<ModelCapabilities>
  /** What the models run on, and why on nothing better. */
  capabilities(): Promise<ModelCapabilities>
  /** Refuses all later calls, and frees the models. */
  dispose(): Promise<void>
}

/** A model and the label of the detector that uses it. */
export type LabelledModel = readonly [detector: string, model: ModelEmbedder<never>]

/** An embedder that has a model, told from a plain function. */
export function isModelEmbedder(value: unknown): value is ModelEmbedder<never> {
  const { warmup, capabilities, listen, dispose } = (value ?? {}) as Partial<ModelEmbedder<never>>
  return [value, warmup, capabilities, listen, dispose].every((verb) => typeof verb === 'function')
}

/** Loads all of them at the same time; `overall` is the mean. */
export async function warmupAll(models: readonly LabelledModel[], options: LoadOptions): Promise<ModelCapabilities> {
  const { onProgress, ...rest } = options
  const shares = models.map(() => 0)
  const report = (index: number, event: ProgressEvent) => {
    shares[index] = event.overall
    onProgress?.({ ...event, overall: shares.reduce((sum, share) => sum + share, 0) / shares.length })
  }
  return byLabel(models, (model, i) => model.warmup({ ...rest, onProgress: (event) => report(i, event) }))
}

export function capabilitiesOfAll(models: readonly LabelledModel[]): Promise<ModelCapabilities> {
  return byLabel(models, (model) => model.capabilities())
}

/** Tells a listener of all their events; gives the function that ends it. */
export function listenToAll(models: readonly LabelledModel[], listener: (event: ModelEvent) => void): () => void {
  const ends = models.map(([detector, model]) => model.listen((event) => listener({ ...event, detector })))
  return () => {
    for (const end of ends) end()
  }
}

export async function disposeAll(models: readonly LabelledModel[]): Promise<void> {
  await Promise.all(models.map(([, model]) => model.dispose()))
}

async function byLabel(
  models: readonly LabelledModel[],
  ask: (model: ModelEmbedder<never>, index: number) => Promise<Capabilities>,
): Promise<ModelCapabilities> {
  return Object.fromEntries(
    await Promise.all(models.map(async ([label, model], i) => [label, await ask(model, i)] as const)),
  )
}

/** The verbs of a host over its models; `close` is what else ends with it. */
export function modelHost(
  models: readonly LabelledModel[],
  onEvent: ((event: ModelEvent) => void) | undefined,
  close: () => void,
): ModelHost {
  const deafen = onEvent === undefined ? () => {} : listenToAll(models, onEvent)
  return {
    warmup: (options = {}) => warmupAll(models, options),
    capabilities: () => capabilitiesOfAll(models),
    async dispose() {
      close()
      deafen()
      await disposeAll(models)
    },
  }
}
