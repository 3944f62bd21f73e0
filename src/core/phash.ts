/**
 * The perceptual hash of imagehash's `phash` (github.com/JohannesBuchner/imagehash): grey, 32 × 32 by Lanczos, DCT, the
 * 8 × 8 lowest frequencies, one bit for each that exceeds their median.
 *
 * One departure. Where a coefficient *equals* the median, imagehash's bit is rounding noise of the Fourier library.
 * Here equal means equal: a comparison too close for floating point is decided in whole numbers. So gradients,
 * checkers, symmetric pictures and plain colours hash the same everywhere, and wherever nothing ties, so does imagehash.
 */
import { refuse } from './checkers.ts'
import { addExactForm, DCT_SIZE, dct8x8 } from './dct.ts'
import { bitCount } from './hash.ts'
import { checkPixels } from './pixels.ts'
import { shrinkGrey } from './shrink.ts'
import type { Pixels } from './types.ts'

/** A thousand times the rounding error of a coefficient, which can reach 4 · 255 · 32² ≈ 10⁶. */
const CLOSE = 1e-6

/**
 * The 64-bit perceptual hash of a picture: 16 lower-case hex digits, row by row, most significant bit first, a bit set
 * where the coefficient is *greater* than the median (the mean of the two middle ones). Two views of one picture differ
 * in few bits, see {@link hammingDistance}. Alpha is ignored; put {@link flattenAlpha} before it if colours may hide
 * behind transparency. One plain colour gives `8000000000000000`, black gives `0000000000000000`.
 *
 * @throws `bad_query` if the pixels are malformed, see {@link checkPixels}.
 */
export function perceptualHash(pixels: Pixels): string {
  const small = shrinkGrey(checkPixels(pixels), DCT_SIZE)
  const bits = aboveMedian(dct8x8(small), small)
  let hex = ''
  for (let i = 0; i < bits.length; i += 4) {
    hex += Number.parseInt(bits.slice(i, i + 4).join(''), 2).toString(16)
  }
  return hex
}

function aboveMedian(coefficients: Float64Array, small: Uint8Array): Uint8Array {
  const order = Array.from(coefficients.keys()).sort((a, b) => coefficients[a]! - coefficients[b]! || a - b)
  const low = order[order.length / 2 - 1]!
  const high = order[order.length / 2]!
  const median = (coefficients[low]! + coefficients[high]!) / 2
  const bits = new Uint8Array(coefficients.length)
  let middle: Int32Array | undefined // −2 × the median in whole numbers, needed only when something ties
  for (let i = 0; i < bits.length; i++) {
    const distance = coefficients[i]! - median
    if (distance <= 0) continue
    if (distance <= CLOSE) {
      middle ??= exactForm(small, -1, [low, high])
      const form = exactForm(small, 2, [i])
      if (form.every((count, j) => count + middle![j]! === 0)) continue
    }
    bits[i] = 1
  }
  return bits
}

function exactForm(small: Uint8Array, times: number, indices: readonly number[]): Int32Array {
  const form = new Int32Array(DCT_SIZE)
  for (const index of indices) addExactForm(form, small, index, times)
  return form
}

const HEX = /^[0-9a-f]+$/i

/**
 * The number of bits in which two hashes differ: 0 for equal ones, at most 4 per hex digit. Unrelated pictures differ in
 * about half of the 64.
 *
 * @throws `bad_query` unless both are hex digits, at least one, of the same number.
 */
export function hammingDistance(a: string, b: string): number {
  for (const hash of [a, b]) {
    if (typeof hash !== 'string' || !HEX.test(hash)) refuse('bad_query', 'a hash must be hex digits', hash, '')
  }
  if (a.length !== b.length) refuse('bad_query', `both hashes must have one length: ${a.length}`, b.length, '')
  let distance = 0
  for (let i = 0; i < a.length; i++) distance += bitCount(Number.parseInt(a[i]!, 16) ^ Number.parseInt(b[i]!, 16))
  return distance
}
