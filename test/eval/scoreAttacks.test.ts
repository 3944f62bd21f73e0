/** Attacks that look at probabilities: what they ask, in which order, and what they make of the answers. */
import { describe, expect, test } from 'vitest'
import { answerOf, REFUSED } from '../../src/eval/answers.ts'
import { isReached, marginLoss, probabilityLoss } from '../../src/eval/attacks/aims.ts'
import { createPlateau, type NesBConfig, nesA, nesB, noiseOf, pairedSlope } from '../../src/eval/attacks/nes.ts'
import { simba, simbaDct, simbaOriginal } from '../../src/eval/attacks/simba.ts'
import { shareAt, sideOf, square } from '../../src/eval/attacks/square.ts'
import { cosines } from '../../src/eval/attacks/waves.ts'
import { createRandom } from '../../src/eval/random.ts'
import type { Oracle, Picture } from '../../src/eval/types.ts'
import { changes, deaf, farthest, linear, middleOf, recorded } from './attackToys.ts'

const SHAPE = { width: 2, height: 2, channels: 3 } as const
const GREY = new Float64Array(12).fill(0.5)
/** Weights of both signs; grey stands 10 below the limit, so that no small change is wrong. */
const WEIGHTS = Float64Array.of(1, -1, 2, -2, 3, -3, 1, -1, 2, 2, 2, 2)
const slope = linear(WEIGHTS, 14)
const base = { shape: SHAPE, source: GREY }

describe('what an attack wants', () => {
  const task = { label: 2, classes: 3 }

  test('is any other label, or the next one in a circle; never a refusal', () => {
    const [any, next] = [isReached('any', task), isReached('next', task)]
    const says = (k: number) => answerOf(new Float32Array(3).fill(0).with(k, 1))
    expect([0, 1, 2].map((k) => any(says(k)))).toEqual([true, true, false])
    expect([0, 1, 2].map((k) => next(says(k)))).toEqual([true, false, false])
    expect([any(REFUSED), next(REFUSED)]).toEqual([false, false])
  })

  test('is nearer where the loss is lower', () => {
    const answer = answerOf(Float32Array.of(1, 0, 3))
    expect(marginLoss('any', task)(answer)).toBe(2)
    expect(marginLoss('next', task)(answer)).toBe(2)
    // 1 / (1 + e + e³) and e³ / (1 + e + e³)
    expect(probabilityLoss('any', task)(answer)).toBeCloseTo(-0.1698, 4)
    expect(probabilityLoss('next', task)(answer)).toBeCloseTo(2.1698, 4)
    expect(marginLoss('any', task)(REFUSED)).toBe(Infinity)
  })
})

describe('SimBA', () => {
  test('asks down and up of each number once before any comes again, and keeps what lowers the probability', async () => {
    const { pictures } = await recorded({ ...base, client: simba, victim: slope, budget: 25 })
    expect(pictures[0]).toEqual(GREY)
    let x: Picture = GREY
    const seen: number[] = []
    for (let n = 1; n < 25; n += 2) {
      const [down, up] = [pictures[n]!, pictures[n + 1]!]
      const [at] = changes(x, down)
      expect(changes(x, down)).toEqual(changes(x, up))
      expect([down[at!]! - x[at!]!, up[at!]! - x[at!]!]).toEqual([
        expect.closeTo(-8 / 255, 12),
        expect.closeTo(8 / 255, 12),
      ])
      seen.push(at!)
      // A weight above 0 lowers class 0 when its number rises.
      x = WEIGHTS[at!]! > 0 ? up : down
    }
    expect(seen.sort((a, b) => a - b)).toEqual([...GREY.keys()])
  })

  test('stays where nothing is better', async () => {
    const { pictures } = await recorded({ ...base, client: simba, victim: deaf, budget: 101 })
    for (const x of pictures.slice(1)) expect(changes(GREY, x)).toHaveLength(1)
  })

  test('leaves neither the ball nor 0 … 1', async () => {
    const source = Float64Array.from(GREY.keys(), (i) => (i % 3) / 2)
    const { pictures } = await recorded({ ...base, source, client: simba, victim: slope, budget: 200 })
    for (const x of pictures) {
      for (const [i, v] of x.entries()) {
        expect(Math.abs(v - source[i]!)).toBeLessThanOrEqual(8 / 255 + 1e-12)
        expect(v >= 0 && v <= 1).toBe(true)
      }
    }
  })

  test('as published asks up only where down is no better: 1 + 4 + 2 · 8 queries for 4 falling and 8 rising weights', async () => {
    const { pictures } = await recorded({ ...base, client: simbaOriginal, victim: slope, budget: 22 })
    let x: Picture = GREY
    let n = 1
    for (let i = 0; i < 12; i++) {
      const [at] = changes(x, pictures[n]!)
      expect(pictures[n]![at!]! - x[at!]!).toBeCloseTo(-0.2, 12)
      if (WEIGHTS[at!]! > 0) {
        n++
        expect(changes(x, pictures[n]!)).toEqual([at])
        expect(pictures[n]![at!]! - x[at!]!).toBeCloseTo(0.2, 12)
      }
      x = pictures[n]!
      n++
    }
    expect(n).toBe(21)
  })

  test('takes only its share of better steps, and its share of worse ones', async () => {
    const never = await recorded({ ...base, client: simba, config: { takes: 0 }, victim: slope, budget: 101 })
    for (const x of never.pictures.slice(1)) expect(changes(GREY, x)).toHaveLength(1)
    const always = await recorded({ ...base, client: simba, config: { upward: 1 }, victim: deaf, budget: 25 })
    expect(changes(GREY, always.pictures[23]!)).toHaveLength(12)
  })

  test('on cosines changes one channel by its step in L2', async () => {
    const shape = { width: 8, height: 6, channels: 3 } as const
    const source = new Float64Array(144).fill(0.5)
    const config = { frequencies: 3 }
    const { pictures } = await recorded({ shape, source, client: simbaDct, config, victim: deaf, budget: 28 })
    const seen = new Set<string>()
    for (const x of pictures.slice(1)) {
      const change = x.map((v, i) => v - source[i]!)
      expect(Math.hypot(...change)).toBeCloseTo(0.2, 10)
      expect(new Set(changes(source, x).map((i) => i % 3)).size).toBe(1)
      seen.add(change.map((v) => Math.round(1e6 * Math.abs(v))).join())
    }
    // One after the other of 3 · 3 waves of 3 channels; 27 queries are 14 coordinates.
    expect(seen.size).toBe(14)
  })

  test('has cosines of length 1 at right angles', () => {
    const waves = cosines(7, 7)
    for (const [k, u] of waves.entries()) {
      for (const [l, v] of waves.entries()) {
        expect(u.reduce((sum, value, i) => sum + value * v[i]!, 0)).toBeCloseTo(k === l ? 1 : 0, 12)
      }
    }
  })
})

describe('Square', () => {
  test('shrinks as its table says, at 10 000 iterations', () => {
    const table: [at: number, divisor: number][] = [
      [0, 1],
      [10, 1],
      [11, 2],
      [50, 2],
      [51, 4],
      [200, 4],
      [201, 8],
      [500, 8],
      [501, 16],
      [1000, 16],
      [1001, 32],
      [2000, 32],
      [2001, 64],
      [4000, 64],
      [4001, 128],
      [6000, 128],
      [6001, 256],
      [8000, 256],
      [8001, 512],
      [9999, 512],
    ]
    for (const [at, divisor] of table) expect([at, shareAt(at, 10_000, 0.05)]).toEqual([at, 0.05 / divisor])
  })

  test('stretches the table to its budget', () => {
    // ⌊10 000 · 1 / 1 000⌋ = 10 and ⌊10 000 · 2 / 1 000⌋ = 20; at 999 it is 9 990.
    expect([1, 2, 999].map((n) => 0.05 / shareAt(n, 1000, 0.05))).toEqual([1, 2, 512])
  })

  test('has the sides that follow', () => {
    const sides = (width: number, shares: number[]) =>
      shares.map((share) => sideOf(share, { width, height: width, channels: 3 }))
    // √51.2 = 7.2, √25.6 = 5.06, √0.1 = 0.3; √2508.8 = 50.09; all of it leaves one row.
    expect(sides(32, [0.05, 0.025, 0.05 / 512, 1])).toEqual([7, 5, 1, 31])
    expect(sides(224, [0.05])).toEqual([50])
  })

  test('begins with stripes, then changes one square at a time by the whole ball, a sign a channel', async () => {
    const shape = { width: 16, height: 16, channels: 3 } as const
    const source = new Float64Array(768).fill(0.5)
    const { pictures } = await recorded({ shape, source, client: square, victim: deaf, budget: 300 })
    const ball = 8 / 255
    const stripes = pictures[0]!
    for (const [i, v] of stripes.entries()) {
      expect(Math.abs(v - 0.5)).toBeCloseTo(ball, 12)
      expect(v).toBe(stripes[i % 48])
    }
    for (const [n, x] of pictures.slice(1).entries()) {
      // Nothing is kept: the deaf model's loss never falls, and equal is not lower.
      const places = changes(stripes, x)
      expect(places.length).toBeGreaterThan(0)
      const rows = places.map((i) => Math.floor(i / 48))
      const columns = places.map((i) => Math.floor(i / 3) % 16)
      const side = sideOf(shareAt(n, 300, 0.05), shape)
      expect(Math.max(...rows) - Math.min(...rows)).toBeLessThan(side)
      expect(Math.max(...columns) - Math.min(...columns)).toBeLessThan(side)
      for (const i of places) expect(Math.abs(x[i]! - 0.5)).toBeCloseTo(ball, 12)
    }
  })

  test('keeps what is better', async () => {
    const shape = { width: 8, height: 8, channels: 1 } as const
    const source = new Float64Array(64).fill(0.5)
    const victim = linear(new Float64Array(64).fill(1), 1000)
    const { pictures } = await recorded({ shape, source, client: square, victim, budget: 400 })
    const sums = pictures.map((x) => x.reduce((sum, v) => sum + v))
    const best = pictures[sums.indexOf(Math.max(...sums))]!
    // The last row and column are never in a square: as published, its corner is below height − side.
    for (const [i, v] of best.entries()) {
      if (i % 8 === 7 || i >= 56) expect(v).toBe(pictures[0]![i])
      else expect(v).toBeCloseTo(0.5 + 8 / 255, 12)
    }
  })

  test('cuts to 0 … 1, and draws again where nothing changes', async () => {
    const shape = { width: 4, height: 4, channels: 1 } as const
    const source = new Float64Array(16)
    const { pictures } = await recorded({ shape, source, client: square, victim: deaf, budget: 200 })
    for (const x of pictures) expect(new Set([...x, 0, 8 / 255]).size).toBe(2)
    for (const x of pictures.slice(1)) expect(changes(pictures[0]!, x).length).toBeGreaterThan(0)
  })
})

describe('NES', () => {
  test('finds the slope of a linear model', async () => {
    const random = createRandom(2)
    const answer = async (xs: readonly Picture[]) => (await slope.answer(xs)).map(answerOf)
    const oracle = { askAll: answer } as unknown as Oracle<Picture>
    const directions = Array.from({ length: 400 }, () => random.normals(12))
    const loss = marginLoss('any', { label: 0, classes: 2 })
    const found = await pairedSlope({ oracle, x: GREY, directions, sigma: 2 / 255, loss, first: -1 })
    // The margin falls with the weights; the cosine is about √(400 / 411).
    const along = found.slope.reduce((sum, v, i) => sum - v * WEIGHTS[i]!, 0)
    expect(along / Math.hypot(...found.slope) / Math.hypot(...WEIGHTS)).toBeGreaterThan(0.95)
    // Margin of grey: 14 − ½ · 8; the probes' mean is that of their centre.
    expect(found.mean).toBeCloseTo(10, 3)
  })

  test('makes nothing of a pair of which one half is refused', async () => {
    const oracle = {
      askAll: async (xs: readonly Picture[]) =>
        xs.map((x) => (x[0]! > 0.5 ? REFUSED : answerOf(Float32Array.of(1, 0)))),
    }
    const found = await pairedSlope({
      oracle: oracle as unknown as Oracle<Picture>,
      x: GREY,
      directions: [Float64Array.from(GREY, () => 1)],
      sigma: 0.1,
      loss: marginLoss('any', { label: 0, classes: 2 }),
      first: 1,
    })
    expect([...found.slope]).toEqual(Array(12).fill(0))
    expect(found.mean).toBe(0)
  })

  test('(b) asks the source, all below, all above, then the candidate; 1 021 of 1 024 queries', async () => {
    const { pictures, queries } = await recorded({ ...base, client: nesB, victim: slope, budget: 1024 })
    expect(queries).toBe(1021)
    expect(pictures[0]).toEqual(GREY)
    const random = createRandom(1)
    for (let n = 1; n <= 8; n++) {
      const u = random.normals(12)
      expect(
        farthest(
          pictures[n]!,
          GREY.map((v, i) => v - (2 / 255) * u[i]!),
        ),
      ).toBeLessThan(1e-12)
      expect(
        farthest(
          pictures[n + 8]!,
          GREY.map((v, i) => v + (2 / 255) * u[i]!),
        ),
      ).toBeLessThan(1e-12)
    }
    for (const v of pictures[17]!) expect(Math.abs(v - 0.5)).toBeCloseTo(0.25 / 255, 12)
  })

  test('(b) goes on from a candidate if it is better; from every one, or its share of the others, if told to', async () => {
    const rough = {
      ...slope,
      answer: async (xs: readonly Picture[]) =>
        xs.map((x) => Float32Array.of(2 + Math.sin(1e6 * x.reduce((sum, v) => sum + v)), 0)),
    }
    const taken = async (config: Partial<NesBConfig>) => {
      const { pictures } = await recorded({ ...base, client: nesB, config, victim: rough, budget: 1 + 17 * 30 })
      const margins = (await rough.answer(pictures)).map(([margin]) => margin!)
      let lowest = margins[0]!
      return Array.from({ length: 29 }, (_, n) => {
        const next = middleOf(pictures[18 + 17 * n]!, pictures[26 + 17 * n]!)
        const isTaken = farthest(next, pictures[17 + 17 * n]!) < 1e-12
        const isBetter = margins[17 + 17 * n]! < lowest
        if (isTaken) lowest = margins[17 + 17 * n]!
        return { isTaken, isBetter }
      })
    }
    const rounds = await taken({})
    expect(rounds.every(({ isTaken, isBetter }) => isTaken === isBetter)).toBe(true)
    expect(new Set(rounds.map(({ isTaken }) => isTaken)).size).toBe(2)
    for (const config of [{ alwaysMoves: true }, { upward: 1 }]) {
      const all = await taken(config)
      expect(all.every(({ isTaken }) => isTaken)).toBe(true)
      expect(all.some(({ isBetter }) => !isBetter)).toBe(true)
    }
  })

  test('(b) when blind asks for probes alone', async () => {
    const config = { isBlind: true, step: 1 / 255 }
    const { pictures, queries } = await recorded({ ...base, client: nesB, config, victim: slope, budget: 100 })
    expect(queries).toBe(96)
    for (let round = 0; round < 6; round++) {
      const centre = middleOf(pictures[16 * round]!, pictures[16 * round + 8]!)
      for (const v of centre) expect(255 * (v - 0.5)).toBeCloseTo(Math.round(255 * (v - 0.5)), 8)
      expect(Math.max(...centre.map((v) => Math.abs(v - 0.5)))).toBeLessThanOrEqual(round / 255 + 1e-9)
      expect(pictures.some((x) => changes(x, centre).length === 0)).toBe(false)
    }
  })

  test('(a) asks 50 probes, above before below, and where it has come to', async () => {
    const config = { sigma: 0.01 }
    const { pictures } = await recorded({ ...base, client: nesA, config, victim: slope, budget: 153 })
    const middle = (n: number) => middleOf(pictures[n]!, pictures[n + 25]!)
    const start = middle(0)
    expect(Math.max(...start.map((v) => Math.abs(v - 0.5)))).toBeLessThanOrEqual(0.05)
    expect(farthest(middle(24), start)).toBeLessThan(1e-12)
    expect(farthest(middle(51), pictures[50]!)).toBeLessThan(1e-12)
    // The first numbers are the start's place in the ball.
    const random = createRandom(1)
    for (let i = 0; i < 12; i++) random.next()
    const u = random.normals(12)
    expect(
      farthest(
        pictures[0]!,
        start.map((v, i) => v + 0.01 * u[i]!),
      ),
    ).toBeLessThan(1e-12)
    for (const [i, v] of pictures[50]!.entries()) {
      const stepped = start[i]! + 0.01 * Math.sign(WEIGHTS[i]!)
      expect(v).toBeCloseTo(Math.min(Math.max(stepped, 0.45), 0.55), 12)
    }
  })

  test('(a) keeps its step while its loss falls, and halves it when it rises, whatever the aim', () => {
    const falls = createPlateau(0.01, 0.004)
    expect([6, 5, 4, 3, 2, 1].map(falls)).toEqual(Array(6).fill(0.01))
    const rises = createPlateau(0.01, 0.004)
    expect([1, 2, 3, 4, 5].map(rises)).toEqual([0.01, 0.01, 0.01, 0.01, 0.005])
    // Begins anew, and stops at the least.
    expect([1, 2, 3, 4, 5].map(rises)).toEqual([0.005, 0.005, 0.005, 0.005, 0.004])
    const level = createPlateau(1, 0)
    expect([3, 9, 9, 9, 3].map(level)).toEqual([1, 1, 1, 1, 1])
  })

  test('with the next class for its aim ends at no other', async () => {
    // Class 1 where the numbers are large, class 2 where they are small.
    const three = {
      ...slope,
      classes: 3,
      answer: async (xs: readonly Picture[]) =>
        xs.map((x) => {
          const mean = x.reduce((sum, v) => sum + v, 0) / x.length
          return Float32Array.of(0, 100 * (mean - 0.52), 100 * (0.499 - mean))
        }),
    }
    const config = { aim: 'next', step: 2 / 255 } as const
    const { success, pictures } = await recorded({ ...base, client: nesB, config, victim: three, budget: 1024 })
    expect(success).toBe(pictures.length)
    expect(pictures.at(-1)!.reduce((sum, v) => sum + v, 0) / 12).toBeGreaterThan(0.52)
    const labels = await three.answer(pictures)
    expect(labels.some((l) => answerOf(l).label === 2)).toBe(true)
  })

  test('has noise of its own in every tile', () => {
    const noise = noiseOf(createRandom(1), { width: 5, height: 4, channels: 3 }, 2)
    const at = (row: number, column: number, c: number) => noise[(row * 5 + column) * 3 + c]
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 5; column++) {
        for (let c = 0; c < 3; c++) expect(at(row, column, c)).toBe(at(row & ~1, column & ~1, c))
      }
    }
    expect(new Set(noise).size).toBe(2 * 3 * 3)
  })
})
