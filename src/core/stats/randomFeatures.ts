/** The maximum mean discrepancy of streams: vectors become features whose mean says all, in constant memory. */
import { checkNumber, refuse } from '../checkers.ts'
import { finish32, fold32 } from '../hash.ts'
import { type KernelMemory, openCompiled } from '../kernels/memory.ts'
import { dotRows } from '../rowSums.ts'
import { checkVector } from '../vectorRing.ts'
import { checkBandwidths } from './kernel.ts'
import { normalQuantile } from './normal.ts'

/** Keeps the matrix of directions below 256 MB. */
const MOST_WEIGHTS = 67_108_864
/** Fewer are multiplied before the kernels have been called. */
const LEAST_WEIGHTS = 1024

export interface RandomFeaturesOptions {
  /** Length of the vectors, 1 … 65 536. */
  readonly dimension: number
  /** Widths σ of the Gaussian kernels, as for `mmdSquared`. */
  readonly bandwidths: readonly number[]
  /** Random directions, a multiple of the number of widths; each gives two features. Default 128. */
  readonly frequencies?: number
  /** A whole number, 0 … 2³² − 1: another one, other directions. An attacker should not know it. Default 0. */
  readonly seed?: number
}

/**
 * Random Fourier features: φ(x) · φ(y) is about the mean of the Gaussian kernels exp(−‖x − y‖² / 2σ²), and φ(x) has length
 * 1. The error falls with the number F of directions, as 1/√(2F) at most.
 *
 *     φ(x) = √(1/F) (cos w₁x, sin w₁x, …, cos w_F x, sin w_F x),  w ~ N(0, 1/σ²)
 *
 * Source: Rahimi and Recht, NIPS 2007; in pairs of cosine and sine, which vary less for this kernel than cosines with a
 * random phase (Sutherland and Schneider, UAI 2015, section 2). Directions come from hashes of the seed, so that every
 * engine has the same ones. Holds 4 bytes for each direction and dimension; share one among all clients.
 */
export class RandomFeatures {
  readonly #dimension: number
  readonly #frequencies: number
  /** Row f is w_f / 2π, so that an angle comes in turns. Empty where the kernels have them. */
  readonly #rows: Float32Array
  /** A vector, its products and the rows, where there are kernels. */
  readonly #memory: KernelMemory | undefined
  /** Working memory: the vector as doubles. */
  readonly #vector: Float64Array

  /** Throws `bad_config`. */
  constructor({ dimension, bandwidths, frequencies = 128, seed = 0 }: RandomFeaturesOptions) {
    this.#dimension = checkNumber(dimension, { min: 1, max: 65_536, integer: true }, 'dimension')
    const widths = checkBandwidths(bandwidths, 'bandwidths')
    const most = Math.floor(MOST_WEIGHTS / dimension)
    this.#frequencies = checkNumber(frequencies, { min: 1, max: most, integer: true }, 'frequencies')
    if (frequencies % widths.length !== 0) {
      refuse('bad_config', `must be a multiple of the ${widths.length} bandwidths`, frequencies, 'frequencies')
    }
    const rows = directions(dimension, widths, frequencies, checkNumber(seed, SEED, 'seed'))
    this.#vector = new Float64Array(dimension)
    const before = 8 * (dimension + frequencies)
    this.#memory = rows.length < LEAST_WEIGHTS ? undefined : openCompiled(before + rows.byteLength)
    this.#memory?.f32.set(rows, before / 4)
    this.#rows = this.#memory === undefined ? rows : new Float32Array(0)
  }

  /** Features of a vector: twice the number of directions. */
  get length(): number {
    return 2 * this.#frequencies
  }

  /**
   * The features of a vector. O(dimension · frequencies). Throws `bad_query` for another length or numbers that are not
   * finite.
   *
   * @param out Is overwritten and returned; a fresh array where none is given.
   */
  map(vector: ArrayLike<number>, out: Float64Array = new Float64Array(this.length)): Float64Array {
    checkVector(vector, this.#dimension, 'vector')
    if (out.length !== this.length) refuse('bad_config', `must have room for ${this.length}`, out.length, 'out')
    this.#vector.set(vector)
    this.#setTurns(out)
    const scale = Math.sqrt(1 / this.#frequencies)
    for (let f = this.#frequencies - 1; f >= 0; f--) setCosineAndSine(out[f]!, scale, out, 2 * f)
    return out
  }

  /** The products of all rows with the vector, into the first places of `out`. */
  #setTurns(out: Float64Array): void {
    const memory = this.#memory
    const [width, count] = [this.#dimension, this.#frequencies]
    if (memory === undefined) {
      dotRows({ rows: this.#rows, start: 0, stride: width, count }, this.#vector, out)
      return
    }
    const results = 8 * width
    memory.f64.set(this.#vector)
    memory.kernels.dots(results + 8 * count, count, width, width, 0, results)
    for (let f = 0; f < count; f++) out[f] = memory.f64[results / 8 + f]!
  }
}

const SEED = { min: 0, max: 0xffffffff, integer: true }
const TWO_PI = 6.283185307179586

/** Normal numbers from hashes of (seed, place). Direction f has width number f, round and round. */
function directions(dimension: number, widths: readonly number[], frequencies: number, seed: number): Float32Array {
  const rows = new Float32Array(frequencies * dimension)
  for (let at = 0; at < rows.length; at++) {
    const hash = finish32(fold32(fold32(0, seed), at)) >>> 0
    const width = widths[Math.floor(at / dimension) % widths.length]!
    rows[at] = normalQuantile((hash + 0.5) / 4294967296) / width / TWO_PI
  }
  return rows
}

/**
 * Cosine and sine of an angle given in turns, times `scale`, at `at` and `at` + 1. The angle is brought to an eighth of a
 * turn, without rounding, and Taylor's series are taken to the last place: `Math.cos` differs from engine to engine.
 */
function setCosineAndSine(turns: number, scale: number, out: Float64Array, at: number): void {
  const quarters = Math.floor(4 * turns + 0.5)
  const angle = (turns - 0.25 * quarters) * TWO_PI
  const z = angle * angle
  let cosine = 1
  let sine = 1
  for (let n = 16; n >= 2; n -= 2) {
    cosine = 1 - (z * cosine) / (n * (n - 1))
    sine = 1 - (z * sine) / (n * (n + 1))
  }
  const quadrant = quarters - 4 * Math.floor(quarters / 4)
  const c = scale * cosine
  const s = scale * angle * sine
  out[at] = quadrant === 0 ? c : quadrant === 1 ? -s : quadrant === 2 ? -c : s
  out[at + 1] = quadrant === 0 ? s : quadrant === 1 ? c : quadrant === 2 ? -s : -c
}
