/** The fingerprints of pictures, texts and rows. */
import { columnsOf, type RowSchema } from '../canonical.ts'
import { checkNumbers, refuse } from '../checkers.ts'
import { finish32, fold32, hash32 } from '../hash.ts'
import { checkPixels, flattenAlpha, isBytes } from '../pixels.ts'
import { scaledNumber } from '../scaledRow.ts'
import { joinText, normalizeText, type TextOptions } from '../text.ts'
import type { Pixels, Row, Shingles } from '../types.ts'
import { hashByKernels } from './kernelWindows.ts'
import { levelAt, levelOf, saltAt } from './levels.ts'
import { type ShingleOptions, seedOf, withShingleDefaults } from './options.ts'
import { windowsOf } from './rollingHash.ts'
import { shinglesOf } from './windows.ts'

/** Numbers of a picture above which the window is the longer one: 64 × 64 × 3. */
const SMALL = 12_288
const FULL = 255
const LARGEST_SALT = 254.99999999999997

export interface PictureShingleOptions extends ShingleOptions {
  /** A number in [0, 255) for each number of the picture, in place of the one that follows from the key. */
  readonly salt: ArrayLike<number>
}

/**
 * Blacklight's fingerprint of a picture (Li et al., USENIX Security 2022): row by row, channels interleaved, each number
 * is salted and cut to levels of `quantum`, windows of the levels are hashed, and the largest hashes kept. Pictures that
 * differ by less than a level in most places share most of them. Look at what the model sees: a picture that is scaled
 * first has other windows. Transparency is laid over white. O(numbers).
 *
 * Throws `bad_query` as `checkPixels` does, `bad_config` for an option out of range.
 */
export function pictureShingles(pixels: Pixels, options: Partial<PictureShingleOptions> = {}): Shingles {
  const { salt, ...rest } = options
  const complete = withShingleDefaults(rest)
  const { data, maxValue = FULL } = flattenAlpha(checkPixels(pixels))
  if (salt !== undefined) checkSalt(salt, data.length)
  const { stride, window } = complete
  const rule = { seed: seedOf(complete), scale: FULL / maxValue, quantum: complete.quantum }
  const cut = { size: window ?? (data.length > SMALL ? 50 : 20), stride }
  const isPlain = isBytes(data) && rule.scale === 1 && Number.isInteger(rule.quantum)
  if (isPlain && salt === undefined && complete.digest === 'keyed') {
    const hashes = hashByKernels({ length: data.length, bytes: data, ...rule }, cut, complete)
    if (hashes !== undefined) return { hashes, windows: windowsOf(data.length, cut).windows }
  }
  const values = new Uint16Array(data.length)
  for (let i = 0; i < values.length; i++) {
    values[i] =
      salt === undefined ? levelAt(data[i]!, i, rule) : levelOf(data[i]! * rule.scale + salt[i]!, rule.quantum)
  }
  return shinglesOf(values, cut, complete)
}

function checkSalt(salt: ArrayLike<number>, length: number): void {
  checkNumbers(salt, { most: length, min: 0, max: LARGEST_SALT }, 'salt')
  if (salt.length !== length)
    refuse('bad_query', `must have ${length} numbers, as the picture has`, salt.length, 'salt')
}

/**
 * The same for a text, or a list of texts joined by a space: windows of the units of its normal form (`normalizeText`), so
 * case, punctuation and look-alike letters make no difference. A text of nothing but punctuation counts as it stands.
 *
 * Throws `bad_query` for an empty text and for whatever `textFingerprint` refuses, `bad_config` for an option. O(length).
 */
export function textShingles(
  text: string | readonly string[],
  options: Partial<ShingleOptions> & TextOptions = {},
): Shingles {
  const { maxLength, ...rest } = options
  const complete = withShingleDefaults(rest)
  const raw = joinText(text, maxLength === undefined ? {} : { maxLength })
  if (raw === '') refuse('bad_query', 'must not be empty', raw, 'input')
  const normal = normalizeText(raw) || raw
  const values = new Uint16Array(normal.length)
  for (let i = 0; i < normal.length; i++) values[i] = normal.charCodeAt(i)
  return shinglesOf(values, { size: complete.textWindow, stride: 1 }, complete)
}

/**
 * The same for a row: each cell becomes a name of its column and its value, numbers cut to levels of `rowQuantum` on the scale
 * of `scaledRow` (20/255 there is a small step), and a window is some neighbouring columns in the order of the names, the
 * last ones going round to the first; so there are as many windows as columns.
 *
 * Throws `bad_query` as `canonicalRow` does, `bad_config` for an option. O(columns · rowWindow).
 */
export function rowShingles(
  row: Row,
  { schema, ...options }: Partial<ShingleOptions> & { readonly schema?: RowSchema | undefined } = {},
): Shingles {
  const complete = withShingleDefaults(options)
  const { rowQuantum, rowWindow } = complete
  const columns = columnsOf(row, schema)
  const seed = seedOf(complete)
  const names = columns.map((column) => {
    const named = fold32(seed, hash32(column.name))
    const shift = saltAt(named, 0)
    const level = Math.floor((scaledNumber(column) * FULL + shift) / rowQuantum + 0.5)
    return finish32(fold32(named, level))
  })
  // Two numbers a column, and one behind the last window, which the count of windows would otherwise leave out.
  const values = new Uint16Array(2 * (names.length + rowWindow - 1) + 1)
  for (let i = 0; i < names.length + rowWindow - 1; i++) {
    const name = names[i % names.length]!
    values[2 * i] = name
    values[2 * i + 1] = name >>> 16
  }
  return shinglesOf(values, { size: 2 * rowWindow, stride: 2 }, complete)
}
