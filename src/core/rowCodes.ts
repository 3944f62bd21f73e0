/** Vectors as whole numbers from −127 to 127, with what is lost by it. How they lie is said in `kernels/assembly/bytes.ts`. */

/** A vector among others, and its length. */
export interface RowAt {
  readonly values: Float32Array
  readonly start: number
  readonly width: number
  readonly norm: number
}

/** A vector is about |x| · scale · codes; off by |x| · error at most. Both are 0 for a zero vector. */
export interface Coded {
  readonly scale: number
  readonly error: number
}

/** What the last one encoded was, of whomever: a result is good until the next call. */
const coded = { scale: 0, error: 0, bias: 0 }

/** Rows of a group, and bytes from one chunk of a row to its next. */
export const GROUP = 8
const CHUNK_STEP = 16 * GROUP

/** The codes of a row, 128 added to the even ones. Good until the next call. */
export function encodeRow({ values, start, width, norm }: RowAt, codes: Int8Array, at: number): Coded {
  const max = largest(values, start, start + width)
  const step = max / 127
  const perStep = norm === 0 ? 0 : 127 / max
  let lost = 0
  for (let from = 0, place = at; from < width; from += 16, place += CHUNK_STEP) {
    const end = Math.min(from + 16, width)
    for (let i = from, to = place; i < end; i++, to++) {
      const value = values[start + i]!
      const code = toCode(value * perStep)
      const rest = value - code * step
      lost += rest * rest
      codes[to] = (i & 1) === 0 ? code + 128 : code
    }
  }
  coded.scale = norm === 0 ? 0 : step / norm
  coded.error = norm === 0 ? 0 : errorOf(lost, norm)
  return coded
}

/** The largest size of a number. */
function largest(values: Float32Array | Float64Array, start: number, end: number): number {
  let max = 0
  for (let i = start; i < end; i++) {
    const size = Math.abs(values[i]!)
    if (size > max) max = size
  }
  return max
}

/**
 * The codes of a query, which is no zero vector, in the words that the kernels take; `bias` as they want it. Good until the next
 * call.
 */
export function encodeQuery(q: Float64Array, norm: number, words: Int16Array): Coded & { readonly bias: number } {
  const max = largest(q, 0, q.length)
  const step = max / 127
  const perStep = 127 / max
  let lost = 0
  let sum = 0
  for (let i = 0; i < q.length; i += 2) {
    const first = q[i]!
    const second = i + 1 < q.length ? q[i + 1]! : 0
    const a = toCode(first * perStep)
    const b = toCode(second * perStep)
    const restOfFirst = first - a * step
    const restOfSecond = second - b * step
    lost += restOfFirst * restOfFirst + restOfSecond * restOfSecond
    const place = (i & ~15) + ((i & 15) >> 1)
    words[place] = a
    words[place + 8] = b - 256 * a
    sum += a
  }
  coded.scale = step / norm
  coded.error = errorOf(lost, norm)
  coded.bias = -128 * sum
  return coded
}

/** Rounds a number from −127 to 127: cutting off rounds down what is above 0. */
function toCode(value: number): number {
  return ((value + 128.5) | 0) - 128
}

/** Upwards by more than rounding takes away. */
function errorOf(lost: number, norm: number): number {
  return (Math.sqrt(lost) / norm) * 1.000001 + 1e-9
}
