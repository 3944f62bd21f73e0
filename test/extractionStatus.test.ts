/** The extraction status against slow restatements, known models, and people of a census. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { beyondMajority, LowerLimits, Pairs } from '../src/core/detectors/extraction/agreement.ts'
import { cellOf, type Example, hashOf, isName } from '../src/core/detectors/extraction/example.ts'
import { fitLinear } from '../src/core/detectors/extraction/linear.ts'
import { growTree } from '../src/core/detectors/extraction/tree.ts'
import {
  createDetector,
  type Detection,
  type ExtractionStatusConfig,
  type ExtractionStatusMetadata,
  extractionProbes,
  isMonitorError,
  type Row,
  type Snapshot,
  scaledRow,
} from '../src/core/index.ts'
import { getDetector } from '../src/embed/index.ts'
import { fromOnnx } from '../src/embed/onnx/index.ts'
import { dataDir, hasData } from './tools/data.ts'
import { random } from './tools/random.ts'
import { tableOf } from './tools/tables.ts'

type Vector = readonly number[]
type Model = (row: Vector) => number

/** Names of a category, as `scaledRow` writes them. */
const NAMES = [65_536 + 1 / 8, 65_536 + 99, 131_000]

const linear: Model = ([a = 0, b = 0, c = 0, d = 0]) => Number(a + 0.5 * b - c + 0.3 * d > 0.4)
const threeWays: Model = ([a = 0, b = 0, c = 0, d = 0]) => (a < 0.4 ? Number(b >= 0.5) : c < 0.3 ? 2 : Number(d < 0.6))

function answer(label: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, k) => (k === label ? 0.9 : 0.1 / (classes - 1)))
}

function observe(vector: Vector, label: number, classes: number) {
  return { vector, probabilities: answer(label, classes) }
}

function uniformRows(seed: number, count: number, length = 6): Vector[] {
  const next = random(seed)
  return Array.from({ length: count }, () => Array.from({ length }, next))
}

function detector(config: Partial<ExtractionStatusConfig> = {}) {
  return createDetector('extraction_status', config)
}

function follow(rows: readonly Vector[], model: Model, classes: number, config: Partial<ExtractionStatusConfig> = {}) {
  const d = detector(config)
  return rows.map((row) => d.process(observe(row, model(row), classes)))
}

/** Numbers with few values and many, a category, and a column that some rows lack. */
function mixedExamples(seed: number, count: number, classes: number): Example[] {
  const next = random(seed)
  return Array.from({ length: count }, () => {
    const name = NAMES[Math.floor(3 * next())]!
    const cells = [Math.floor(5 * next()), next() < 0.2 ? name : next() - 0.5, name, ...(next() < 0.7 ? [next()] : [])]
    const values = Float32Array.from(cells)
    const isDull = next() < 0.8
    const label = isDull ? (cells[2] === NAMES[0] ? 0 : Number(cells[0]! > 2)) : Math.floor(classes * next())
    return { hash: hashOf(values, 0), label, values }
  })
}

describe('the tree', () => {
  /** As the definition says it, with every question asked of every row. */
  function slowTree(examples: readonly Example[], classes: number, depth = 0): (values: Float32Array) => number {
    const countsOf = (part: readonly Example[]) => {
      return Array.from({ length: classes }, (_, k) => part.filter(({ label }) => label === k).length)
    }
    const purityOf = (part: readonly Example[]) => countsOf(part).reduce((sum, n) => sum + n * n, 0) / part.length
    const counts = countsOf(examples)
    const leaf = counts.indexOf(Math.max(...counts))
    let best = { purity: purityOf(examples) + 1e-9, isLeft: undefined as ((v: Float32Array) => boolean) | undefined }
    if (depth === 8) return () => leaf
    for (let column = 0; column < Math.max(...examples.map(({ values }) => values.length)); column++) {
      const cells = [...new Set(examples.map(({ values }) => cellOf(values, column)))].sort((a, b) => a - b)
      for (const [i, cell] of cells.entries()) {
        const next = cells[i + 1]
        if (!isName(cell) && next === undefined) continue
        const middle = isName(cell) ? cell : (cell + Math.min(next!, 65_536)) / 2
        const isLeft = (v: Float32Array) => (isName(cell) ? cellOf(v, column) === cell : cellOf(v, column) < middle)
        const left = examples.filter(({ values }) => isLeft(values))
        const right = examples.filter(({ values }) => !isLeft(values))
        if (left.length < 2 || right.length < 2) continue
        const purity = purityOf(left) + purityOf(right)
        if (purity > best.purity) best = { purity, isLeft }
      }
    }
    const { isLeft } = best
    if (isLeft === undefined) return () => leaf
    const left = slowTree(
      examples.filter(({ values }) => isLeft(values)),
      classes,
      depth + 1,
    )
    const right = slowTree(
      examples.filter(({ values }) => !isLeft(values)),
      classes,
      depth + 1,
    )
    return (values) => (isLeft(values) ? left(values) : right(values))
  }

  test('is that of a search through every question, on rows of numbers, names and gaps', () => {
    for (const [seed, count, classes] of [
      [1, 40, 2],
      [2, 90, 3],
      [3, 150, 4],
      [4, 5, 2],
      [5, 1, 1],
    ] as const) {
      const examples = mixedExamples(seed, count, classes)
      const [fast, slow] = [growTree(examples, classes), slowTree(examples, classes)]
      for (const { values } of [...examples, ...mixedExamples(seed + 10, 200, classes)]) {
        expect(fast.predict(values), `seed ${seed}`).toBe(slow(values))
      }
    }
  })

  test('separates negative numbers, numbers from names, and one name from others', () => {
    const example = (cell: number, label: number): Example => ({ hash: 0, label, values: Float32Array.of(cell) })
    const cells = [-1e30, -2, -1, 65_535.9, ...NAMES]
    const twice = cells.flatMap((cell, label) => [example(cell, label), example(cell, label)])
    const tree = growTree(twice, cells.length)
    expect(cells.map((cell) => tree.predict(Float32Array.of(cell)))).toEqual([0, 1, 2, 3, 4, 5, 6])
  })
})

describe('the logistic regression', () => {
  test('learns a plane through numbers of very different size, and an effect of names', () => {
    const next = random(3)
    const make = (): Example => {
      const [a, b, name] = [1000 * next(), 0.001 * next(), NAMES[Math.floor(3 * next())]!]
      const label = Number(a / 1000 + 1000 * b + (name === NAMES[1] ? 0.8 : 0) > 1.2)
      return { hash: 0, label, values: Float32Array.of(a, b, name, 7) }
    }
    const model = fitLinear(Array.from({ length: 500 }, make), 2)
    const fresh = Array.from({ length: 1000 }, make)
    expect(fresh.filter(({ values, label }) => model.predict(values) === label).length).toBeGreaterThan(960)
  })

  test('bears more classes than it has weights', () => {
    const examples = Array.from({ length: 60 }, (_, i) => ({ hash: 0, label: i, values: Float32Array.of(i) }))
    expect(fitLinear(examples, 4000).predict(Float32Array.of(5))).toBeGreaterThanOrEqual(0)
  })
})

describe('the measure', () => {
  test('of 8 labels of which 6 are guessed, 5 of one kind, is (0.75 − 0.625) ÷ 0.375', () => {
    const pairs = new Pairs()
    const given = [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 1],
      [2, 1],
    ] as const
    for (const [label, guess] of given) pairs.add(Pairs.codeOf(label, guess), 1)
    const { agreement, majority, compared, informationGain } = pairs.agreement()
    expect({ agreement, majority, compared }).toEqual({ agreement: 0.75, majority: 0.625, compared: 8 })
    expect(Math.abs(beyondMajority(agreement, majority) - 1 / 3)).toBeLessThan(1e-12)
    // H(labels) = 1.29879 bits; H(labels | guess): nothing where 0 is guessed, of 1, 2, 1 in half the cases 1.5 bits.
    expect(Math.abs(informationGain - (1 - 0.75 / 1.2987949406953985))).toBeLessThan(1e-12)
  })

  test('is 0 where there is one label only, or nothing', () => {
    const pairs = new Pairs()
    expect(pairs.agreement()).toMatchObject({ compared: 0, agreement: 0, majority: 1, informationGain: 0 })
    pairs.add(Pairs.codeOf(3, 3), 1)
    expect(pairs.agreement()).toMatchObject({ agreement: 1, majority: 1, informationGain: 0 })
    expect(beyondMajority(1, 1)).toBe(0)
  })

  test('a lower limit is the one-sided one: of 10 in 10 at 95 % it is 0.05^(1/10)', () => {
    const limits = new LowerLimits(0.95)
    expect(Math.abs(limits.of(10, 10) - 0.05 ** 0.1)).toBeLessThan(1e-12)
    expect(limits.of(0, 7)).toBe(0)
    expect(limits.of(10, 10)).toBe(new LowerLimits(0.95).of(10, 10))
  })
})

/** What the rule says, with whole lists and nothing kept up to date. */
function slowStatus(
  rows: readonly Vector[],
  model: Model,
  classes: number,
  { window, maxBytes }: { window: number; maxBytes: number },
) {
  let learned: Example[] = []
  let waiting: Example[] = []
  let limit = Infinity
  const track: { label: number; foretold: number; tree: boolean; linear: boolean }[] = []
  return rows.map((row) => {
    const values = Float32Array.from(row)
    const example = { values, label: model(row), hash: hashOf(values, 0) }
    const isKnown = [...learned, ...waiting].some(({ hash }) => hash === example.hash)
    const lead = () => {
      const recent = track.slice(-window)
      return recent.filter(({ linear: hit }) => hit).length > recent.filter(({ tree: hit }) => hit).length
    }
    if (!isKnown && learned.length > 0) {
      // Classes that were not seen change neither model.
      const labels = [...new Set(learned.map(({ label }) => label))].sort((a, b) => a - b)
      const own = learned.map((one) => ({ ...one, label: labels.indexOf(one.label) }))
      const tree = labels[growTree(own, labels.length).predict(values)]!
      const line = labels[fitLinear(own, labels.length).predict(values)]!
      const { label } = example
      track.push({ label, foretold: lead() ? line : tree, tree: tree === label, linear: line === label })
    }
    if (!isKnown && example.hash < limit) waiting.push(example)
    if (waiting.length >= Math.min(Math.max(8, learned.length / 8), 48)) {
      const all = [...learned, ...waiting].sort((a, b) => a.hash - b.hash)
      const sizes = all.map(({ values: own }) => 4 * own.length + 12)
      const fits = all.filter((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b) <= maxBytes)
      if (fits.length < all.length) limit = all[fits.length]!.hash
      learned = fits
      waiting = []
    }
    const recent = track.slice(-window)
    const agreed = recent.filter(({ label, foretold }) => label === foretold).length
    const most = Math.max(
      ...Array.from({ length: classes }, (_, k) => recent.filter(({ label }) => label === k).length),
    )
    return { compared: recent.length, agreed, most, kept: learned.length + waiting.length }
  })
}

describe('the rule', () => {
  test('is that of a slow restatement, query by query', () => {
    const rows = uniformRows(11, 260, 3).map((row, i, all) => (i % 5 === 4 ? all[i - 3]! : row))
    const config = { window: 40, warmUp: 10, maxBytes: 2048 }
    for (const [model, classes] of [
      [linear, 2],
      [threeWays, 3],
    ] as const) {
      const slow = slowStatus(rows, model, classes, config)
      for (const [i, { metadata }] of follow(rows, model, classes, config).entries()) {
        const { compared, agreed, most, kept } = slow[i]!
        expect({ compared: metadata.compared, kept: metadata.historySize }, `query ${i}`).toEqual({ compared, kept })
        if (compared === 0) continue
        expect(metadata.agreement, `query ${i}`).toBe(agreed / compared)
        expect(metadata.majority, `query ${i}`).toBe(most / compared)
      }
    }
  })

  test('nothing is decided before the warm-up, and the score is then the lower limit beyond the majority', () => {
    const found = follow(uniformRows(12, 200), linear, 2, { warmUp: 50 })
    const first = found.findIndex(({ metadata }) => metadata.compared === 50)
    expect(first).toBe(57) // eight rows are learned before the first is foretold
    expect(found.slice(0, first).every(({ score }) => score === 0)).toBe(true)
    expect(found[first - 1]!.reason).toBe('49 new queries were foretold; nothing is decided before there are 50.')
    const { score, metadata } = found[199]!
    const { agreement, majority, compared, status } = metadata
    const low = new LowerLimits(0.95).of(Math.round(agreement * compared), compared)
    expect(Math.abs(score - (low - majority) / (1 - majority))).toBeLessThan(1e-12)
    expect(Math.abs(status - (agreement - majority) / (1 - majority))).toBeLessThan(1e-12)
    expect(score).toBeLessThan(status)
  })

  test('a query that is kept counts for nothing, however often it comes', () => {
    const d = detector({ warmUp: 10, window: 10 })
    const rows = uniformRows(13, 12)
    let last: Detection<ExtractionStatusMetadata> | undefined
    for (let i = 0; i < 1000; i++) last = d.process(observe(rows[i % 12]!, linear(rows[i % 12]!), 2))
    expect(last).toMatchObject({ score: 0, metadata: { repeated: true, foretold: null, compared: 4, historySize: 12 } })
  })

  test('another answer to a kept query takes the place of the first', () => {
    const d = detector({ warmUp: 10, window: 10 })
    const rows = uniformRows(14, 16)
    for (const row of rows) d.process(observe(row, linear(row), 2))
    const changed = rows.map((row) => d.process(observe(row, 1 - linear(row), 2)))
    expect(changed.every(({ metadata }) => !metadata.repeated)).toBe(true)
    expect(d.process(observe(rows[3]!, 1 - linear(rows[3]!), 2)).metadata.repeated).toBe(true)
    expect(d.size()).toBe(16)
  })

  test('a model of one answer is not stolen by who foretells it', () => {
    const last = follow(uniformRows(15, 400), () => 1, 2).at(-1)!
    expect(last).toMatchObject({ score: 0, suspicious: false, metadata: { agreement: 1, majority: 1, status: 0 } })
  })

  test('answers by chance among ten classes cannot be reproduced', () => {
    const next = random(16)
    const found = follow(uniformRows(16, 3000), () => Math.floor(10 * next()), 10)
    expect(Math.max(...found.map(({ score }) => score))).toBeLessThan(0.05)
  })

  test('a vector is read up to its 256th number, and to 32 bits', () => {
    const d = detector()
    const row = Array.from({ length: 300 }, (_, i) => i / 7)
    d.process(observe(row, 0, 2))
    const twin = row.map((value, i) => (i < 256 ? Math.fround(value) : 0))
    expect(d.process(observe(twin, 0, 2)).metadata.repeated).toBe(true)
    expect(d.process(observe([0, ...twin.slice(1)], 0, 2)).metadata.repeated).toBe(true)
    expect(d.process(observe([-0, ...twin.slice(1)], 0, 2)).metadata.repeated).toBe(true)
  })
})

describe('models that are copied', () => {
  const held = uniformRows(99, 1000)

  test.each([
    ['a plane', linear, 2, 'linear'],
    ['a tree', threeWays, 3, 'tree'],
  ] as const)('%s is reproduced more and more, and the score keeps below the truth', (_, model, classes, surrogate) => {
    const probes = extractionProbes(held.map((row) => observe(row, model(row), classes)))
    const rows = uniformRows(17, 3000)
    const own = follow(rows, model, classes)
    const measured = follow(rows, model, classes, { probes })
    const at = [200, 400, 800, 1600, 2999]
    // The status on a thousand probes is the truth, within 0.02.
    const truth = at.map((i) => measured[i]!.metadata.status)
    const scores = at.map((i) => own[i]!.score)
    for (const [i, score] of scores.entries()) expect(score, `after ${at[i]}`).toBeLessThan(truth[i]! + 0.02)
    expect(truth.at(-1)!).toBeGreaterThan(0.95)
    expect(truth.at(-1)! - scores.at(-1)!).toBeLessThan(0.07)
    expect(scores[0]!).toBeLessThan(scores[2]!)
    expect(scores[2]!).toBeGreaterThan(0.8)
    expect(measured.at(-1)!.score).toBeLessThan(truth.at(-1)!)
    expect(own.at(-1)).toMatchObject({ suspicious: true, metadata: { surrogate } })
  })

  test('what is told of probes is what the copy answers to them', () => {
    const rows = uniformRows(18, 300)
    const probes = held.slice(0, 60)
    const config = { probes: extractionProbes(probes.map((row) => observe(row, threeWays(row), 3))), warmUp: 50 }
    const d = detector(config)
    let last: Detection<ExtractionStatusMetadata> | undefined
    for (const row of rows) last = d.process(observe(row, threeWays(row), 3))
    const right = probes.filter((row) => {
      const copy = detector(config)
      copy.restore(d.snapshot())
      return copy.process(observe(row, threeWays(row), 3)).metadata.foretold === threeWays(row)
    })
    expect(last!.metadata.agreement).toBe(right.length / 60)
    expect(last!.metadata.compared).toBe(60)
    expect(last!.reason).toMatch(/^This client can now reproduce \d\d % of the model's answers to 60 held-out rows; /)
  })

  test('probes tell a client that asks in one corner from one that asks everywhere', () => {
    const probes = extractionProbes(held.map((row) => observe(row, threeWays(row), 3)))
    const corner = uniformRows(19, 1500).map((row) => row.map((value, i) => (i < 4 ? 0.35 + 0.15 * value : value)))
    const narrow = follow(corner, threeWays, 3, { probes }).at(-1)!
    const broad = follow(uniformRows(19, 1500), threeWays, 3, { probes }).at(-1)!
    expect(narrow.score).toBeLessThan(0.5)
    expect(broad.score).toBeGreaterThan(0.9)
  })
})

describe('what it keeps', () => {
  test('takes 64 kB at most at the defaults, and the same for any order of the queries', () => {
    for (const [length, classes] of [
      [1, 2],
      [6, 10],
      [15, 2],
      [15, 1000],
      [256, 100],
    ] as const) {
      const d = detector()
      const next = random(20)
      const rows = uniformRows(21, 2500, length)
      const observations = rows.map((row) => observe(row, Math.floor(classes * next()), classes))
      let most = 0
      for (const one of observations.slice(0, length === 256 ? 300 : 2500)) {
        d.process(one)
        most = Math.max(most, d.bytes())
      }
      expect(most, `${length} columns, ${classes} classes`).toBeLessThanOrEqual(65_536)
    }
  }, 60_000)

  test('is uniform over distinct queries: which of them, their order does not change', () => {
    const rows = uniformRows(22, 801)
    const kept = [rows, [...rows].reverse()].map((list) => {
      const d = detector({ maxBytes: 1024 })
      for (const row of list) d.process(observe(row, 0, 2))
      const { sample } = d.snapshot().state as unknown as {
        sample: { learned: { values: Float32Array }; waiting: { values: Float32Array } }
      }
      return new Set([...sample.learned.values, ...sample.waiting.values])
    })
    // Those that wait differ; most agree.
    const shared = [...kept[0]!].filter((value) => kept[1]!.has(value)).length
    expect(shared / Math.max(kept[0]!.size, kept[1]!.size)).toBeGreaterThan(0.8)
  })

  test('goes on only under the same key, and refuses states that no stream makes', () => {
    const d = detector({ warmUp: 10, window: 20, maxBytes: 1024 })
    for (const row of uniformRows(23, 90)) d.process(observe(row, linear(row), 2))
    const good = d.snapshot()
    expect(() => detector({ warmUp: 10, window: 20, maxBytes: 1024, key: 1 }).restore(good)).toThrow('same key')
    expect(() => detector({ warmUp: 10, window: 10, maxBytes: 1024 }).restore(good)).toThrow('state.outcomes')
    interface State {
      sample: { learned: Record<string, never>; waiting: Record<string, never>; limit: number }
      outcomes: Float64Array
      classes: number
    }
    const changes: ((state: State) => unknown)[] = [
      (state) => ({ ...state, classes: 1 }),
      (state) => ({ ...state, outcomes: state.outcomes.map(() => -1) }),
      (state) => ({ ...state, outcomes: state.outcomes.map((code) => code + 0.5) }),
      (state) => ({ ...state, outcomes: state.outcomes.map(() => 4 * (1e6 * 2 + 1)) }),
      (state) => ({ ...state, outcomes: state.outcomes.map(() => 4 * 2) }),
      (state) => ({ ...state, sample: { ...state.sample, limit: 0 } }),
      (state) => ({ ...state, sample: { ...state.sample, waiting: state.sample.learned } }),
      (state) => ({
        ...state,
        sample: { ...state.sample, learned: { ...state.sample.learned, labels: new Uint32Array(3) } },
      }),
      (state) => ({ ...state, sample: { ...state.sample, learned: empty() } }),
    ]
    for (const [i, change] of changes.entries()) {
      const snapshot = { ...good, state: change(structuredClone(good.state) as unknown as State) } as Snapshot
      expect(() => d.restore(snapshot), `change ${i}`).toThrow(expect.objectContaining({ code: 'bad_snapshot' }))
      expect(d.snapshot()).toEqual(good)
    }
  })

  function empty() {
    return { labels: new Uint32Array(0), ends: new Uint32Array(0), values: new Float32Array(0) }
  }
})

test('options and probes are refused with their place', () => {
  const probe = { vector: [1, 2], label: 0 }
  const probes = Array.from({ length: 50 }, () => probe)
  const refused: [Partial<ExtractionStatusConfig>, path: string][] = [
    [{ threshold: 0 }, 'extraction_status.threshold'],
    [{ confidence: 1 }, 'extraction_status.confidence'],
    [{ warmUp: 301 }, 'extraction_status.warmUp'],
    [{ window: 9 }, 'extraction_status.window'],
    [{ maxBytes: 1023 }, 'extraction_status.maxBytes'],
    [{ key: -1 }, 'extraction_status.key'],
    [{ outputs: 'labels' as never }, 'extraction_status.outputs'],
    [{ probes: probes.slice(1) }, 'extraction_status.probes'],
    [{ probes: [...probes, { vector: [], label: 0 }] }, 'extraction_status.probes[50].vector'],
    [{ probes: [...probes, { vector: ['1'] as never, label: 0 }] }, 'extraction_status.probes[50].vector'],
    [{ probes: [...probes, { ...probe, label: 0.5 }] }, 'extraction_status.probes[50].label'],
  ]
  for (const [config, path] of refused) {
    expect(() => detector(config), path).toThrow(expect.objectContaining({ code: 'bad_config', path }))
  }
  expect(() => extractionProbes([])).toThrow(expect.objectContaining({ code: 'bad_query', path: 'observations' }))
})

test('raw rows go through a schema, and texts and pictures are none of its business', async () => {
  const d = getDetector('extraction_status', { schema: { id: { type: 'ignore' } }, warmUp: 10 })
  await d.process({ input: { id: 1, age: 30, city: 'Bonn' }, modelOutput: [0.9, 0.1] })
  const again = await d.process({ input: { city: 'Bonn', id: 2, age: '30' }, modelOutput: [0.8, 0.2] })
  expect(again.metadata.repeated).toBe(true)
  const failed = await d.process({ input: { id: 1, age: 30 } } as never).catch((thrown: unknown) => thrown)
  expect(isMonitorError(failed) && failed.path).toBe('modelOutput')
})

const FILES = [
  'tabular/adult.csv',
  'models/tabular/adult-mlp/model.onnx',
  'models/tabular/adult-mlp/preprocessing.json',
]
const absent = FILES.filter((file) => !hasData(file))

describe.skipIf(absent.length > 0)(
  `people of a census before a neural network${absent.length > 0 ? ` (skipped: no ${absent.join(', ')})` : ''}`,
  () => {
    interface Preprocessing {
      readonly numeric: readonly { name: string; log1p: boolean; mean: number; std: number }[]
      readonly categorical: readonly { name: string; categories: readonly string[] }[]
    }

    async function people() {
      const { numeric, categorical } = JSON.parse(readFileSync(join(dataDir(), FILES[2]!), 'utf8')) as Preprocessing
      const rows: Row[] = tableOf('adult').map((cells) => {
        const used = [...numeric, ...categorical].map(({ name }) => [name, cells[name]!] as const)
        return Object.fromEntries(used)
      })
      const model = fromOnnx<Row>({
        model: new Uint8Array(await readFile(join(dataDir(), FILES[1]!))),
        output: 'probabilities',
        backend: 'wasm',
        maxQueue: 4000,
        input: (row) => {
          const numbers = numeric.map(({ name, log1p, mean, std }) => {
            const value = Number(row[name])
            return ((log1p ? Math.log1p(value) : value) - mean) / std
          })
          const flags = categorical.flatMap(({ name, categories }) =>
            categories.map((one) => Number(row[name] === one)),
          )
          const data = Float32Array.from([...numbers, ...flags])
          return { input: { data, dims: [1, data.length], type: 'float32' } }
        },
      })
      const answers = await Promise.all(rows.map((row) => model(row)))
      await model.dispose()
      return rows.map((row, i) => ({ vector: scaledRow(row), probabilities: Array.from(answers[i]!) }))
    }

    test('who asks broadly can reproduce more than who asks for the same few', async () => {
      const all = await people()
      const next = random(24)
      const [asked, probes] = [all.slice(0, 1500), extractionProbes(all.slice(1500))]
      const few = asked.slice(0, 40)
      const again = Array.from({ length: 1500 }, () => few[Math.floor(few.length * next())]!)
      const lastOf = (queries: typeof all, config: Partial<ExtractionStatusConfig>) => {
        const d = detector({ warmUp: 20, ...config })
        return queries.map((query) => d.process(query)).at(-1)!
      }
      const broad = { own: lastOf(asked, {}), measured: lastOf(asked, { probes }) }
      const narrow = { own: lastOf(again, {}), measured: lastOf(again, { probes }) }
      expect(broad.measured.metadata.agreement).toBeGreaterThan(0.92)
      expect(broad.measured.suspicious).toBe(true)
      expect(broad.measured.score).toBeGreaterThan(narrow.measured.score + 0.1)
      expect(broad.own.score).toBeGreaterThan(narrow.own.score + 0.1)
      expect(broad.own.score).toBeLessThan(broad.measured.metadata.status)
      expect(narrow.own.suspicious || narrow.measured.suspicious).toBe(false)
    })
  },
)
