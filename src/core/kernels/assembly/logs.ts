/** Sums of logarithms. */

/**
 * Σ q · ln(q + inside) over q = `scale` times each of `count` doubles, where every q + inside is a normal number; two running sums,
 * over even and odd places. Of each logarithm the error is below 1e-12.
 */
export function sumOfLogs(values: usize, count: i32, scale: f64, inside: f64): f64 {
  const scales = f64x2.splat(scale)
  const insides = f64x2.splat(inside)
  let sum = f64x2.splat(0)
  let p = values
  const end = values + ((<usize>(count & ~1)) << 3)
  for (; p < end; p += 16) {
    const q = f64x2.mul(v128.load(p), scales)
    sum = f64x2.add(sum, f64x2.mul(q, logs(f64x2.add(q, insides))))
  }
  if (count & 1) {
    const q = f64x2.mul(v128.load64_zero(p), scales)
    const last = f64x2.mul(q, logs(f64x2.add(q, insides)))
    sum = f64x2.replace_lane(sum, 0, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(last, 0))
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/**
 * x = 2^k · f with f from about √½ to √2, s = (f − 1) / (f + 1): ln x = k ln 2 + 2s + 2s³/3 + 2s⁵/5 + … 2s¹³/13, all of it in the
 * order of the twin.
 */
function logs(x: v128): v128 {
  const one = i64x2.splat(0x3ff0000000000000)
  // The exponent of x · √2 and more, so that the rest is around 1.
  const raised = i64x2.add(x, i64x2.splat(0x3ff0000000000000 - 0x3fe6a09e00000000))
  const f = i64x2.add(i64x2.sub(x, v128.and(raised, i64x2.splat(0xfff0000000000000))), one)
  const exponent = v128.or(i64x2.shr_u(raised, 52), i64x2.splat(0x4330000000000000))
  const k = f64x2.sub(exponent, f64x2.splat(4503599627370496.0 + 1023.0))
  const s = f64x2.div(f64x2.sub(f, f64x2.splat(1)), f64x2.add(f, f64x2.splat(1)))
  const z = f64x2.mul(s, s)
  let series = f64x2.add(f64x2.splat(1.0 / 11.0), f64x2.mul(z, f64x2.splat(1.0 / 13.0)))
  series = f64x2.add(f64x2.splat(1.0 / 9.0), f64x2.mul(z, series))
  series = f64x2.add(f64x2.splat(1.0 / 7.0), f64x2.mul(z, series))
  series = f64x2.add(f64x2.splat(1.0 / 5.0), f64x2.mul(z, series))
  series = f64x2.add(f64x2.splat(1.0 / 3.0), f64x2.mul(z, series))
  const twice = f64x2.add(s, s)
  const rest = f64x2.add(twice, f64x2.mul(f64x2.mul(twice, z), series))
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: the digits of the twin
  const ln2 = f64x2.splat(0.6931471805599453)
  return f64x2.add(f64x2.mul(k, ln2), rest)
}
