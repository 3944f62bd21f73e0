/** How inputs are cut into windows and hashed: the part of a content fingerprint's options that makes its shingles. */
import { checkChoice, checkNumber, checkObject } from '../checkers.ts'
import { defined } from '../detector.ts'
import { fold32 } from '../hash.ts'

const DIGESTS = ['keyed', 'sha256'] as const

export interface ShingleOptions {
  /**
   * `keyed`: a rolling hash of 64 bits, the same cost whatever the window. `sha256`: the published one, hundreds of times
   * slower, for comparisons with other implementations. Default `keyed`.
   */
  readonly digest: (typeof DIGESTS)[number]
  /**
   * Chooses the salt and the keyed hash, a whole number from 0 on. Who knows it can make inputs that seem unlike; set one of
   * your own, the same on every replica. Default 0.
   */
  readonly key: number
  /** Hashes kept of an input, S in the paper, 1 … 1024. Default 50. */
  readonly kept: number
  /**
   * Numbers in a window of a picture, 2 … 255. Default null: 20, as published for 32 × 32 pixels, and 50, as published for
   * 224 × 224, for a picture of more than 12 288 numbers.
   */
  readonly window: number | null
  /** From one window of a picture to the next, 1 … 1024 numbers. Default 1. */
  readonly stride: number
  /** Width of a level of brightness, 1 … 255, of 255 in all. Default 50. */
  readonly quantum: number
  /**
   * UTF-16 units in a window of a text's normal form, 1 … 255. Default 8: of 2000 banking questions 4 % share more than half
   * with one of the 100 before, some of them because they are the same question; of 5 units 8 %.
   */
  readonly textWindow: number
  /**
   * Neighbouring columns in a window of a row, 1 … 16. Default 4, for the common categories of real tables. A changed cell
   * changes as many windows, so rows of up to twice as many columns are near to their equals only.
   */
  readonly rowWindow: number
  /** Width of a level of a row's numbers, 1 … 255, on the scale where 20 is a small step (`scaledRow`). Default 10. */
  readonly rowQuantum: number
}

export const SHINGLE_DEFAULTS: ShingleOptions = {
  digest: 'keyed',
  key: 0,
  kept: 50,
  window: null,
  stride: 1,
  quantum: 50,
  textWindow: 8,
  rowWindow: 4,
  rowQuantum: 10,
}

/** What each number must be. */
const RANGES = [
  { name: 'key', min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
  { name: 'kept', min: 1, max: 1024, integer: true },
  { name: 'stride', min: 1, max: 1024, integer: true },
  { name: 'quantum', min: 1, max: 255, integer: false },
  { name: 'textWindow', min: 1, max: 255, integer: true },
  { name: 'rowWindow', min: 1, max: 16, integer: true },
  { name: 'rowQuantum', min: 1, max: 255, integer: false },
] as const
const KEYS = /* @__PURE__ */ Object.keys(SHINGLE_DEFAULTS)

/** The options alone, checked. Throws `bad_config`. */
export function checkShingleOptions(options: ShingleOptions, path: string): ShingleOptions {
  const { digest, key, kept, window, stride, quantum, textWindow, rowWindow, rowQuantum } = options
  checkChoice(digest, DIGESTS, `${path}.digest`)
  for (const range of RANGES) {
    const value = options[range.name]
    // Asked for every query: what is as it should be needs no words.
    const isNumber = typeof value === 'number' && (Number.isInteger(value) || !range.integer)
    if (!isNumber || !(value >= range.min && value <= range.max)) checkNumber(value, range, `${path}.${range.name}`)
  }
  if (window !== null) checkNumber(window, { min: 2, max: 255, integer: true }, `${path}.window`)
  return { digest, key, kept, window, stride, quantum, textWindow, rowWindow, rowQuantum }
}

/** Options with their gaps filled, for the functions that make shingles. Throws `bad_config`. */
export function withShingleDefaults(options: Partial<ShingleOptions>): ShingleOptions {
  checkObject(options, KEYS, 'options')
  if (Object.keys(options).length === 0) return SHINGLE_DEFAULTS
  return checkShingleOptions({ ...SHINGLE_DEFAULTS, ...defined(options) }, 'options')
}

/** 32-bit words of a hash. */
export function wordsOf({ digest }: Pick<ShingleOptions, 'digest'>): number {
  return digest === 'keyed' ? 2 : 8
}

/** What the salt and the hashes start from. */
export function seedOf({ key }: Pick<ShingleOptions, 'key'>): number {
  return fold32(key | 0, Math.floor(key / 0x100000000))
}

/** Those of a detector's options that make shingles. */
export function shingleOptionsOf(options: Readonly<Record<string, unknown>>): Partial<ShingleOptions> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(SHINGLE_DEFAULTS, name)))
}
