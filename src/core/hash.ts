/** Hashes: SHA-256 where the digest is a contract, a fast 32-bit one for feature hashing. */
import { checkNumber } from './checkers.ts'
import { SHA256_ROOM, sha256AfterBlock, sha256Words } from './sha256.ts'
import { encodeUtf8Into } from './utf8.ts'

// Working memory of 8 KiB: texts of up to 2700 code units are hashed without allocating.
const scratch = /* @__PURE__ */ new Uint8Array(8192)

const digits: number[] = /* @__PURE__ */ new Array(64).fill(48)

/** SHA-256 of bytes as 64 lower-case hexadecimal digits. */
export function sha256Hex(bytes: Uint8Array): string {
  const padded = new Uint8Array(bytes.length + SHA256_ROOM)
  padded.set(bytes)
  return toHex(sha256Words(padded, bytes.length))
}

/** SHA-256 of the UTF-8 of a text; `sha256Hex(encodeUtf8(text, path))` without the allocation. */
export function sha256HexOfText(text: string, path = 'input'): string {
  return hexOfText(text, path)
}

/**
 * SHA-256 of texts that all begin with the same one, of 64 ASCII characters, which is hashed only once: what is made
 * gives `sha256HexOfText(start + text)`, and throws `bad_query` for a lone surrogate. Throws `bad_config`.
 */
export function sha256HexAfter(start: string): (text: string) => string {
  const block = new Uint8Array(64)
  const length = encodeUtf8Into(start, block, 'start')
  checkNumber(length, { min: block.length, max: block.length }, 'start.length')
  const after = sha256AfterBlock(block)
  return (text) => hexOfText(text, 'input', after)
}

function hexOfText(text: string, path: string, after?: Int32Array): string {
  const room = text.length * 3 + SHA256_ROOM
  const bytes = room > scratch.length ? new Uint8Array(room) : scratch
  return toHex(sha256Words(bytes, encodeUtf8Into(text, bytes, path), after))
}

/** One flat string from the start: a chain of pieces would be joined later, inside every table that it is a key of. */
function toHex(words: Int32Array): string {
  for (let digit = 0; digit < 64; digit++) {
    const value = (words[digit >> 3]! >>> (28 - 4 * (digit & 7))) & 15
    digits[digit] = value + (value < 10 ? 48 : 87) // '0' … '9', 'a' … 'f'
  }
  return String.fromCharCode.apply(null, digits)
}

/**
 * A 32-bit hash of the code units `from` … `to` (exclusive) of a text, for feature hashing: fast, well mixed, the same
 * on every engine. It resists no attacker. In the manner of MurmurHash3: each unit is multiplied, rotated and folded in,
 * and the end is mixed until every input bit reaches every output bit. Not compatible with it.
 */
export function hash32(text: string, from = 0, to = text.length, seed = 0): number {
  let h = seed | 0
  for (let i = from; i < to; i++) h = fold32(h, text.charCodeAt(i))
  return finish32(h ^ (to - from))
}

/** One step of {@link hash32}: folds a 32-bit word into a running hash. */
export function fold32(h: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51)
  const x = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0
}

/** The last step of {@link hash32}: a bijection of 32 bits in which each input bit changes about half the output bits. */
export function finish32(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/** Eight lower-case hexadecimal digits of a text as a signed 32-bit word: engines keep lists of these compactly. */
export function hexWord(text: string, from: number): number {
  let word = 0
  for (let i = from; i < from + 8; i++) {
    const code = text.charCodeAt(i)
    word = (word << 4) | (code < 58 ? code - 48 : code - 87) // '0' … '9', 'a' … 'f'
  }
  return word
}

/** Number of bits set in a 32-bit word (Warren, Hacker's Delight, figure 5-2). */
export function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
