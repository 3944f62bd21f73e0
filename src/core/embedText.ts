/**
 * Texts as vectors without a model: letters and words, not meaning.
 *
 * Idea: every run of 3 to 5 characters of the normal form, every word and every pair of neighbouring words is a
 * feature; it is hashed to one of 511 places and to a sign (feature hashing, Weinberger et al. 2009, arXiv:0902.2206),
 * so that any text fills the same 511 numbers and the cosine of two texts is the share of features they have in
 * common. The signed square root of each number keeps what is frequent in every text ("the") from deciding long texts
 * (power normalisation, Perronnin et al. 2010). One more number is the same for all texts: it lifts all cosines alike,
 * so that a mistyped sentence lies above 0.9, the default threshold of the similarity detectors.
 */
import { refuse } from './checkers.ts'
import { finish32, fold32, hash32 } from './hash.ts'
import { joinText, normalizeText, type TextOptions } from './text.ts'

/** Length of a text's embedding. */
export const TEXT_DIMENSIONS = 512

const PLACES = TEXT_DIMENSIONS - 1
/** Squared length of the constant part, the rest being 1: cosine c of the features becomes (c + 0.5) / 1.5. */
const CONSTANT = 0.5

// Whole numbers, so that sums are exact in any order. Short runs weigh more: a typing error breaks three of the runs
// of 3, but five of the runs of 5. Chosen on banking questions, captions, reviews and news.
const RUN_WEIGHTS = [0, 0, 0, 10, 7, 5]
const LONGEST_RUN = 5
const WORD_WEIGHT = 10
const PAIR_WEIGHT = 5

const SPACE = 0x20
const WORD_SEED = 0x3c6ef372
const PAIR_SEED = 0x1b873593

/**
 * A text, or a list of texts joined by one space, as a fresh unit vector of 512 numbers whose cosine to another one says
 * how much of their wording two texts share, whatever their case, punctuation, spacing, invisible or look-alike
 * characters (see `normalizeText`). Meaning is not looked at: a paraphrase in other words is far away, a sentence with one
 * name exchanged is near.
 *
 * What to expect of the cosine: 1 for texts with one normal form; above 0.9 for a sentence of 40 characters or more with
 * one typing error, less for shorter ones; 0.3 … 0.5 for unrelated sentences; higher for long texts of one
 * language, where about 0.7 is common at 1000 characters.
 *
 * A text of nothing but punctuation or invisible characters is embedded as it stands. Throws `bad_query` for an empty
 * text and for whatever `textFingerprint` refuses. O(length).
 */
export function embedText(text: string | readonly string[], options?: TextOptions): Float32Array {
  const raw = joinText(text, options)
  if (raw === '') refuse('bad_query', 'must not be empty', raw, 'input')
  const normal = normalizeText(raw)
  const sums = new Int32Array(PLACES)
  const used = normal === '' ? raw : normal
  addRuns(sums, ` ${used} `)
  addWords(sums, used)
  return toUnit(sums, used)
}

function addFeature(sums: Int32Array, hash: number, weight: number): void {
  sums[(hash >>> 1) % PLACES]! += (hash & 1) === 1 ? weight : -weight
}

/** All runs of 3 … 5 code units; the spaces around the text make its first and last word look like the others. */
function addRuns(sums: Int32Array, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const longest = Math.min(LONGEST_RUN, text.length - i)
    let hash = 0
    for (let n = 1; n <= longest; n++) {
      hash = fold32(hash, text.charCodeAt(i + n - 1))
      if (n >= 3) addFeature(sums, finish32(hash ^ n), RUN_WEIGHTS[n]!)
    }
  }
}

function addWords(sums: Int32Array, text: string): void {
  let previous = 0
  let from = 0
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && text.charCodeAt(i) !== SPACE) continue
    const word = hash32(text, from, i, WORD_SEED)
    addFeature(sums, word, WORD_WEIGHT)
    if (from > 0) addFeature(sums, finish32(fold32(fold32(PAIR_SEED, previous), word)), PAIR_WEIGHT)
    previous = word
    from = i + 1
  }
}

/** Signed square roots, scaled to length 1, with the constant part in front. */
function toUnit(sums: Int32Array, text: string): Float32Array {
  let total = 0
  for (let i = 0; i < PLACES; i++) total += Math.abs(sums[i]!)
  // All features cancelled: possible only for a few characters, and no reason to call two such texts the same.
  if (total === 0) {
    addFeature(sums, hash32(text), WORD_WEIGHT)
    total = WORD_WEIGHT
  }
  const unit = new Float32Array(TEXT_DIMENSIONS)
  unit[0] = Math.sqrt(CONSTANT / (1 + CONSTANT))
  const share = 1 / (total * (1 + CONSTANT))
  for (let i = 0; i < PLACES; i++) {
    const sum = sums[i]!
    unit[i + 1] = sum < 0 ? -Math.sqrt(-sum * share) : Math.sqrt(sum * share)
  }
  return unit
}
