/** The update geometry against hand counts, and bit for bit against a slow restatement of its rule. */
import { describe, expect, test } from 'vitest'
import { binOf } from '../src/core/detectors/geometry/reference.ts'
import {
  calibrate,
  createDetector,
  type FitGeometryOptions,
  fitGeometry,
  type GeometryReference,
  pictureVector,
  type UpdateGeometryConfig,
} from '../src/core/index.ts'
import { createMonitor, getDetector } from '../src/embed/index.ts'
import { slowly } from './geometry/slow.ts'
import { ATTACKS, NEAR, SIZE, streamOf, UNRELATED } from './geometry/streams.ts'
import { random } from './tools/random.ts'

const COUNTS = [2, 10, 30, 25, 15, 10, 5, 2, 1]
const reference: GeometryReference = { counts: COUNTS, turns: 20, threshold: 0.3 }

function detector(config: Partial<UpdateGeometryConfig> = {}) {
  return createDetector('update_geometry', { reference, ...config })
}

function scoresOf(inputs: readonly ArrayLike<number>[], config: Partial<UpdateGeometryConfig>): number[] {
  const d = detector(config)
  return inputs.map((vector) => d.process({ vector }).score)
}

const honest = Array.from({ length: 60 }, (_, i) => streamOf(UNRELATED.shuffled, 10_000 + i, 80))
const fitted = (options: FitGeometryOptions = {}) =>
  fitGeometry(honest, { turns: 40, bins: 15, alpha: 0.1, ...options })

describe('a turn', () => {
  const turns = (...inputs: number[][]) => {
    const d = detector()
    return inputs.map((vector) => d.process({ vector }).metadata.turn)
  }

  test('is 1 straight on, 0 at a right angle, −1 back again, and that of a ruler in between', () => {
    expect(turns([0, 0], [1, 0], [3, 0])).toEqual([null, null, 1])
    expect(turns([0, 0], [1, 0], [1, 5])).toEqual([null, null, 0])
    expect(turns([0, 0], [1, 0], [0.5, 0])).toEqual([null, null, -1])
    expect(turns([0, 0], [3, 0], [6, 4])[2]).toBeCloseTo(3 / 5, 15)
  })

  test('does not depend on the size of the steps', () => {
    expect(turns([0, 0], [3e-6, 0], [1e9, 0])).toEqual([null, null, 1])
    expect(turns([0, 0], [1e-40, 0], [1e-40, 1e-40])).toEqual([null, null, 0])
    expect(turns([-1e15, -1e15], [1e15, 1e15], [-1e15, -1e15])[2]).toBeCloseTo(-1, 14)
  })

  test('is none at a repeat, which is passed over', () => {
    expect(turns([0, 0], [0, 0], [1, 0], [1, 0], [2, 0], [2, 0], [2, 1])).toEqual([null, null, null, null, 1, null, 0])
  })

  test('of 1 falls into the last part, of −1 into the first, and a bound belongs to the part above', () => {
    expect([-1, -0.6, -0.2, 0.9, 1].map((turn) => binOf(turn, 5))).toEqual([0, 1, 2, 4, 4])
    expect([-1, -Number.MIN_VALUE, 0, 1].map((turn) => binOf(turn, 2))).toEqual([0, 1, 1, 1])
  })
})

describe('the rule', () => {
  const SQUARE = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
    [0, 0],
    [1, 0],
  ]

  test('four right angles against one honest turn back for each three: by hand', () => {
    const d = detector({ reference: { counts: [1, 3], turns: 4, threshold: 0.1 } })
    const detections = SQUARE.map((vector) => d.process({ vector }))
    expect(detections.map(({ score }) => score).slice(0, 5)).toEqual([0, 0, 0, 0, 0])
    expect(detections[4]!.reason).toBe('Only 3 turns are remembered; nothing is decided before there are 4.')
    // ¼, ¾ against 0, 1: the middle is ⅛, ⅞.
    const bits = (0.25 * Math.log2(2) + 0.75 * Math.log2(6 / 7) + Math.log2(8 / 7)) / 2
    const { score, suspicious, metadata, reason, threshold } = detections[5]!
    expect(score).toBeCloseTo(bits, 14)
    expect([suspicious, threshold]).toEqual([true, 0.1])
    expect(metadata).toEqual({ turn: 0, histogram: [0, 4], historySize: 4 })
    expect(reason).toBe('The last 4 turns differ from honest ones by 0.1379; more than 0.1000 is suspicious.')
  })

  test('a distance equal to the threshold is innocent: strict', () => {
    const run = (threshold: number) => {
      const d = detector({ reference: { counts: [1, 3], turns: 4, threshold: 0.1 }, threshold })
      return SQUARE.map((vector) => d.process({ vector })).at(-1)!
    }
    const { score } = run(1)
    expect(run(score).suspicious).toBe(false)
    expect(run(score - 1e-12).suspicious).toBe(true)
  })

  test('another length is refused, with the remedy, and so is a picture that is not one vector', () => {
    const d = detector()
    d.process({ vector: [1, 2, 3] })
    const message = 'vector: must be 3 numbers like the ones before; bring all inputs to one size'
    expect(() => d.process({ vector: [1, 2] })).toThrow(message)
    expect(() => d.process({})).toThrow('vector: pass the input as numbers: pictureVector(pixels)')
    expect(() => detector().processBatch([{ vector: [1] }, { vector: [1, 2] }])).toThrow(
      '[1].vector: must be 1 numbers',
    )
    d.reset()
    expect(d.process({ vector: [1, 2] }).metadata.historySize).toBe(0)
  })

  test('the state is two inputs and the window: below 32 kB for pictures of 32 × 32 × 3 at the defaults', () => {
    const d = createDetector('update_geometry')
    const next = random(3)
    for (let i = 0; i < 200; i++) d.process({ vector: Float32Array.from({ length: 3072 }, next) })
    expect(d.bytes()).toBe(2 * 4 * 3072 + 8 * 64 + 4 * 25 + 32)
    expect(d.bytes()).toBeLessThan(32_000)
    expect(d.size()).toBe(64)
  })

  test('snapshots that do not fit together are refused', () => {
    const d = detector()
    for (const vector of [...SQUARE, ...SQUARE]) d.process({ vector })
    const good = d.snapshot()
    const refused = (change: object) => () => d.restore({ ...good, state: { ...(good.state as object), ...change } })
    expect(refused({ count: 1 })).toThrow('state.bins: must be at most 0 bins')
    expect(refused({ count: 3 })).toThrow('state.count')
    expect(refused({ count: 0 })).toThrow('state.inputs: must be 0 inputs')
    expect(refused({ inputs: Float32Array.of(1, 2, 3) })).toThrow('state.inputs: must be 2 inputs of one length')
    expect(refused({ inputs: Float32Array.of(1, 2, 1, 2) })).toThrow('state.inputs: must differ')
    expect(refused({ inputs: Float32Array.of(1, 2, 1, Number.NaN) })).toThrow('state.inputs')
    expect(refused({ bins: Uint32Array.of(9) })).toThrow('state.bins: must be at most 20 bins below 9')
    expect(d.snapshot()).toEqual(good)
  })
})

describe('streams', () => {
  const SEEDS = 14
  const COUNT = 80

  test.each(Object.entries({ ...ATTACKS, ...UNRELATED, ...NEAR }))(
    `%s: ${SEEDS} of them have the turns, histograms and scores of the slow rule, bit for bit`,
    (_, make) => {
      for (let seed = 0; seed < SEEDS; seed++) {
        const d = detector()
        const sent = streamOf(make, seed, 50)
        let isDecided = false
        for (const [i, vector] of sent.entries()) {
          const { score, metadata, suspicious } = d.process({ vector })
          const slow = slowly(sent.slice(0, i + 1), COUNTS, 20)
          const own = { turn: metadata.turn, score, histogram: metadata.histogram }
          expect(own, `seed ${seed}, query ${i}`).toEqual(slow)
          expect(suspicious).toBe(slow.score > 0.3)
          isDecided ||= score > 0
        }
        expect(isDecided).toBe(true)
      }
    },
  )

  const made = fitted()
  const unrelated = Array.from({ length: 30 }, (_, seed) => streamOf(UNRELATED.shuffled, seed, COUNT))
  const largest = Math.max(...unrelated.flatMap((inputs) => scoresOf(inputs, { reference: made })))

  test.each(Object.entries(ATTACKS))('%s scores higher than every window of unrelated inputs', (_, make) => {
    for (let seed = 0; seed < 30; seed++) {
      const scores = scoresOf(streamOf(make, seed, COUNT), { reference: made })
      expect(Math.min(...scores.slice(45)), `seed ${seed}`).toBeGreaterThan(largest)
    }
  })

  test('retries score to the bit what the same inputs do without them', () => {
    for (let seed = 0; seed < 30; seed++) {
      const all = streamOf(UNRELATED.retries, seed, 2 * COUNT)
      const once = all.filter((x, i) => i === 0 || x.some((value, k) => value !== all[i - 1]![k]))
      expect(once.length).toBeLessThan(all.length)
      expect(scoresOf(all, { reference: made }).at(-1)).toBe(scoresOf(once, { reference: made }).at(-1))
    }
  })

  test.each(Object.entries(NEAR))(
    '%s, though honest, is as far from unrelated inputs: the weakness that the doc names',
    (_, make) => {
      const scores = scoresOf(streamOf(make, 1, COUNT), { reference: made })
      expect(Math.min(...scores.slice(45))).toBeGreaterThan(largest)
    },
  )

  test('the window forgets: after 40 unrelated steps an attack is no more in the score', () => {
    const d = detector({ reference: made })
    for (const vector of streamOf(ATTACKS.SimBA, 1, COUNT)) d.process({ vector })
    const after = unrelated[0]!.slice(0, 45)
    for (const vector of after) d.process({ vector })
    expect(d.process({ vector: after.at(-1)! }).score).toBe(scoresOf(after, { reference: made }).at(-1))
  })
})

describe('the reference', () => {
  test('is a plain count: every second client makes the histogram, the others the threshold', () => {
    const made = fitted()
    const turnsOf = (client: readonly Float64Array[]) => {
      const d = createDetector('update_geometry', { reference: { counts: made.counts, turns: 1000, threshold: 1 } })
      return client.map((vector) => d.process({ vector }).metadata.turn).filter((turn) => turn !== null)
    }
    const shares = made.counts.map(() => 0)
    for (const client of honest.filter((_, i) => i % 2 === 0)) {
      const own = turnsOf(client)
      for (const turn of own) shares[Math.min(Math.floor((15 * (turn + 1)) / 2), 14)]! += 1 / own.length
    }
    for (const [i, count] of made.counts.entries()) expect(Math.abs(count - 1e6 * shares[i]!)).toBeLessThan(0.51)
    const largest = honest
      .filter((_, i) => i % 2 === 1)
      .map((client) => Math.max(...scoresOf(client, { reference: made })))
    // ⌈31 · 0.9⌉ = 28: two of thirty lie above.
    expect(largest.filter((value) => value > made.threshold).length).toBe(2)
    expect(largest).toContain(made.threshold)
  })

  test('is plain data that the detector takes, by JSON too', () => {
    const made = fitted()
    const d = createDetector('update_geometry', { reference: JSON.parse(JSON.stringify(made)) })
    expect(d.describe().config).toEqual({ reference: made, threshold: made.threshold })
  })

  test('new honest clients alarm about as seldom as alpha says, attacks always', () => {
    const made = fitted()
    const alarms = (make: (typeof UNRELATED)['shuffled'], count: number) =>
      Array.from({ length: count }, (_, i) => scoresOf(streamOf(make, 50_000 + i, 80), { reference: made })).filter(
        (scores) => Math.max(...scores) > made.threshold,
      ).length
    // 30 clients set the threshold: one set of them may be off by √(ln(1/δ)/60), 0.23 for δ = 0.04.
    expect(alarms(UNRELATED.shuffled, 200)).toBeLessThan(0.33 * 200)
    for (const make of Object.values(ATTACKS)) expect(alarms(make, 20)).toBe(20)
  })

  test('too few clients for alpha, too short ones, other lengths and a reference that does not fit are refused', () => {
    expect(() => fitted({ alpha: 0.01 })).toThrow('must have 99 clients at least')
    expect(() => fitted({ turns: 79 })).toThrow('clients[0]: must have 79 turns at least')
    expect(() => fitted({ bins: 1 })).toThrow('bins')
    expect(() => fitGeometry([])).toThrow('clients: must be two at least')
    expect(() => fitGeometry([[[1], [2]], [[1, 2]]], { turns: 2 })).toThrow('clients[0]: must have 2 turns')
    const mixed = [honest[0]!, [[1, 2]]]
    expect(() => fitGeometry(mixed, { turns: 2 })).toThrow(`clients[1][0]: must be ${SIZE} numbers`)
    const refused = (change: object) => () => detector({ reference: { ...reference, ...change } })
    expect(refused({ counts: [1] })).toThrow('update_geometry.reference.counts')
    expect(refused({ counts: [0, 0] })).toThrow('update_geometry.reference.counts: must not all be 0')
    expect(refused({ counts: [1, -1] })).toThrow('update_geometry.reference.counts[1]')
    expect(refused({ counts: 'many' })).toThrow('update_geometry.reference.counts')
    expect(refused({ turns: 1 })).toThrow('update_geometry.reference.turns')
    expect(refused({ threshold: 2 })).toThrow('update_geometry.reference.threshold')
    expect(refused({ treshold: 1 })).toThrow('update_geometry.reference.treshold')
    expect(() => detector({ threshold: -1 })).toThrow('update_geometry.threshold')
  })
})

test('calibrated over whole clients it tells p-values, and flags an attack but few honest clients', () => {
  const made = fitted()
  const benign = honest.flatMap((client, i) => client.map((vector) => ({ observation: { vector }, client: `c${i}` })))
  const calibration = calibrate({ name: 'update_geometry', reference: made }, benign, { alpha: 0.05 })
  const flagged = (inputs: readonly Float64Array[]) => {
    const d = detector({ reference: made, calibration } as Partial<UpdateGeometryConfig>)
    return inputs.map((vector) => d.process({ vector })).some(({ suspicious, pValue }) => suspicious && pValue! <= 0.05)
  }
  for (const make of Object.values(ATTACKS)) expect(flagged(streamOf(make, 7, 80))).toBe(true)
  const news = Array.from({ length: 100 }, (_, i) => streamOf(UNRELATED.shuffled, 70_000 + i, 80))
  expect(news.filter(flagged).length).toBeLessThan(20)
})

describe('raw input', () => {
  const next = random(9)
  const picture = () => ({
    data: Uint8Array.from({ length: 300 }, () => 256 * next()),
    width: 10,
    height: 10,
    channels: 3 as const,
  })

  test('pictures and rows need no answer of the model', async () => {
    const raw = getDetector('update_geometry')
    const plain = createDetector('update_geometry')
    for (let i = 0; i < 80; i++) {
      const input = picture()
      expect((await raw.process({ input })).metadata).toEqual(plain.process({ vector: pictureVector(input) }).metadata)
    }
    await expect(
      raw.process({ input: { ...picture(), height: 5, width: 20, data: new Uint8Array(200) } }),
    ).rejects.toThrow()
    const rows = getDetector('update_geometry', { schema: { age: { type: 'number', scale: 1 } } })
    for (const age of [30, 31, 33]) await rows.process({ input: { age } })
    expect((await rows.process({ input: { age: 30 } })).metadata.turn).toBe(-1)
  })

  test('a text has no small steps: a monitor passes it over', async () => {
    const monitor = createMonitor({ detectors: ['update_geometry'] })
    expect((await monitor.inspect({ input: 'a text' })).detections).toEqual([])
    expect((await monitor.inspect({ input: picture() })).detections).toHaveLength(1)
  })
})
