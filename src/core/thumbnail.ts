/** The small picture that every embedding of pictures starts from. */
import { toBytes } from './pixels.ts'
import { axisWeights } from './resample.ts'
import type { Pixels } from './types.ts'

/** Pixels along a side. */
export const THUMBNAIL_SIZE = 64

/** Red, green and blue: planes of 64 × 64 values from 0 to 255, row by row. */
export type Planes = readonly Float64Array[]

function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance))
}

/** To 64 × 64 by a triangle filter: an average over about twice the reduction, or linear interpolation when enlarging. */
export function thumbnail(pixels: Pixels): Planes {
  const { width, height, channels } = pixels
  const bytes = toBytes(pixels)
  const across = axisWeights(width, THUMBNAIL_SIZE, triangle, 1)
  const down = axisWeights(height, THUMBNAIL_SIZE, triangle, 1)
  const planes = Array.from({ length: channels }, () => new Float64Array(THUMBNAIL_SIZE * THUMBNAIL_SIZE))
  const row = new Float64Array(width * channels)
  for (let y = 0; y < THUMBNAIL_SIZE; y++) {
    row.fill(0)
    let p = down.starts[y]! * row.length
    for (let k = 0; k < down.counts[y]!; k++) {
      const weight = down.weights[y * down.stride + k]!
      for (let i = 0; i < row.length; i++) row[i]! += weight * bytes[p++]!
    }
    for (let c = 0; c < channels; c++) {
      for (let x = 0; x < THUMBNAIL_SIZE; x++) {
        let q = across.starts[x]! * channels + c
        let sum = 0
        for (let k = 0; k < across.counts[x]!; k++, q += channels)
          sum += across.weights[x * across.stride + k]! * row[q]!
        planes[c]![y * THUMBNAIL_SIZE + x] = sum
      }
    }
  }
  const [red, green, blue] = planes
  return [red!, green ?? red!, blue ?? red!]
}
