/** A log and snapshots in a folder. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkChoice, checkNumber, MonitorError, toMonitorError } from '../../core/index.ts'
import { numberOf, type Stores } from '../../edge/index.ts'
import { reasonOf } from '../reason.ts'
import { readWhole, writeWhole } from '../wholeFile.ts'
import { FileLog } from './fileLog.ts'
import { lockFolder } from './lock.ts'

export interface FileStoresOptions {
  /**
   * When entries count as written. `always`: once they are on the disk, so that they survive a power cut. `interval`: once
   * the system has them, so that they survive the death of the process; the disk has them a second later. Default `always`.
   */
  readonly sync?: 'always' | 'interval'
  /** Bytes after which a new file of the log is begun. Default 16 MiB. */
  readonly segmentBytes?: number
}

const SNAPSHOT = /^snapshot-(\d{16}|)$/

/**
 * Stores in a folder, which is made if it is not there: the log in files `log-…`, the last snapshot in `snapshot-…`, and a
 * `lock`. For Node and Bun. One process at a time.
 *
 * Rejects with `store_busy` while another process has the folder, `bad_snapshot` if the newest file of the log is damaged,
 * and `bad_config` for a folder that cannot be used.
 */
export async function fileStores(folder: string, options: FileStoresOptions = {}): Promise<Stores> {
  const { sync = 'always', segmentBytes = 16 * 2 ** 20 } = options
  checkChoice(sync, ['always', 'interval'], 'sync')
  checkNumber(segmentBytes, { min: 1, integer: true }, 'segmentBytes')
  const lock = await prepare(folder)
  let log: FileLog
  try {
    const least = numberOf((await snapshotsIn(folder)).at(-1) ?? '')
    log = await FileLog.open(folder, { sync, segmentBytes, isMine: () => lock.isMine, least })
  } catch (thrown) {
    await lock.release()
    throw toMonitorError(thrown, 'store_failed', folder)
  }
  let saving: Promise<unknown> = Promise.resolve()

  async function save(bytes: Uint8Array, position: string): Promise<void> {
    const old = await snapshotsIn(folder)
    if (old.some((one) => one > position)) return
    await log.sync() // the log never ends before the snapshot
    await writeWhole(join(folder, `snapshot-${position}`), bytes)
    for (const one of old) if (one !== position) await rm(join(folder, `snapshot-${one}`))
  }

  return {
    log,
    snapshots: {
      async load() {
        const position = (await snapshotsIn(folder)).at(-1)
        if (position === undefined) return undefined
        return { bytes: await readWhole(join(folder, `snapshot-${position}`)), position }
      },
      save(bytes, position) {
        const mine = saving.then(() => save(bytes, position))
        saving = mine.catch(() => {})
        return mine
      },
    },
    async close() {
      await saving
      await log.close()
      await lock.release()
    },
  }
}

async function prepare(folder: string) {
  try {
    await mkdir(folder, { recursive: true })
    return await lockFolder(folder)
  } catch (cause) {
    if (cause instanceof MonitorError) throw cause
    throw new MonitorError('bad_config', `cannot be used: ${reasonOf(cause)}`, folder, { cause })
  }
}

/** Their positions, in order. */
async function snapshotsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names.flatMap((name) => SNAPSHOT.exec(name)?.[1] ?? []).sort()
}
