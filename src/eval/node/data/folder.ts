/** A folder of pictures with `labels.csv`: the file's name, and the number of its class. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isMonitorError, MonitorError } from '../../../core/index.ts'
import { decodeImage, pictureFeed, pictureRule } from '../../../embed/index.ts'
import type { Shape } from '../../types.ts'
import { hashOf } from '../files.ts'
import { type Dataset, StoredPicture } from './dataset.ts'
import { readCsv } from './table.ts'

export const LABELS_FILE = 'labels.csv'

/** From this side on a model is taken to be one for photos, which see the middle 224 of 256 pixels. */
const PHOTO = 128

/** The pictures at the model's size: the shorter side is brought to it, and the middle cut out. Throws `bad_config`. */
export async function readFolder(folder: string, shape: Shape): Promise<Dataset<'image'>> {
  const list = join(folder, LABELS_FILE)
  if (!existsSync(list)) {
    throw new MonitorError(
      'bad_config',
      `has no ${LABELS_FILE}, which must have a header and lines 'file,class'`,
      folder,
    )
  }
  const { records } = readCsv(list)
  const { width, height, channels } = shape
  const side = Math.max(width, height)
  const rule = pictureRule({
    size: [height, width],
    shorterSide: side >= PHOTO ? Math.round((side * 256) / 224) : side,
    mean: Array.from({ length: channels }, () => 0),
    layout: 'NHWC',
  })
  const items: StoredPicture[] = []
  const hashes: string[] = []
  for (const [n, [name = '', label = '']] of records.entries()) {
    if (!/^\d+$/.test(label)) {
      const message = `line ${n + 2}: the second field must be the number of a class, got '${label.slice(0, 40)}'`
      throw new MonitorError('bad_config', message, list)
    }
    const file = readPicture(folder, name)
    hashes.push(hashOf(file), label)
    const { data } = pictureFeed(await decoded(file, name, folder), rule)
    items.push(
      new StoredPicture(
        Uint8Array.from(data as Float32Array, (v) => Math.round(255 * v)),
        Number(label),
      ),
    )
  }
  const hash = hashOf(JSON.stringify([hashes, shape]))
  return { name: basename(folder), kind: 'image', shape, hash, items }
}

function readPicture(folder: string, name: string): Uint8Array {
  const path = join(folder, name)
  if (existsSync(path)) return readFileSync(path)
  throw new MonitorError('bad_config', `names '${name.slice(0, 80)}', which is not there`, join(folder, LABELS_FILE))
}

async function decoded(file: Uint8Array, name: string, folder: string) {
  try {
    return await decodeImage(file)
  } catch (thrown) {
    if (!isMonitorError(thrown) || thrown.code !== 'bad_query') throw thrown
    throw new MonitorError('bad_config', thrown.message, join(folder, name), { cause: thrown })
  }
}
