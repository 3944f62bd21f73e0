/**
 * Scans over rows kept as bytes, a quarter of what floats take: so a large window is read in a quarter of the time.
 *
 * Rows lie in groups of eight, in chunks of 16 codes: [r0 c0][r1 c0] … [r7 c0][r0 c1] … Two codes a, b of a row are one 16-bit
 * word w = 256·b + a, where a has 128 added and is without a sign. With the codes A, B of the query,
 *
 *     w·A + (w >> 8)·(B − 256·A) = a·A + b·B
 *
 * so bytes are multiplied without being widened first, which would cost as much as the multiplying. |B − 256·A| ≤ 257·127 fits
 * 16 bits, sums wrap at 32 bits, and `bias`, −128 times the sum of all A, takes away what was added to a.
 */

/**
 * Scores of rows: whole-number products, times the row's scale, times the query's. The query has 16 words a chunk: eight A,
 * eight B − 256·A. Returns the first group read that holds the greatest score less the row's error times `times`; an error that
 * is NaN stands for no row. The groups of the two halves are read in turns: memory is faster at two long runs than at one.
 */
export function scanBytes(
  codes: usize,
  groups: i32,
  chunks: i32,
  query: usize,
  bias: i32,
  scales: usize,
  errors: usize,
  queryScale: f32,
  times: f32,
  out: usize,
): i32 {
  const start = i32x4(bias, 0, 0, 0)
  const scale = f32x4.splat(queryScale)
  const wide = f32x4.splat(times)
  const end = query + ((<usize>chunks) << 5)
  const size = (<usize>chunks) << 7
  const half = (groups + 1) >> 1
  let most = f32x4.splat(-Infinity)
  let best = -1
  for (let i = 0; i < groups; i++) {
    const group = (i >> 1) + (i & 1) * half
    const numbers = (<usize>group) << 5
    let p = codes + <usize>group * size
    let s0 = start
    let s1 = start
    let s2 = start
    let s3 = start
    let s4 = start
    let s5 = start
    let s6 = start
    let s7 = start
    for (let q = query; q < end; q += 32) {
      const low = v128.load(q)
      const high = v128.load(q, 16)
      s0 = Inlined.addProducts(s0, v128.load(p), low, high)
      s1 = Inlined.addProducts(s1, v128.load(p, 16), low, high)
      s2 = Inlined.addProducts(s2, v128.load(p, 32), low, high)
      s3 = Inlined.addProducts(s3, v128.load(p, 48), low, high)
      s4 = Inlined.addProducts(s4, v128.load(p, 64), low, high)
      s5 = Inlined.addProducts(s5, v128.load(p, 80), low, high)
      s6 = Inlined.addProducts(s6, v128.load(p, 96), low, high)
      s7 = Inlined.addProducts(s7, v128.load(p, 112), low, high)
      p += 128
    }
    const first = f32x4.mul(f32x4.mul(Inlined.sums(s0, s1, s2, s3), v128.load(scales + numbers)), scale)
    const second = f32x4.mul(f32x4.mul(Inlined.sums(s4, s5, s6, s7), v128.load(scales + numbers, 16)), scale)
    v128.store(out + numbers, first)
    v128.store(out + numbers, second, 16)
    const firstLow = f32x4.sub(first, f32x4.mul(v128.load(errors + numbers), wide))
    const secondLow = f32x4.sub(second, f32x4.mul(v128.load(errors + numbers, 16), wide))
    if (v128.any_true(v128.or(f32x4.gt(firstLow, most), f32x4.gt(secondLow, most)))) {
      most = f32x4.splat(greatest(out + numbers, errors + numbers, times))
      best = group
    }
  }
  return best
}

/** Put in where they are called: a call in the midst of a scan costs a twelfth of it. Only methods may ask for that here. */
// biome-ignore lint/complexity/noStaticOnlyClass: see above
class Inlined {
  /** Sixteen codes of a row times those of the query, added to four sums. */
  @inline
  static addProducts(sum: v128, words: v128, low: v128, high: v128): v128 {
    return i32x4.add(i32x4.add(sum, i32x4.dot_i16x8_s(words, low)), i32x4.dot_i16x8_s(i16x8.shr_s(words, 8), high))
  }

  /** Four sums of four lanes each: transposed, so that one vector holds the four. */
  @inline
  static sums(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
    const t0 = i32x4.shuffle(s0, s1, 0, 4, 1, 5)
    const t1 = i32x4.shuffle(s2, s3, 0, 4, 1, 5)
    const t2 = i32x4.shuffle(s0, s1, 2, 6, 3, 7)
    const t3 = i32x4.shuffle(s2, s3, 2, 6, 3, 7)
    const low = i32x4.add(i64x2.shuffle(t0, t1, 0, 2), i64x2.shuffle(t0, t1, 1, 3))
    return f32x4.convert_i32x4_s(i32x4.add(low, i32x4.add(i64x2.shuffle(t2, t3, 0, 2), i64x2.shuffle(t2, t3, 1, 3))))
  }
}

/** Of a group. */
function greatest(scores: usize, errors: usize, times: f32): f32 {
  let most: f32 = -Infinity
  for (let at: usize = 0; at < 32; at += 4) {
    const low = f32.load(scores + at) - f32.load(errors + at) * times
    if (low > most) most = low
  }
  return most
}

/**
 * Writes the numbers of the rows whose score plus error times `times` reaches `floor`, ascending, and returns how many they are:
 * at most `most`, or one more if there are more.
 */
export function reaching(
  scores: usize,
  errors: usize,
  groups: i32,
  times: f32,
  floor: f32,
  most: i32,
  out: usize,
): i32 {
  const wide = f32x4.splat(times)
  const least = f32x4.splat(floor)
  let found = 0
  for (let group = 0; group < groups; group++) {
    const first = f32x4.ge(f32x4.add(v128.load(scores), f32x4.mul(v128.load(errors), wide)), least)
    const second = f32x4.ge(f32x4.add(v128.load(scores, 16), f32x4.mul(v128.load(errors, 16), wide)), least)
    if (v128.any_true(v128.or(first, second))) {
      let bits = i32x4.bitmask(first) | (i32x4.bitmask(second) << 4)
      for (; bits !== 0; bits &= bits - 1) {
        if (found === most) return most + 1
        i32.store(out + ((<usize>found) << 2), (group << 3) + ctz(bits))
        found++
      }
    }
    scores += 32
    errors += 32
  }
  return found
}
