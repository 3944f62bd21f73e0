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
  const across = bounds(width)
  const down = bounds(height)
  const vector = new Float32Array((across.length - 1) * (down.length - 1) * channels)
  let at = 0
  for (let j = 1; j < down.length; j++) {
    for (let i = 1; i < across.length; i++) {
      const [left, right, top, bottom] = [across[i - 1]!, across[i]!, down[j - 1]!, down[j]!]
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

/** Where the parts of a side begin, and its end. */
function bounds(size: number): number[] {
  const parts = Math.min(size, SIDE)
  return Array.from({ length: parts + 1 }, (_, i) => Math.floor((i * size) / parts))
}
