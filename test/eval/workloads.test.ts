/** Honest clients: how many queries, in which order, of what geometry. Expected figures are counted by hand. */
import { describe, expect, test } from 'vitest'
import {
  ATTACKS,
  asAudit,
  type ClientSpec,
  createRandom,
  marginOf,
  type Picture,
  REFUSED,
  WORKLOADS,
} from '../../src/eval/index.ts'
import { distance, largestChange } from '../../src/eval/picture.ts'
import { captumKernelShap, kernelShap } from '../../src/eval/workloads/explainers/kernelShap.ts'
import { lime, limeDefault } from '../../src/eval/workloads/explainers/lime.ts'
import { captumOcclusion, occlusion } from '../../src/eval/workloads/explainers/occlusion.ts'
import { rise, riseMask } from '../../src/eval/workloads/explainers/rise.ts'
import { editing } from '../../src/eval/workloads/optimisers/editing.ts'
import { randomWalk } from '../../src/eval/workloads/optimisers/randomWalk.ts'
import { createCoalitions } from '../../src/eval/workloads/parts/coalitions.ts'
import { jpegCopy } from '../../src/eval/workloads/parts/jpeg.ts'
import { jpegSweep } from '../../src/eval/workloads/repeats/jpegSweep.ts'
import { nearDuplicates, noiseCopies } from '../../src/eval/workloads/repeats/noiseCopies.ts'
import { rescoringImages, rescoringImagesShuffled } from '../../src/eval/workloads/repeats/rescoring.ts'
import { retriesImages } from '../../src/eval/workloads/repeats/retries.ts'
import { shuffled } from '../../src/eval/workloads/repeats/unrelated.ts'
import { video } from '../../src/eval/workloads/repeats/video.ts'
import { imageTask, listenTo } from './asked.ts'

const task = imageTask(32, 2000)
const { source, shape } = task

/** Pixels that differ from the source, as row · width + column. */
function changed(x: Picture, from = source): number[] {
  const pixels = Array.from({ length: x.length / 3 }, (_, pixel) => pixel)
  return pixels.filter((pixel) => [0, 1, 2].some((c) => x[3 * pixel + c] !== from[3 * pixel + c]))
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

describe('all workloads', () => {
  test('have names of their own, none of an attack', () => {
    const names = [...WORKLOADS, ...ATTACKS].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  const images = WORKLOADS.filter(({ kind }) => kind === 'image') as unknown as readonly ClientSpec<'image', object>[]
  test.each(images.map((client) => [client.name, client] as const))(
    '%s asks the same under one seed, only pictures, also where answers are refused',
    async (_, client) => {
      const small = imageTask(16, 60)
      const says = (number: number) => (number % 3 === 1 ? REFUSED : undefined)
      const logits = (x: Picture) => [x[0]! + x[40]!, 1 - x[3]!]
      const [once, again] = [
        await listenTo(client, small, { seed: 4, logits, says }),
        await listenTo(client, small, { seed: 4, logits, says }),
      ]
      expect(once.inputs).toEqual(again.inputs)
      expect(once.queries).toBeGreaterThan(4)
      for (const x of once.inputs) {
        expect(x).toHaveLength(16 * 16 * 3)
        expect(x.every((v) => v >= 0 && v <= 1)).toBe(true)
      }
    },
  )

  test.each(images.map((client) => [client.name, client] as const))(
    '%s takes grey pictures of 28 pixels',
    async (_, client) => {
      const grey = imageTask(28, 40, {
        source: Float64Array.from({ length: 784 }, (_, i) => (i % 28) / 28),
        shape: { width: 28, height: 28, channels: 1 },
        pool: [{ input: new Float64Array(784).fill(0.5), label: 0 }],
      })
      const { inputs } = await listenTo(client, grey, { logits: (x) => [x[0]! + x[400]!, 0.2] })
      for (const x of inputs) expect(x.every((v) => v >= 0 && v <= 1) && x.length === 784).toBe(true)
    },
  )
})

describe('explainers', () => {
  test('occlusion asks for the source and for 29 · 29 places of a patch of 4 × 4, row by row', async () => {
    const { inputs } = await listenTo(occlusion, task)
    expect(inputs).toHaveLength(842)
    expect(changed(inputs[0]!)).toEqual([])
    expect(changed(inputs[1]!)).toEqual([0, 1, 2, 3, 32, 33, 34, 35, 64, 65, 66, 67, 96, 97, 98, 99])
    expect(changed(inputs[2]!)[0]).toBe(1)
    expect(changed(inputs[30]!)[0]).toBe(32)
    expect(changed(inputs[841]!)).toHaveLength(16)
    expect(changed(inputs[841]!).at(-1)).toBe(1023)
    const reds = Array.from({ length: 1024 }, (_, pixel) => source[3 * pixel]!)
    expect(inputs[1]![0]).toBeCloseTo(mean(reds), 12)
  })

  test('occlusion has 625 places of 32 × 32 in 224 pixels', async () => {
    const large = imageTask(224, 3)
    const config = { patch: null, stride: null }
    let count = 0
    const askAll = async (pictures: readonly Picture[]) => {
      count += pictures.length
      return []
    }
    await occlusion.run({ ...silent, askAll }, large, config)
    expect(count).toBe(626)
    const { inputs } = await listenTo(occlusion, large)
    expect(changed(inputs[2]!, large.source)[0]).toBe(8)
    expect(changed(inputs[2]!, large.source)).toHaveLength(1024)
  })

  test('Captum moves a black patch by 2 down every column, 1 + 225 times', async () => {
    const { inputs } = await listenTo(captumOcclusion, task)
    expect(inputs).toHaveLength(226)
    expect(changed(inputs[2]!)[0]).toBe(64)
    expect(changed(inputs[16]!)[0]).toBe(2)
    expect(inputs[16]![6]).toBe(0)
  })

  test('Captum lets the last patch of 15 hang over the border of 224 pixels', async () => {
    const large = imageTask(224, 30)
    const { inputs } = await listenTo(captumOcclusion, large)
    // Place 27 · 8 = 216 of 224: 8 rows of 15 are left.
    expect(changed(inputs[28]!, large.source)).toHaveLength(8 * 15)
    expect(changed(inputs[29]!, large.source)[0]).toBe(8)
  })

  test('LIME asks for the source and 999 random halves of its superpixels, each whole', async () => {
    const { inputs } = await listenTo(lime, task)
    expect(inputs).toHaveLength(1000)
    expect(inputs[0]).toEqual(source)
    const shares = inputs.slice(1).map((x) => changed(x).length / 1024)
    expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.02)
    // A pixel is hidden with some others, always the same ones.
    const together = inputs
      .slice(1)
      .filter((x) => changed(x).includes(0))
      .map((x) => new Set(changed(x)))
    const segment = [...together[0]!].filter((pixel) => together.every((set) => set.has(pixel)))
    expect(segment.length).toBeGreaterThan(5)
    expect(segment.length).toBeLessThan(80)
  })

  test('the defaults of the library lime have next to no superpixels at 32 pixels', async () => {
    const { inputs } = await listenTo(limeDefault, task)
    expect(inputs).toHaveLength(1000)
    expect(new Set(inputs.map((x) => changed(x).join())).size).toBeLessThanOrEqual(2 ** 4)
  })

  test('KernelSHAP shows all cells, then none, then k with a weight of 15 / (k (16 − k))', () => {
    const coalition = createCoalitions(createRandom(2), 16)
    const sizes = Array.from({ length: 60_002 }, (_, n) => coalition(n).reduce((a, b) => a + b, 0))
    expect(sizes.slice(0, 2)).toEqual([16, 0])
    const counts = new Array<number>(17).fill(0)
    for (const size of sizes.slice(2)) counts[size]!++
    // Σ 15 / (k (16 − k)) = 30/16 · H(15) = 6.2216…
    const total = (30 / 16) * Array.from({ length: 15 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b, 0)
    for (let k = 1; k < 16; k++) {
      const expected = (60_000 * 15) / (k * (16 - k)) / total
      expect(Math.abs(counts[k]! - expected), `size ${k}`).toBeLessThan(5 * Math.sqrt(expected))
    }
    expect([counts[0], counts[16]]).toEqual([0, 0])
  })

  test('every cell is in a coalition as often as any other', () => {
    const coalition = createCoalitions(createRandom(3), 16)
    const counts = new Array<number>(16).fill(0)
    for (let n = 2; n < 20_002; n++) for (const [i, v] of coalition(n).entries()) counts[i]! += v
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })

  test('KernelSHAP blurs cells of 8 × 8 pixels in 500 queries', async () => {
    const { inputs } = await listenTo(kernelShap, task)
    expect(inputs).toHaveLength(500)
    expect(inputs[0]).toEqual(source)
    expect(changed(inputs[1]!).length).toBeGreaterThan(1000)
    const single = inputs.slice(2).find((x) => changed(x).length <= 64)!
    const pixels = changed(single)
    expect(new Set(pixels.map((pixel) => Math.floor(pixel / 256) * 4 + Math.floor((pixel % 32) / 8))).size).toBe(1)
    expect(largestChange(single, source)).toBeLessThan(0.1)
  })

  test("Captum's KernelSHAP hides superpixels in 1000 queries", async () => {
    const { inputs } = await listenTo(captumKernelShap, task)
    expect(inputs).toHaveLength(1000)
    expect(inputs[0]).toEqual(source)
    expect(changed(inputs[1]!)).toHaveLength(1024)
  })

  test('the masks of RISE lie in 0 … 1 with a mean of one half, everywhere alike', async () => {
    const random = createRandom(5)
    const sum = new Float64Array(1024)
    const squares = new Float64Array(1024)
    for (let n = 0; n < 2000; n++) {
      for (const [i, v] of riseMask(random, shape, 7).entries()) {
        if (v < 0 || v > 1) throw new Error(`${v}`)
        sum[i]! += v / 2000
        squares[i]! += (v - 0.5) ** 2 / 2000
      }
    }
    expect(mean([...sum])).toBeCloseTo(0.5, 2)
    for (const v of sum) expect(Math.abs(v - 0.5)).toBeLessThan(0.06)
    // Without the shift, the middles of cells would vary four times as much as their corners.
    const inside = [...squares].filter((_, i) => i % 32 > 3 && i % 32 < 28 && i > 128 && i < 896)
    expect(Math.max(...inside) / Math.min(...inside)).toBeLessThan(1.6)
    expect((await listenTo(rise, task)).queries).toBe(1000)
  })

  test('a mask of RISE of one cell is that cell', () => {
    expect(new Set(riseMask(createRandom(1), { width: 4, height: 4 }, 1)).size).toBe(1)
  })
})

describe('near duplicates', () => {
  test('noise copies have the noise asked for', async () => {
    const grey = { ...imageTask(32, 20), source: new Float64Array(3072).fill(0.5) }
    for (const [client, deviation] of [
      [noiseCopies, 0.1],
      [nearDuplicates, 0.1 / 255],
    ] as const) {
      const { inputs } = await listenTo(client, grey)
      expect(inputs).toHaveLength(20)
      expect(distance(inputs[7]!, grey.source) / Math.sqrt(3072) / deviation).toBeCloseTo(1, 1)
      expect(inputs[7]).not.toEqual(inputs[8])
    }
  })

  test('the sweep has 32 qualities, 95 to 20, each at 32 shifts of the brightness, −0.2 to 0.2', async () => {
    const { inputs } = await listenTo(jpegSweep, task)
    expect(inputs).toHaveLength(1024)
    const cut = (quality: number, shift: number) =>
      jpegCopy(source, shape, quality).map((v) => Math.min(Math.max(v + shift, 0), 1))
    expect(largestChange(inputs[0]!, cut(95, -0.2))).toBeLessThan(1e-12)
    expect(largestChange(inputs[31]!, cut(95, 0.2))).toBeLessThan(1e-12)
    // 95 − 75/31 = 92.58
    expect(largestChange(inputs[32]!, cut(93, -0.2))).toBeLessThan(1e-12)
    expect(largestChange(inputs[1023]!, cut(20, 0.2))).toBeLessThan(1e-12)
  })

  test('frames of a scene differ little, scenes much', async () => {
    const { inputs } = await listenTo(video, task)
    expect(inputs).toHaveLength(960)
    const steps = inputs.slice(1).map((x, n) => distance(x, inputs[n]!) / Math.sqrt(3072))
    const within = steps.filter((_, n) => (n + 1) % 24 !== 0)
    const between = steps.filter((_, n) => (n + 1) % 24 === 0)
    expect(within).toHaveLength(40 * 23)
    expect(Math.max(...within)).toBeLessThan(0.06)
    expect(mean(between)).toBeGreaterThan(3 * mean(within))
    expect(distance(inputs[0]!, source) / Math.sqrt(3072)).toBeLessThan(0.03)
  })

  test('no pixel drifts by more than 2 from frame to frame', async () => {
    // Brightness says where a pixel comes from, and mirrors hide none of it in the middle.
    const ramp = imageTask(64, 240, { pool: [] })
    const at = (row: number, column: number) => 3 * (64 * row + column)
    const slope = 1 / 128
    const source = Float64Array.from({ length: 64 * 64 * 3 }, (_, i) => 0.25 + (Math.floor(i / 3) % 64) * slope)
    const { inputs } = await listenTo(video, { ...ramp, source })
    for (const [n, x] of inputs.entries()) {
      if (n % 24 === 0) continue
      const moved = mean([...Array(16).keys()].map((row) => x[at(24 + row, 32)]! - inputs[n - 1]![at(24 + row, 32)]!))
      expect(Math.abs(moved)).toBeLessThan(2 * slope + 0.012)
    }
  })

  test('retries ask the same picture again, bit for bit or as JPEG', async () => {
    const plain = await listenTo(retriesImages, task, { config: { encoded: 0 } })
    const pictures = [source, ...task.pool.map(({ input }) => input)]
    expect(plain.inputs).toHaveLength(2000)
    const runs: number[] = []
    for (const [n, x] of plain.inputs.entries()) {
      expect(pictures).toContain(x)
      if (n > 0 && x === plain.inputs[n - 1]) runs[runs.length - 1]!++
      else runs.push(1)
    }
    expect(plain.inputs[0]).toBe(source)
    // Turns of 1 … 20 have a mean of 10.5; a sixth of them follows one of its own picture.
    expect(mean(runs)).toBeGreaterThan(9)
    expect(mean(runs)).toBeLessThan(16)
    const { inputs } = await listenTo(retriesImages, task)
    const copies = inputs.filter((x) => !pictures.includes(x))
    expect(Math.abs(copies.length / 2000 - 0.3)).toBeLessThan(0.06)
    for (const copy of copies) expect(Math.min(...pictures.map((x) => largestChange(x, copy)))).toBeLessThan(0.1)
  })

  test('the same inputs are scored on ten days', async () => {
    const day = 86_400_000
    const { inputs, times } = await listenTo(rescoringImages, { ...task, budget: 60 })
    expect(inputs).toHaveLength(60)
    expect(new Set(inputs).size).toBe(6)
    expect(inputs[0]).toBe(source)
    expect(inputs.slice(54)).toEqual(inputs.slice(0, 6))
    expect(times.slice(0, 2)).toEqual([0, 1000])
    expect(times[6]).toBe(day)
    expect(times[59]).toBe(9 * day + 5000)
    const mixed = (await listenTo(rescoringImagesShuffled, { ...task, budget: 60 })).inputs
    for (let at = 0; at < 60; at += 6) expect(new Set(mixed.slice(at, at + 6)).size).toBe(6)
    expect(mixed.slice(54)).not.toEqual(mixed.slice(0, 6))
  })

  test('shuffled data is every picture of the pool once, and never the source', async () => {
    const { inputs } = await listenTo(shuffled, task)
    expect(inputs).toHaveLength(5)
    expect(new Set(inputs)).toEqual(new Set(task.pool.map(({ input }) => input)))
  })

  test('the walk steps by a quarter of a level and stays in its ball', async () => {
    const { inputs } = await listenTo(randomWalk, { ...task, budget: 1500 })
    expect(inputs).toHaveLength(1500)
    expect(largestChange(inputs[0]!, source)).toBeCloseTo(0.25 / 255, 12)
    expect(largestChange(inputs[1]!, inputs[0]!)).toBeCloseTo(0.25 / 255, 12)
    expect(largestChange(inputs[1499]!, source)).toBeCloseTo(8 / 255, 12)
  })

  test('editing goes back to pictures that were asked before', async () => {
    const { inputs } = await listenTo(editing, { ...task, budget: 300 })
    const undone = inputs.filter((x, n) => x === source || inputs.indexOf(x) < n)
    expect(undone.length).toBeGreaterThan(20)
    for (const [n, x] of inputs.entries()) {
      const nearest = Math.min(...[source, ...inputs.slice(0, n)].map((y) => distance(x, y)))
      expect(nearest / Math.sqrt(3072)).toBeLessThan(0.05)
    }
  })
})

describe('an attack with leave', () => {
  const simba = ATTACKS.find(({ name }) => name === 'simba')! as unknown as ClientSpec<'image', object>

  test('asks what the attack asks and ends where it ends, but is no attack', async () => {
    const audit = asAudit(simba)
    expect([audit.name, audit.role, audit.profile]).toEqual(['audit_simba', 'equivalent', undefined])
    const logits = (x: Picture) => [mean([...x]) - 0.4995, 0]
    const attacked = { ...imageTask(4, 500), source: new Float64Array(48).fill(0.5) }
    const [one, other] = [await listenTo(simba, attacked, { logits }), await listenTo(audit, attacked, { logits })]
    expect(one.success).toBeLessThan(500)
    expect(other).toEqual(one)
    expect(marginOf(logits(other.inputs.at(-1)!), 0)).toBeLessThan(0)
  })
})

/** For clients that are run without a session. */
const silent = {
  random: createRandom(1),
  left: Infinity,
  ask: () => Promise.reject(new Error('asks')),
  note: () => {},
}
