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

/** Smallest and largest value of each number; true for whole ones. */
const RANGES = {
  key: [0, Number.MAX_SAFE_INTEGER, true],
  kept: [1, 1024, true],
  stride: [1, 1024, true],
  quantum: [1, 255, false],
  textWindow: [1, 255, true],
  rowWindow: [1, 16, true],
  rowQuantum: [1, 255, false],
} as const

/** The options alone, checked. Throws `bad_config`. */
export function checkShingleOptions(options: ShingleOptions, path: string): ShingleOptions {
  const { digest, key, kept, window, stride, quantum, textWindow, rowWindow, rowQuantum } = options
  checkChoice(digest, DIGESTS, `${path}.digest`)
  for (const [name, [min, max, integer]] of Object.entries(RANGES)) {
    checkNumber(options[name as keyof typeof RANGES], { min, max, integer }, `${path}.${name}`)
  }
  if (window !== null) checkNumber(window, { min: 2, max: 255, integer: true }, `${path}.window`)
  return { digest, key, kept, window, stride, quantum, textWindow, rowWindow, rowQuantum }
}

/** Options with their gaps filled, for the functions that make shingles. Throws `bad_config`. */
export function withShingleDefaults(options: Partial<ShingleOptions>): ShingleOptions {
  checkObject(options, Object.keys(SHINGLE_DEFAULTS), 'options')
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
