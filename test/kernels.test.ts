/**
 * The kernels and their twin in plain JavaScript: the same bits, whatever the numbers. `MONITAUR_FULL=1` asks a hundred
 * thousand queries of the large rows instead of a few thousand.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compileKernels, moduleOf } from '../scripts/kernels.mjs'
import { type KernelMemory, openCompiled, openPlain } from '../src/core/kernels/memory.ts'
import { openLargeRows } from '../src/core/largeRows.ts'
import { encodeQuery, encodeRow } from '../src/core/rowCodes.ts'
import { norm } from '../src/core/rowSums.ts'
import { Smallest } from '../src/core/sorted.ts'
import { random } from './tools/random.ts'

const SEED = 20261130
const QUERIES = process.env['MONITAUR_FULL'] === '1' ? 100_000 : 4_000
const FILE = fileURLToPath(new URL('../src/core/kernels/vectorsWasm.ts', import.meta.url))

test('the sources compile to the bytes that are shipped', async () => {
  expect(readFileSync(FILE, 'utf8')).toBe(moduleOf(await compileKernels()))
})

/** Both kinds of memory, with the same content. */
function twins(fill: (memory: KernelMemory) => void): readonly [KernelMemory, KernelMemory] {
  const compiled = openCompiled(1 << 20)
  if (compiled === undefined) throw new Error('this engine compiles no kernels')
  const plain = openPlain(1 << 20)
  fill(compiled)
  plain.i8.set(compiled.i8)
  return [compiled, plain]
}

/** Finite floats of every size, zeros of both signs, denormals, and runs of ordinary numbers. */
function fillFloats(memory: KernelMemory, next: () => number, extreme: boolean): void {
  const odd = [0, -0, 1e-45, -1e-40, 1e-38, 3e38, -3e38, 1e30, 1, -1]
  for (let i = 0; i < memory.f32.length; i++) {
    memory.f32[i] = extreme && next() < 0.3 ? odd[Math.floor(odd.length * next())]! : 2 * next() - 1
  }
}

describe('the kernels give the bits of their twin:', () => {
  const shapes = [
    [1, 16],
    [3, 16],
    [4, 32],
    [7, 384],
    [33, 48],
    [64, 112],
  ] as const
  const [rows, query, out] = [262_144, 0, 786_432]

  function expectSame([compiled, plain]: readonly [KernelMemory, KernelMemory], what: string): void {
    expect(Buffer.compare(Buffer.from(compiled.i8), Buffer.from(plain.i8)), what).toBe(0)
  }

  for (const extreme of [false, true]) {
    const kind = extreme ? 'numbers of every size' : 'ordinary numbers'

    test(`exact products of ${kind}, of every width`, () => {
      const next = random(SEED)
      for (const [count, stride] of shapes) {
        for (const width of [1, 2, 15, stride]) {
          const both = twins((memory) => {
            fillFloats(memory, next, extreme)
            for (let i = 0; i < width; i++) memory.f64[query / 8 + i] = (next() - 0.5) * (extreme ? 1e150 : 1)
          })
          for (const { kernels } of both) kernels.dots(rows, count, width, stride, query, out)
          expectSame(both, `${count} rows of ${width}`)
        }
      }
    })

    test(`32-bit products of ${kind}, one query and many`, () => {
      const next = random(SEED)
      for (const [count, stride] of shapes) {
        const both = twins((memory) => fillFloats(memory, next, false))
        if (extreme)
          for (const { f32 } of both) for (let i = 0; i < stride; i++) f32[i] = i % 3 === 0 ? 1e-42 : f32[i]! * 1e-3
        for (const { kernels } of both) {
          kernels.scan(rows, count, stride, query, out)
          kernels.scanBatch(rows, count, stride, query, 6, out + 65_536)
        }
        expectSame(both, `${count} rows of ${stride}`)
      }
    })
  }

  test('products of bytes, the group of the greatest, and what reaches a floor', () => {
    const next = random(SEED)
    const [scales, errors, scores] = [131_072, 147_456, out]
    for (const [count, stride] of shapes) {
      const groups = (count + 7) >> 3
      const words = Int16Array.from({ length: stride }, () => Math.floor(255 * next()) - 127)
      for (const sign of [-1, 1]) {
        const both = twins((memory) => {
          for (let i = 0; i < memory.i8.length; i++) memory.i8[i] = Math.floor(255 * next()) - 127
          memory.i16.set(words)
          for (let i = 0; i < 8 * groups; i++) {
            memory.f32[scales / 4 + i] = sign * next()
            memory.f32[errors / 4 + i] = i < count ? 1000 * next() : Number.NaN
          }
        })
        const answers = both.map(({ kernels }) => [
          kernels.scanBytes(rows, groups, stride / 16, query, 12_345, scales, errors, 0.37, 1.01, scores),
          kernels.reaching(scores, errors, groups, 1.01, -1e9, 1000, out + 4096),
          kernels.reaching(scores, errors, groups, 1.01, 0, 1000, out + 8192),
          kernels.reaching(scores, errors, groups, 1.01, 0, 2, out + 12_288),
        ])
        expect(answers[0]).toEqual(answers[1])
        expect(answers[0]![1]).toBe(count)
        expectSame(both, `${count} rows of ${stride}`)
      }
    }
  })

  test('the words of a query give the products of its codes', () => {
    const next = random(SEED)
    for (const width of [1, 2, 15, 16, 33, 384]) {
      const values = Float32Array.from({ length: width }, () => next() - 0.5)
      const q = Float64Array.from({ length: width }, () => next() - 0.5)
      const stride = (width + 15) & ~15
      const [compiled, plain] = twins((memory) => memory.f32.fill(1, 32_768, 40_000))
      for (const { kernels, i8, i16, f32 } of [compiled, plain]) {
        for (let row = 0; row < 8; row++)
          encodeRow({ values, start: 0, width, norm: norm(values) }, i8, rows + 16 * row)
        const { bias } = encodeQuery(q, norm(q), i16)
        kernels.scanBytes(rows, 1, stride / 16, 0, bias, 131_072, 140_000, 1, 0, out)
        const codes = (v: ArrayLike<number>) => {
          const most = Math.max(...Array.from(v, Math.abs))
          return Array.from(v, (x) => Math.floor((127 / most) * x + 0.5))
        }
        const other = codes(q)
        const sum = codes(values).reduce((total, code, i) => total + code * other[i]!, 0)
        expect(Array.from(f32.subarray(out / 4, out / 4 + 8))).toEqual(new Array(8).fill(sum))
      }
    }
  })

  test('counts of near hashes', () => {
    const next = random(SEED)
    const word = () => Math.floor(2 ** 32 * next()) | 0
    const [compiled, plain] = twins((memory) => {
      for (let i = 0; i < 20_000; i++) memory.i32[i] = word() & word() & word()
    })
    let found = 0
    for (let round = 0; round < 300; round++) {
      const [low, high] = round === 0 ? [0, 0] : [word() & word(), word() & word() & word()]
      for (const count of [0, 1, 3, 4, 1021]) {
        const answer = plain.kernels.hammingWithin(8 * round, count, low, high, round % 65)
        expect(compiled.kernels.hammingWithin(8 * round, count, low, high, round % 65)).toBe(answer)
        found += answer
      }
    }
    expect(found).toBeGreaterThan(10_000)
  })

  test('grey of three and four channels, and resized rows with any weights', () => {
    const next = random(SEED)
    for (const [count, step] of [
      [1, 3],
      [5, 4],
      [1000, 3],
      [1001, 4],
    ] as const) {
      const both = twins((memory) => {
        for (let i = 0; i < memory.i8.length; i++) memory.i8[i] = Math.floor(256 * next())
        if (count === 5) memory.i8.fill(-1, 0, 64)
      })
      for (const { kernels } of both) kernels.grey(0, count, step, out)
      expectSame(both, `${count} pixels of ${step}`)
    }
    for (const [width, count, outs, chunks] of [
      [1, 1, 1, 1],
      [50, 7, 32, 3],
      [200, 3, 5, 12],
    ] as const) {
      const weightStep = 64 * chunks
      const both = twins((memory) => {
        for (let i = 0; i < memory.i8.length; i++) memory.i8[i] = Math.floor(256 * next())
        for (let i = 0; i < outs; i++) {
          memory.i32[i] = Math.floor(Math.max(width - 16 * chunks, 1) * next())
          memory.i32[256 + i] = 1 + Math.floor(chunks * next())
        }
        for (let i = 0; i < (outs * weightStep) / 2; i++) memory.i16[32_768 + i] = Math.floor(2048 * next()) - 1024
      })
      for (const { kernels } of both)
        kernels.resample(rows, width, count, 0, 1024, 65_536, weightStep, outs, out, count)
      expectSame(both, `${count} rows of ${width}`)
    }
  })
})

/** Streams that are hard for a search that decides by bytes first. */
const STREAMS: Readonly<Record<string, (next: () => number, width: number) => Float32Array>> = {
  'novel vectors': (next, width) => Float32Array.from({ length: width }, () => next() - 0.5),
  'near-duplicates and duplicates': (next, width) => {
    const centre = random(1 + Math.floor(3 * next()))
    const far = next() < 0.3 ? 0 : 1e-4 * next()
    return Float32Array.from({ length: width }, () => centre() - 0.5 + far * (next() - 0.5))
  },
  'all equal': (_, width) => new Float32Array(width).fill(0.25),
  'zeros among others': (next, width) =>
    Float32Array.from({ length: width }, next() < 0.5 ? () => 0 : () => next() - 0.5),
  'lengths from denormal to huge': (next, width) => {
    const size = 10 ** (83 * next() - 45)
    return Float32Array.from({ length: width }, () => size * (next() - 0.5))
  },
  'one number large, the others lost in its bytes': (next, width) =>
    Float32Array.from({ length: width }, (_, i) => (i === 0 ? 1 : 1e-3 * (next() - 0.5))),
  'all far from the query, cosines below zero': (next, width) => Float32Array.from({ length: width }, () => -next()),
  'few values, many ties': (next, width) => Float32Array.from({ length: width }, () => Math.floor(3 * next()) - 1),
}

for (const kind of ['compiled', 'plain'] as const) {
  describe(`large rows, ${kind} kernels: what is nominated holds every winner of an exact scan, for`, () => {
    const streams = Object.entries(STREAMS)
    for (const [name, make] of streams) {
      test(name, () => {
        const share = kind === 'plain' ? 10 : 1
        let decided = 0
        for (const [width, size] of [
          [5, 300],
          [48, 150],
          [33, 260],
        ] as const) {
          const next = random(SEED + width)
          const rows = openLargeRows(width, size, kind === 'plain' ? openPlain : openCompiled)!
          const kept: Float64Array[] = []
          const norms: number[] = []
          const queries = Math.ceil(QUERIES / share / streams.length / 3)
          for (let i = 0; i < size + queries; i++) {
            const vector = make(next, width)
            const q = Float64Array.from(name.startsWith('all far') ? vector.map((v) => -v) : vector)
            if (i >= size) {
              const found = rows.nominate(q, norm(q), norms)
              if (found !== undefined) {
                decided++
                checkNearest(q, kept, norms, found)
              }
              const near = rows.nominateNear(q, norm(q), norms, 7)
              if (near !== undefined) checkDistances(q, kept, near)
              if (i % 16 === 0)
                expect(Array.from(rows.dots(q, size).subarray(0, size))).toEqual(kept.map((row) => product(row, q)))
            }
            const slot = i % size
            kept[slot] = Float64Array.from(vector)
            norms[slot] = norm(vector)
            rows.set(slot, vector, norms[slot]!)
          }
        }
        if (name.startsWith('novel')) expect(decided).toBeGreaterThan(0)
      })
    }
  })
}

/** As the contract has it: sums over even and odd places. */
function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const sums = [0, 0]
  for (let i = 0; i < a.length; i++) sums[i % 2]! += a[i]! * b[i]!
  return sums[0]! + sums[1]!
}

/** Every row whose exact cosine is the greatest is among those found. */
function checkNearest(
  q: Float64Array,
  kept: readonly Float64Array[],
  norms: readonly number[],
  found: readonly number[],
) {
  const length = norm(q)
  const cosines = kept.map((row, slot) => (length * norms[slot]! === 0 ? 0 : product(row, q) / (length * norms[slot]!)))
  const best = Math.max(...cosines)
  if (!found.every((slot) => slot < kept.length)) throw new Error(`no such rows: ${found}`)
  for (const [slot, cosine] of cosines.entries())
    if (cosine === best && !found.includes(slot)) expect(found).toContain(slot)
}

function checkDistances(q: Float64Array, kept: readonly Float64Array[], found: readonly number[]): void {
  const square = (row: Float64Array) => row.reduce((sum, v, i) => sum + (v - q[i]!) ** 2, 0)
  const [all, few] = [new Smallest(7), new Smallest(7)]
  for (const row of kept) all.offer(square(row))
  for (const slot of found) few.offer(square(kept[slot]!))
  expect(few.values).toEqual(all.values)
}

test('ten times the window leaves the memories as large as one window does', () => {
  const memories: KernelMemory[] = []
  const rows = openLargeRows(64, 3000, (bytes) => {
    const memory = openCompiled(bytes)!
    memories.push(memory)
    return memory
  })!
  const next = random(SEED)
  const set = (slot: number) => {
    const vector = Float32Array.from({ length: 64 }, next)
    rows.set(slot, vector, norm(vector))
  }
  const sizes = () => memories.map(({ i8 }) => i8.length)
  for (let slot = 0; slot < 3000; slot++) set(slot)
  const before = sizes()
  for (let i = 0; i < 30_000; i++) set(i % 3000)
  expect(sizes()).toEqual(before)
  expect(before).toHaveLength(2)
  expect(before[0]! + before[1]!).toBeLessThan(1.1 * 3000 * (5 * 64 + 12) + 65_536 * 4)
})
