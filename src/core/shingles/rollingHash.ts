/**
 * Where windows lie in a list of numbers, and their keyed hashes: two polynomials roll along the list, with multipliers that follow
 * from the key, modulo 2³². Each is mixed by a bijection, so that which windows are the largest does not depend on their
 * content in any simple way.
 */
import { finish32, fold32 } from '../hash.ts'
import type { LargestHashes } from './largestHashes.ts'

/** Where the windows lie: `size` numbers each, a new one every `stride` numbers. */
export interface Cut {
  readonly size: number
  readonly stride: number
}

export interface Windows extends Cut {
  readonly windows: number
  readonly seed: number
}

/** How many windows a list of `length` numbers has, none of them longer than the list. */
export function windowsOf(length: number, { size, stride }: Cut): Cut & { readonly windows: number } {
  const whole = Math.min(size, length)
  return { size: whole, stride, windows: Math.max(Math.floor((length - whole + 1) / stride), 1) }
}

/**
 * Offers the hash of each window to `largest`.
 *
 * @param more Is added to each number: 1, or 0 where that has been done.
 */
export function hashKeyed(
  values: ArrayLike<number>,
  more: number,
  { size, stride, windows, seed }: Windows,
  largest: LargestHashes,
): void {
  const [m, n] = [multiplier(seed, 1), multiplier(seed, 2)]
  const [mOut, nOut] = [power(m, size), power(n, size)]
  const [mEnd, nEnd] = [fold32(seed, 3), fold32(seed, 4)]
  const hash = new Uint32Array(2)
  const last = (windows - 1) * stride + size
  let [a, b] = [0, 0]
  let end = size
  let { floor } = largest
  for (let i = 0; i < last; ) {
    const arrives = values[i]! + more
    const leaves = i < size ? 0 : values[i - size]! + more
    a = (Math.imul(a, m) + arrives - Math.imul(leaves, mOut)) | 0
    b = (Math.imul(b, n) + arrives - Math.imul(leaves, nOut)) | 0
    if (++i < end) continue
    end += stride
    const first = finish32(a ^ mEnd) >>> 0
    if (first < floor) continue
    hash[0] = first
    hash[1] = finish32(b ^ nEnd)
    largest.offer(hash)
    floor = largest.floor
  }
}

/** Odd, and neither 1 nor near it in the order of its powers: 5 modulo 8. */
function multiplier(seed: number, lane: number): number {
  return (finish32(fold32(seed, lane)) & -8) | 5
}

function power(m: number, exponent: number): number {
  let result = 1
  for (let i = 0; i < exponent; i++) result = Math.imul(result, m)
  return result
}
