/** The statistics: functions over samples, and small machines over a stream of numbers. A new one adds a line. */
import {
  Adwin,
  ConformalScale,
  Cusum,
  clopperPearson,
  conformalPValue,
  eBenjaminiHochberg,
  FeatureMean,
  grubbs,
  grubbsOutliers,
  KendallWindow,
  kendallTau,
  meanLogE,
  mixtureLogE,
  mmdSquared,
  mmdSquaredOfMeans,
  type PlainData,
  PowerProcess,
  powerLogE,
  QuantileSketch,
  RandomFeatures,
  SequentialRanks,
  SimpleJumper,
  shapiroWilk,
} from 'monitaur/core'
import { normal, random, vector } from '../../tools/random.ts'
import { type FeatureLine, feature } from './feature.ts'
import { ODD_NUMBERS } from './odd.ts'
import { pick, stream, withOdd } from './values.ts'

type List = readonly number[]

export const STATISTICS: readonly FeatureLine[] = [
  of('kendallTau', pairs, ([x, y]: [List, List]) => kendallTau(x, y)),
  of('shapiroWilk', samples, (x: List) => shapiroWilk(x)),
  of('mmdSquared', clouds, ([x, y]: [List[], List[]]) => mmdSquared(x, y, { bandwidths: [0.5, 2] })),
  of('grubbs', samples, (x: List) => grubbs(x, 0.05)),
  of('grubbsOutliers', samples, (x: List) => grubbsOutliers(x, 0.2)),
  of('conformalPValue', samples, (x: List) => conformalPValue(x, 0.5)),
  of('clopperPearson', counts, ([k, n, alpha]: [number, number, number]) => clopperPearson(k, n, alpha)),
  of('e-values', pValues, (p: number) => [powerLogE(p, 0.3), mixtureLogE(p)]),
  of('eBenjaminiHochberg', samples, (x: List) => [eBenjaminiHochberg(x, 0.3), meanLogE(x)]),
  machine(
    'Adwin',
    shares,
    () => new Adwin(),
    (m, value) => [m.push(value), m.size, m.mean],
  ),
  machine(
    'Cusum',
    anyNumbers,
    () => new Cusum({ allowance: 0.5, limit: 4 }),
    (m, z) => [m.push(z) ?? m.sum, m.isAlarm],
  ),
  machine(
    'KendallWindow',
    anyNumbers,
    () => new KendallWindow(40),
    (m, value) => [m.push(value) ?? m.tau, m.size],
  ),
  machine(
    'PowerProcess',
    pValues,
    () => new PowerProcess(),
    (m, p) => m.push(p) ?? m.logE,
  ),
  machine(
    'SimpleJumper',
    pValues,
    () => new SimpleJumper({ sides: 'both' }),
    (m, p) => m.push(p) ?? m.logE,
  ),
  machine(
    'QuantileSketch',
    anyNumbers,
    () => new QuantileSketch({ size: 16 }),
    (m, value) => {
      m.push(value)
      return [m.quantile(0.5), m.quantile(0.99), m.countUpTo(0), m.rankError]
    },
  ),
  machine(
    'SequentialRanks',
    anyNumbers,
    () => new SequentialRanks(30),
    (m, score) => m.push(score, 0.25),
  ),
  { subject: 'statistics', mode: 'ConformalScale', inputs: anyNumbers, start: overScale },
  { subject: 'statistics', mode: 'RandomFeatures', inputs: points, start: overFeatures },
]

function of<In>(mode: string, inputs: () => readonly unknown[], take: (input: In) => unknown): FeatureLine {
  return feature('statistics', mode, inputs, take)
}

interface Machine {
  save(): PlainData
  load(state: PlainData): void
}

/** What the machine says after each number, its state, and the same from a machine that has taken that state over. */
function machine<M extends Machine>(
  mode: string,
  inputs: () => readonly unknown[],
  make: () => M,
  step: (machine: M, value: number) => unknown,
): FeatureLine {
  const start = () => {
    let held = make()
    return (value: number) => {
      const found = step(held, value)
      const state = held.save()
      held = make()
      held.load(state)
      return [found, state] as PlainData
    }
  }
  return { subject: 'statistics', mode, inputs, start }
}

function overScale() {
  const scale = new ConformalScale(stream((next) => normal(next)))
  return (score: number) => [scale.pValue(score), scale.smoothedPValue(score, 0.5)]
}

/** Two running means of random features, whose distance is that of the two halves of the stream. */
function overFeatures() {
  const features = new RandomFeatures({ dimension: 6, bandwidths: [1, 3], frequencies: 16 })
  const means = [0, 1].map(() => new FeatureMean({ length: features.length, decay: 0.99 })) as [
    FeatureMean,
    FeatureMean,
  ]
  let at = 0
  return (point: List) => {
    const mapped = features.map(point)
    means[at++ % 2]!.push(mapped)
    return at < 6 ? mapped : [mapped, mmdSquaredOfMeans(...means)]
  }
}

/** Samples of 1 … 40 numbers, some of them with ties or far from zero. */
function samples(): unknown[] {
  const good = stream((next) => {
    const [scale, ties] = [pick([1, 1e-6, 1e6], next), next() < 0.3]
    return Array.from({ length: 1 + Math.floor(40 * next()) }, () => {
      return scale * (ties ? Math.floor(6 * next()) : normal(next))
    })
  })
  return withOdd(
    good,
    ODD_NUMBERS.filter((odd) => odd !== null),
  )
}

function pairs(): unknown[] {
  const good = stream((next) => {
    const x = Array.from({ length: 2 + Math.floor(40 * next()) }, () => Math.floor(20 * next()))
    return [x, x.map((value) => (next() < 0.5 ? value : 20 * next()))]
  })
  return withOdd(good, [
    [[1, 2], [1]],
    [[], []],
    [
      [1, Number.NaN],
      [1, 2],
    ],
    [
      [3, 3],
      [1, 2],
    ],
  ])
}

function clouds(): unknown[] {
  const cloud = (next: () => number, at: number) =>
    Array.from({ length: 2 + Math.floor(8 * next()) }, () => Array.from(vector(next, 3), (value) => value + at))
  const good = stream((next) => [cloud(next, 0), cloud(next, 2 * next())])
  return withOdd(good, [
    [[], []],
    [
      [[1], [2]],
      [
        [1, 2],
        [2, 3],
      ],
    ],
    [
      [[1], [Number.NaN]],
      [[1], [2]],
    ],
  ])
}

function counts(): unknown[] {
  const good = stream((next) => {
    const n = 1 + Math.floor(pick([10, 1000, 1e6], next) * next())
    return [pick([0, n, Math.floor(n * next())], next), n, pick([0.05, 0.5, 1e-6], next)]
  })
  return withOdd(good, [
    [2, 1, 0.05],
    [0, 0, 0.05],
    [1, 2, 0],
    [0.5, 2, 0.1],
  ])
}

function pValues(): unknown[] {
  const good = stream((next) => pick([next(), next() * next(), 1e-9 * next(), 1], next) || 1)
  return withOdd(good, [0, 1, -0.1, 1.1, Number.NaN, 5e-324])
}

function shares(): unknown[] {
  let i = 0
  const good = stream((next) => (i++ < 90 ? 0.3 : 0.7) * next())
  return withOdd(good, [0, 1, -0.1, 1.1, Number.NaN])
}

function anyNumbers(): unknown[] {
  const good = stream((next) => pick([normal(next), Math.floor(5 * next()), 100 * normal(next)], next))
  return withOdd(good, [Number.NaN, Number.NEGATIVE_INFINITY, -0, 5e-324])
}

function points(): unknown[] {
  const next = random(6)
  return withOdd(
    stream(() => Array.from(vector(next, 6))),
    [[], [1], [1, 2, 3, 4, 5, Number.NaN]],
  )
}
