/** A 128-bit hash under which texts that share most of their word pairs differ in few bits. */
import { refuse } from './checkers.ts'
import { hash32 } from './hash.ts'
import { joinText, normalizeText, type TextOptions } from './text.ts'

const WORDS = 4
/** Characters of a part, for a text of one word or of a script without spaces. */
const CHARACTERS = 4

/**
 * SimHash (Charikar 2002) over the set of word pairs of the normal form of a text, see {@link normalizeText}; of four characters
 * where the text has fewer than three words. 32 lower-case hexadecimal digits, to be compared by `hammingDistance`: equal sets give 0, unrelated
 * texts about 64 ± 6. Each bit is the majority of the parts' hashes; the part with the largest hash breaks a tie, since ties
 * that always go one way make short texts look alike. Every engine gives the same; it resists nobody who tries.
 *
 * @param text A text or a list that is joined by spaces. Throws `bad_query` for an empty one, and as `textFingerprint` does.
 */
export function simHash(text: string | readonly string[], options?: TextOptions): string {
  const raw = joinText(text, options)
  if (raw === '') refuse('bad_query', 'must not be empty', raw, 'input')
  const parts = partsOf(normalizeText(raw) || raw)
  const votes = new Int32Array(32 * WORDS)
  let largest = new Uint32Array(WORDS)
  for (const part of parts) {
    const hash = Uint32Array.from({ length: WORDS }, (_, seed) => hash32(part, 0, part.length, seed + 1) >>> 0)
    vote(votes, hash, 2)
    if (isAbove(hash, largest)) largest = hash
  }
  vote(votes, largest, 1)
  let hex = ''
  for (let bit = 0; bit < votes.length; bit += 4) {
    const digit = [0, 1, 2, 3].reduce((sum, k) => 2 * sum + Number(votes[bit + k]! > 0), 0)
    hex += digit.toString(16)
  }
  return hex
}

function partsOf(text: string): Set<string> {
  const words = text.split(' ')
  if (words.length >= 3) return new Set(words.slice(1).map((word, i) => `${words[i]} ${word}`))
  const characters = [...text]
  if (characters.length <= CHARACTERS) return new Set([text])
  return new Set(characters.slice(CHARACTERS - 1).map((_, i) => characters.slice(i, i + CHARACTERS).join('')))
}

function vote(votes: Int32Array, hash: Uint32Array, weight: number): void {
  for (let bit = 0; bit < votes.length; bit++) {
    const isSet = (hash[bit >> 5]! >>> (31 - (bit & 31))) & 1
    votes[bit]! += isSet === 1 ? weight : -weight
  }
}

function isAbove(a: Uint32Array, b: Uint32Array): boolean {
  const at = a.findIndex((word, i) => word !== b[i])
  return at !== -1 && a[at]! > b[at]!
}
