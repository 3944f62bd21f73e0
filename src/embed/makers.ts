/** Embedders from JSON, so that they can stand in a file or cross into a worker. */
import { hint, isMonitorError, refuse, withPath } from '../core/index.ts'
import type { EmbedderEvent, ModelEmbedder } from './embedder.ts'

/**
 * An embedder as plain data, such as `{ from: 'transformers', model: 'Xenova/all-MiniLM-L6-v2', dtype: 'q8' }`: `from`
 * names the function that makes it, without its own `from`; the rest are its options. Every maker's embedder tells its
 * own `description`.
 */
export type EmbedderDescription = Readonly<Record<string, unknown>> & { readonly from: string }

type Maker = (options: Readonly<Record<string, unknown>>) => ModelEmbedder<never>

/** Imported when first used: who has no model loads nothing of it. */
const MAKERS: Readonly<Record<string, () => Promise<Maker>>> = {
  async copyNet() {
    const { copyNet } = await import('./onnx/index.ts')
    return copyNet as Maker
  },
  async onnx() {
    const { fromOnnx } = await import('./onnx/index.ts')
    return fromOnnx as unknown as Maker
  },
  async transformers() {
    const { fromTransformers } = await import('./transformers/index.ts')
    return ({ model, ...options }) => fromTransformers(model as string, options) as ModelEmbedder<never>
  },
}

/**
 * The embedder of a description. Throws `bad_config` for an unknown `from`; what is wrong with the other options is
 * told, also as `bad_config`, by the first call, which imports the maker.
 */
export function embedderFrom(description: Readonly<Record<string, unknown>>, path: string): ModelEmbedder<never> {
  const { from, ...options } = description
  const names = Object.keys(MAKERS)
  if (typeof from !== 'string' || !Object.hasOwn(MAKERS, from)) {
    const isOfHub = typeof from === 'string' && from.includes('/')
    const remedy = isOfHub ? "for a model of the hub { from: 'transformers', model: … }" : hint(from, names)
    refuse('bad_config', `must be one of ${names.join(', ')}; ${remedy}`, from, `${path}.from`)
  }
  const listeners = new Set<(event: EmbedderEvent) => void>()
  let made: Promise<ModelEmbedder<never>> | undefined

  async function make(): Promise<ModelEmbedder<never>> {
    const maker = await MAKERS[from as string]!()
    try {
      const embedder = maker(options)
      embedder.listen((event) => {
        for (const listener of listeners) listener(event)
      })
      return embedder
    } catch (thrown) {
      throw isMonitorError(thrown) ? withPath(thrown, path) : thrown
    }
  }
  const embedder = () => {
    if (made === undefined) {
      made = make()
      made.catch(() => {
        made = undefined // a chunk that could not be fetched may be there the next time
      })
    }
    return made
  }

  return Object.assign(
    async (input: never, call?: Parameters<ModelEmbedder<never>>[1]) => {
      const embed = await embedder()
      return embed(input, call ?? {})
    },
    {
      description,
      warmup: async (options?: Parameters<ModelEmbedder['warmup']>[0]) => (await embedder()).warmup(options),
      capabilities: async () => (await embedder()).capabilities(),
      listen(listener: (event: EmbedderEvent) => void) {
        listeners.add(listener)
        return () => {
          listeners.delete(listener)
        }
      },
      async dispose() {
        const mine = await made?.catch(() => undefined)
        await mine?.dispose()
      },
    },
  )
}
