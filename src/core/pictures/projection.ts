/**
 * The projection of the features: the directions in which different pictures differ most, compared with views of one
 * picture (Fisher's linear discriminant). Its weights were fitted beforehand: see models/descriptor.md.
 */
import { FEATURE_COUNT } from './features.ts'
import { OFFSETS, SCALES, WEIGHTS } from './weights.ts'

/** Numbers that come out. */
export const PROJECTED = 185

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** The place in the alphabet that means 0. */
const ZERO = 31

/** Read from the text on first use, and never changed: the weights of output o start at o · FEATURE_COUNT. */
let weights: Float64Array | undefined

function readWeights(): Float64Array {
  const places = new Int8Array(128)
  for (let i = 0; i < ALPHABET.length; i++) places[ALPHABET.charCodeAt(i)] = i
  return Float64Array.from({ length: PROJECTED * FEATURE_COUNT }, (_, i) => places[WEIGHTS.charCodeAt(i)]! - ZERO)
}

/** The features projected: {@link PROJECTED} numbers, of any length. */
export function project(values: Float64Array): Float64Array {
  weights ??= readWeights()
  const projected = new Float64Array(PROJECTED)
  for (let o = 0; o < PROJECTED; o++) {
    projected[o] = SCALES[o]! * product(weights, o * FEATURE_COUNT, values) - OFFSETS[o]!
  }
  return projected
}

/** Four sums at a time, so that no addition waits for the one before. FEATURE_COUNT is a multiple of 4. */
function product(rows: Float64Array, start: number, values: Float64Array): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let i = 0; i < FEATURE_COUNT; i += 4) {
    const p = start + i
    a += rows[p]! * values[i]!
    b += rows[p + 1]! * values[i + 1]!
    c += rows[p + 2]! * values[i + 2]!
    d += rows[p + 3]! * values[i + 3]!
  }
  return a + b + (c + d)
}
