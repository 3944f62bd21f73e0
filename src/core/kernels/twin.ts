/**
 * The kernels in plain JavaScript, to the same bits: the order of the additions is that of `assembly/index.ts`. They serve
 * where WebAssembly does not, and say what its kernels have to give.
 */

import { bitCount } from '../hash.ts'
import { dotRows } from '../rowSums.ts'
import type { Kernels } from './memory.ts'

/** The kernels over a buffer; addresses are places in it. */
export function createTwin(buffer: ArrayBuffer): Kernels {
  const f32 = new Float32Array(buffer)
  const f64 = new Float64Array(buffer)
  const i32 = new Int32Array(buffer)
  const i16 = new Int16Array(buffer)
  const i8 = new Int8Array(buffer)
  const u8 = new Uint8Array(buffer)
  return { dots, scan, scanBatch, scanBytes, hammingWithin, grey, resample }

  function dots(rows: number, count: number, width: number, stride: number, query: number, out: number): void {
    const q = f64.subarray(query / 8, query / 8 + width)
    dotRows({ rows: f32, start: rows / 4, stride, count }, q, f64.subarray(out / 8, out / 8 + count))
  }

  function scan(rows: number, count: number, stride: number, query: number, out: number): void {
    for (let i = 0; i < count; i++) f32[out / 4 + i] = laneSum(rows / 4 + i * stride, query / 4, stride, SIXTEEN)
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
    if (lanes === 16) {
      for (let lane = 0; lane < 4; lane++) {
        const left = Math.fround(sums[lane]! + sums[lane + 4]!)
        sums[lane] = left + Math.fround(sums[lane + 8]! + sums[lane + 12]!)
      }
    }
    return Math.fround(sums[0]! + sums[2]!) + Math.fround(sums[1]! + sums[3]!)
  }

  function scanBytes(
    codes: number,
    groups: number,
    chunks: number,
    query: number,
    scales: number,
    queryScale: number,
    out: number,
  ): void {
    const times = Math.fround(queryScale)
    for (let row = 0; row < 4 * groups; row++) {
      let sum = 0
      for (let chunk = 0; chunk < chunks; chunk++) {
        const from = codes + 16 * (((row >> 2) * chunks + chunk) * 4 + (row & 3))
        const q = query / 2 + 16 * chunk
        for (let k = 0; k < 16; k++) sum = (sum + i8[from + k]! * i16[q + k]!) | 0
      }
      f32[out / 4 + row] = Math.fround(Math.fround(sum) * f32[scales / 4 + row]!) * times
    }
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
}

/** Working memory: running sums. */
const SIXTEEN = /* @__PURE__ */ new Float32Array(16)
const FOUR = /* @__PURE__ */ new Float32Array(4)
