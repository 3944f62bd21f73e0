/**
 * The life that all embedders with a model share: loaded once, on the first use or on `warmup`; telling its listeners;
 * freed when asked, after the calls in flight, and loaded again by a later call. What differs, the loading and the
 * embedding, is given.
 */
import { MonitorError } from '../core/index.ts'
import type {
  BackendChange,
  Capabilities,
  EmbedderEvent,
  LoadOptions,
  ModelEmbedder,
  ProgressEvent,
} from './embedder.ts'
import { abortable, type CallOptions } from './order.ts'

/** A model that is ready. */
export interface LoadedModel<In> {
  /** One input to one vector. Batches are its own business. */
  embed(input: In, options: CallOptions): Promise<Float32Array>
  capabilities(): Capabilities
  dispose(): Promise<void>
}

/** What the model tells while it loads and runs. */
export interface Telling {
  progress(event: ProgressEvent): void
  change(event: BackendChange): void
}

export interface ModelEmbedderParts<In> {
  /** Loads the model. Not told of any signal: who no longer waits for it leaves the others waiting. */
  readonly load: (telling: Telling) => Promise<LoadedModel<In>>
  /** What is known before it is loaded. */
  readonly outlook: () => Promise<Capabilities>
  /** Something to embed at the end of `warmup`, since the first run is the slowest. */
  readonly sample: In
  readonly description: ModelEmbedder<In>['description']
  /** Told of every event, beside the listeners. */
  readonly onEvent?: ((event: EmbedderEvent) => void) | undefined
}

/** An embedder over a model. */
export function modelEmbedder<In>(parts: ModelEmbedderParts<In>): ModelEmbedder<In> {
  const { load, outlook, sample, description, onEvent } = parts
  const listeners = new Set<(event: EmbedderEvent) => void>(onEvent === undefined ? [] : [onEvent])
  const inFlight = new Set<Promise<unknown>>()
  let loading: Promise<LoadedModel<In>> | undefined
  let loaded: LoadedModel<In> | undefined

  const tell = (event: EmbedderEvent) => {
    for (const listener of listeners) listener(event)
  }

  /** The model; a failure is forgotten, so that the next call tries again. */
  function model(): Promise<LoadedModel<In>> {
    if (loading !== undefined) return loading
    let overall = 0
    const mine = load({
      progress(event) {
        overall = Math.max(overall, event.overall)
        tell({ kind: 'progress', ...event, overall })
      },
      change: tell,
    })
    loading = mine
    mine.then(
      (ready) => {
        if (loading === mine) loaded = ready
      },
      () => {
        if (loading === mine) loading = undefined
      },
    )
    return mine
  }

  async function embed(input: In, options: CallOptions = {}): Promise<Float32Array> {
    const work = model().then((ready) => ready.embed(input, options))
    inFlight.add(work)
    try {
      return await abortable(work, options.signal)
    } finally {
      const done = () => inFlight.delete(work)
      work.then(done, done)
    }
  }

  return Object.assign(embed, {
    ...(description === undefined ? {} : { description }),
    async warmup({ signal, onProgress }: LoadOptions = {}): Promise<Capabilities> {
      const listener = (event: EmbedderEvent) => {
        if (event.kind === 'progress') onProgress?.(event)
      }
      listeners.add(listener)
      try {
        await embed(sample, signal === undefined ? {} : { signal })
        const { capabilities } = await model()
        return capabilities()
      } finally {
        listeners.delete(listener)
      }
    },
    async capabilities(): Promise<Capabilities> {
      return loaded === undefined ? outlook() : loaded.capabilities()
    },
    listen(listener: (event: EmbedderEvent) => void) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async dispose(): Promise<void> {
      const mine = loading
      if (mine === undefined) return
      loading = undefined
      loaded = undefined
      await Promise.allSettled(inFlight)
      try {
        await (await mine).dispose()
      } catch (thrown) {
        if (!(thrown instanceof MonitorError)) throw thrown // a model that could not be loaded needs no freeing
      }
    },
  })
}
