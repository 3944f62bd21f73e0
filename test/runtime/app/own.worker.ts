/** A worker of the app's own, with plug-ins that fail in every way a worker can. */
import { embedText } from 'monitaur/core'
import { serveWorker } from 'monitaur/worker'

serveWorker(self as never, {
  configure: (name, config) => (name === 'text_similarity' ? { ...config, embedder: embed } : config),
})

function embed(text: string): ArrayLike<number> | Promise<ArrayLike<number>> {
  if (text === 'spin') for (;;);
  if (text === 'throw') throw new RangeError('out of tokens')
  if (text === 'slow') return new Promise((resolve) => setTimeout(() => resolve(embedText(text)), 300))
  if (text !== 'crash') return embedText(text)
  setTimeout(() => {
    throw new Error('crashed on purpose')
  })
  return new Promise(() => {})
}
