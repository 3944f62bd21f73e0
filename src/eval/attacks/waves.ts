/** The cosine transform (DCT-II, orthonormal): of whole pictures, and of their blocks of 8 × 8 pixels. */
import type { Random } from '../random.ts'
import type { Picture, Shape } from '../types.ts'

/** The cosines of `size` pixels, at most `count`, lowest first. */
export function cosines(size: number, count: number): Float64Array[] {
  return Array.from({ length: Math.min(size, count) }, (_, k) => {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / size)
    return new Float64Array(size).map((_, i) => scale * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * size)))
  })
}

/** One wave of one channel of one block. */
interface Coefficient {
  readonly channel: number
  readonly u: Float64Array
  readonly v: Float64Array
  readonly value: number
}

export interface CosineBlock {
  readonly top: number
  readonly left: number
  readonly coefficients: readonly Coefficient[]
}

const SIDE = 8

/** What a picture is made of, block by block: the share of the waves with the lowest frequencies. */
export function cosineBlocks(x: Picture, shape: Shape, share: number): CosineBlock[] {
  const blocks: CosineBlock[] = []
  for (let top = 0; top < shape.height; top += SIDE) {
    for (let left = 0; left < shape.width; left += SIDE) {
      blocks.push({ top, left, coefficients: coefficientsOf(x, shape, { top, left, share }) })
    }
  }
  return blocks
}

function coefficientsOf(
  x: Picture,
  shape: Shape,
  { top, left, share }: { readonly top: number; readonly left: number; readonly share: number },
): Coefficient[] {
  const across = cosines(Math.min(SIDE, shape.width - left), SIDE)
  const down = cosines(Math.min(SIDE, shape.height - top), SIDE)
  const waves = across
    .flatMap((u, k) => down.map((v, l) => ({ u, v, frequency: k + l })))
    .sort((a, b) => a.frequency - b.frequency)
    .slice(0, Math.max(1, Math.floor(share * across.length * down.length)))
  const channels = Array.from({ length: shape.channels }, (_, channel) => channel)
  return channels.flatMap((channel) =>
    waves.map(({ u, v }) => ({ channel, u, v, value: product(x, shape, { top, left, channel, u, v }) })),
  )
}

interface Place {
  readonly top: number
  readonly left: number
  readonly channel: number
  readonly u: Float64Array
  readonly v: Float64Array
}

function product(x: Picture, { width, channels }: Shape, { top, left, channel, u, v }: Place): number {
  let sum = 0
  for (let row = 0; row < v.length; row++) {
    const from = ((top + row) * width + left) * channels + channel
    for (let column = 0; column < u.length; column++) sum += v[row]! * u[column]! * x[from + column * channels]!
  }
  return sum
}

/** Every wave by its share in the picture, its sign kept, turned or left out at random. */
export function randomWaves(blocks: readonly CosineBlock[], { width, height, channels }: Shape, random: Random) {
  const y = new Float64Array(width * height * channels)
  for (const { top, left, coefficients } of blocks) {
    for (const { channel, u, v, value } of coefficients) {
      const weight = (random.whole(3) - 1) * value
      if (weight === 0) continue
      for (let row = 0; row < v.length; row++) {
        const from = ((top + row) * width + left) * channels + channel
        const down = weight * v[row]!
        for (let column = 0; column < u.length; column++) y[from + column * channels]! += down * u[column]!
      }
    }
  }
  return y
}
