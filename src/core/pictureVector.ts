/** Pictures as the numbers that small steps are taken in. */
import { checkPixels, flattenAlpha } from './pixels.ts'
import type { Pixels } from './types.ts'

/** Longest side. */
const SIDE = 32

/**
 * A picture as numbers in 0 … 1, row by row, channels interleaved, for `descent_lineage`: a side of up to 32 pixels as it
 * is, a longer one as 32 means over equal parts (parts that differ by one pixel where 32 does not divide it). Transparency
 * is laid over white; grey pictures stay one channel. Pictures of different sizes may have vectors of different
 * lengths. Throws `bad_query` as `checkPixels` does. O(pixels).
 */
export function pictureVector(pixels: Pixels): Float32Array {
  const { data, width, height, channels, maxValue = 255 } = flattenAlpha(checkPixels(pixels))
  const across = Math.min(width, SIDE)
  const down = Math.min(height, SIDE)
  const vector = new Float32Array(across * down * channels)
  let at = 0
  for (let j = 0; j < down; j++) {
    const top = edge(j, height)
    const bottom = edge(j + 1, height)
    for (let i = 0; i < across; i++) {
      const left = edge(i, width)
      const right = edge(i + 1, width)
      const full = (right - left) * (bottom - top) * maxValue
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let y = top; y < bottom; y++) {
          for (let p = (y * width + left) * channels + c; p < (y * width + right) * channels; p += channels)
            sum += data[p]!
        }
        vector[at++] = sum / full
      }
    }
  }
  return vector
}

/** Where a part of a side begins. */
function edge(part: number, size: number): number {
  return Math.floor((part * size) / Math.min(size, SIDE))
}
