/**
 * The kernels in plain JavaScript, to the same bits: the order of the additions is that of `assembly/index.ts`. They serve
 * where WebAssembly does not, and say what its kernels have to give.
 */

import { bitCount } from '../hash.ts'
import { sumOfLogs as sumPlainly } from '../math.ts'
import { dotRows } from '../rowSums.ts'
import { LargestHashes } from '../shingles/largestHashes.ts'
import { levelAt } from '../shingles/levels.ts'
import { hashKeyed } from '../shingles/rollingHash.ts'
import type { Kernels } from './memory.ts'

/** The kernels over a buffer; addresses are places in it. */
export function createTwin(buffer: ArrayBuffer): Kernels {
  const f32 = new Float32Array(buffer)
  const f64 = new Float64Array(buffer)
  const i32 = new Int32Array(buffer)
  const i16 = new Int16Array(buffer)
  const u8 = new Uint8Array(buffer)
  const u32 = new Uint32Array(buffer)
  return {
    dots,
    scan,
    scanBatch,
    scanBytes,
    reaching,
    hammingWithin,
    grey,
    resample,
    sumOfLogs,
    levels,
    largestWindows,
  }

  function dots(rows: number, count: number, width: number, stride: number, query: number, out: number): void {
    const q = f64.subarray(query / 8, query / 8 + width)
    dotRows({ rows: f32, start: rows / 4, stride, count }, q, f64.subarray(out / 8, out / 8 + count))
  }

  function scan(rows: number, count: number, stride: number, query: number, out: number): void {
    for (let i = 0; i < count; i++) f32[out / 4 + i] = laneSum(rows / 4 + i * stride, query / 4, stride, EIGHT)
  }

  function scanBatch(rows: number, count: number, stride: number, queries: number, batch: number, out: number): void {
    for (let b = 0; b < batch; b++) {
      for (let i = 0; i < count; i++) {
        const query = queries / 4 + b * stride
        f32[out / 4 + b * count + i] = laneSum(rows / 4 + i * stride, query, stride, FOUR)
      }
    }
  }

  /** A product as a 128-bit machine forms it: as many running sums as `sums` has, then their sum. */
  function laneSum(row: number, query: number, length: number, sums: Float32Array): number {
    sums.fill(0)
    const lanes = sums.length
    for (let k = 0; k < length; k += lanes) {
      for (let lane = 0; lane < lanes; lane++) {
        sums[lane] = sums[lane]! + Math.fround(f32[row + k + lane]! * f32[query + k + lane]!)
      }
    }
    if (lanes === 8) for (let lane = 0; lane < 4; lane++) sums[lane] = sums[lane]! + sums[lane + 4]!
    return Math.fround(sums[0]! + sums[2]!) + Math.fround(sums[1]! + sums[3]!)
  }

  function scanBytes(
    codes: number,
    groups: number,
    chunks: number,
    query: number,
    bias: number,
    scales: number,
    errors: number,
    queryScale: number,
    times: number,
    out: number,
  ): number {
    const scale = Math.fround(queryScale)
    let [most, best] = [-Infinity, -1]
    const half = (groups + 1) >> 1
    for (let i = 0; i < 8 * groups; i++) {
      const row = 8 * ((i >> 4) + ((i >> 3) & 1) * half) + (i & 7)
      const sum = bias + wordProduct(codes + 128 * chunks * (row >> 3) + 16 * (row & 7), query, chunks)
      const score = Math.fround(Math.fround(Math.fround(sum | 0) * f32[scales / 4 + row]!) * scale)
      f32[out / 4 + row] = score
      const low = Math.fround(score - errorOf(errors, row, times))
      if (!(low > most)) continue
      most = low
      best = row >> 3
    }
    return best
  }

  /** Of a row whose chunks begin 128 bytes apart. */
  function wordProduct(row: number, query: number, chunks: number): number {
    let sum = 0
    for (let chunk = 0; chunk < chunks; chunk++) {
      for (let k = 0; k < 8; k++) {
        const word = i16[(row + 128 * chunk) / 2 + k]!
        const q = query / 2 + 16 * chunk + k
        sum = (sum + word * i16[q]! + (word >> 8) * i16[q + 8]!) | 0
      }
    }
    return sum
  }

  function errorOf(errors: number, row: number, times: number): number {
    return Math.fround(f32[errors / 4 + row]! * Math.fround(times))
  }

  function reaching(
    scores: number,
    errors: number,
    groups: number,
    times: number,
    floor: number,
    most: number,
    out: number,
  ): number {
    const least = Math.fround(floor)
    let found = 0
    for (let row = 0; row < 8 * groups; row++) {
      if (!(Math.fround(f32[scores / 4 + row]! + errorOf(errors, row, times)) >= least)) continue
      if (found === most) return most + 1
      i32[out / 4 + found++] = row
    }
    return found
  }

  function hammingWithin(hashes: number, count: number, low: number, high: number, radius: number): number {
    let found = 0
    for (let at = hashes / 4; at < hashes / 4 + 2 * count; at += 2) {
      if (bitCount(i32[at]! ^ low) + bitCount(i32[at + 1]! ^ high) <= radius) found++
    }
    return found
  }

  function grey(pixels: number, count: number, step: number, out: number): void {
    // Whole groups of four, as the kernel.
    for (let i = 0, p = pixels; i < Math.ceil(count / 4) * 4; i++, p += step) {
      u8[out + i] = (19595 * u8[p]! + 38470 * u8[p + 1]! + 7471 * u8[p + 2]! + 32768) >>> 16
    }
  }

  function resample(
    source: number,
    width: number,
    rows: number,
    starts: number,
    chunks: number,
    weights: number,
    weightStep: number,
    outs: number,
    out: number,
    outStep: number,
  ): void {
    for (let i = 0; i < outs; i++) {
      const count = i32[chunks / 4 + i]!
      for (let y = 0; y < rows; y++) {
        let sum = 1 << 21
        for (let k = 0; k < 16 * count; k++) {
          const w = (weights + i * weightStep) / 2 + 32 * (k >> 4) + (k & 15)
          const weight = 2048 * i16[w]! + i16[w + 16]!
          sum = (sum + u8[source + y * width + i32[starts / 4 + i]! + k]! * weight) | 0
        }
        u8[out + i * outStep + y] = Math.min(Math.max(sum >> 22, 0), 255)
      }
    }
  }

  function sumOfLogs(values: number, count: number, scale: number, inside: number): number {
    return sumPlainly(f64.subarray(values / 8, values / 8 + count), scale, inside)
  }

  function levels(bytes: number, count: number, first: number, seed: number, quantum: number, out: number): void {
    const rule = { seed, scale: 1, quantum }
    // Whole groups of four, as the kernel.
    for (let i = 0; i < Math.ceil(count / 4) * 4; i++) i32[out / 4 + i] = levelAt(u8[bytes + i]!, first + i, rule) + 1
  }

  function largestWindows(
    values: number,
    windows: number,
    size: number,
    stride: number,
    seed: number,
    list: number,
    count: number,
    kept: number,
    least: number,
  ): number {
    const largest = new LargestHashes(2, kept, least >>> 0, u32.subarray(list / 4, list / 4 + 2 * kept), count)
    hashKeyed(i32.subarray(values / 4), 0, { size, stride, windows, seed }, largest)
    return largest.count
  }
}

/** Working memory: running sums. */
const EIGHT = /* @__PURE__ */ new Float32Array(8)
const FOUR = /* @__PURE__ */ new Float32Array(4)
