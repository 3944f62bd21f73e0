/** Superpixels, colours and filters. */
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/eval/index.ts'
import { boxBlur, convolved, gaussianBlur, mirrored } from '../../src/eval/workloads/parts/filters.ts'
import { gridSegments, type Segments, segmentMeans } from '../../src/eval/workloads/parts/masks.ts'
import { joined } from '../../src/eval/workloads/superpixels/islands.ts'
import { toLab } from '../../src/eval/workloads/superpixels/lab.ts'
import { quickshift } from '../../src/eval/workloads/superpixels/quickshift.ts'
import { slic } from '../../src/eval/workloads/superpixels/slic.ts'
import { waves } from './asked.ts'

const shape = { width: 32, height: 32, channels: 3 } as const

/** How many pieces each segment has. */
function piecesOf({ of, count }: Segments, width: number): number[] {
  const pieces = new Array<number>(count).fill(0)
  const seen = new Uint8Array(of.length)
  for (let start = 0; start < of.length; start++) {
    if (seen[start]) continue
    pieces[of[start]!]!++
    const open = [start]
    while (open.length > 0) {
      const pixel = open.pop()!
      if (seen[pixel] || of[pixel] !== of[start]) continue
      seen[pixel] = 1
      if (pixel % width > 0) open.push(pixel - 1)
      if (pixel % width < width - 1) open.push(pixel + 1)
      if (pixel >= width) open.push(pixel - width)
      if (pixel + width < of.length) open.push(pixel + width)
    }
  }
  return pieces
}

function sizesOf({ of, count }: Segments): number[] {
  const sizes = new Array<number>(count).fill(0)
  for (const segment of of) sizes[segment]!++
  return sizes
}

describe('SLIC', () => {
  test('gives about 40 connected segments, none of them an island', () => {
    for (let phase = 0; phase < 6; phase++) {
      const found = slic(waves(32, phase), shape, { segments: 40, compactness: 10 })
      expect(found.count).toBeGreaterThanOrEqual(25)
      expect(found.count).toBeLessThanOrEqual(50)
      expect(piecesOf(found, 32)).toEqual(new Array(found.count).fill(1))
      // Half the mean size: 1024 / 40 / 2 = 12.8
      expect(Math.min(...sizesOf(found))).toBeGreaterThanOrEqual(12)
    }
  })

  test('cuts along an edge of colour', () => {
    const isRed = (pixel: number) => pixel % 32 < 13 + (Math.floor(pixel / 32) % 3)
    const x = Float64Array.from({ length: 3072 }, (_, i) => (isRed(Math.floor(i / 3)) === (i % 3 === 0) ? 0.9 : 0.1))
    const { of, count } = slic(x, shape, { segments: 40, compactness: 10 })
    const reds = new Array<number>(count).fill(0)
    for (const [pixel, segment] of of.entries()) if (isRed(pixel)) reds[segment]!++
    const sizes = sizesOf({ of, count })
    for (const [segment, red] of reds.entries()) expect([0, sizes[segment]]).toContain(red)
  })

  test('gives the squares of its grid on an even picture', () => {
    const even = slic(new Float64Array(3072).fill(0.5), shape, { segments: 16, compactness: 10 })
    expect(even.count).toBe(16)
    expect(sizesOf(even).every((size) => size >= 49 && size <= 100)).toBe(true)
  })

  test('takes grey pictures, and blurs beforehand if told to', () => {
    const random = createRandom(1)
    const grey = { width: 28, height: 28, channels: 1 } as const
    const x = Float64Array.from({ length: 784 }, () => random.next())
    const [rough, smooth] = [0, 3].map((sigma) => slic(x, grey, { segments: 50, compactness: 30, sigma }))
    for (const found of [rough!, smooth!]) expect(piecesOf(found, 28).every((pieces) => pieces === 1)).toBe(true)
    // Blurred noise is next to even: the grid of 28 / √(784 / 50) ≈ 7 a side is left.
    expect(smooth!.count).toBe(49)
    expect(smooth!.count).not.toBe(rough!.count)
  })
})

describe('islands', () => {
  test('are given to the segment beside them', () => {
    const parts = Int32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 2, 2, 2, 2)
    expect(joined(parts, { width: 4 }, 2)).toEqual({ of: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1), count: 2 })
  })

  test('pieces that touch at corners only are two', () => {
    expect(joined(Int32Array.of(0, 1, 1, 0), { width: 2 }, 1).count).toBe(4)
  })
})

describe('quick shift', () => {
  test('parts two colours, and has one segment for an even small picture', () => {
    const random = createRandom(1)
    const options = { kernelSize: 2, maxDistance: 6, ratio: 1, random }
    const halves = Float64Array.from({ length: 3072 }, (_, i) => (Math.floor(i / 3) % 32 < 16 ? 0.1 : 0.9))
    const { of } = quickshift(halves, shape, options)
    const left = new Set(of.filter((_, pixel) => pixel % 32 < 16))
    for (const [pixel, segment] of of.entries()) expect(left.has(segment)).toBe(pixel % 32 < 16)
    const library = { kernelSize: 4, maxDistance: 200, ratio: 0.2, random }
    const small = { width: 12, height: 12, channels: 3 } as const
    expect(quickshift(new Float64Array(432).fill(0.5), small, library).count).toBe(1)
  })
})

test('colours are those of CIE L*a*b* under D65', () => {
  const lab = toLab(Float64Array.of(1, 0, 0, 0, 0, 1, 1, 1, 1), { width: 3, height: 1, channels: 3 })
  // sRGB red and blue, white: values of colour tables.
  const known = [53.24, 80.09, 67.2, 32.3, 79.19, -107.86, 100, 0, 0]
  for (const [i, v] of known.entries()) expect(Math.abs(lab[i]! - v)).toBeLessThan(0.05)
})

describe('filters', () => {
  test('the border is a mirror with its edge', () => {
    expect([-3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((at) => mirrored(at, 3))).toEqual([2, 1, 0, 0, 1, 2, 2, 1, 0, 0])
  })

  test('convolve rows and columns, channels apart', () => {
    const grey = { width: 3, height: 2, channels: 1 } as const
    const box = boxBlur(Float64Array.of(9, 0, 0, 0, 0, 18), grey, 3)
    // Corner: (4 · 9 + 0) / 9 · … rows (6, 3, 0) and (0, 6, 12) a third each, then the mirror repeats each row once.
    expect([...box].map((v) => Math.round(v * 1e9) / 1e9)).toEqual([4, 4, 4, 2, 5, 8])
    const pair = { width: 1, height: 1, channels: 3 } as const
    expect([...convolved([1, 2, 3], pair, [0.25, 0.5, 0.25])]).toEqual([1, 2, 3])
  })

  test('a Gaussian keeps the sum and spreads by its sigma', () => {
    const line = { width: 101, height: 1, channels: 1 } as const
    const spread = gaussianBlur(new Float64Array(101).fill(0).with(50, 1), line, 3)
    expect(spread.reduce((a, b) => a + b)).toBeCloseTo(1, 9)
    expect(spread.reduce((sum, v, i) => sum + v * (i - 50) ** 2, 0)).toBeCloseTo(9, 1)
  })

  test('grids and means', () => {
    const grid = gridSegments({ width: 4, height: 2, channels: 1 }, 2)
    expect(grid).toEqual({ of: Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3), count: 4 })
    expect([...segmentMeans(Float64Array.of(1, 3, 0, 0, 5, 5, 2, 4), grid)]).toEqual([2, 2, 0, 0, 5, 5, 3, 3])
  })
})
