import { expect, test } from 'vitest'
import { dct8x8 } from '../src/core/dct.ts'
import { hammingDistance, perceptualHash } from '../src/core/phash.ts'
import { flattenAlpha, toGrey } from '../src/core/pixels.ts'
import { resizeLanczos } from '../src/core/resample.ts'
import { shrinkGrey } from '../src/core/shrink.ts'
import type { Pixels } from '../src/core/types.ts'
import { golden, hasGolden } from './tools/data.ts'
import { random } from './tools/random.ts'

interface Case {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  readonly pixels_base64: string
  readonly phash: string
  readonly resized32_base64: string
  readonly dct8x8: readonly (readonly number[])[]
  readonly closest_to_median: number
}

const present = hasGolden('image_phash')
const absent = present ? '' : ' (skipped: the golden file image_phash.json is absent)'
const cases = present ? golden<{ cases: Case[] }>('image_phash').cases : []

function pixelsOf({ pixels_base64, width, height, channels }: Case): Pixels {
  return { data: Uint8Array.from(Buffer.from(pixels_base64, 'base64')), width, height, channels }
}

function draw(
  width: number,
  height: number,
  channels: 1 | 3 | 4,
  paint: (x: number, y: number, c: number) => number,
): Pixels {
  const data = new Uint8Array(width * height * channels)
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / channels)
    data[i] = paint(pixel % width, Math.floor(pixel / width), i % channels)
  }
  return { data, width, height, channels }
}

/** A small seeded generator (mulberry32), bytes. */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) & 255
  }
}

test.skipIf(!present)(`the hash is that of imagehash on every golden picture, ties included${absent}`, () => {
  expect(cases.length).toBeGreaterThan(0)
  for (const c of cases) expect(`${c.name}: ${perceptualHash(pixelsOf(c))}`).toBe(`${c.name}: ${c.phash}`)
})

test.skipIf(!present)(`the coefficients are those of scipy within 1e-8${absent}`, () => {
  for (const c of cases) {
    const block = dct8x8(Buffer.from(c.resized32_base64, 'base64'))
    const errors = c.dct8x8.flat().map((expected, i) => Math.abs(block[i]! - expected))
    expect(Math.max(...errors), c.name).toBeLessThan(1e-8)
  }
})

test('one plain colour has a single coefficient above the median, black has none', () => {
  expect(perceptualHash(draw(50, 40, 3, () => 255))).toBe('8000000000000000')
  expect(perceptualHash(draw(33, 7, 1, () => 1))).toBe('8000000000000000')
  expect(perceptualHash(draw(50, 40, 3, () => 0))).toBe('0000000000000000')
})

test('a coefficient that is zero in mathematics is not above a median of zero, whatever rounding says', () => {
  // x[m][n] − 128 changes sign under transposition: each coefficient (u, u) but the first is zero, as a sum of many
  // cosines that cancel, and so is the median, for the others come in pairs of opposite sign.
  const values = Array.from({ length: 32 * 32 }, noise(5))
  const picture = draw(32, 32, 1, (x, y) => {
    if (x === y) return 128
    const value = Math.max(1, values[Math.min(x, y) * 32 + Math.max(x, y)]!)
    return x < y ? value : 256 - value
  })
  const bits = BigInt(`0x${perceptualHash(picture)}`)
  const diagonal = Array.from({ length: 8 }, (_, u) => (bits >> BigInt(63 - 9 * u)) & 1n)
  expect(diagonal).toEqual([1n, 0n, 0n, 0n, 0n, 0n, 0n, 0n])
})

test('a 32 × 32 picture equal to its transpose has a hash equal to its transpose', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const values = Array.from({ length: 32 * 32 }, noise(seed))
    const picture = draw(32, 32, 1, (x, y) => values[Math.min(x, y) * 32 + Math.max(x, y)]!)
    const bits = BigInt(`0x${perceptualHash(picture)}`)
    const at = (u: number, v: number) => (bits >> BigInt(63 - u * 8 - v)) & 1n
    for (let u = 0; u < 8; u++) {
      for (let v = 0; v < u; v++) expect(at(u, v), `seed ${seed}, coefficient (${u}, ${v})`).toBe(at(v, u))
    }
  }
})

test('alpha is ignored, and flattening first makes fully transparent pictures equal', () => {
  const opaque = draw(40, 30, 3, (x, y, c) => (x * 5 + y * 3 + c * 40 + ((x ^ y) & 31)) & 255)
  const clear = draw(40, 30, 4, (x, y, c) => (c === 3 ? 0 : opaque.data[(y * 40 + x) * 3 + c]!))
  expect(perceptualHash(clear)).toBe(perceptualHash(opaque))
  expect(perceptualHash(flattenAlpha(clear))).toBe('8000000000000000')
})

test('floats in [0, 1] hash as the bytes they stand for', () => {
  const bytes = draw(37, 29, 3, (x, y, c) => (x * 7 + y * 11 + c * 50) & 255)
  const data = Float32Array.from(bytes.data, (value) => value / 255)
  expect(perceptualHash({ ...bytes, data, maxValue: 1 })).toBe(perceptualHash(bytes))
})

test('a picture of one pixel has a hash', () => {
  expect(perceptualHash(draw(1, 1, 3, () => 77))).toBe('8000000000000000')
})

test('malformed pixels are refused', () => {
  const bad = { data: new Uint8Array(11), width: 2, height: 2, channels: 3 } as const
  expect(() => perceptualHash(bad)).toThrow(expect.objectContaining({ code: 'bad_query', path: 'input.data' }))
})

test('the distance of two hashes is the number of bits that differ', () => {
  expect(hammingDistance('00', '00')).toBe(0)
  expect(hammingDistance('00', 'ff')).toBe(8)
  expect(hammingDistance('8a00000000000000', '8000000000000001')).toBe(3)
  expect(hammingDistance('FF', 'ff')).toBe(0)
})

test('hashes of two lengths, or of other characters, have no distance', () => {
  const refused = expect.objectContaining({ code: 'bad_query' })
  expect(() => hammingDistance('00', '0000')).toThrow(refused)
  expect(() => hammingDistance('0g', '00')).toThrow(refused)
  expect(() => hammingDistance('', '')).toThrow(refused)
  expect(() => hammingDistance(12 as never, '00')).toThrow(refused)
})

test('the small picture is the same by the kernels and without them, for every kind of picture', () => {
  const next = random(20261130)
  const sizes = [
    [1, 1],
    [1, 700],
    [3, 299],
    [31, 32],
    [32, 32],
    [33, 500],
    [224, 224],
    [640, 3],
    [4096, 40],
    [40, 4096],
    [5000, 2],
    [700, 501],
  ] as const
  for (const [width, height] of sizes) {
    for (const channels of [1, 3, 4] as const) {
      const extreme = next() < 0.3
      const value = () => (extreme ? 255 * Math.round(next()) : Math.floor(256 * next()))
      const bytes = Uint8Array.from({ length: width * height * channels }, value)
      for (const data of width * height < 100_000 ? [bytes, Float64Array.from(bytes, (v) => v / 255)] : [bytes]) {
        const pixels = { data, width, height, channels, maxValue: data === bytes ? 255 : 1 } as const
        expect(shrinkGrey(pixels, 32)).toEqual(resizeLanczos(toGrey(pixels), width, height, 32, 32))
      }
    }
  }
})
