/** What featurizers load only when they need it, apart from them, so that a small host can go without. */
import { MonitorError } from '../core/index.ts'
import type { ModelEmbedder } from './embedder.ts'

export interface Parts {
  /** The picture descriptor with its weights, 115 kB compressed. */
  pictures(): Promise<Pick<typeof import('../core/pictures/index.ts'), 'embedPixels'>>
  /** The embedder that a description in JSON stands for. Throws `bad_config`. */
  embedderFrom(description: Readonly<Record<string, unknown>>, path: string): ModelEmbedder<never>
}

/** Without both: pictures have hashes but no vectors, and embedders are functions of one's own. */
export const fewParts: Parts = {
  async pictures() {
    const remedy = 'give the detector an embedder, the query an embedding, or the host the descriptor'
    throw new MonitorError('missing_package', `this host carries no picture descriptor; ${remedy}`, 'embedder')
  },
  embedderFrom(_, path) {
    throw new MonitorError('bad_config', 'this host makes no embedder of a description; give a function', path)
  },
}
