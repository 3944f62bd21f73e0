/**
 * Scans over the rows of a window. Several rows are read at a time, as a load of the query then serves them all; and they lie far
 * apart, each the next of its own part of the window: memory is fast at a few long runs, and slow at many short ones, which the
 * rows beside each other would be.
 */

/**
 * The scalar products of `count` rows of 32-bit floats with a query of doubles, in doubles: two running sums a row, over
 * even and odd places, four rows at a time. Rows begin `stride` floats apart and have `width` of them.
 */
export function dots(rows: usize, count: i32, width: i32, stride: i32, query: usize, out: usize): void {
  const step = (<usize>stride) << 2
  const part = count >> 2
  for (let i = 0; i < part; i++) {
    dotsOfFour(rows + <usize>i * step, <usize>part * step, width, query, out + ((<usize>i) << 3), (<usize>part) << 3)
  }
  for (let i = part << 2; i < count; i++) {
    f64.store(out + ((<usize>i) << 3), dotOfOne(rows + <usize>i * step, width, query))
  }
}

/** Of rows `step` bytes apart; results `line` bytes apart. */
function dotsOfFour(row: usize, step: usize, width: i32, query: usize, out: usize, line: usize): void {
  let s0 = f64x2.splat(0)
  let s1 = f64x2.splat(0)
  let s2 = f64x2.splat(0)
  let s3 = f64x2.splat(0)
  let p0 = row
  let p1 = row + step
  let p2 = p1 + step
  let p3 = p2 + step
  let q = query
  const end = query + ((<usize>(width & ~1)) << 3)
  for (; q < end; q += 16) {
    const x = v128.load(q)
    s0 = f64x2.add(s0, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(p0)), x))
    s1 = f64x2.add(s1, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(p1)), x))
    s2 = f64x2.add(s2, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(p2)), x))
    s3 = f64x2.add(s3, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(p3)), x))
    p0 += 8
    p1 += 8
    p2 += 8
    p3 += 8
  }
  if (width & 1) {
    const x = f64.load(q)
    s0 = addToEven(s0, <f64>f32.load(p0) * x)
    s1 = addToEven(s1, <f64>f32.load(p1) * x)
    s2 = addToEven(s2, <f64>f32.load(p2) * x)
    s3 = addToEven(s3, <f64>f32.load(p3) * x)
  }
  f64.store(out, total(s0))
  f64.store(out + line, total(s1))
  f64.store(out + 2 * line, total(s2))
  f64.store(out + 3 * line, total(s3))
}

function dotOfOne(row: usize, width: i32, query: usize): f64 {
  let s = f64x2.splat(0)
  let p = row
  let q = query
  const end = query + ((<usize>(width & ~1)) << 3)
  for (; q < end; q += 16) {
    s = f64x2.add(s, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(p)), v128.load(q)))
    p += 8
  }
  if (width & 1) s = addToEven(s, <f64>f32.load(p) * f64.load(q))
  return total(s)
}

function addToEven(s: v128, value: f64): v128 {
  return f64x2.replace_lane(s, 0, f64x2.extract_lane(s, 0) + value)
}

function total(s: v128): f64 {
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1)
}

/**
 * The same products in 32-bit floats, which only nominate: eight running sums a row, two rows at a time. `stride` is a multiple of
 * 16; what lies behind a row's width is zero, in rows and query.
 */
export function scan(rows: usize, count: i32, stride: i32, query: usize, out: usize): void {
  const half = count >> 1
  const line = (<usize>half) << 2
  const end = query + ((<usize>stride) << 2)
  let p = rows
  let r = rows + <usize>half * ((<usize>stride) << 2)
  for (let i = 0; i < half; i++) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    for (let q = query; q < end; q += 32) {
      const x = v128.load(q)
      const y = v128.load(q, 16)
      a = f32x4.add(a, f32x4.mul(v128.load(p), x))
      b = f32x4.add(b, f32x4.mul(v128.load(p, 16), y))
      c = f32x4.add(c, f32x4.mul(v128.load(r), x))
      d = f32x4.add(d, f32x4.mul(v128.load(r, 16), y))
      p += 32
      r += 32
    }
    f32.store(out, sumOfLanes(f32x4.add(a, b)))
    f32.store(out + line, sumOfLanes(f32x4.add(c, d)))
    out += 4
  }
  if (count & 1) f32.store(out + line, scanOne(r, query, end))
}

function scanOne(row: usize, query: usize, end: usize): f32 {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  for (let q = query; q < end; q += 32) {
    a = f32x4.add(a, f32x4.mul(v128.load(row), v128.load(q)))
    b = f32x4.add(b, f32x4.mul(v128.load(row, 16), v128.load(q, 16)))
    row += 32
  }
  return sumOfLanes(f32x4.add(a, b))
}

/** (lane 0 + lane 2) + (lane 1 + lane 3). */
function sumOfLanes(v: v128): f32 {
  const pairs = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

/**
 * Scores of many queries at once, each row loaded once for two of them: product of row r and query b at out[b · count + r].
 * `queries` lie `stride` floats apart; an even number of them. Four running sums a product.
 */
export function scanBatch(rows: usize, count: i32, stride: i32, queries: usize, batch: i32, out: usize): void {
  const step = (<usize>stride) << 2
  const line = (<usize>count) << 2
  const part = count >> 2
  for (let i = 0; i < part; i++) {
    const row = rows + <usize>i * step
    for (let b = 0; b < batch; b += 2) {
      const first = out + <usize>b * line + ((<usize>i) << 2)
      tile(row, <usize>part * step, step, queries + <usize>b * step, first, (<usize>part) << 2, line)
    }
  }
  for (let i = part << 2; i < count; i++) {
    const row = rows + <usize>i * step
    for (let b = 0; b < batch; b++) {
      f32.store(out + <usize>b * line + ((<usize>i) << 2), short(row, queries + <usize>b * step, step))
    }
  }
}

/** Four rows by two queries: rows are `apart` bytes from each other, queries `step`; results of rows `run` bytes, of queries `line`. */
function tile(row: usize, apart: usize, step: usize, query: usize, out: usize, run: usize, line: usize): void {
  let a0 = f32x4.splat(0)
  let a1 = f32x4.splat(0)
  let a2 = f32x4.splat(0)
  let a3 = f32x4.splat(0)
  let b0 = f32x4.splat(0)
  let b1 = f32x4.splat(0)
  let b2 = f32x4.splat(0)
  let b3 = f32x4.splat(0)
  const p1 = row + apart
  const p2 = p1 + apart
  const p3 = p2 + apart
  const next = query + step
  for (let k: usize = 0; k < step; k += 16) {
    const q = v128.load(query + k)
    const r = v128.load(next + k)
    let x = v128.load(row + k)
    a0 = f32x4.add(a0, f32x4.mul(x, q))
    b0 = f32x4.add(b0, f32x4.mul(x, r))
    x = v128.load(p1 + k)
    a1 = f32x4.add(a1, f32x4.mul(x, q))
    b1 = f32x4.add(b1, f32x4.mul(x, r))
    x = v128.load(p2 + k)
    a2 = f32x4.add(a2, f32x4.mul(x, q))
    b2 = f32x4.add(b2, f32x4.mul(x, r))
    x = v128.load(p3 + k)
    a3 = f32x4.add(a3, f32x4.mul(x, q))
    b3 = f32x4.add(b3, f32x4.mul(x, r))
  }
  f32.store(out, sumOfLanes(a0))
  f32.store(out + run, sumOfLanes(a1))
  f32.store(out + 2 * run, sumOfLanes(a2))
  f32.store(out + 3 * run, sumOfLanes(a3))
  out += line
  f32.store(out, sumOfLanes(b0))
  f32.store(out + run, sumOfLanes(b1))
  f32.store(out + 2 * run, sumOfLanes(b2))
  f32.store(out + 3 * run, sumOfLanes(b3))
}

/** One product as {@link tile} forms it. */
function short(row: usize, query: usize, step: usize): f32 {
  let a = f32x4.splat(0)
  for (let k: usize = 0; k < step; k += 16) a = f32x4.add(a, f32x4.mul(v128.load(row + k), v128.load(query + k)))
  return sumOfLanes(a)
}

/** How many of `count` 64-bit hashes differ from one, given as its two words, in at most `radius` bits. */
export function hammingWithin(hashes: usize, count: i32, low: i32, high: i32, radius: i32): i32 {
  const query = ((<u64>(<u32>high)) << 32) | <u64>(<u32>low)
  const most = <u64>radius
  let found = 0
  let p = hashes
  let i = 0
  for (; i + 4 <= count; i += 4) {
    found += i32(popcnt(load<u64>(p) ^ query) <= most)
    found += i32(popcnt(load<u64>(p, 8) ^ query) <= most)
    found += i32(popcnt(load<u64>(p, 16) ^ query) <= most)
    found += i32(popcnt(load<u64>(p, 24) ^ query) <= most)
    p += 32
  }
  for (; i < count; i++) {
    found += i32(popcnt(load<u64>(p) ^ query) <= most)
    p += 8
  }
  return found
}
