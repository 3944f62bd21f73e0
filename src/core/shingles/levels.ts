/** The numbers of a picture as Blacklight cuts them: salted, then brought to levels. */
import { finish32, fold32 } from '../hash.ts'

const FULL = 255

/** How a picture's numbers become levels. */
export interface LevelRule {
  /** Chooses the salt. */
  readonly seed: number
  /** 255 ÷ the value of full intensity. */
  readonly scale: number
  /** Width of a level, 1 … 255. */
  readonly quantum: number
}

/** The level of a number at a place, which salts it: a multiple of `quantum`, cut to a whole number. */
export function levelAt(value: number, place: number, { seed, scale, quantum }: LevelRule): number {
  return levelOf(value * scale + saltAt(seed, place), quantum)
}

/** The level of a salted number below 510: modulo 255, to the nearest multiple of `quantum`. */
export function levelOf(salted: number, quantum: number): number {
  // Without a branch: whether the sum wraps round is as good as random.
  const wrapped = salted - (FULL & ((FULL - 1 - Math.floor(salted)) >> 31))
  return Math.floor(roundHalfEven(wrapped / quantum) * quantum)
}

/** Even in [0, 255). */
export function saltAt(seed: number, place: number): number {
  return (finish32(fold32(seed, place)) >>> 0) * (FULL / 0x100000000)
}

/** To the nearest whole number, a half to the even one, as NumPy does. */
function roundHalfEven(value: number): number {
  const up = Math.floor(value + 0.5)
  return up - value === 0.5 && up % 2 === 1 ? up - 1 : up
}
