/**
 * Scalar products and distances of rows in doubles. The order of the additions is part of the contract: two running sums,
 * over even and odd places. So every runtime gives the same bits, and so do the kernels.
 */

/** `count` rows that begin `stride` numbers apart, the first of them at `start`. */
export interface RowsAt {
  readonly rows: Float32Array | Float64Array
  readonly start: number
  readonly stride: number
  readonly count: number
}

/**
 * The scalar products of rows with `q`, whose length is that of a row. Four rows at a time, so that an element of `q` is
 * loaded once for all of them.
 */
export function dotRows({ rows, start, stride, count }: RowsAt, q: Float64Array, out: Float64Array): void {
  const n = q.length
  const even = n & ~1
  let row = 0
  for (; row + 4 <= count; row += 4) {
    const r0 = start + row * stride
    const r1 = r0 + stride
    const r2 = r1 + stride
    const r3 = r2 + stride
    let a0 = 0
    let b0 = 0
    let a1 = 0
    let b1 = 0
    let a2 = 0
    let b2 = 0
    let a3 = 0
    let b3 = 0
    for (let i = 0; i < even; i += 2) {
      const x = q[i]!
      const y = q[i + 1]!
      a0 += rows[r0 + i]! * x
      b0 += rows[r0 + i + 1]! * y
      a1 += rows[r1 + i]! * x
      b1 += rows[r1 + i + 1]! * y
      a2 += rows[r2 + i]! * x
      b2 += rows[r2 + i + 1]! * y
      a3 += rows[r3 + i]! * x
      b3 += rows[r3 + i + 1]! * y
    }
    if (even < n) {
      a0 += rows[r0 + even]! * q[even]!
      a1 += rows[r1 + even]! * q[even]!
      a2 += rows[r2 + even]! * q[even]!
      a3 += rows[r3 + even]! * q[even]!
    }
    out[row] = a0 + b0
    out[row + 1] = a1 + b1
    out[row + 2] = a2 + b2
    out[row + 3] = a3 + b3
  }
  for (; row < count; row++) out[row] = dot(rows, start + row * stride, q)
}

/** One row of {@link dotRows}, to the same bit. */
export function dot(rows: ArrayLike<number>, start: number, q: ArrayLike<number>): number {
  const n = q.length
  let a = 0
  let b = 0
  for (let i = 0; i < n - 1; i += 2) {
    a += rows[start + i]! * q[i]!
    b += rows[start + i + 1]! * q[i + 1]!
  }
  if (n % 2 === 1) a += rows[start + n - 1]! * q[n - 1]!
  return a + b
}

/** The squared distance of a row, summed as in {@link dot}. */
export function squaredDistance(rows: ArrayLike<number>, start: number, q: ArrayLike<number>): number {
  const n = q.length
  let a = 0
  let b = 0
  for (let i = 0; i < n - 1; i += 2) {
    const x = rows[start + i]! - q[i]!
    const y = rows[start + i + 1]! - q[i + 1]!
    a += x * x
    b += y * y
  }
  const last = n % 2 === 1 ? rows[start + n - 1]! - q[n - 1]! : 0
  return a + b + last * last
}

/** The length of a vector in the geometric sense. */
export function norm(v: ArrayLike<number>): number {
  return Math.sqrt(dot(v, 0, v))
}
