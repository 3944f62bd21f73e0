/** Texts: the exact fingerprint of the reference, and a normal form for near-duplicates. */
import { refuse } from './checkers.ts'
import { sha256HexOfText } from './hash.ts'
import { KNOWN_RUN, MAY_BE_NEWER, NEWER_RUN } from './unicode.ts'
import { checkWellFormed } from './utf8.ts'

/** UTF-16 code units in all: about a thousand pages. Hashing that takes some 20 ms. */
const DEFAULT_MAX_LENGTH = 1_000_000

/** How {@link textFingerprint} and {@link joinText} limit their input. */
export interface TextOptions {
  /** Longest text accepted, in UTF-16 code units; for a list, of the joined text. Default 1 000 000. */
  readonly maxLength?: number
}

/**
 * "The same text" as 64 hexadecimal digits: SHA-256 of the UTF-8 of the text, a list joined by one space first, white
 * space removed at both ends, then lower-cased; the order and the set of white space are those of the reference (Python's
 * `str.strip()`: unlike JavaScript's `trim()` it takes U+001C … 1F and U+0085, and keeps U+FEFF). Inner spaces count.
 * 'Hello world!' gives 7509e5bd…08e6ca9. An empty text has a fingerprint too. Characters newer than Unicode 15.0 stay as
 * they are, so that every engine agrees.
 *
 * Throws `bad_query` for anything but a string or a list of strings, for a surrogate without partner, and for a text
 * longer than `maxLength`.
 */
export function textFingerprint(text: string | readonly string[], options?: TextOptions): string {
  return sha256HexOfText(lowerCase(strip(joinText(text, options))))
}

/** One text out of a text or a list of texts, joined by one space; checked as by {@link textFingerprint}. */
export function joinText(text: string | readonly string[], options?: TextOptions): string {
  const { maxLength = DEFAULT_MAX_LENGTH } = options ?? {}
  const isList = Array.isArray(text)
  const parts: readonly unknown[] = isList ? text : [text]
  let length = parts.length - 1
  // By index: a list with a hole is refused as well, where a callback would pass over it.
  for (let i = 0; i < parts.length && length <= maxLength; i++) {
    const part = parts[i]
    if (typeof part !== 'string') {
      refuse('bad_query', 'must be a string or a list of strings', part, isList ? `input[${i}]` : 'input')
    }
    length += part.length
  }
  if (length > maxLength) {
    refuse('bad_query', `must have at most ${maxLength} UTF-16 code units (or raise maxLength)`, length, 'input')
  }
  const joined = isList ? text.join(' ') : (text as string)
  // Here and not while encoding, so that the index in the error counts in the caller's text.
  checkWellFormed(joined, 'input')
  return joined
}

function lowerCase(text: string): string {
  return MAY_BE_NEWER.test(text) ? text.replace(KNOWN_RUN, (run) => run.toLowerCase()) : text.toLowerCase()
}

/** White space for Python. */
const SPACES =
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'

/** Python's `str.strip()`. */
function strip(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && SPACES.includes(text[from]!)) from++
  while (to > from && SPACES.includes(text[to - 1]!)) to--
  return text.slice(from, to)
}

/**
 * The normal form in which near-duplicate texts agree: what an attacker changes to get past an exact comparison, and a
 * reader does not see, is gone. In order: invisible characters (zero-width, format, soft hyphen, variation selectors,
 * control) are removed, Unicode's NFKC is applied (full-width and styled letters, ligatures), look-alike letters are
 * folded to Latin where the text is mostly Latin, the case is folded, stacked accents that belong to no letter and
 * apostrophes are removed, every run of white space and punctuation becomes one space, a repeated symbol (+, $, emoji)
 * one symbol, and the ends are trimmed. Letters, digits and symbols stay, so "C#" and "C" agree but "5 + 3" and "5 = 3"
 * do not.
 *
 * May be empty, as for "?!". Applied twice it gives the same. Characters newer than Unicode 15.0 count as punctuation, so
 * that every engine agrees. Expects well-formed text.
 */
export function normalizeText(text: string): string {
  return NOT_ASCII.test(text) ? normalizeUnicode(text) : normalizeAscii(text)
}

const NOT_ASCII = /[^\0-\x7f]/

// The controls that are not white space, and the apostrophe.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const INVISIBLE_ASCII = /[\0-\x08\x0e-\x1b\x7f']+/g

function normalizeAscii(text: string): string {
  return text
    .replace(INVISIBLE_ASCII, '')
    .toLowerCase()
    .replace(/[^a-z0-9$+<=>|~]+/g, ' ')
    .replace(/([$+<=>|~])\1+/g, '$1')
    .trim()
}

// Format characters (Cf), whatever Unicode says to ignore in display, and the controls that are not white space.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]+/gu
// The blocks of combining marks for any script; NFKC has already joined the marks that make a known letter. And the
// apostrophes: straight, typographic, modifier letter.
const LOOSE_MARKS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f'\u2019\u02bc]+/g
const SEPARATORS = /[^\p{L}\p{M}\p{N}\p{Sm}\p{Sc}\p{So}]+/gu
const REPEATED_SYMBOL = /([\p{Sm}\p{Sc}\p{So}])\1+/gu

function normalizeUnicode(text: string): string {
  const known = MAY_BE_NEWER.test(text) ? text.replace(NEWER_RUN, ' ') : text
  return foldLookAlikes(known.replace(INVISIBLE, '').normalize('NFKC'))
    .toLowerCase()
    .replace(LOOSE_MARKS, '')
    .normalize('NFKC')
    .replaceAll('ς', 'σ')
    .replace(SEPARATORS, ' ')
    .replace(REPEATED_SYMBOL, '$1')
    .trim()
}

// Letters that most typefaces draw like a Latin one: the common part of Unicode's confusables (UTS 39), Cyrillic, then
// Greek, then Latin's own. Upper case has more of them (В, Н, М), so the folding comes before the lower-casing.
const LOOK_ALIKES = 'АВЕЅІЈКМНОРСТУХԌԚԜаеѕіјорсухһӏԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχϲϳıɑɡ'
const LATIN_TWINS = 'ABESIJKMHOPCTYXGQWaesijopcyxhldqwABEZHIKMNOPTYXaikvopuxcjiag'
const FOREIGN = /[\p{Script=Cyrillic}\p{Script=Greek}ıɑɡ]/gu

/** A text with more Latin letters than Greek and Cyrillic ones without a Latin twin has the twins folded to Latin. */
function foldLookAlikes(text: string): string {
  const foreign = text.match(FOREIGN)
  if (foreign === null) return text
  const own = foreign.filter((letter) => !LOOK_ALIKES.includes(letter)).length
  if ((text.match(/\p{Script=Latin}/gu)?.length ?? 0) <= own) return text
  return text.replace(FOREIGN, (letter) => LATIN_TWINS[LOOK_ALIKES.indexOf(letter)] ?? letter)
}
