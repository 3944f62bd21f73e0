/**
 * Logarithm and exponential that give the same bits on every engine. `Math.log` and `Math.exp` may differ in the last
 * place from one engine to the next; these use only operations that IEEE 754 defines exactly (+ − × ÷) in a fixed order.
 * Idea: take out the power of two, then a short series on what is left (the classic reduction, as in fdlibm).
 */

/** One number seen as a float and as bits. Its content never outlives a call. */
const bits = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8))

// biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere, Math.LN2 need not
const LN2 = 0.6931471805599453
// ln 2 in two parts: the first has 21 trailing zero bits, so that k · LN2_HIGH is exact for every exponent k.
const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
// biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere, Math.LOG2E need not
const INVERSE_LN2 = 1.4426950408889634
const TWO_54 = 18014398509481984
const SMALLEST_NORMAL = 2.2250738585072014e-308

// Tables for `log`: 2^−k by the bits of the exponent, and for 256 intervals of [1, 2) the reciprocal of about the middle,
// and its logarithm. Made when first needed; until then every number takes the rare way.
const down = /* @__PURE__ */ new Float64Array(2048)
const reciprocal = /* @__PURE__ */ new Float64Array(256)
const middle = /* @__PURE__ */ new Float64Array(256)
let readyBelow = 0

/** A number given and its result given back: doubles that go through memory are never made objects of on the heap. */
const passed = /* @__PURE__ */ new Float64Array(1)

/**
 * Natural logarithm, relative error below 1e-14. `log(0)` is −Infinity, `log(Infinity)` Infinity; a negative number or
 * NaN gives NaN.
 *
 * x = 2^k · f with f in [1, 2), f · R = 1 + r with R the reciprocal of the middle of f's interval:
 * ln x = k ln 2 − ln R + ln(1 + r), |r| < 1/500. Looking the power of two up, instead of writing the bits of f back,
 * is what makes it several times faster than the textbook form. Short, so that engines put it into the caller's loop.
 */
export function log(x: number): number {
  if (!(x >= SMALLEST_NORMAL && x < readyBelow)) {
    passed[0] = x
    logRarely()
    return passed[0]
  }
  return logOrdinary(x)
}

/** Of a normal number that the tables are ready for. */
function logOrdinary(x: number): number {
  bits.setFloat64(0, x, true)
  const high = bits.getInt32(4, true)
  const exponent = high >>> 20
  const interval = (high >>> 12) & 255
  const r = x * down[exponent]! * reciprocal[interval]! - 1
  // ln(1 + r) = r − r²/2 + r³/3 − r⁴/4 + r⁵/5: the first term left out is below 1e-17. No cancellation needs ln 2 to
  // more than a double here: what comes near 0 has gone the rare way.
  const series = r - r * r * (0.5 - r * (1 / 3 - r * (0.25 - r * 0.2)))
  return (exponent - 1023) * LN2 + (middle[interval]! + series)
}

/** Puts {@link log} of each of the first `count` values in its place: doubles in memory are never made objects of. */
export function logEach(values: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) values[i] = log(values[i]!)
}

/** High bits of about √½, and of 1. */
const ROOT_HIGH = 0x3fe6a09e
const ONE_HIGH = 0x3ff00000

/**
 * Σ q · ln(q + inside) over q = `scale` times each value, where every q + inside is a normal number; two running sums, over even
 * and odd places, so that a kernel can give the same bits. Of each logarithm the error is below 1e-12.
 *
 * x = 2^k · f with f from about √½ to √2, s = (f − 1) / (f + 1): ln x = k ln 2 + 2s + 2s³/3 + 2s⁵/5 + … 2s¹³/13. The first
 * term left out is below 5e-13. Written out and not in a function of its own: whether an engine puts it into this loop by itself
 * changes from run to run.
 */
export function sumOfLogs(values: ArrayLike<number>, scale: number, inside: number): number {
  if (readyBelow === 0) makeTables()
  let even = 0
  let odd = 0
  for (let i = 0; i < values.length; i++) {
    const q = values[i]! * scale
    const x = q + inside
    bits.setFloat64(0, x, true)
    const exponent = (bits.getInt32(4, true) + (ONE_HIGH - ROOT_HIGH)) >>> 20
    const f = x * down[exponent]!
    const s = (f - 1) / (f + 1)
    const z = s * s
    const series = 1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13)))))
    const twice = s + s
    const term = q * ((exponent - 1023) * LN2 + (twice + twice * z * series))
    if (i % 2 === 0) even += term
    else odd += term
  }
  return even + odd
}

/** Of what was {@link passed}: numbers from just below 1 upwards, which are no probabilities, and those without an ordinary exponent. */
function logRarely(): void {
  const x = passed[0]!
  if (readyBelow === 0) {
    makeTables()
    passed[0] = x
  }
  if (!(x > 0)) passed[0] = x === 0 ? -Infinity : NaN
  else if (x < SMALLEST_NORMAL) passed[0] = logOrdinary(x * TWO_54) - 54 * LN2
  else if (x < readyBelow) passed[0] = logOrdinary(x)
  else if (x < 1.05) logNearOne()
  else if (x < Infinity) {
    passed[0] = 1 / x
    logRarely()
    passed[0] = -passed[0]
  }
}

/** Of what was {@link passed}: ln x = 2 artanh s = 2s + 2s³/3 + 2s⁵/5 + … with s = (x − 1) / (x + 1); for x in [½, 2] to the last place or two. */
function logNearOne(): void {
  const x = passed[0]!
  const s = (x - 1) / (x + 1)
  const z = s * s
  let series = 2 / 35
  for (let n = 33; n >= 3; n -= 2) series = series * z + 2 / n
  passed[0] = 2 * s + s * z * series
}

function makeTables(): void {
  for (let exponent = 1; exponent < 2047; exponent++) down[exponent] = powerOfTwo(1023 - exponent)
  for (let i = 0; i < 256; i++) {
    reciprocal[i] = Math.fround(1 / (1 + (i + 0.5) / 256))
    passed[0] = reciprocal[i]!
    logNearOne()
    middle[i] = -passed[0]
  }
  readyBelow = 0.95
}

/**
 * e to the power x, relative error below 1e-15 where the result is a normal number. Above 709.79 it is Infinity, below
 * −745.14 it is 0; NaN gives NaN.
 */
export function exp(x: number): number {
  passed[0] = x
  expEach(passed, 1)
  return passed[0]
}

/** Puts {@link exp} of each of the first `count` values in its place. */
export function expEach(values: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const x = values[i]!
    if (!(x > -745.2)) values[i] = x < 0 ? 0 : NaN
    else if (x > 709.8) values[i] = Infinity
    else {
      const k = Math.floor(x * INVERSE_LN2 + 0.5)
      const r = x - k * LN2_HIGH - k * LN2_LOW
      // |r| ≤ 0.3466: the first term left out of the power series, r¹⁵/15!, is below 1e-19.
      let series = 1 / 14
      for (let n = 13; n >= 2; n--) series = (1 + r * series) / n
      const whole = 1 + r * (1 + r * series)
      const half = k >> 1
      values[i] = whole * powerOfTwo(half) * powerOfTwo(k - half)
    }
  }
}

/** 2 to the power k, for −1022 … 1023. */
export function powerOfTwo(k: number): number {
  bits.setInt32(0, (k + 1023) << 20)
  bits.setInt32(4, 0)
  return bits.getFloat64(0)
}

/** The smallest double above a finite number. */
export function nextUp(x: number): number {
  if (x === 0) return Number.MIN_VALUE
  bits.setFloat64(0, x)
  bits.setBigInt64(0, bits.getBigInt64(0) + (x > 0 ? 1n : -1n))
  return bits.getFloat64(0)
}
