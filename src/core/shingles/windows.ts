/**
 * Windows over a list of 16-bit numbers, hashed; the largest hashes are the fingerprint of the list.
 *
 * The published form names a window by the SHA-256 of its numbers (low byte first), the hexadecimal digits in reverse. The
 * keyed form rolls along the list (rollingHash.ts), by the kernels where there are any. Either takes a sample of the windows
 * that depends on nothing but their content, and so gives the same counts on average.
 */
import { SHA256_ROOM, sha256Words } from '../sha256.ts'
import type { Shingles } from '../types.ts'
import { hashByKernels } from './kernelWindows.ts'
import { LargestHashes, likelyLeast } from './largestHashes.ts'
import { type ShingleOptions, seedOf, wordsOf } from './options.ts'
import { type Cut, hashKeyed, type Windows, windowsOf } from './rollingHash.ts'

export type WindowOptions = Pick<ShingleOptions, 'digest' | 'key' | 'kept'>

/**
 * The fingerprint of a list of at least one number. ⌊(length − size + 1) / stride⌋ windows, as published: where the stride
 * is not 1, a last one may be left out. A list shorter than a window is one window.
 */
export function shinglesOf(values: Uint16Array, cut: Cut, options: WindowOptions): Shingles {
  const { size, stride, windows } = windowsOf(values.length, cut)
  const { kept } = options
  if (options.digest === 'keyed') {
    const hashes = hashByKernels({ length: values.length, values }, cut, options)
    return { hashes: hashes ?? hashPlainly(values, { size, stride, windows, seed: seedOf(options) }, kept), windows }
  }
  const largest = new LargestHashes(wordsOf(options), kept)
  hashSha256(values, { size, stride, windows }, largest)
  return { hashes: largest.list(), windows }
}

function hashPlainly(values: Uint16Array, windows: Windows, kept: number): Uint32Array {
  const width = wordsOf({ digest: 'keyed' })
  const likely = new LargestHashes(width, kept, likelyLeast(windows.windows, kept))
  hashKeyed(values, 1, windows, likely)
  if (likely.count === kept) return likely.list()
  const largest = new LargestHashes(width, kept)
  hashKeyed(values, 1, windows, largest)
  return largest.list()
}

function hashSha256(
  values: Uint16Array,
  { size, stride, windows }: Omit<Windows, 'seed'>,
  largest: LargestHashes,
): void {
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
