/** A monitor's state in a file. */
import { fromBytes, isMonitorError, MonitorError, type Snapshot, toBytes, withPath } from '../core/index.ts'
import { reasonOf } from './reason.ts'
import type { Seal } from './seal.ts'
import { readWhole, writeWhole } from './wholeFile.ts'

/** Reads a snapshot. Throws `bad_snapshot` for a damaged one and `bad_config` for a file that cannot be read. */
export async function loadSnapshot(path: string, seal?: Seal): Promise<Snapshot> {
  const bytes = await readWhole(path).catch((cause: unknown) => {
    throw new MonitorError('bad_config', `cannot be read: ${reasonOf(cause)}`, path, { cause })
  })
  try {
    return fromBytes(seal === undefined ? bytes : seal.open(bytes, ''))
  } catch (thrown) {
    throw isMonitorError(thrown) ? withPath(thrown, path) : thrown
  }
}

/** Writes a snapshot as a whole or not at all: the file at `path` is the old one until the new one is on the disk. */
export async function saveSnapshot(path: string, snapshot: Snapshot, seal?: Seal): Promise<void> {
  const bytes = toBytes(snapshot)
  try {
    await writeWhole(path, seal === undefined ? bytes : seal.seal(bytes))
  } catch (cause) {
    throw new MonitorError('bad_config', `cannot be written: ${reasonOf(cause)}`, path, { cause })
  }
}
