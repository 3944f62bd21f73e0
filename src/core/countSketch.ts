/**
 * Long vectors as 256 sums: each number is added to one of them with a sign of its own. Distances and angles stay about as they
 * were (Charikar, Chen and Farach-Colton, 2002). Numbers are whole, so that no sum depends on an order.
 */
import { finish32, fold32 } from './hash.ts'

/** How many sums. */
export const SUMS = 256

/** Of a whole number from 0 on. */
function sketchSeed(key: number): number {
  return fold32(key | 0, Math.floor(key / 0x100000000))
}

/** Tells two keys apart in a snapshot; says nothing of their signs. */
export function markOf(key: number): number {
  return finish32(fold32(sketchSeed(key), -1)) >>> 0
}

/** The sums of the first `length` units. 32 signs a hash, one bit each. */
export function sketch(units: Int32Array, length: number, key: number, sums: Float64Array): void {
  const seed = sketchSeed(key)
  sums.fill(0)
  for (let from = 0; from < length; from += 32) {
    const signs = finish32(fold32(seed, from))
    const to = Math.min(from + 32, length)
    for (let i = from; i < to; i++) {
      const mask = -((signs >>> (i & 31)) & 1)
      sums[i & (SUMS - 1)]! += (units[i]! ^ mask) - mask
    }
  }
}
