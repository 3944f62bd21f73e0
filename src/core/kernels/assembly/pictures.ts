/** What is done to the pixels of a picture. */

/**
 * Brightness of `count` pixels of `step` bytes (3 or 4), as Pillow rounds it: (19595 R + 38470 G + 7471 B + 32768) >> 16. Green
 * is taken in two halves, as its weight does not fit into 16 bits. Reads and writes up to 16 bytes behind the end.
 */
export function grey(pixels: usize, count: i32, step: i32, out: usize): void {
  // Of four pixels: red and green as pairs of 16-bit numbers, then green and blue; an index above 15 gives 0.
  const redGreen =
    step === 3
      ? i8x16(0, 99, 1, 99, 3, 99, 4, 99, 6, 99, 7, 99, 9, 99, 10, 99)
      : i8x16(0, 99, 1, 99, 4, 99, 5, 99, 8, 99, 9, 99, 12, 99, 13, 99)
  const greenBlue = i8x16.add(redGreen, i16x8.splat(1))
  const first = i16x8(19595, 19235, 19595, 19235, 19595, 19235, 19595, 19235)
  const second = i16x8(19235, 7471, 19235, 7471, 19235, 7471, 19235, 7471)
  const half = i32x4.splat(32768)
  const four = (<usize>step) << 2
  const end = out + <usize>count
  let p = pixels
  for (; out < end; out += 4) {
    const v = v128.load(p)
    const a = i32x4.dot_i16x8_s(i8x16.swizzle(v, redGreen), first)
    const b = i32x4.dot_i16x8_s(i8x16.swizzle(v, greenBlue), second)
    const sum = i32x4.shr_u(i32x4.add(i32x4.add(a, b), half), 16)
    const words = i16x8.narrow_i32x4_u(sum, sum)
    i32.store(out, i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0))
    p += four
  }
}

/**
 * One axis of a resize, in whole numbers: value i of row y goes to out[i · outStep + y]. For each of `outs` values: where it
 * starts in the row, how many chunks of 16 weights it has, and its weights, `weightStep` bytes apart: chunks of 16 upper
 * parts and 16 lower parts, weight = 2048 · upper + lower. Sums wrap at 32 bits. Reads up to 15 bytes behind a row.
 */
export function resample(
  source: usize,
  width: i32,
  rows: i32,
  starts: usize,
  chunks: usize,
  weights: usize,
  weightStep: i32,
  outs: i32,
  out: usize,
  outStep: i32,
): void {
  for (let i = 0; i < outs; i++) {
    const at = (<usize>i) << 2
    const from = weights + <usize>i * <usize>weightStep
    const end = from + ((<usize>i32.load(chunks + at)) << 6)
    let row = source + <usize>i32.load(starts + at)
    const target = out + <usize>i * <usize>outStep
    for (let y = 0; y < rows; y++) {
      let upper = i32x4.splat(0)
      let lower = i32x4.splat(0)
      let p = row
      for (let w = from; w < end; w += 64) {
        const v = v128.load(p)
        const a = i16x8.extend_low_i8x16_u(v)
        const b = i16x8.extend_high_i8x16_u(v)
        upper = i32x4.add(upper, i32x4.dot_i16x8_s(a, v128.load(w)))
        upper = i32x4.add(upper, i32x4.dot_i16x8_s(b, v128.load(w, 16)))
        lower = i32x4.add(lower, i32x4.dot_i16x8_s(a, v128.load(w, 32)))
        lower = i32x4.add(lower, i32x4.dot_i16x8_s(b, v128.load(w, 48)))
        p += 16
      }
      let sum = i32x4.add(i32x4.shl(upper, 11), lower)
      sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1))
      const value = (i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + (1 << 21)) >> 22
      i32.store8(target + <usize>y, min(max(value, 0), 255))
      row += <usize>width
    }
  }
}
