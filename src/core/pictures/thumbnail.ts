/** The small picture that every embedding of pictures starts from. */
import { toBytes } from '../pixels.ts'
import { type AxisWeights, axisWeights } from '../resample.ts'
import type { Pixels } from '../types.ts'

/** Pixels along a side. */
export const THUMBNAIL_SIZE = 64
const SIZE = THUMBNAIL_SIZE

/** Red, green and blue: planes of 64 × 64 values from 0 to 255, row by row. */
export type Planes = readonly [Float64Array, Float64Array, Float64Array]

function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance))
}

/** To 64 × 64 by a triangle filter: an average over about twice the reduction, or linear interpolation when enlarging. */
export function thumbnail(pixels: Pixels): Planes {
  const { width, height, channels } = pixels
  const bytes = toBytes(pixels)
  const across = axisWeights(width, SIZE, triangle, 1)
  const down = width === height ? across : axisWeights(height, SIZE, triangle, 1)
  const planes = [plane(), plane(), plane()] as const
  const row = new Float64Array(width * channels)
  for (let y = 0; y < SIZE; y++) {
    sumRows(bytes, down, y, row)
    sumColumns(row, channels, across, y, planes)
  }
  return planes
}

function plane(): Float64Array {
  return new Float64Array(SIZE * SIZE)
}

/** One row of the output, still of full width. Eight source rows go at a time, so that the sum is rarely stored. */
function sumRows(
  bytes: ArrayLike<number>,
  { starts, counts, weights, stride }: AxisWeights,
  y: number,
  row: Float64Array,
): void {
  const { length } = row
  const last = counts[y]! - 1
  row.fill(0)
  for (let k = 0; k <= last; k += 8) {
    // Behind the last row the last one is added again, with the weight 0.
    const weight = (j: number) => (k + j <= last ? weights[y * stride + k + j]! : 0)
    const place = (j: number) => (starts[y]! + Math.min(k + j, last)) * length
    const [w0, w1, w2, w3] = [weight(0), weight(1), weight(2), weight(3)]
    const [w4, w5, w6, w7] = [weight(4), weight(5), weight(6), weight(7)]
    const [p0, p1, p2, p3] = [place(0), place(1), place(2), place(3)]
    const [p4, p5, p6, p7] = [place(4), place(5), place(6), place(7)]
    for (let i = 0; i < length; i++) {
      const upper = w0 * bytes[p0 + i]! + w1 * bytes[p1 + i]! + (w2 * bytes[p2 + i]! + w3 * bytes[p3 + i]!)
      const lower = w4 * bytes[p4 + i]! + w5 * bytes[p5 + i]! + (w6 * bytes[p6 + i]! + w7 * bytes[p7 + i]!)
      row[i] = row[i]! + (upper + lower)
    }
  }
}

/** The row made narrower. A grey one goes into all three colours. */
function sumColumns(
  row: Float64Array,
  channels: number,
  { starts, counts, weights, stride }: AxisWeights,
  y: number,
  [red, green, blue]: Planes,
): void {
  const toGreen = channels === 1 ? 0 : 1
  const toBlue = 2 * toGreen
  for (let x = 0; x < SIZE; x++) {
    const base = x * stride
    const end = base + counts[x]!
    let r = 0
    let g = 0
    let b = 0
    for (let k = base, p = starts[x]! * channels; k < end; k++, p += channels) {
      const weight = weights[k]!
      r += weight * row[p]!
      g += weight * row[p + toGreen]!
      b += weight * row[p + toBlue]!
    }
    red[y * SIZE + x] = r
    green[y * SIZE + x] = g
    blue[y * SIZE + x] = b
  }
}
