import { expect, test } from 'vitest'
import { toGrey } from '../src/core/pixels.ts'
import { axisWeights, resizeLanczos } from '../src/core/resample.ts'
import { golden, hasGolden } from './tools/data.ts'

interface Case {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  readonly pixels_base64: string
  readonly resized32_base64: string
}

const present = hasGolden('image_phash')
const absent = present ? '' : ' (skipped: the golden file image_phash.json is absent)'

test.skipIf(!present)(`the 32 × 32 picture is that of Pillow to the bit on every golden picture${absent}`, () => {
  const { cases } = golden<{ cases: Case[] }>('image_phash')
  expect(cases.length).toBeGreaterThan(0)
  for (const { name, width, height, channels, pixels_base64, resized32_base64 } of cases) {
    const grey = toGrey({ data: Uint8Array.from(Buffer.from(pixels_base64, 'base64')), width, height, channels })
    const small = resizeLanczos(grey, width, height, 32, 32)
    expect(Buffer.from(small).toString('base64'), name).toBe(resized32_base64)
  }
})

// (37 x² + 11 y² + x y) mod 256, resized by Pillow 12.3.0. The first is over 100 times as tall as wide.
test.each([
  [2, 250, 5, 4, [125, 125, 125, 125, 125, 120, 122, 124, 126, 128, 114, 118, 124, 130, 134, 130, 130, 131, 132, 132]],
  [2, 150, 5, 4, [111, 115, 120, 125, 131, 136, 134, 131, 126, 125, 129, 126, 125, 123, 121, 91, 98, 116, 133, 143]],
  [250, 2, 4, 5, [122, 119, 114, 123, 120, 120, 120, 126, 118, 123, 129, 131, 115, 125, 137, 135, 113, 126, 143, 138]],
])('%i × %i becomes %i × %i as in Pillow', (width, height, outWidth, outHeight, expected) => {
  const value = (x: number, y: number) => (37 * x * x + 11 * y * y + x * y) & 255
  const grey = Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)))
  expect([...resizeLanczos(grey, width, height, outWidth, outHeight)]).toEqual(expected)
})

test('an unchanged size gives an equal copy', () => {
  const grey = Uint8Array.of(1, 2, 3, 4, 5, 6)
  const copy = resizeLanczos(grey, 3, 2, 3, 2)
  expect(copy).toEqual(grey)
  expect(copy).not.toBe(grey)
})

test('a flat picture stays flat at every size, odd ones and one pixel included', () => {
  for (const [width, height] of [
    [1, 1],
    [5, 3],
    [1, 200],
    [333, 2],
    [97, 101],
  ] as const) {
    for (const value of [0, 1, 128, 255]) {
      const small = resizeLanczos(new Uint8Array(width * height).fill(value), width, height, 32, 32)
      expect(new Set(small), `${width} × ${height} of ${value}`).toEqual(new Set([value]))
    }
  }
})

test('overshoot beside a sharp edge is clipped, not wrapped around', () => {
  const grey = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 0 : 255))
  const wide = resizeLanczos(grey, 8, 8, 40, 8)
  expect(Math.min(...wide)).toBe(0)
  expect(Math.max(...wide)).toBe(255)
  expect(wide[0]).toBeLessThan(20)
  expect(wide[39]).toBeGreaterThan(235)
})

test('resizing does not change its input', () => {
  const grey = Uint8Array.from({ length: 35 }, (_, i) => i * 7)
  const before = grey.slice()
  resizeLanczos(grey, 7, 5, 32, 32)
  expect(grey).toEqual(before)
})

test('the weights of each output add up to 1', () => {
  const { counts, weights, stride } = axisWeights(100, 32, (x) => Math.max(0, 1 - Math.abs(x)), 1)
  for (let i = 0; i < 32; i++) {
    const sum = weights.subarray(i * stride, i * stride + counts[i]!).reduce((a, b) => a + b, 0)
    expect(Math.abs(sum - 1), `output ${i}`).toBeLessThan(1e-12)
  }
})
