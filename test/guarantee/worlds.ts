/**
 * What is asked of a model, for simulations: real texts, rows or pictures with a simple model behind them, or invented
 * texts where there is no data. A third of the inputs makes the model, a third is for calibration, a third for the test.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  embedPixels,
  embedRow,
  embedText,
  type Observation,
  type Pixels,
  perceptualHash,
  type Row,
  rowFingerprint,
  softmax,
  textFingerprint,
} from '../../src/core/index.ts'
import type { MonitoredDetector } from '../../src/core/monitor/index.ts'
import { dataDir, hasData } from '../tools/data.ts'
import { random } from '../tools/random.ts'
import { tableOf } from '../tools/tables.ts'

/** One query, as the detectors of its world see it. */
export interface Item<Input = unknown> {
  readonly input: Input
  readonly observations: readonly Observation[]
}

/** Which inputs: those of calibration, or those of the test. */
export type Part = 'calibration' | 'test'

export interface World {
  readonly name: string
  readonly detectors: readonly MonitoredDetector[]
  /** The distinct inputs of a part, each with what the model is about to answer. */
  readonly items: Readonly<Record<Part, readonly (Item & { readonly label: string; readonly margin: number })[]>>
  /** The same with a small change, as people make them. */
  near(item: Item, next: () => number): Item
  /** The same with the least change that an attacker makes. */
  probe(item: Item, next: () => number): Item
  /** Step `k` of a sweep that begins at an item. */
  step(item: Item, k: number): Item
}

/** What the kinds of input differ in. */
interface Kind<Input> {
  readonly name: string
  readonly prefix: 'text' | 'tabular' | 'image'
  readonly inputs: readonly { readonly input: Input; readonly label: string }[]
  embed(input: Input): ArrayLike<number>
  /** What the similarity detector eats. */
  similarity(input: Input): Observation
  fingerprint(input: Input): string
  near(input: Input, next: () => number): Input
  probe(input: Input, next: () => number): Input
  step(input: Input, k: number): Input
}

function worldOf<Input>(kind: Kind<Input>): World {
  const { name, prefix, inputs } = kind
  const shuffled = shuffle(inputs, random(1))
  const model = centroids(
    shuffled.filter((_, i) => i % 3 === 0).map(({ input, label }) => ({ vector: kind.embed(input), label })),
  )
  const itemOf = (input: Input): Item => {
    const probabilities = model(kind.embed(input))
    return {
      input,
      observations: [kind.similarity(input), { fingerprint: kind.fingerprint(input) }, { probabilities }],
    }
  }
  const partOf = (part: number) =>
    shuffled
      .filter((_, i) => i % 3 === part)
      .map(({ input, label }) => {
        const item = itemOf(input)
        return { ...item, label, margin: marginOf(item.observations[2]!.probabilities!) }
      })
  return {
    name,
    detectors: [
      { name: `${prefix}_similarity` },
      { name: `${prefix}_repetition` },
      { name: 'confidence', mode: 'margin' },
    ],
    items: { calibration: partOf(1), test: partOf(2) },
    near: ({ input }, next) => itemOf(kind.near(input as Input, next)),
    probe: ({ input }, next) => itemOf(kind.probe(input as Input, next)),
    step: ({ input }, k) => itemOf(kind.step(input as Input, k)),
  }
}

function marginOf(probabilities: ArrayLike<number>): number {
  const [first = 0, second = 0] = Array.from(probabilities).sort((a, b) => b - a)
  return first - second
}

/** The nearest class mean, by the cosine: as simple as a model can be, and unsure where classes meet. */
function centroids(known: readonly { readonly vector: ArrayLike<number>; readonly label: string }[]) {
  const labels = [...new Set(known.map(({ label }) => label))].sort()
  const means = labels.map((label) => {
    const own = known.filter((one) => one.label === label)
    const mean = Float64Array.from(own[0]!.vector, (_, i) => own.reduce((sum, { vector }) => sum + vector[i]!, 0))
    const norm = Math.sqrt(mean.reduce((sum, v) => sum + v * v, 0)) || 1
    return mean.map((v) => v / norm)
  })
  return (vector: ArrayLike<number>) =>
    softmax(means.map((mean) => 20 * mean.reduce((sum, v, i) => sum + v * vector[i]!, 0)))
}

function shuffle<T>(list: readonly T[], next: () => number): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * next())
    ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
  }
  return copy
}

const pick = <T>(list: readonly T[], next: () => number): T => list[Math.floor(next() * list.length)]!

function textWorld(name: string, inputs: readonly { readonly input: string; readonly label: string }[]): World {
  return worldOf<string>({
    name,
    prefix: 'text',
    inputs,
    embed: embedText,
    similarity: (text) => ({ embedding: embedText(text) }),
    fingerprint: (text) => textFingerprint(text),
    near(text, next) {
      const words = text.split(' ')
      words[Math.floor(next() * words.length)] = String(Math.floor(1000 * next()))
      return words.join(' ')
    },
    probe(text, next) {
      const at = Math.floor(next() * text.length)
      return text.slice(0, at) + pick([...'abcdefghijklmnopqrstuvwxyz'], next) + text.slice(at + 1)
    },
    step: (text, k) => `${text} ${5 * k} EUR`,
  })
}

const TEXTS = 'text/banking77.csv'
const PICTURES = 'images/cifar10/cifar10_test_0-100_per_class.bin'
const TABLE = 'tabular/adult.csv'

export const missing: readonly string[] = [TEXTS, TABLE, PICTURES].filter((file) => !hasData(file))

/** Questions to a bank. */
export function bankWorld(): World {
  const lines = readFileSync(join(dataDir(), TEXTS), 'utf8').trim().split('\n').slice(1)
  const known = lines.map((line) => {
    const [, quoted, plain, label = ''] = /^(?:"((?:[^"]|"")*)"|([^,]*)),(\w+)\r?$/.exec(line) ?? []
    return { input: (quoted ?? plain ?? '').replaceAll('""', '"'), label }
  })
  return textWorld(
    'texts',
    known.filter(({ input, label }) => input !== '' && label !== ''),
  )
}

/** Sentences of invented words, each topic with words of its own. */
export function inventedWorld(): World {
  const next = random(7)
  const word = () => Array.from({ length: 2 + Math.floor(2 * next()) }, () => pick(SYLLABLES, next)).join('')
  const common = Array.from({ length: 200 }, word)
  const topics = Array.from({ length: 30 }, () => Array.from({ length: 40 }, word))
  const inputs = Array.from({ length: 1500 }, (_, i) => {
    const topic = topics[i % topics.length]!
    const words = Array.from({ length: 6 + Math.floor(10 * next()) }, () => pick(next() < 0.5 ? topic : common, next))
    return { input: words.join(' '), label: `topic ${i % topics.length}` }
  })
  return textWorld('invented texts', inputs)
}

const SYLLABLES = ['ka', 'lo', 'mi', 'ren', 'tu', 'sa', 'por', 'el', 'na', 'vi', 'dor', 'es', 'qui', 'ba', 'ter', 'ju']

/** People of a census. */
export function censusWorld(): World {
  const numbers = ['age', 'fnlwgt', 'education_num', 'capital_gain', 'capital_loss', 'hours_per_week']
  const inputs = tableOf('adult').map(({ income, ...cells }) => {
    const row: Record<string, string | number> = { ...cells }
    for (const column of numbers) row[column] = Number(row[column])
    return { input: row as Row, label: `${income} ${row['relationship']}` }
  })
  const moved = (row: Row, column: string, by: number): Row => ({ ...row, [column]: Number(row[column]) + by })
  return worldOf<Row>({
    name: 'rows',
    prefix: 'tabular',
    inputs,
    embed: (row) => embedRow(row),
    similarity: (row) => ({ row }),
    fingerprint: (row) => rowFingerprint(row),
    near: (row, next) => moved(row, pick(['age', 'hours_per_week'], next), next() < 0.5 ? -1 : 1),
    probe: (row, next) => moved(row, 'fnlwgt', 1 + Math.floor(1000 * next())),
    step: (row, k) => ({ ...row, hours_per_week: 10 + 2 * k }),
  })
}

/** Small photos of ten kinds of things. */
export function pictureWorld(): World {
  const side = 32
  const plane = side * side
  const bytes = readFileSync(join(dataDir(), PICTURES))
  const inputs = Array.from({ length: Math.floor(bytes.length / (3 * plane + 1)) }, (_, n) => {
    const at = n * (3 * plane + 1)
    const data = Uint8Array.from({ length: 3 * plane }, (_, i) => bytes[at + 1 + (i % 3) * plane + Math.floor(i / 3)]!)
    return { input: { data, width: side, height: side, channels: 3 } as Pixels, label: String(bytes[at]) }
  })
  const mapped = (pixels: Pixels, change: (value: number, i: number) => number): Pixels => {
    return { ...pixels, data: Uint8ClampedArray.from(pixels.data as Uint8Array, change) }
  }
  return worldOf<Pixels>({
    name: 'pictures',
    prefix: 'image',
    inputs,
    embed: (pixels) => embedPixels(pixels),
    similarity: (pixels) => ({ embedding: embedPixels(pixels) }),
    fingerprint: perceptualHash,
    near: (pixels, next) => mapped(pixels, (value) => value + 60 * (next() - 0.5)),
    probe: (pixels, next) => mapped(pixels, (value) => value + (next() < 0.5 ? -4 : 4)),
    step: (pixels, k) => mapped(pixels, (value) => value * (0.7 + 0.03 * k)),
  })
}
