/** Pictures of which parts are hidden, as explainers ask for them. */
import type { Picture, Shape } from '../../types.ts'

/** The part that each pixel belongs to, row by row, 0 … count − 1. */
export interface Segments {
  readonly of: Int32Array
  readonly count: number
}

/** The picture with the fill wherever a pixel's segment is not shown. */
export function masked(x: Picture, fill: Picture, { of }: Segments, isShown: Uint8Array): Picture {
  const y = x.slice()
  const channels = x.length / of.length
  for (let pixel = 0; pixel < of.length; pixel++) {
    if (isShown[of[pixel]!] === 1) continue
    for (let i = pixel * channels; i < (pixel + 1) * channels; i++) y[i] = fill[i]!
  }
  return y
}

/** Every pixel the mean of its segment. */
export function segmentMeans(x: Picture, { of, count }: Segments): Picture {
  const channels = x.length / of.length
  const sums = new Float64Array(count * channels)
  const sizes = new Float64Array(count)
  for (let i = 0; i < x.length; i++) sums[of[Math.floor(i / channels)]! * channels + (i % channels)]! += x[i]!
  for (const segment of of) sizes[segment]!++
  return x.map((_, i) => {
    const segment = of[Math.floor(i / channels)]!
    return sums[segment * channels + (i % channels)]! / sizes[segment]!
  })
}

/** A grid of `across` × `across` cells as equal as whole pixels allow. */
export function gridSegments({ width, height }: Shape, across: number): Segments {
  const of = Int32Array.from({ length: width * height }, (_, pixel) => {
    const [row, column] = [Math.floor(pixel / width), pixel % width]
    return Math.floor((row * across) / height) * across + Math.floor((column * across) / width)
  })
  return { of, count: across * across }
}

export interface Patch {
  readonly top: number
  readonly left: number
  readonly side: number
}

/** The picture with a square filled by one colour, cut at the border. */
export function occluded(
  x: Picture,
  { width, height, channels }: Shape,
  { top, left, side }: Patch,
  colour: ArrayLike<number>,
): Picture {
  const y = x.slice()
  for (let row = top; row < Math.min(top + side, height); row++) {
    for (let column = left; column < Math.min(left + side, width); column++) {
      for (let c = 0; c < channels; c++) y[(row * width + column) * channels + c] = colour[c]!
    }
  }
  return y
}
