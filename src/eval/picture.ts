/** Arithmetic on pictures, row by row with interleaved channels, 0 … 1. */
import type { Picture } from './types.ts'

export function clip(value: number): number {
  return Math.min(Math.max(value, 0), 1)
}

/** x + by · d, in 0 … 1. */
export function moved(x: Picture, d: ArrayLike<number>, by = 1): Picture {
  const y = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) y[i] = clip(x[i]! + by * d[i]!)
  return y
}

/** No number further than `ball` from the centre, and all in 0 … 1. */
export function projected(x: Picture, centre: Picture, ball: number): Picture {
  const y = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) y[i] = clip(Math.min(Math.max(x[i]!, centre[i]! - ball), centre[i]! + ball))
  return y
}

/** L∞. */
export function largestChange(x: Picture, y: Picture): number {
  let most = 0
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i]! - y[i]!))
  return most
}

/** L2. */
export function distance(x: Picture, y: Picture): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2
  return Math.sqrt(sum)
}

/** The picture as a file has it: 8 bits a number. */
export function eightBits(x: Picture): Picture {
  return x.map((v) => Math.round(255 * v) / 255)
}
