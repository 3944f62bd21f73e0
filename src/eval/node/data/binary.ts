/** Pictures in the binary files of CIFAR-10 and MNIST. */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { MonitorError } from '../../../core/index.ts'
import type { Shape } from '../../types.ts'
import { hashOf } from '../files.ts'
import { type Dataset, StoredPicture } from './dataset.ts'

const CIFAR: Shape = { width: 32, height: 32, channels: 3 }
const PLANE = 32 * 32

/** CIFAR-10: for each picture its label, then a red, a green and a blue plane. Throws `bad_config`. */
export function readCifar(path: string): Dataset<'image'> {
  const bytes = readFileSync(path)
  const record = 1 + 3 * PLANE
  if (bytes.length === 0 || bytes.length % record !== 0) {
    const message = `must have ${record} bytes a picture, a label and 3 planes of 32 × 32, got ${bytes.length} in all`
    throw new MonitorError('bad_config', message, path)
  }
  const items = Array.from({ length: bytes.length / record }, (_, n) => {
    const at = n * record
    const pixels = new Uint8Array(3 * PLANE)
    for (let i = 0; i < PLANE; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] = bytes[at + 1 + c * PLANE + i]!
    return new StoredPicture(pixels, bytes[at]!)
  })
  return { name: basename(path), kind: 'image', shape: CIFAR, hash: hashOf(bytes), items }
}

const IMAGES = 0x803
const LABELS = 0x801

/** The file of the labels that goes with one of pictures. */
function idxLabelsOf(path: string): string {
  return path.replace(/images([^/\\]*)idx3/, 'labels$1idx1')
}

/** MNIST: `…images…idx3…` with `…labels…idx1…` beside it, packed by gzip or not. Throws `bad_config`. */
export function readIdx(path: string): Dataset<'image'> {
  const labelsPath = idxLabelsOf(path)
  if (!existsSync(labelsPath)) {
    throw new MonitorError('bad_config', `needs its labels in ${basename(labelsPath)} beside it`, path)
  }
  const images = unpacked(path)
  const labels = unpacked(labelsPath)
  checkMagic(images, IMAGES, path)
  checkMagic(labels, LABELS, labelsPath)
  const [count, height, width] = [4, 8, 12].map((at) => images.readUInt32BE(at)) as [number, number, number]
  if (images.length !== 16 + count * height * width || labels.length !== 8 + count) {
    throw new MonitorError('bad_config', `must hold ${count} pictures of ${height} × ${width} and as many labels`, path)
  }
  const size = height * width
  const items = Array.from(
    { length: count },
    (_, n) => new StoredPicture(images.subarray(16 + n * size, 16 + (n + 1) * size), labels[8 + n]!),
  )
  const shape: Shape = { width, height, channels: 1 }
  return { name: basename(path), kind: 'image', shape, hash: hashOf(images, labels), items }
}

function unpacked(path: string): Buffer {
  const bytes = readFileSync(path)
  if (!path.endsWith('.gz')) return bytes
  try {
    return gunzipSync(bytes)
  } catch (cause) {
    throw new MonitorError('bad_config', `cannot be unpacked: ${(cause as Error).message}`, path, { cause })
  }
}

function checkMagic(bytes: Buffer, magic: number, path: string): void {
  if (bytes.length >= 16 - 8 * Number(magic === LABELS) && bytes.readUInt32BE(0) === magic) return
  throw new MonitorError('bad_config', `must be an idx file that begins with 0x${magic.toString(16)}`, path)
}
