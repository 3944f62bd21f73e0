/** The users' own functions for features: what they give is checked, and what they throw is told as theirs. */
import { checkVector, isMonitorError, MonitorError, type Pixels, type Row, refuse, withPath } from '../core/index.ts'
import type { Embedder, Hash } from './featureConfig.ts'
import type { CallOptions } from './order.ts'
import { copyOf } from './query.ts'

/** The vector of an embedder. Rejects with `embedder_failed`. */
export async function embedBy(
  embedder: Embedder,
  value: string | Row | Pixels,
  call: CallOptions,
): Promise<ArrayLike<number>> {
  const vector = await plugged(() => embedder(value, call), 'embedder_failed', 'embedder')
  try {
    checkVector(vector, 0, 'embedder')
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    throw new MonitorError('embedder_failed', `its result ${thrown.message.slice(thrown.path.length + 2)}`, thrown.path)
  }
  return copyOf(vector)
}

/** The name that a hash gives. Rejects with `plugin_failed`. */
export async function hashBy(hash: Hash, value: string | Row | Pixels, call: CallOptions): Promise<string> {
  const made: unknown = await plugged(() => hash(value, call), 'plugin_failed', 'hash')
  if (typeof made === 'string' && made.length >= 1 && made.length <= 256) return made
  return refuse('plugin_failed', 'must return a string of 1 … 256 characters', made, 'hash')
}

/** Calls a user's function; what it throws is reported as its failure, except an abort. */
async function plugged<T>(
  call: () => T | Promise<T>,
  code: 'embedder_failed' | 'plugin_failed',
  path: string,
): Promise<T> {
  try {
    return await call()
  } catch (thrown) {
    if (isMonitorError(thrown)) throw thrown.path === '' ? withPath(thrown, path) : thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    throw new MonitorError(code, `the ${path} threw: ${message}`, path, { cause: thrown })
  }
}
