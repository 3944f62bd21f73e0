/** The windows of a picture, a text or a row: salted levels, rolling hashes, and the largest of them. */

/**
 * Levels of `count` bytes that stand at places `first`, first + 1 … of a picture, each plus 1: salted with a number in [0, 255),
 * modulo 255, to the nearest multiple of `quantum`, a whole number up to 255, a half to the even one. Reads and writes whole
 * groups of four.
 */
export function levels(bytes: usize, count: i32, first: i32, seed: i32, quantum: i32, out: usize): void {
  const end = out + ((<usize>count) << 2)
  let places = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3))
  for (; out < end; out += 16) {
    const four = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(bytes)))
    v128.store(out, levelsOf(four, places, seed, quantum))
    places = i32x4.add(places, i32x4.splat(4))
    bytes += 4
  }
}

function levelsOf(bytes: v128, places: v128, seed: i32, quantum: i32): v128 {
  const full = i32x4.splat(255)
  const quanta = i32x4.splat(quantum)
  const ones = i32x4.splat(1)
  // The salt is 255 · word / 2^32: a whole part, and a fraction in units of 2^-32.
  const word = finishEach(foldEach(seed, places))
  const shifted = i32x4.shl(word, 8)
  const fraction = i32x4.sub(shifted, word)
  const whole = i32x4.add(i32x4.shr_u(word, 24), i32x4.lt_u(shifted, word))
  let salted = i32x4.add(bytes, whole)
  salted = i32x4.sub(salted, v128.and(i32x4.gt_s(salted, i32x4.splat(254)), full))
  // The level is (twice the salted number, rounded down, + quantum) / (2 · quantum), rounded down; the product is right for all that occur.
  const upTo = i32x4.add(i32x4.add(i32x4.shl(salted, 1), i32x4.shr_u(fraction, 31)), quanta)
  let level = i32x4.shr_u(i32x4.mul(upTo, i32x4.splat((4194304 + 2 * quantum - 1) / (2 * quantum))), 22)
  const isExact = i32x4.eq(i32x4.shl(word, 1), i32x4.splat(0))
  if (v128.any_true(isExact)) {
    const isHalf = v128.and(isExact, i32x4.eq(i32x4.mul(level, i32x4.shl(quanta, 1)), upTo))
    level = i32x4.sub(level, v128.and(v128.and(level, ones), isHalf))
  }
  return i32x4.add(i32x4.mul(level, quanta), ones)
}

/**
 * Hashes windows of `size` numbers, a new one every `stride`, and keeps the largest hashes, each once. Numbers are 32-bit ones;
 * `size` zeros and 12 more bytes
 * stand before the first. The list holds `count` hashes of 64 bits, its upper word first, the largest first, and
 * has room for `kept`; 16 bytes before it are overwritten. Hashes whose upper word is below `least` are left out. Returns how
 * many hashes there are. Reads 12 bytes behind the numbers.
 */
export function largestWindows(
  values: usize,
  windows: i32,
  size: i32,
  stride: i32,
  seed: i32,
  list: usize,
  count: i32,
  kept: i32,
  least: i32,
): i32 {
  const m = multiplier(seed, 1)
  const n = multiplier(seed, 2)
  const mOut = i32x4.splat(power(m, size))
  const m1 = i32x4.splat(m)
  const m2 = i32x4.splat(m * m)
  const m4 = i32x4.splat(m * m * m * m)
  const mEnd = i32x4.splat(fold(seed, 3))
  const nEnd = fold(seed, 4)
  const back = (<usize>size) << 2
  const last = (windows - 1) * stride + size
  // Four places at once: each hash is the one four places before, times the fourth power, and what the last four places add
  // and take away. That sum is made of pairs, and pairs of pairs.
  let hash = i32x4.splat(0)
  let changeBefore = hash
  let pairsBefore = hash
  let floor = floorOf(list, count, kept, least)
  let p = values
  for (let place = 0; place < last; place += 4, p += 16) {
    const change = i32x4.sub(v128.load(p), i32x4.mul(v128.load(p - back), mOut))
    const pairs = i32x4.add(change, i32x4.mul(i32x4.shuffle(changeBefore, change, 3, 4, 5, 6), m1))
    const fours = i32x4.add(pairs, i32x4.mul(i32x4.shuffle(pairsBefore, pairs, 2, 3, 4, 5), m2))
    hash = i32x4.add(i32x4.mul(hash, m4), fours)
    changeBefore = change
    pairsBefore = pairs
    const first = finishEach(v128.xor(hash, mEnd))
    let lanes = i32x4.bitmask(i32x4.ge_u(first, i32x4.splat(floor)))
    if (lanes === 0) continue
    v128.store(list - 16, first)
    for (; lanes !== 0; lanes &= lanes - 1) {
      const lane = ctz(lanes)
      const start = place + lane + 1 - size
      if (start < 0 || start % stride !== 0 || start / stride >= windows) continue
      // Few come here: the second word is not rolled.
      const second = finish(polynomial(values + ((<usize>start) << 2), size, n) ^ nEnd)
      count = offer(list, count, kept, load<u32>(list - 16 + ((<usize>lane) << 2)), second)
    }
    floor = floorOf(list, count, kept, least)
  }
  return count
}

/** Σ numbers · n to the power of how many come behind, four at once; what stands before the first counts as 0. */
function polynomial(numbers: usize, size: i32, n: i32): i32 {
  const before = -size & 3
  const n2 = n * n
  const n4 = i32x4.splat(n2 * n2)
  let p = numbers - ((<usize>before) << 2)
  let sum = v128.and(v128.load(p), i32x4.ge_s(i32x4(0, 1, 2, 3), i32x4.splat(before)))
  const end = numbers + ((<usize>size) << 2)
  for (p += 16; p < end; p += 16) sum = i32x4.add(i32x4.mul(sum, n4), v128.load(p))
  sum = i32x4.mul(sum, i32x4(n2 * n, n2, n, 1))
  return (
    i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3)
  )
}

/** An upper word below this is not kept. */
function floorOf(list: usize, count: i32, kept: i32, least: i32): i32 {
  return count < kept ? least : i32.load(list + ((<usize>(kept - 1)) << 3))
}

/** Takes a hash into the list, if it is one to keep; returns how many there are. */
function offer(list: usize, count: i32, kept: i32, first: u32, second: u32): i32 {
  const hash = ((<u64>first) << 32) | <u64>second
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >> 1
    const known = hashAt(list, middle)
    if (known === hash) return count
    if (known > hash) from = middle + 1
    else to = middle
  }
  if (from >= kept) return count
  const end = min(count, kept - 1)
  for (let at = list + ((<usize>end) << 3), stop = list + ((<usize>from) << 3); at > stop; at -= 8) {
    store<u64>(at, load<u64>(at - 8))
  }
  store<u64>(list + ((<usize>from) << 3), rotl(hash, 32))
  return end + 1
}

function hashAt(list: usize, place: i32): u64 {
  return rotl(load<u64>(list + ((<usize>place) << 3)), 32)
}

function multiplier(seed: i32, lane: i32): i32 {
  return (finish(fold(seed, lane)) & -8) | 5
}

function power(m: i32, exponent: i32): i32 {
  let result = 1
  for (let i = 0; i < exponent; i++) result *= m
  return result
}

/** `fold32` and `finish32` of `hash.ts`. */
function fold(h: i32, word: i32): i32 {
  const x = h ^ (rotl(word * <i32>0xcc9e2d51, 15) * 0x1b873593)
  return rotl(x, 13) * 5 + <i32>0xe6546b64
}

function finish(h: i32): i32 {
  let x = (h ^ (h >>> 16)) * <i32>0x85ebca6b
  x = (x ^ (x >>> 13)) * <i32>0xc2b2ae35
  return x ^ (x >>> 16)
}

/** The same of four words. */
function foldEach(h: i32, words: v128): v128 {
  const k = rotate(i32x4.mul(words, i32x4.splat(0xcc9e2d51)), 15)
  const x = rotate(v128.xor(i32x4.splat(h), i32x4.mul(k, i32x4.splat(0x1b873593))), 13)
  return i32x4.add(i32x4.add(i32x4.shl(x, 2), x), i32x4.splat(0xe6546b64))
}

function finishEach(h: v128): v128 {
  let x = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b))
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 13)), i32x4.splat(0xc2b2ae35))
  return v128.xor(x, i32x4.shr_u(x, 16))
}

function rotate(v: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(v, bits), i32x4.shr_u(v, 32 - bits))
}
