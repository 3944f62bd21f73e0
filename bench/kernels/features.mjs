/** Goals 8, 10 and 11: the features of a query, and what else could make them. */
import { createHash } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import sharp from 'sharp'
import { createRandom } from '../embed/random.mjs'
import { waves } from './data.mjs'
import { inTurns, inTurnsAwaited, ratio } from './measure.mjs'
import { peer } from './peers.mjs'

const SEED = 20261130

export async function measureFeatures({ inside, plain, quick, timing }) {
  return [
    ...(await hashesOfPictures(inside, quick, timing)),
    ...windowsOfPictures(inside, plain, timing),
    ...entropies(inside, timing),
    ...digests(inside, timing),
  ]
}

async function hashesOfPictures(inside, quick, timing) {
  const found = []
  const { module, missing, version } = peer('sharp-phash')
  const phash = module?.default ?? module
  for (const [width, height] of quick
    ? [[224, 224]]
    : [
        [224, 224],
        [1024, 768],
      ]) {
    const pixels = waves(SEED, width, height)
    const png = await sharp(pixels.data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer()
    if (missing === undefined) {
      const times = await inTurnsAwaited(
        { ours: async () => inside.perceptualHash(pixels), theirs: async () => phash(png) },
        { rounds: timing.rounds },
      )
      found.push({
        goal: 8,
        metric: `sharp-phash ${version} of a PNG / our perceptual hash of pixels`,
        setting: `${width} × ${height}; decoding is in theirs only`,
        ratio: ratio(times.theirs, times.ours),
        ...(width === 224 ? { atLeast: 15 } : {}),
      })
    }
  }
  return found
}

/**
 * Every window of a picture, stride 1, as published for its size. SHA-256 takes some of the windows of the large one, and its time is that of all.
 */
function windowsOfPictures(inside, plain, timing) {
  return [
    [32, 20, 1],
    [224, 50, 16],
  ].flatMap(([side, size, part]) => {
    const pixels = waves(SEED, side, side)
    const quantised = pixels.data.map((v) => Math.round(v / 50))
    const [own, other] = [inside.pictureShingles(pixels), plain.pictureShingles(pixels)]
    if (own.hashes.join() !== other.hashes.join()) throw new Error('other fingerprints without kernels')
    const shaOfSome = () => {
      let sum = 0
      for (let i = 0; i + size <= quantised.length; i += part) {
        sum ^= createHash('sha256')
          .update(quantised.subarray(i, i + size))
          .digest()[0]
      }
      return sum
    }
    const ways = {
      ours: () => inside.pictureShingles(pixels).windows,
      rolling: () => plain.pictureShingles(pixels).windows,
      sha: shaOfSome,
    }
    const times = inTurns(ways, timing)
    const all = times.sha.map((time) => part * time)
    const row = { goal: 10, setting: `${side} × ${side} × 3, windows of ${size}, stride 1` }
    const metric = 'content fingerprint'
    return [
      {
        ...row,
        metric: `SHA-256 of each window, node:crypto / ${metric}`,
        ratio: ratio(all, times.ours),
        atLeast: 200,
      },
      { ...row, metric: `${metric} / in plain JavaScript`, ratio: ratio(times.ours, times.rolling), atMost: 0.6 },
    ]
  })
}

function entropies(inside, timing) {
  const found = []
  for (const classes of [1000, 50_000]) {
    const { next } = createRandom(SEED, classes)
    const p = Float32Array.from({ length: classes }, () => next() / classes)
    const sum = p.reduce((a, b) => a + b)
    const functional = () =>
      -Array.from(p)
        .filter((v) => v > 0)
        .map((v) => v / sum)
        .reduce((s, v) => s + v * Math.log(v + 1e-10), 0)
    const loop = () => {
      let total = 0
      for (let i = 0; i < p.length; i++) total -= (p[i] / sum) * Math.log(p[i] / sum + 1e-10)
      return total
    }
    const ours = () => inside.entropy(p, sum)
    for (const other of [functional, loop]) {
      if (Math.abs(other() - ours()) > 1e-9) throw new Error(`other entropies: ${other()}, ${ours()}`)
    }
    const times = inTurns({ ours, functional, loop }, timing)
    const row = { goal: 11, setting: `${classes} classes, 32-bit floats; the score itself, to 1e-9` }
    found.push(
      { ...row, metric: 'entropy, filter/map/reduce / ours', ratio: ratio(times.functional, times.ours), atLeast: 10 },
      { ...row, metric: 'entropy, ours / loop with Math.log', ratio: ratio(times.ours, times.loop), atMost: 0.5 },
    )
  }
  return found
}

function digests(inside, timing) {
  const text = 'The quick brown fox jumps over the lazy dog, and then it rests for a while.'
  const bytes = new TextEncoder().encode(text)
  const times = inTurns(
    {
      ours: () => inside.sha256HexOfText(text).length,
      noble: () => sha256(bytes)[0],
      node: () => createHash('sha256').update(text).digest('hex').length,
    },
    timing,
  )
  const setting = `a text of ${text.length} characters, 64 hex digits from ours and node, 32 bytes from @noble/hashes`
  return [
    { goal: null, metric: 'SHA-256, @noble/hashes 2.4.0 / ours', setting, ratio: ratio(times.noble, times.ours) },
    { goal: null, metric: 'SHA-256, node:crypto / ours', setting, ratio: ratio(times.node, times.ours) },
  ]
}
