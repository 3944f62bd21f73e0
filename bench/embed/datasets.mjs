/**
 * The pictures of the benchmark, from the data folder (`MONITAUR_DATA`, default `../shared/data`, no part of the
 * repository). Choices are made on the `dev` half, the pictures at even positions; the `heldout` half, those at odd
 * positions, is looked at when the choices are made.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

const PHOTOS = 'images/imagenet-sample'
const CIFAR = 'images/cifar10/cifar10_test_0-100_per_class.bin'
const DIGITS = 'images/mnist/t10k-images-0-1000.idx3-ubyte'

/** Data sets in the order of the report. `at(i)` reads the picture at position i. */
const SOURCES = [
  { name: 'photos', size: 224, needs: PHOTOS, open: openPhotos },
  { name: 'CIFAR', size: 32, needs: CIFAR, open: openCifar },
  { name: 'digits', size: 28, needs: DIGITS, open: openDigits },
]
const MOST = 500

export const DATASET_NAMES = SOURCES.map(({ name }) => name)

/** The folder of test data, as an absolute path. */
export function dataDir() {
  return resolve(process.env['MONITAUR_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url)))
}

/** A file of the data folder; throws with the remedy where it is not there. */
export function dataFile(path) {
  const file = join(dataDir(), path)
  if (existsSync(file)) return file
  throw new Error(`the data of the benchmark is not here: ${path}. Point MONITAUR_DATA at the folder that holds it`)
}

/**
 * One half of a data set: `{ name, size, pictures, indices }`, where `indices` are the positions in the whole set.
 *
 * @param {string} name One of DATASET_NAMES.
 * @param {'dev' | 'heldout' | 'all'} half
 * @param {number} [limit] At most so many, evenly spread over the half.
 */
export async function loadDataset(name, half, limit = Infinity) {
  const { size, needs, open } = SOURCES.find((source) => source.name === name)
  const { count, at } = open(dataFile(needs))
  const indices = thin(positions(count, half), limit)
  const pictures = await Promise.all(indices.map(at))
  return { name, size, pictures, indices }
}

/** The positions 0 … count − 1 that belong to a half. */
export function positions(count, half) {
  const all = Array.from({ length: count }, (_, i) => i)
  return half === 'all' ? all : all.filter((i) => i % 2 === (half === 'dev' ? 0 : 1))
}

function thin(items, limit) {
  if (items.length <= limit) return items
  return Array.from({ length: limit }, (_, i) => items[Math.floor((i * items.length) / limit)])
}

function openPhotos(folder) {
  const files = readdirSync(folder)
    .filter((file) => /\.jpe?g$/i.test(file))
    .sort()
  return { count: files.length, at: (i) => readPhoto(join(folder, files[i])) }
}

/** Shorter side 256, the middle 224 × 224. */
async function readPhoto(file) {
  const { data, info } = await sharp(file)
    .rotate()
    .resize({ width: 256, height: 256, fit: 'outside' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 3) throw new Error(`${file}: three channels expected, ${info.channels} found`)
  const left = (info.width - 224) >> 1
  const top = (info.height - 224) >> 1
  const cut = new Uint8Array(224 * 224 * 3)
  for (let y = 0; y < 224; y++) {
    const from = ((top + y) * info.width + left) * 3
    cut.set(data.subarray(from, from + 224 * 3), y * 224 * 3)
  }
  return { data: cut, width: 224, height: 224, channels: 3 }
}

/** The binary form of CIFAR-10: a label byte, then 32 × 32 red, green and blue planes. */
function openCifar(file) {
  const bytes = readFileSync(file)
  const plane = 32 * 32
  const at = (i) => {
    const start = i * (1 + 3 * plane) + 1
    const data = Uint8Array.from({ length: 3 * plane }, (_, k) => bytes[start + (k % 3) * plane + Math.floor(k / 3)])
    return { data, width: 32, height: 32, channels: 3 }
  }
  return { count: Math.min(MOST, bytes.length / (1 + 3 * plane)), at }
}

/** The IDX form of MNIST: 16 bytes of header, then 28 × 28 grey pictures. */
function openDigits(file) {
  const bytes = readFileSync(file)
  const area = 28 * 28
  const at = (i) => {
    const data = Uint8Array.from({ length: 3 * area }, (_, k) => bytes[16 + i * area + Math.floor(k / 3)])
    return { data, width: 28, height: 28, channels: 3 }
  }
  return { count: Math.min(MOST, (bytes.length - 16) / area), at }
}
