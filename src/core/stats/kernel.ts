/** The Gaussian kernel of several widths, and the width that data suggest. */
import { checkNumber, checkNumbers, refuse } from '../checkers.ts'
import { LARGEST } from './checks.ts'

/** Vectors on one side: pairs of them, and the numbers in all, must fit the memory of a browser tab. */
const MOST_VECTORS = 10_000
export const MOST_NUMBERS = 67_108_864
const VECTOR = { most: 65_536, min: -LARGEST, max: LARGEST }
const MOST_BANDWIDTHS = 64

/** Vectors of one length, one behind the other. */
export interface Vectors {
  readonly count: number
  readonly dimension: number
  readonly numbers: Float64Array
}

/** A list of at least two vectors of one length, as one fresh array. Throws `bad_query`. */
export function readVectorList(list: readonly ArrayLike<number>[], path: string, dimension?: number): Vectors {
  if (!(Array.isArray(list) && list.length >= 2 && list.length <= MOST_VECTORS)) {
    refuse('bad_query', `must be a list of 2 … ${MOST_VECTORS} vectors`, list, path)
  }
  for (const [i, vector] of list.entries()) checkNumbers(vector, VECTOR, `${path}[${i}]`)
  const width = dimension ?? list[0].length
  const odd = list.findIndex((vector) => vector.length !== width)
  if (odd !== -1) {
    refuse('bad_query', `must have ${width} numbers like the others`, list[odd].length, `${path}[${odd}]`)
  }
  if (list.length * width > MOST_NUMBERS) {
    refuse('bad_query', `must have at most ${MOST_NUMBERS} numbers in all`, list.length * width, path)
  }
  const numbers = new Float64Array(list.length * width)
  for (const [i, vector] of list.entries()) numbers.set(vector, i * width)
  return { count: list.length, dimension: width, numbers }
}

/** 1 … 64 kernel widths, each in [1e-100, 1e100]. Throws `bad_config`. */
export function checkBandwidths(bandwidths: readonly number[], path: string): readonly number[] {
  if (!(Array.isArray(bandwidths) && bandwidths.length >= 1 && bandwidths.length <= MOST_BANDWIDTHS)) {
    const remedy = 'such as [0.5, 1, 2, 4] times medianBandwidth(x)'
    refuse('bad_config', `must be a list of 1 … ${MOST_BANDWIDTHS} widths, ${remedy}`, bandwidths, path)
  }
  return bandwidths.map((width, i) => checkNumber(width, { min: 1e-100, max: 1e100 }, `${path}[${i}]`))
}

/** ‖xᵢ − yⱼ‖² for j = 0 … `count` − 1, into `out`. Four at a time, so that a number of xᵢ is loaded once for all of them. */
export function squaredDistances(x: Vectors, i: number, y: Vectors, count: number, out: Float64Array): void {
  const n = x.dimension
  const one = x.numbers
  const from = i * n
  const rows = y.numbers
  let j = 0
  for (; j + 4 <= count; j += 4) {
    const r0 = j * n
    const r1 = r0 + n
    const r2 = r1 + n
    const r3 = r2 + n
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    for (let k = 0; k < n; k++) {
      const value = one[from + k]!
      const d0 = value - rows[r0 + k]!
      const d1 = value - rows[r1 + k]!
      const d2 = value - rows[r2 + k]!
      const d3 = value - rows[r3 + k]!
      s0 += d0 * d0
      s1 += d1 * d1
      s2 += d2 * d2
      s3 += d3 * d3
    }
    out[j] = s0
    out[j + 1] = s1
    out[j + 2] = s2
    out[j + 3] = s3
  }
  for (; j < count; j++) {
    let sum = 0
    for (let k = 0; k < n; k++) {
      const d = one[from + k]! - rows[j * n + k]!
      sum += d * d
    }
    out[j] = sum
  }
}

/**
 * The width that a sample suggests: the square root of the median of all positive squared distances between its vectors
 * (for an even number of them the mean of the middle two). O(n² · dimension); 2 000 vectors are plenty.
 *
 * @param x 2 … 10 000 vectors of one length, not all the same. Throws `bad_query`.
 */
export function medianBandwidth(x: readonly ArrayLike<number>[]): number {
  const vectors = readVectorList(x, 'x')
  const distances = new Float64Array((vectors.count * (vectors.count - 1)) / 2)
  let count = 0
  for (let i = 1; i < vectors.count; i++) {
    squaredDistances(vectors, i, vectors, i, distances.subarray(count))
    for (let end = count + i, at = count; at < end; at++) if (distances[at]! > 0) distances[count++] = distances[at]!
  }
  if (count === 0) refuse('bad_query', 'must hold at least two different vectors', x, 'x')
  const sorted = distances.subarray(0, count).sort()
  return Math.sqrt((sorted[(count - 1) >> 1]! + sorted[count >> 1]!) / 2)
}
