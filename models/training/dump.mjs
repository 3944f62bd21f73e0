/**
 * Writes the dev half of the benchmark's pictures with all their transformations, for evaluate.py.
 *
 *     node models/training/dump.mjs <folder>
 *
 * Per data set NAME: `NAME.u8`, pictures × (1 + transformations) × height × width × 3 bytes, the original first, and
 * `NAME.json` with the numbers and the transformations. Photos are stored as their 64 × 64 thumbnails, rounded to
 * bytes; CIFAR as 32 × 32, to be enlarged by the reader. The thumbnail is the one of src/core, bundled on the fly.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { dataFile, loadDataset } from '../../bench/embed/datasets.mjs'
import { TRANSFORMS, transformAll } from '../../bench/embed/transforms.mjs'

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: node models/training/dump.mjs <folder>')
mkdirSync(folder, { recursive: true })

async function importThumbnail() {
  const source = fileURLToPath(new URL('../../src/core/thumbnail.ts', import.meta.url))
  const bundle = await rolldown({ input: source })
  const file = join(folder, 'thumbnail.mjs')
  await bundle.write({ file, format: 'esm' })
  return (await import(pathToFileURL(file).href)).thumbnail
}

function toBytes(planes) {
  const area = planes[0].length
  return Uint8Array.from({ length: 3 * area }, (_, k) => Math.round(planes[k % 3][Math.floor(k / 3)]))
}

/** The even positions of CIFAR after those of the benchmark: more unrelated pairs. */
function loadMore() {
  const bytes = readFileSync(dataFile('images/cifar10/cifar10_test_0-100_per_class.bin'))
  const pictures = []
  const indices = []
  for (let i = 500; i < bytes.length / 3073; i += 2) {
    const at = i * 3073 + 1
    const data = Uint8Array.from({ length: 3072 }, (_, k) => bytes[at + (k % 3) * 1024 + Math.floor(k / 3)])
    pictures.push({ data, width: 32, height: 32, channels: 3 })
    indices.push(i)
  }
  return { name: 'CIFAR-more', size: 32, pictures, indices }
}

const thumbnail = await importThumbnail()
for (const set of [await loadDataset('photos', 'dev'), await loadDataset('CIFAR', 'dev'), loadMore()]) {
  const side = Math.min(64, set.size)
  const small = (picture) => (set.size > 64 ? toBytes(thumbnail(picture)) : picture.data)
  const parts = []
  for (const [k, picture] of set.pictures.entries()) {
    const made = await transformAll(picture, { seed: 1, index: set.indices[k] })
    for (const one of [picture, ...made]) parts.push(small(one))
  }
  writeFileSync(join(folder, `${set.name}.u8`), Buffer.concat(parts))
  const transforms = TRANSFORMS.map(({ name, group }) => ({ name, group }))
  writeFileSync(join(folder, `${set.name}.json`), JSON.stringify({ count: set.pictures.length, side, transforms }))
  console.error(`${set.name}: ${set.pictures.length} pictures`)
}
