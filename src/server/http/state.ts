/** The state of all models as one snapshot. */
import { isPlainObject, MonitorError, type PlainData, type Snapshot } from '../../core/index.ts'
import type { Watch } from './watch.ts'

const NAME = 'server'
const VERSION = 1

export async function snapshotAll(watches: ReadonlyMap<string, Watch>): Promise<Snapshot> {
  const models: Record<string, PlainData> = {}
  for (const [name, watch] of watches) models[name] = { ...(await watch.snapshot()) }
  return { detector: NAME, version: VERSION, state: { models } }
}

/** All models continue from a snapshot, or none. Rejects with `bad_snapshot` if it is of other models or detectors. */
export async function restoreAll(watches: ReadonlyMap<string, Watch>, snapshot: Snapshot): Promise<void> {
  const { detector, version, state } = snapshot
  if (detector !== NAME || version !== VERSION || !isPlainObject(state) || !isPlainObject(state['models'])) {
    throw new MonitorError('bad_snapshot', `is not the state of a server of version ${VERSION}`, 'state')
  }
  const models = state['models'] as Readonly<Record<string, unknown>>
  const names = Object.keys(models)
  const expected = [...watches.keys()]
  if (names.join() !== expected.join()) {
    const message = `is of other models: expected ${expected.join(', ')}, got ${names.join(', ')}`
    throw new MonitorError('bad_snapshot', message, 'state.models')
  }
  const before = new Map<Watch, Snapshot>()
  try {
    for (const [name, watch] of watches) {
      before.set(watch, await watch.snapshot())
      await watch.restore(models[name] as Snapshot)
    }
  } catch (thrown) {
    for (const [watch, kept] of before) await watch.restore(kept)
    throw thrown
  }
}
