/** Texts: the exact fingerprint of the reference, and a normal form for near-duplicates. */
import { refuse } from './checkers.ts'
import { MonitorError } from './errors.ts'
import { sha256HexOfText } from './hash.ts'
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
 * 'Hello world!' gives 7509e5bd…08e6ca9. An empty text has a fingerprint too.
 *
 * Throws `bad_query` for anything but a string or a list of strings, for a surrogate without partner, and for a text
 * longer than `maxLength`.
 */
export function textFingerprint(text: string | readonly string[], options?: TextOptions): string {
  return sha256HexOfText(strip(joinText(text, options)).toLowerCase())
}

/** One text out of a text or a list of texts, joined by one space; checked as by {@link textFingerprint}. */
export function joinText(text: string | readonly string[], options?: TextOptions): string {
  const joined = joinParts(text, options?.maxLength ?? DEFAULT_MAX_LENGTH)
  // Here and not while encoding, so that the index in the error counts in the caller's text.
  checkWellFormed(joined, 'input')
  return joined
}

function joinParts(text: string | readonly string[], maxLength: number): string {
  if (typeof text === 'string') {
    if (text.length > maxLength) refuseLength(text.length, maxLength)
    return text
  }
  if (!Array.isArray(text)) refuse('bad_query', 'must be a string or a list of strings', text, 'input')
  let length = Math.max(text.length - 1, 0)
  if (length > maxLength) refuseLength(length, maxLength)
  // By index: a list with a hole is refused as well, where a callback would pass over it.
  for (let i = 0; i < text.length; i++) {
    const part: unknown = text[i]
    if (typeof part !== 'string') refuse('bad_query', 'must be a string', part, `input[${i}]`)
    length += part.length
    if (length > maxLength) refuseLength(length, maxLength)
  }
  return text.join(' ')
}

function refuseLength(length: number, maxLength: number): never {
  const message = `must have at most ${maxLength} UTF-16 code units, got ${length} or more; shorten it, or raise maxLength`
  throw new MonitorError('bad_query', message, 'input')
}

/** Python's `str.strip()`. */
function strip(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isPythonSpace(text.charCodeAt(from))) from++
  while (to > from && isPythonSpace(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

function isPythonSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code >= 0x1c
  if (code < 0x85) return false
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
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
 * May be empty, as for "?!". Applied twice it gives the same. Characters newer than the engine's Unicode tables are
 * taken as they are. Expects well-formed text.
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
  return foldLookAlikes(text.replace(INVISIBLE, '').normalize('NFKC'))
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
const LOOK_ALIKES =
  'АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT УY ХX ԌG ԚQ ԜW аa еe ѕs іi јj оo рp сc уy хx һh ӏl ԁd ԛq ԝw ' +
  'ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX αa ιi κk νv οo ρp υu χx ϲc ϳj ıi ɑa ɡg'
const FOREIGN = /[\p{Script=Cyrillic}\p{Script=Greek}ıɑɡ]/gu
let latinOf: ReadonlyMap<string, string> | undefined

/** A text with more Latin letters than Greek and Cyrillic ones without a Latin twin has the twins folded to Latin. */
function foldLookAlikes(text: string): string {
  const foreign = text.match(FOREIGN)
  if (foreign === null) return text
  latinOf ??= new Map(LOOK_ALIKES.split(' ').map((pair) => [pair[0]!, pair[1]!]))
  const table = latinOf
  let own = 0
  for (const letter of foreign) if (!table.has(letter)) own++
  if ((text.match(/\p{Script=Latin}/gu)?.length ?? 0) <= own) return text
  return text.replace(FOREIGN, (letter) => table.get(letter) ?? letter)
}
