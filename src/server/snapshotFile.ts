/** A monitor's state in a file. */
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromBytes, isMonitorError, MonitorError, type Snapshot, toBytes, withPath } from '../core/index.ts'
import { reasonOf } from './reason.ts'

/** Reads a snapshot. Throws `bad_snapshot` for a damaged one and `bad_config` for a file that cannot be read. */
export async function loadSnapshot(path: string): Promise<Snapshot> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new MonitorError('bad_config', `cannot be read: ${reasonOf(cause)}`, path, { cause })
  })
  try {
    return fromBytes(new Uint8Array(bytes))
  } catch (thrown) {
    throw isMonitorError(thrown) ? withPath(thrown, path) : thrown
  }
}

/** Writes a snapshot as a whole or not at all: the file at `path` is the old one until the new one is on the disk. */
export async function saveSnapshot(path: string, snapshot: Snapshot): Promise<void> {
  const bytes = toBytes(snapshot)
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new MonitorError('bad_config', `cannot be written: ${reasonOf(cause)}`, path, { cause })
  }
}
