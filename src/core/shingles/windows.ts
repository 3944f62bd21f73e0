/**
 * Windows over a list of 16-bit numbers, hashed; the largest hashes are the fingerprint of the list.
 *
 * The published form names a window by the SHA-256 of its numbers (low byte first), the hexadecimal digits in reverse. The
 * keyed form rolls two polynomials along the list, with multipliers that follow from the key, modulo 2³²; each is mixed
 * by a bijection, so that which windows are the largest does not depend on their content in any simple way. Either takes a
 * sample of the windows that depends on nothing but their content, and so gives the same counts on average.
 */
import { finish32, fold32 } from '../hash.ts'
import { SHA256_ROOM, sha256Words } from '../sha256.ts'
import type { Shingles } from '../types.ts'
import { LargestHashes } from './largestHashes.ts'
import { type ShingleOptions, seedOf, wordsOf } from './options.ts'

/** Where the windows lie: `size` numbers each, a new one every `stride` numbers. */
export interface Cut {
  readonly size: number
  readonly stride: number
}

type Options = Pick<ShingleOptions, 'digest' | 'key' | 'kept'>

/**
 * The fingerprint of a list of at least one number. ⌊(length − size + 1) / stride⌋ windows, as published: where the stride
 * is not 1, a last one may be left out. A list shorter than a window is one window.
 */
export function shinglesOf(values: Uint16Array, { size, stride }: Cut, options: Options): Shingles {
  const whole = Math.min(size, values.length)
  const windows = Math.max(Math.floor((values.length - whole + 1) / stride), 1)
  const largest = new LargestHashes(wordsOf(options), options.kept)
  const hash = options.digest === 'keyed' ? hashKeyed : hashSha256
  hash(values, { size: whole, stride, windows, seed: seedOf(options) }, largest)
  return { hashes: largest.list(), windows }
}

interface Windows extends Cut {
  readonly windows: number
  readonly seed: number
}

function hashKeyed(values: Uint16Array, { size, stride, windows, seed }: Windows, largest: LargestHashes): void {
  const [m, n] = [multiplier(seed, 1), multiplier(seed, 2)]
  const [mOut, nOut] = [power(m, size), power(n, size)]
  const [mEnd, nEnd] = [fold32(seed, 3), fold32(seed, 4)]
  const hash = new Uint32Array(2)
  const last = (windows - 1) * stride + size
  let [a, b] = [0, 0]
  let end = size
  let floor = 0
  for (let i = 0; i < last; ) {
    const arrives = values[i]! + 1
    const leaves = i < size ? 0 : values[i - size]! + 1
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

function hashSha256(values: Uint16Array, { size, stride, windows }: Windows, largest: LargestHashes): void {
  const bytes = new Uint8Array(2 * size + SHA256_ROOM)
  const hash = new Uint32Array(8)
  for (let from = 0; from < windows * stride; from += stride) {
    for (let i = 0; i < size; i++) {
      bytes[2 * i] = values[from + i]!
      bytes[2 * i + 1] = values[from + i]! >>> 8
    }
    const words = sha256Words(bytes, 2 * size)
    for (let i = 0; i < 8; i++) hash[i] = reverseDigits(words[7 - i]!)
    largest.offer(hash)
  }
}

/** The eight hexadecimal digits of a word in reverse. */
function reverseDigits(word: number): number {
  const pairs = ((word >>> 4) & 0x0f0f0f0f) | ((word & 0x0f0f0f0f) << 4)
  const bytes = ((pairs >>> 8) & 0x00ff00ff) | ((pairs & 0x00ff00ff) << 8)
  return (bytes >>> 16) | (bytes << 16)
}
