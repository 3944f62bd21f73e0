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

/** Outputs computed together, so that a feature is loaded once for four products. */
const TOGETHER = 4

/** Read from the text on first use, and never changed: the weights of output o start at o · FEATURE_COUNT. */
let weights: Float32Array | undefined

/** Whole numbers, exact in 32 bits. Behind the last output come zeros, up to a multiple of {@link TOGETHER}. */
function readWeights(): Float32Array {
  const places = new Int8Array(128)
  for (let i = 0; i < ALPHABET.length; i++) places[ALPHABET.charCodeAt(i)] = i
  const read = new Float32Array(Math.ceil(PROJECTED / TOGETHER) * TOGETHER * FEATURE_COUNT)
  for (let i = 0; i < WEIGHTS.length; i++) read[i] = places[WEIGHTS.charCodeAt(i)]! - ZERO
  return read
}

/** The features projected: {@link PROJECTED} numbers, of any length. */
export function project(values: Float64Array): Float64Array {
  weights ??= readWeights()
  const projected = new Float64Array(PROJECTED)
  for (let o = 0; o < PROJECTED; o += TOGETHER) addProducts(weights, o, values, projected)
  for (let o = 0; o < PROJECTED; o++) projected[o] = SCALES[o]! * projected[o]! - OFFSETS[o]!
  return projected
}

/** Four outputs from `o` on; what lies behind the end of `out` is dropped. */
function addProducts(rows: Float32Array, o: number, values: Float64Array, out: Float64Array): void {
  const p = o * FEATURE_COUNT
  const q = p + FEATURE_COUNT
  const r = q + FEATURE_COUNT
  const s = r + FEATURE_COUNT
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let i = 0; i < FEATURE_COUNT; i++) {
    const value = values[i]!
    a += rows[p + i]! * value
    b += rows[q + i]! * value
    c += rows[r + i]! * value
    d += rows[s + i]! * value
  }
  out[o] = a
  out[o + 1] = b
  out[o + 2] = c
  out[o + 3] = d
}
