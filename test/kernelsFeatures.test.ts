/** The kernels that make features and scores against plain JavaScript: the same bits, and the fingerprints that there always were. */
import { describe, expect, test, vi } from 'vitest'
import { finish32, fold32 } from '../src/core/hash.ts'
import type * as Core from '../src/core/index.ts'
import { type KernelMemory, openCompiled, openPlain } from '../src/core/kernels/memory.ts'
import { entropy } from '../src/core/probability.ts'
import { levelAt } from '../src/core/shingles/levels.ts'
import { random } from './tools/random.ts'

const SEED = 20261201
const [BYTES, LIST, VALUES] = [4096, 64, 65_536]

/** Both kinds of memory, with the same random content. */
function twins(): readonly [KernelMemory, KernelMemory] {
  const [compiled, plain] = [openCompiled(1 << 20), openPlain(1 << 20)]
  if (compiled === undefined) throw new Error('this engine compiles no kernels')
  const next = random(SEED)
  for (let i = 0; i < compiled.i32.length; i++) compiled.i32[i] = Math.floor(2 ** 32 * next())
  plain.i8.set(compiled.i8)
  return [compiled, plain]
}

function expectSame([compiled, plain]: readonly [KernelMemory, KernelMemory], what: string): void {
  expect(Buffer.compare(Buffer.from(compiled.i8), Buffer.from(plain.i8)), what).toBe(0)
}

/** The place that is salted with this 32-bit word: both hashes can be undone. */
function placeSaltedWith(word: number, seed: number): number {
  const inverse = (odd: number) => {
    let x = odd
    for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(odd, x))
    return x
  }
  const unshift = (x: number, bits: number) => {
    let y = x
    for (let i = 0; i < 32; i += bits) y = x ^ (y >>> bits)
    return y
  }
  const back = (x: number, bits: number) => (x >>> bits) | (x << (32 - bits))
  const mixed = unshift(Math.imul(unshift(word, 16), inverse(0xc2b2ae35 | 0)), 13)
  const folded = unshift(Math.imul(mixed, inverse(0x85ebca6b | 0)), 16)
  const turned = back(Math.imul(folded - 0xe6546b64, inverse(5)), 13)
  const multiplied = back(Math.imul(turned ^ seed, inverse(0x1b873593)), 15)
  return Math.imul(multiplied, inverse(0xcc9e2d51 | 0))
}

describe('levels of bytes are those of plain JavaScript:', () => {
  test('at every width of a level, for every byte', () => {
    const next = random(SEED)
    const both = twins()
    for (let quantum = 1; quantum <= 255; quantum++) {
      for (const { kernels, i8 } of both) {
        for (let i = 0; i < 256; i++) i8[BYTES + i] = i
        kernels.levels(BYTES, 256, 977 * quantum, SEED + quantum, quantum, VALUES + 1024 * quantum)
      }
      const many = 100 + Math.floor(300 * next())
      for (const { kernels } of both) kernels.levels(BYTES + 256, many, 5, quantum, quantum, VALUES + 524_288)
      expectSame(both, `quantum ${quantum}`)
    }
  })

  test('also where a salted byte lies exactly between two levels, a half goes to the even one', () => {
    const both = twins()
    let halves = 0
    for (const word of [0, 0x80000000 | 0]) {
      for (const seed of [0, 1, SEED]) {
        const place = placeSaltedWith(word, seed)
        expect(finish32(fold32(seed, place))).toBe(word)
        for (const quantum of [1, 2, 5, 50, 51, 85, 254, 255]) {
          for (let byte = 0; byte < 256; byte++) {
            const salted = byte + (word === 0 ? 0 : 127.5)
            if (((salted % 255) / quantum) % 1 === 0.5) halves++
            for (const { kernels, i8 } of both) {
              i8[BYTES] = byte
              kernels.levels(BYTES, 1, place, seed, quantum, VALUES)
            }
            expect(both[0].i32[VALUES / 4]).toBe(levelAt(byte, place, { seed, scale: 1, quantum }) + 1)
          }
          expectSame(both, `word ${word}, quantum ${quantum}`)
        }
      }
    }
    expect(halves).toBeGreaterThan(100)
  })
})

test('the largest windows are those of plain JavaScript, whatever their size, stride and repetition', () => {
  const next = random(SEED)
  const both = twins()
  let found = 0
  for (let round = 0; round < 400; round++) {
    const below = [2, 4, 400, 65_537][round % 4]!
    const [size, stride] = [1 + Math.floor((round % 3 === 0 ? 255 : 9) * next()), 1 + Math.floor(next() ** 4 * 40)]
    const windows = 1 + Math.floor(600 * next())
    const kept = [1, 3, 50, 1024][Math.floor(4 * next())]!
    const least = round % 5 === 0 ? Math.floor(2 ** 32 * next()) : 0
    const numbers = Int32Array.from({ length: (windows - 1) * stride + size }, () => 1 + Math.floor(below * next()))
    const counts = both.map(({ kernels, i32 }) => {
      i32.fill(0, VALUES / 4 - size - 3, VALUES / 4)
      i32.set(numbers, VALUES / 4)
      i32[VALUES / 4 + numbers.length] = round
      const first = kernels.largestWindows(VALUES, windows, size, stride, round, LIST, 0, kept, least)
      // Goes on from a list that is there, with other numbers.
      return kernels.largestWindows(VALUES, Math.ceil(windows / 2), size, stride, round + 1, LIST, first, kept, least)
    })
    expect(counts[0]).toBe(counts[1])
    const lists = both.map(({ i32 }) => i32.slice(LIST / 4, LIST / 4 + 2 * counts[0]!))
    expect(lists[0]).toEqual(lists[1])
    found += counts[0]!
  }
  expect(found).toBeGreaterThan(10_000)
})

test('sums of logarithms are those of plain JavaScript, and right to 1e-12', () => {
  const next = random(SEED)
  const both = twins()
  for (let round = 0; round < 2000; round++) {
    const count = Math.floor(round < 1000 ? 9 * next() : 300 * next())
    const scale = round % 3 === 0 ? 1 : 10 ** (6 * next() - 3)
    const values = Float64Array.from({ length: count }, (_, i) => {
      if (i % 7 === 3) return 0
      return round % 2 === 0 ? next() : 2 ** (8 - 60 * next())
    })
    const sums = both.map(({ kernels, f64 }) => {
      f64.set(values)
      return kernels.sumOfLogs(0, count, scale, 1e-10)
    })
    expect(sums[0]).toBe(sums[1])
    const exact = values.reduce((sum, v) => sum + v * scale * Math.log(v * scale + 1e-10), 0)
    const size = values.reduce((sum, v) => sum + v * scale, 1)
    expect(Math.abs(sums[0]! - exact)).toBeLessThan(1e-12 * size)
  }
})

test('probabilities whose sum is nearly nothing have an entropy all the same', () => {
  expect(entropy([5e-324, 0], 5e-324)).toBeCloseTo(0, 8)
  expect(entropy([1e-320, 1e-320], 2e-320)).toBeCloseTo(Math.LN2, 8)
})

/** The core as another process would have it, with this in place of `WebAssembly`. */
async function coreWith(wasm: unknown): Promise<typeof Core> {
  vi.resetModules()
  vi.stubGlobal('WebAssembly', wasm)
  const core = await import('../src/core/index.ts')
  core.pictureShingles({ data: new Uint8Array(768), width: 16, height: 16, channels: 3 })
  vi.unstubAllGlobals()
  return core
}

test('fingerprints, entropies and random features are the same with kernels and without', async () => {
  const [compiled, plain] = [await coreWith(WebAssembly), await coreWith(undefined)]
  const next = random(SEED)
  const long = Array.from({ length: 3000 }, () => String.fromCharCode(97 + 26 * next())).join('')
  const made = [compiled, plain].map((core) => {
    const noise = random(7)
    const found: unknown[] = []
    for (const [width, height] of [
      [1, 1],
      [16, 16],
      [61, 47],
      [300, 100],
    ] as const) {
      for (const channels of [1, 3, 4] as const) {
        const data = Uint8Array.from({ length: width * height * channels }, () => 256 * noise() ** 3)
        const pixels = { data, width, height, channels }
        for (const options of [{}, { key: 77 }, { quantum: 12.5 }, { stride: 25, window: 50 }, { kept: 1024 }]) {
          found.push(core.pictureShingles(pixels, options))
        }
        found.push(core.pictureShingles({ ...pixels, data: data.map((v) => v % 2), maxValue: 1 }))
        found.push(core.pictureShingles({ ...pixels, data: Float32Array.from(data, (v) => v / 255), maxValue: 1 }))
        found.push(core.pictureShingles({ ...pixels, data: new Uint8Array(data.length) }))
      }
    }
    for (const text of ['short', long, 'a'.repeat(5000), 'ab'.repeat(900)]) {
      for (const textWindow of [1, 8, 255]) found.push(core.textShingles(text, { textWindow }))
    }
    for (const dimension of [5, 33, 384]) {
      const features = new core.RandomFeatures({ dimension, bandwidths: [0.5, 2], frequencies: 130 })
      found.push(features.map(Float32Array.from({ length: dimension }, () => noise() - 0.5)))
    }
    const detector = core.createDetector('confidence')
    for (const classes of [2, 31, 32, 33, 1000, 70_001]) {
      const probabilities = Float32Array.from({ length: classes }, () => noise() ** 4)
      found.push(detector.process({ probabilities }), detector.process({ probabilities: Array.from(probabilities) }))
    }
    return found
  })
  expect(made[0]).toEqual(made[1])
  expect(made[0]!.length).toBeGreaterThan(100)
})
