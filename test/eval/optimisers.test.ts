/** Honest optimisers, and those that do what attacks do: what they keep, and that they get where they want to. */
import { describe, expect, test } from 'vitest'
import {
  type ClientSpec,
  createRandom,
  defineWorkload,
  logProbability,
  marginOf,
  type Picture,
  REFUSED,
} from '../../src/eval/index.ts'
import { distance, largestChange } from '../../src/eval/picture.ts'
import { boundaryProbing, counterfactual } from '../../src/eval/workloads/equivalent/probing.ts'
import { confidenceRaising, confidenceSimba } from '../../src/eval/workloads/optimisers/confidence.ts'
import { deblur, denoise, denoiseRandom } from '../../src/eval/workloads/optimisers/restoration.ts'
import { countAcceptance } from '../../src/eval/workloads/parts/acceptance.ts'
import { climb, meanSquare } from '../../src/eval/workloads/parts/climb.ts'
import { softened } from '../../src/eval/workloads/parts/filters.ts'
import { imageTask, listenTo } from './asked.ts'

type Client = ClientSpec<'image', object>

const task = imageTask(8, 1024)
const { source, shape } = task

/** Three classes: the first wants light where it is light, the second the other way round, the third nothing. */
function logits(x: Picture): [number, number, number] {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (i % 2 === 0 ? 1 : -1) * (x[i]! - source[i]!)
  return [1 + sum, 0.5 - sum, 0]
}

/** The queries after which it goes on: the start and every 17th after that. */
function candidates(inputs: readonly Picture[]): Picture[] {
  return inputs.filter((_, n) => n % 17 === 0)
}

function last(figures: Readonly<Record<string, readonly (readonly [number, number])[]>> | undefined): number {
  return figures!['acceptance']!.at(-1)![1]
}

describe('climbing', () => {
  test('asks 8 minus, 8 plus, then the candidate: 60 steps in 1021 queries', async () => {
    const { inputs, figures } = await listenTo(confidenceRaising, task, { logits })
    expect(inputs).toHaveLength(1021)
    expect(figures!['acceptance']).toHaveLength(60)
    expect(figures!['acceptance']![0]![0]).toBe(18)
    for (let n = 1; n <= 8; n++) {
      for (let i = 0; i < source.length; i++) {
        expect(inputs[n]![i]! + inputs[n + 8]![i]!).toBeCloseTo(2 * source[i]!, 9)
      }
    }
    const first = createRandom(1).normals(source.length)
    for (let i = 0; i < source.length; i++) expect(inputs[1]![i]).toBeCloseTo(source[i]! - (2 / 255) * first[i]!, 9)
    const deviation = distance(inputs[1]!, source) / Math.sqrt(source.length)
    expect(deviation * 255).toBeGreaterThan(1.6)
    expect(deviation * 255).toBeLessThan(2.4)
    expect(largestChange(inputs[17]!, source)).toBeCloseTo(0.25 / 255, 12)
  })

  test('goes on only from what is better, and stays in the ball', async () => {
    const client = defineWorkload({
      name: 'toy',
      kind: 'image',
      profile: 'D',
      sees: 'probabilities',
      summary: 'climbs by large steps',
      defaults: {},
      async run(oracle) {
        const first = await oracle.ask(source)
        const loss = ({ logits: l }: { readonly logits: Float32Array }) => -l[0]!
        await climb(oracle, { start: source, first, shape, step: 5 / 255, tile: 1, loss })
      },
    })
    const { inputs } = await listenTo(client, task, { logits })
    for (const x of candidates(inputs)) expect(largestChange(x, source)).toBeLessThanOrEqual(8 / 255 + 1e-12)
    // Between a probe and its opposite lies the point that it goes on from.
    const values = Array.from({ length: 60 }, (_, step) => {
      const [minus, plus] = [inputs[17 * step + 1]!, inputs[17 * step + 9]!]
      return logits(minus.map((v, i) => (v + plus[i]!) / 2))[0]
    })
    for (const [step, value] of values.entries()) expect(value).toBeGreaterThan((values[step - 1] ?? 0) - 1e-9)
    // At most 192 · 8/255 = 6.02, where every number has moved all the way.
    expect(values.at(-1)).toBeGreaterThan(values[0]! + 2)
  })

  test('probes of large pictures are alike in tiles of 8 pixels', async () => {
    const large = imageTask(64, 18)
    const { inputs } = await listenTo(confidenceRaising, large, { logits: (x) => [x[0]!, 0] })
    const change = (n: number, i: number) => inputs[n]![i]! - large.source[i]!
    const at = (row: number, column: number) => 3 * (64 * row + column)
    expect(change(1, at(0, 0))).toBeCloseTo(change(1, at(7, 7)), 12)
    expect(Math.abs(change(1, at(0, 0)) - change(1, at(0, 8)))).toBeGreaterThan(1e-6)
    expect(largestChange(inputs[17]!, large.source)).toBeCloseTo(1 / 255, 12)
  })

  test('stays where it is as long as every answer is refused', async () => {
    const { inputs, figures } = await listenTo(confidenceRaising, task, { logits, says: () => REFUSED })
    for (const x of candidates(inputs)) expect(x).toEqual(source)
    expect(last(figures)).toBe(0)
  })

  test('counts what is kept, and notes it at every n-th try', () => {
    const noted: [string, number][] = []
    const count = countAcceptance({ note: (name, value) => noted.push([name, value]) }, 2)
    for (const isKept of [true, false, true, true, false]) count(isKept)
    expect(noted).toEqual([
      ['acceptance', 0.5],
      ['acceptance', 0.75],
    ])
  })
})

describe('optimisers', () => {
  test('confidence rises, by slopes and by single pixels', async () => {
    for (const client of [confidenceRaising, confidenceSimba] as unknown as readonly Client[]) {
      const { inputs, figures } = await listenTo(client, task, { logits })
      const sureness = inputs.map((x) => logProbability(logits(x), 0))
      expect(Math.max(...sureness), client.name).toBeGreaterThan(sureness[0]! + 0.3)
      expect(last(figures), client.name).toBeGreaterThan(0.1)
      expect(last(figures), client.name).toBeLessThanOrEqual(1)
    }
  })

  test('what the model says first is raised, right or wrong', async () => {
    const { inputs } = await listenTo(confidenceRaising, { ...task, label: 1 }, { logits })
    expect(logits(inputs.at(-1)!)[0]).toBeGreaterThan(logits(source)[0])
  })

  test('SimBA asks both ways, every number once before any twice', async () => {
    const { inputs } = await listenTo(confidenceSimba, { ...task, budget: 1 + 2 * 192 }, { logits: () => [0, 0] })
    const moved = inputs.slice(1).map((x) => x.findIndex((v, i) => v !== source[i]))
    expect(new Set(moved).size).toBe(192)
    for (let n = 0; n < moved.length; n += 2) expect(moved[n]).toBe(moved[n + 1])
    expect(inputs[1]![moved[0]!]!).toBeCloseTo(source[moved[0]!]! - 8 / 255, 12)
  })

  test('noise goes, as long as the label stays', async () => {
    for (const client of [denoise, denoiseRandom] as unknown as readonly Client[]) {
      const { inputs, figures } = await listenTo(client, task, { logits: () => [1, 0] })
      const start = inputs[0]!
      const wanted = softened(start, shape, 0.5)
      expect((distance(start, source) / Math.sqrt(192)) * 255).toBeGreaterThan(13)
      const errors = inputs.map((x) => meanSquare(x, wanted))
      expect(Math.min(...errors), client.name).toBeLessThan(0.75 * errors[0]!)
      expect(last(figures), client.name).toBeGreaterThan(0.1)
    }
  })

  test('blur goes, towards the sharpened picture', async () => {
    const { inputs } = await listenTo(deblur, task, { logits: () => [1, 0] })
    const start = softened(source, shape, 0.5)
    expect(inputs[0]).toEqual(start)
    const wanted = softened(start, shape, -0.5)
    expect(meanSquare(inputs.at(-1)!, wanted)).toBeLessThan(meanSquare(start, wanted))
  })

  test('a step that changes the label is never kept', async () => {
    for (const client of [denoise, denoiseRandom, deblur] as unknown as readonly Client[]) {
      let number = 0
      const { figures } = await listenTo(client, task, { logits: () => [number++ === 0 ? 1 : -1, 0] })
      expect(last(figures), client.name).toBe(0)
    }
  })
})

describe('those that do what attacks do', () => {
  test('boundary probing lowers the margin and never crosses', async () => {
    const { inputs, success } = await listenTo(boundaryProbing, task, { logits })
    const kept: number[] = []
    let lowest = Infinity
    for (const x of candidates(inputs)) {
      const margin = marginOf(logits(x), 0)
      if (margin > 0 && margin < lowest) {
        lowest = margin
        kept.push(margin)
      }
    }
    expect(kept[0]).toBeCloseTo(0.5, 6)
    expect(lowest).toBeLessThan(0.2)
    // Where it goes on: probes lie around a point of its side, but for their own noise.
    expect(marginOf(logits(inputs.at(-1)!), 0)).toBeLessThan(0.2)
    expect(success).toBeUndefined()
  })

  test('a counterfactual has the label that was second', async () => {
    const { inputs, success, queries } = await listenTo(counterfactual, task, { logits })
    const reached = candidates(inputs).filter((x) => logits(x)[1] > logits(x)[0])
    expect(reached.length).toBeGreaterThan(5)
    expect([success, queries]).toEqual([undefined, 1021])
  })
})
