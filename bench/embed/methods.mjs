/**
 * What is compared. A method is
 * - `key`, `name`, and `ours` for what the goals are about;
 * - `embed(pictures)`: a promise of one vector (or hash) each;
 * - `likeness(a, b)`: higher is more alike;
 * - `mirrored`: whether it is also measured with the mirrored picture compared;
 * - `files`: what its figures depend on, for the cache of the peers; the library's own are made anew each time.
 * A method that cannot run has `missing`, the reason in words, and nothing else but its name.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dataDir } from './datasets.mjs'
import { imageNetPicture, smallPicture } from './inputs.mjs'
import { core, repositoryFile } from './library.mjs'
import { embedByNetwork, openModel } from './networks.mjs'
import { createPrototypeProjection } from './prototype.mjs'
import { dot } from './scores.mjs'

/** Networks: where the file is, what it takes (see networks.mjs), and what is asked of it. */
const NETWORKS = [
  {
    key: 'network',
    name: 'network',
    ours: true,
    mirrored: true,
    path: repositoryFile('models/copy-net.onnx'),
    input: { side: 64, prepare: smallPicture, output: 'embedding' },
  },
  {
    key: 'prototype',
    name: 'prototype: network',
    ours: false,
    mirrored: true,
    path: peerFile('copy-net-baseline/net_fp32.onnx'),
    input: { side: 64, prepare: smallPicture, output: 'embedding' },
  },
  {
    key: 'mobilenet',
    name: 'MobileNetV2 features',
    ours: false,
    mirrored: false, // twice the longest time of all, for a peer
    path: peerFile('mobilenetv2-imagenet/mobilenetv2_int8_logits_features.onnx'),
    input: { side: 224, prepare: imageNetPicture, output: 'features' },
  },
]

const PROJECTION = peerFile('copy-net-baseline/lda.npz')

/** All methods, in the order of the report. */
export async function openMethods() {
  const [ours, prototype, mobilenet] = await Promise.all(NETWORKS.map(network))
  return [descriptor(), ours, hash(), projection(), prototype, mobilenet]
}

/** What can be timed: `{ key, name, run(picture), backend }`, and `close` for networks, one entry a backend. */
export async function openRunners() {
  const runners = [
    { key: 'descriptor', name: 'descriptor', backend: 'JavaScript', run: core.embedPixels },
    { key: 'phash', name: 'pHash 64', backend: 'JavaScript', run: core.perceptualHash },
  ]
  const { missing, project, key, name } = projection()
  if (missing === undefined) runners.push({ key, name, backend: 'JavaScript', run: project })
  for (const one of NETWORKS.filter((network) => reasonAgainst(network) === undefined)) {
    for (const backend of ['wasm', 'native']) {
      const model = await openModel(one.path, backend).catch(() => undefined)
      if (model === undefined) continue
      const run = (picture) => embedByNetwork(model, [picture], one.input)
      runners.push({ key: one.key, name: one.name, backend, run, close: model.close })
    }
  }
  return runners
}

function descriptor() {
  const embed = async (pictures) => pictures.map((picture) => core.embedPixels(picture))
  return { key: 'descriptor', name: 'descriptor', ours: true, mirrored: true, embed, likeness: dot, files: [] }
}

async function network(one) {
  const { key, name, ours, mirrored, path, input } = one
  const missing = reasonAgainst(one)
  if (missing !== undefined) return { key, name, ours, missing }
  const model = await openModel(path, 'best')
  const embed = (pictures) => embedByNetwork(model, pictures, input)
  return {
    key,
    name,
    ours,
    mirrored,
    embed,
    likeness: dot,
    files: [path, ownFile('networks.mjs'), ownFile('inputs.mjs')],
  }
}

function hash() {
  const embed = async (pictures) => pictures.map((picture) => toNibbles(core.perceptualHash(picture)))
  return { key: 'phash', name: 'pHash 64', ours: false, mirrored: true, embed, likeness: nearness, files: [] }
}

function projection() {
  const common = { key: 'projection', name: 'prototype: LDA', ours: false }
  const missing = reasonAgainst({ path: PROJECTION, input: { prepare: smallPicture } })
  if (missing !== undefined) return { ...common, missing }
  const project = createPrototypeProjection(PROJECTION)
  const embed = async (pictures) => pictures.map(project)
  return { ...common, mirrored: true, embed, project, likeness: dot, files: [PROJECTION, ownFile('prototype.mjs')] }
}

function reasonAgainst({ path, input }) {
  if (path === undefined) return 'its file is not here'
  const isAbsent = input.prepare === smallPicture && core.thumbnail === undefined
  return isAbsent ? 'this build of monitaur/core does not export thumbnail' : undefined
}

function peerFile(path) {
  const file = join(dataDir(), 'models/image', path)
  return existsSync(file) ? file : undefined
}

function ownFile(name) {
  return fileURLToPath(new URL(name, import.meta.url))
}

function toNibbles(hex) {
  return Uint8Array.from(hex, (digit) => Number.parseInt(digit, 16))
}

const BITS = Uint8Array.from({ length: 16 }, (_, i) => (i & 1) + ((i >> 1) & 1) + ((i >> 2) & 1) + (i >> 3))

/** The Hamming distance of two hashes, negative: −64 … 0. */
function nearness(a, b) {
  let distance = 0
  for (let i = 0; i < a.length; i++) distance += BITS[a[i] ^ b[i]]
  return -distance
}
