/** Embedders from JSON, so that they can stand in a file or cross into a worker. */
import { hint, refuse } from '../core/index.ts'
import type { ModelEmbedder } from './embedder.ts'

/**
 * An embedder as plain data, such as `{ from: 'transformers', model: 'Xenova/all-MiniLM-L6-v2', dtype: 'q8' }`: `from`
 * names the function that makes it, the rest are its options. Every maker's embedder tells its own `description`.
 */
export type EmbedderDescription = Readonly<Record<string, unknown>> & { readonly from: string }

type Maker = (description: Readonly<Record<string, unknown>>) => ModelEmbedder<never>

const MAKERS: Readonly<Record<string, Maker>> = {}

/** The embedder of a description. Throws `bad_config`. */
export function embedderFrom(description: Readonly<Record<string, unknown>>, path: string): ModelEmbedder<never> {
  const { from, ...options } = description
  const maker = typeof from === 'string' && Object.hasOwn(MAKERS, from) ? MAKERS[from] : undefined
  const names = Object.keys(MAKERS)
  if (maker === undefined) {
    refuse('bad_config', `must be one of ${names.join(', ')}${hint(String(from), names)}`, from, `${path}.from`)
  }
  return maker(options)
}
