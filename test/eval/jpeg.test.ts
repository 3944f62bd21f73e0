/** Our JPEG against sharp's (libjpeg), and against what the standard says. */
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { Picture, Shape } from '../../src/eval/index.ts'
import { createRandom } from '../../src/eval/index.ts'
import { gaussianBlur } from '../../src/eval/workloads/parts/filters.ts'
import { jpegCopy, tableOf } from '../../src/eval/workloads/parts/jpeg.ts'

const QUALITIES = [20, 45, 60, 75, 90, 95]

/** Soft blotches with some grain: smooth places, edges and noise, as photographs have. */
function photo({ width, height, channels }: Shape, seed: number): Picture {
  const shape = { width, height, channels }
  const random = createRandom(seed)
  const soft = gaussianBlur(random.normals(width * height * channels), shape, 3)
  return soft.map((v, i) => {
    const edge = Math.floor(i / channels) % width > width / 2 ? 0.25 : 0
    return Math.min(Math.max(0.4 + edge + 1.5 * v + 0.01 * random.normal(), 0), 1)
  })
}

async function bySharp(x: Picture, { width, height, channels }: Shape, quality: number): Promise<Picture> {
  const raw = { width, height, channels }
  const file = await sharp(
    Uint8Array.from(x, (v) => Math.round(255 * v)),
    { raw },
  )
    .jpeg({ quality })
    .toBuffer()
  const image = sharp(file)
  const bytes = await (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer()
  return Float64Array.from(bytes, (v) => v / 255)
}

/** In levels of 255, over some photos. */
async function differences(shape: Shape, quality: number) {
  const toSharp: number[] = []
  const toPicture: number[] = []
  for (const seed of [1, 2, 3, 4]) {
    const x = photo(shape, 10 * quality + seed)
    const ours = jpegCopy(x, shape, quality)
    const theirs = await bySharp(x, shape, quality)
    expect(ours).toHaveLength(theirs.length)
    toSharp.push(...ours.map((v, i) => 255 * Math.abs(v - theirs[i]!)))
    toPicture.push(...ours.map((v, i) => 255 * Math.abs(v - x[i]!)))
  }
  const share = toSharp.filter((levels) => levels > 2.5).length / toSharp.length
  return { toSharp: mean(toSharp), toPicture: mean(toPicture), share }
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

describe('a copy as JPEG', () => {
  const shapes: readonly Shape[] = [
    { width: 32, height: 32, channels: 3 },
    { width: 44, height: 37, channels: 3 },
    { width: 45, height: 31, channels: 3 },
    { width: 28, height: 28, channels: 1 },
  ]
  test.each(shapes)('is as libjpeg makes it: $width × $height × $channels', async (shape) => {
    for (const quality of QUALITIES) {
      const { toSharp, toPicture, share } = await differences(shape, quality)
      // Where a number falls between two steps of a table, either may be taken, and a block differs a little.
      expect(toSharp, `quality ${quality}`).toBeLessThan(0.3)
      expect(share, `quality ${quality}`).toBeLessThan(0.025)
      expect(toPicture, `quality ${quality}`).toBeGreaterThan(10 * toSharp)
    }
  })

  test('loses more at lower quality', () => {
    const shape = shapes[0]!
    const x = photo(shape, 1)
    const losses = QUALITIES.map((quality) => mean([...jpegCopy(x, shape, quality).map((v, i) => Math.abs(v - x[i]!))]))
    expect(losses).toEqual(losses.toSorted((a, b) => b - a))
  })

  test('is made of whole levels, and of an even grey nothing is lost', () => {
    const shape = { width: 16, height: 8, channels: 3 } as const
    for (const v of jpegCopy(photo(shape, 2), shape, 50)) expect(255 * v).toBeCloseTo(Math.round(255 * v), 9)
    expect(jpegCopy(new Float64Array(384).fill(128 / 255), shape, 30)).toEqual(new Float64Array(384).fill(128 / 255))
  })

  test('scales the tables as libjpeg does', () => {
    expect([...tableOf([16, 99], 50)]).toEqual([16, 99])
    // (16 · 200 + 50) / 100 = 32.5 and (16 · 20 + 50) / 100 = 3.7, both cut
    expect([...tableOf([16, 200], 25)]).toEqual([32, 255])
    expect([...tableOf([16, 99], 90)]).toEqual([3, 20])
    expect([...tableOf([16, 99], 100)]).toEqual([1, 1])
  })
})
