import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { DESCRIPTOR_LENGTH, embedPixels } from '../src/core/pictures/index.ts'
import type { Pixels } from '../src/core/types.ts'
import { dataDir, hasData } from './tools/data.ts'

function plain(width: number, height: number, ...colour: number[]): Pixels {
  const channels = colour.length as 1 | 3 | 4
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => colour[i % channels]!)
  return { data, width, height, channels }
}

const plain9 = (grey: number) => embedPixels(plain(9, 9, grey))

/** A picture made by a formula, with edges and colours. */
function drawn(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / width, y / height]
      const disc = (u - 0.4) ** 2 + (v - 0.6) ** 2 < 0.06
      data.set(disc ? [220, 40, 60] : [255 * u * v, 200 * v, 120 * (1 - u)], (y * width + x) * 3)
    }
  }
  return { data, width, height, channels: 3 }
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

/** A small seeded generator (mulberry32), uniform in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test('every vector has 192 finite numbers and length 1, at any size and number of channels', () => {
  for (const pixels of [
    plain(1, 1, 0),
    plain(1, 1, 255, 255, 255),
    plain(7, 3, 10, 20, 30, 0),
    drawn(1, 50),
    drawn(50, 1),
    drawn(2, 2),
    drawn(63, 65),
    drawn(300, 40),
  ]) {
    const vector = embedPixels(pixels)
    expect(vector).toHaveLength(DESCRIPTOR_LENGTH)
    expect(DESCRIPTOR_LENGTH).toBe(192)
    expect(Math.abs(cosine(vector, vector) - 1)).toBeLessThan(1e-6)
  }
})

test('two plain colours have two vectors, and black is not like white', () => {
  const [black, dark, white] = [0, 60, 255].map(plain9)
  const red = embedPixels(plain(9, 9, 255, 0, 0))
  expect(cosine(black!, dark!)).toBeLessThan(0.9999)
  expect(cosine(black!, white!)).toBeLessThan(0.85)
  expect(cosine(red, white!)).toBeLessThan(0.9)
  expect(cosine(black!, dark!)).toBeLessThan(cosine(black!, plain9(10)))
})

test('a plain colour is like its noisy copy', () => {
  const random = seeded(3)
  const clean = plain(224, 224, 128, 128, 128)
  const data = clean.data.map(() => 128 + Math.round((random() - 0.5) * 14)) // uniform, σ ≈ 4
  expect(cosine(embedPixels(clean), embedPixels({ ...clean, data }))).toBeGreaterThan(0.95)
})

test('a picture is like itself at another size, and unlike its mirror image', () => {
  const large = drawn(320, 240)
  expect(cosine(embedPixels(large), embedPixels(drawn(80, 60)))).toBeGreaterThan(0.98)
  const mirrored = new Uint8Array(large.data.length)
  for (let i = 0; i < mirrored.length; i += 3) {
    const pixel = i / 3
    const from = pixel - (pixel % 320) + 319 - (pixel % 320)
    mirrored.set(large.data.subarray(from * 3, from * 3 + 3), i)
  }
  expect(cosine(embedPixels(large), embedPixels({ ...large, data: mirrored }))).toBeLessThan(0.95)
  const turned = embedPixels({ ...large, data: mirrored }, { mirrored: true })
  expect(cosine(embedPixels(large), turned)).toBeGreaterThan(0.9999)
})

test('a grey picture gives the same vector as one channel and as three', () => {
  const one = { data: drawn(90, 30).data.slice(), width: 90, height: 90, channels: 1 } as const
  const three = {
    ...one,
    data: Uint8Array.from({ length: 90 * 90 * 3 }, (_, i) => one.data[Math.floor(i / 3)]!),
    channels: 3 as const,
  }
  expect(Math.abs(cosine(embedPixels(one), embedPixels(three)) - 1)).toBeLessThan(1e-6)
})

test('colours hidden behind full transparency do not count', () => {
  const clear = embedPixels(plain(20, 20, 10, 200, 30, 0))
  expect(clear).toEqual(embedPixels(plain(20, 20, 255, 255, 255)))
})

test('the vectors are the same to the bit as on the day the weights were made', () => {
  const random = seeded(5)
  const blocks = Array.from({ length: 64 * 4 }, () => Math.floor(256 * random()))
  const picture = (width: number, height: number, channels: 3 | 4): Pixels => {
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
      const pixel = Math.floor(i / channels)
      const block = Math.floor((8 * (pixel % width)) / width) + 8 * Math.floor((8 * Math.floor(pixel / width)) / height)
      return blocks[4 * block + (i % channels)]!
    })
    return { data, width, height, channels }
  }
  // Pinned, not computed elsewhere: a change here changes stored vectors, and belongs in the changelog.
  const digest = (pixels: Pixels) => createHash('sha256').update(embedPixels(pixels)).digest('hex').slice(0, 16)
  expect(digest(picture(224, 224, 3))).toBe('19a1a7c294d1c650')
  expect(digest(picture(50, 37, 4))).toBe('a8489b3a916e1a07')
})

test('a vector does not depend on the pictures before it, nor changes with those after it', () => {
  const first = embedPixels(drawn(64, 48))
  const copy = first.slice()
  embedPixels(plain(30, 30, 0, 255, 0))
  expect(first).toEqual(copy)
  expect(embedPixels(drawn(64, 48))).toEqual(copy)
})

test('faint structure on a plain picture counts, once it is more than noise', () => {
  const clean = plain(224, 224, 128, 128, 128)
  const striped = (step: number, vertical: boolean): Pixels => ({
    ...clean,
    data: clean.data.map((_, i) => {
      const pixel = Math.floor(i / 3)
      return 128 + (Math.floor((vertical ? pixel % 224 : pixel / 224) / 28) % 2 === 0 ? step : -step)
    }),
  })
  const [across, down] = [embedPixels(striped(10, true)), embedPixels(striped(10, false))]
  expect(cosine(across, down)).toBeLessThan(0.9)
  expect(cosine(across, embedPixels(striped(5, true)))).toBeGreaterThan(0.9)
})

test('the picture is not changed', () => {
  const pixels = drawn(70, 50)
  const before = pixels.data.slice()
  embedPixels(pixels)
  expect(pixels.data).toEqual(before)
})

test('malformed pixels are refused', () => {
  const bad = { data: new Uint8Array(5), width: 2, height: 2, channels: 1 } as const
  expect(() => embedPixels(bad)).toThrow(expect.objectContaining({ code: 'bad_query', path: 'input.data' }))
})

const photos = 'images/imagenet-sample'
const present = hasData(photos)
const absent = present ? '' : ' (skipped: the data set images/imagenet-sample is absent)'

describe.skipIf(!present)(`on 40 photos${absent}`, () => {
  const side = 224
  const raw = { width: side, height: side, channels: 3 } as const
  let originals: Uint8Array[] = []

  const decode = (image: Sharp) => image.toColourspace('srgb').removeAlpha().raw().toBuffer()
  const embed = (data: Uint8Array) => embedPixels({ data: Uint8Array.from(data), ...raw })

  beforeAll(async () => {
    const folder = join(dataDir(), photos)
    const names = readdirSync(folder)
      .filter((name) => /\.jpe?g$/i.test(name))
      .sort()
      .slice(0, 40)
    originals = await Promise.all(names.map((name) => decode(sharp(join(folder, name)).resize(side, side))))
  })

  const random = seeded(11)
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const each = (data: Uint8Array, change: (value: number) => number) =>
    Buffer.from(Uint8ClampedArray.from(data, change))

  test.each<[string, (data: Uint8Array) => Promise<Uint8Array>]>([
    ['blurred by 1 pixel', (data) => decode(sharp(data, { raw }).blur(1))],
    [
      'compressed as JPEG of quality 30',
      async (data) => decode(sharp(await sharp(data, { raw }).jpeg({ quality: 30 }).toBuffer())),
    ],
    ['with noise of σ 8', async (data) => each(data, (value) => value + 8 * gauss())],
    ['brightened by a fifth', async (data) => each(data, (value) => value * 1.2)],
    [
      'cropped by 2 % on each side',
      (data) => decode(sharp(data, { raw }).extract({ left: 4, top: 4, width: 216, height: 216 }).resize(side, side)),
    ],
  ])('a photo %s is alike at 0.9', async (_name, change) => {
    for (const [i, original] of originals.entries()) {
      expect(cosine(embed(original), embed(await change(original))), `photo ${i}`).toBeGreaterThan(0.9)
    }
  })

  test('no two different photos are alike at 0.9', () => {
    const vectors = originals.map(embed)
    let highest = -1
    for (const [i, a] of vectors.entries()) {
      for (const b of vectors.slice(i + 1)) highest = Math.max(highest, cosine(a, b))
    }
    expect(highest).toBeLessThan(0.9)
  })
})
