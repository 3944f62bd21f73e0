/** Vectors as whole numbers from −127 to 127, with what is lost by it. */

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

/** The codes of a row, in chunks of 16 that begin 64 bytes apart, as the kernels read four rows at once. */
export function encodeRow({ values, start, width, norm }: RowAt, codes: Int8Array, at: number): Coded {
  if (norm === 0) {
    for (let from = 0; from < width; from += 16) codes.fill(0, at + 4 * from, at + 4 * from + 16)
    return { scale: 0, error: 0 }
  }
  let max = 0
  for (let i = start; i < start + width; i++) max = Math.max(max, Math.abs(values[i]!))
  const step = max / 127
  const perStep = 127 / max
  let lost = 0
  for (let from = 0, place = at; from < width; from += 16, place += 64) {
    const count = Math.min(16, width - from)
    for (let k = 0; k < count; k++) {
      const value = values[start + from + k]!
      const code = Math.floor(value * perStep + 0.5)
      const rest = value - code * step
      lost += rest * rest
      codes[place + k] = code
    }
  }
  return codedAs(step, lost, norm)
}

/** The codes of a query, which is no zero vector, as 16-bit numbers. */
export function encodeQuery(q: Float64Array, norm: number, codes: Int16Array): Coded {
  let max = 0
  for (let i = 0; i < q.length; i++) max = Math.max(max, Math.abs(q[i]!))
  const step = max / 127
  const perStep = 127 / max
  let lost = 0
  for (let i = 0; i < q.length; i++) {
    const code = Math.floor(q[i]! * perStep + 0.5)
    const rest = q[i]! - code * step
    lost += rest * rest
    codes[i] = code
  }
  return codedAs(step, lost, norm)
}

/** Upwards by more than rounding takes away. */
function codedAs(step: number, lost: number, norm: number): Coded {
  return { scale: step / norm, error: (Math.sqrt(lost) / norm) * 1.000001 + 1e-9 }
}
