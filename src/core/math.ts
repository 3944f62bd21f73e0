/**
 * Logarithm and exponential that give the same bits on every engine. `Math.log` and `Math.exp` may differ in the last
 * place from one engine to the next; these use only operations that IEEE 754 defines exactly (+ − × ÷) in a fixed order.
 * Idea: take out the power of two, then a short series on what is left (the classic reduction, as in fdlibm).
 */

/** One number seen as a float and as bits. Its content never outlives a call. */
const bits = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8))

// ln 2 in two parts: the first has 21 trailing zero bits, so that k · LN2_HIGH is exact for every exponent k.
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
// biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere, Math.LOG2E need not
const INVERSE_LN2 = 1.4426950408889634
const TWO_54 = 18014398509481984

/**
 * Natural logarithm, relative error below 1e-15. `log(0)` is −Infinity, `log(Infinity)` Infinity; a negative number or
 * NaN gives NaN.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN
  if (x === Infinity) return x
  const subnormal = x < 2.2250738585072014e-308
  bits.setFloat64(0, subnormal ? x * TWO_54 : x)
  const high = bits.getInt32(0)
  // The fraction is in [1, 2); from √2 (0x6a09e in its upper bits) on it is halved: m in [√½, √2).
  const halve = (high & 0xfffff) > 0x6a09e ? 1 : 0
  const k = (high >>> 20) - 1023 + halve - (subnormal ? 54 : 0)
  bits.setInt32(0, (high & 0xfffff) | (halve === 1 ? 0x3fe00000 : 0x3ff00000))
  const m = bits.getFloat64(0)
  // ln m = 2 artanh s = 2s + 2s³/3 + 2s⁵/5 + …, |s| ≤ 0.1716: the first term left out is below 2e-18 of the sum.
  const s = (m - 1) / (m + 1)
  const z = s * s
  let series = 2 / 23
  for (let n = 21; n >= 3; n -= 2) series = series * z + 2 / n
  return k * LN2_HIGH + (2 * s + (s * z * series + k * LN2_LOW))
}

/**
 * e to the power x, relative error below 1e-15 where the result is a normal number. Above 709.79 it is Infinity, below
 * −745.14 it is 0; NaN gives NaN.
 */
export function exp(x: number): number {
  if (!(x > -745.2)) return x < 0 ? 0 : NaN
  if (x > 709.8) return Infinity
  const k = Math.floor(x * INVERSE_LN2 + 0.5)
  const r = x - k * LN2_HIGH - k * LN2_LOW
  // |r| ≤ 0.3466: the first term left out of the power series, r¹⁵/15!, is below 1e-19.
  let series = 1 / 14
  for (let n = 13; n >= 2; n--) series = (1 + r * series) / n
  const whole = 1 + r * (1 + r * series)
  const half = k >> 1
  return whole * powerOfTwo(half) * powerOfTwo(k - half)
}

function powerOfTwo(k: number): number {
  bits.setInt32(0, (k + 1023) << 20)
  bits.setInt32(4, 0)
  return bits.getFloat64(0)
}
