/**
 * The low frequencies of a 32 × 32 picture. Cosines come from half-angle formulas with `Math.sqrt` alone and the order of
 * additions is fixed, so every engine gives the same bits.
 */

/** The side of the picture. */
export const DCT_SIZE = 32
/** The side of the block of coefficients. */
const DCT_KEPT = 8

/** Multiples of π / 64 in a full turn. */
const TURN = 4 * DCT_SIZE

/** Built on first use. */
let cosines: Float64Array | undefined

/**
 * cos(j π / 64) for j = 0 … 127, within a few units of the last place; cos(π / 2) is exactly 0, and values that are equal
 * or opposite in mathematics are so here.
 */
function buildCosines(): Float64Array {
  const table = new Float64Array(TURN)
  const quarter = TURN / 4
  table[0] = 1
  for (let step = quarter / 2; step >= 1; step /= 2) {
    for (let j = step; j < quarter; j += 2 * step) {
      // cos t = √((1 + cos 2t) / 2) loses digits near π / 2: there cos t = sin 2u / (2 cos u) with u = π / 2 − t.
      table[j] =
        2 * j <= quarter ? Math.sqrt((1 + table[2 * j]!) / 2) : table[2 * j - quarter]! / (2 * table[quarter - j]!)
    }
  }
  for (let j = 0; j < quarter; j++) table[2 * quarter - j] = -table[j]!
  for (let j = 1; j < 2 * quarter; j++) table[TURN - j] = table[j]!
  return table
}

/**
 * The 8 × 8 lowest coefficients of the two-dimensional DCT-II, not normalised, as `scipy.fftpack.dct` down the columns
 * and then along the rows: 4 Σ x[m][n] cos(π u (2m + 1) / 64) cos(π v (2n + 1) / 64) at u · 8 + v.
 *
 * @param picture 32 · 32 finite numbers, row by row.
 */
export function dct8x8(picture: ArrayLike<number>): Float64Array {
  cosines ??= buildCosines()
  const cos = cosines
  const columns = new Float64Array(DCT_KEPT * DCT_SIZE)
  for (let u = 0; u < DCT_KEPT; u++) {
    for (let m = 0; m < DCT_SIZE; m++) {
      const factor = 2 * cos[(u * (2 * m + 1)) % TURN]!
      for (let n = 0; n < DCT_SIZE; n++) columns[u * DCT_SIZE + n]! += factor * picture[m * DCT_SIZE + n]!
    }
  }
  const block = new Float64Array(DCT_KEPT * DCT_KEPT)
  for (let u = 0; u < DCT_KEPT; u++) {
    for (let v = 0; v < DCT_KEPT; v++) {
      let sum = 0
      for (let n = 0; n < DCT_SIZE; n++) sum += columns[u * DCT_SIZE + n]! * cos[(v * (2 * n + 1)) % TURN]!
      block[u * DCT_KEPT + v] = 2 * sum
    }
  }
  return block
}

/**
 * Adds `times` × coefficient (u, v) of a picture of whole numbers to its exact form: whole numbers c such that the
 * coefficient is 2 Σ c[j] cos(j π / 64), j = 0 … 31. Products of cosines become sums, and each angle is folded into the
 * first quarter. These 32 cosines are linearly independent over the rationals (the real subfield of the 128th cyclotomic
 * field has degree 32), so the coefficient is zero exactly when all c are.
 */
export function addExactForm(form: Int32Array, picture: ArrayLike<number>, index: number, times: number): void {
  const u = Math.floor(index / DCT_KEPT)
  const v = index % DCT_KEPT
  for (let m = 0; m < DCT_SIZE; m++) {
    for (let n = 0; n < DCT_SIZE; n++) {
      const value = times * picture[m * DCT_SIZE + n]!
      const a = u * (2 * m + 1)
      const b = v * (2 * n + 1)
      addCosine(form, (a + b) % TURN, value)
      addCosine(form, Math.abs(a - b) % TURN, value)
    }
  }
}

function addCosine(form: Int32Array, angle: number, value: number): void {
  const half = TURN / 2
  const upper = angle > half ? TURN - angle : angle // cos(2π − t) = cos t
  if (upper < half / 2) form[upper]! += value
  else if (upper > half / 2) form[half - upper]! -= value // cos(π − t) = −cos t
}
