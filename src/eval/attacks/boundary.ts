import { defineAttack } from '../define.ts'
import { clip, distance } from '../picture.ts'
import type { Random } from '../random.ts'
import type { Picture } from '../types.ts'
import { isReached } from './aims.ts'
import { findStart, type LabelConfig, type StartConfig, succeedsNear } from './labels.ts'

export interface BoundaryConfig extends LabelConfig, StartConfig {
  /** Length of the first step around the source, as a share of the distance. Default 0.01. */
  readonly around: number
  /** Length of the first step towards the source, likewise. Default 0.01. */
  readonly towards: number
  /** Probes of one trial. Default 20. */
  readonly samples: number
  /** Trials of either step before the next round. Default 10. */
  readonly trials: number
  /** What a step is multiplied by if few probes are wrong, and divided by if many are. Default 0.667. */
  readonly adaptation: number
  /** The attack is done when the step towards the source is smaller. Default 1e-7. */
  readonly convergence: number
}

/** Boundary attack: a random walk along the boundary, around the source and towards it. Slow: thousands of queries. */
export const boundary = defineAttack({
  name: 'boundary',
  kind: 'image',
  sees: 'label',
  summary: 'labels alone: a random walk along the boundary, towards the source',
  paper: 'Brendel, Rauber, Bethge, ICLR 2018, arXiv 1712.04248',
  defaults: {
    norm: 'l2',
    within: 1,
    start: 'noise',
    aim: 'any',
    around: 0.01,
    towards: 0.01,
    samples: 20,
    trials: 10,
    adaptation: 0.667,
    convergence: 1e-7,
  } as BoundaryConfig,
  succeeds: succeedsNear,
  async run(oracle, task, config) {
    const { source } = task
    const { samples, trials, adaptation } = config
    const isWanted = isReached(config.aim, task)
    let x = await findStart(oracle, task, config)
    if (x === undefined) return
    let { around, towards } = config
    while (towards >= config.convergence) {
      const walked = await walk(x)
      if (walked.length > 0) x = nearest(source, [x, ...(await approach(walked))])
    }

    /** The wrong ones of the first trial that has any. */
    async function walk(from: Picture): Promise<Picture[]> {
      for (let trial = 0; trial < trials; trial++) {
        const found = await wrongOf(Array.from({ length: samples }, () => walked(from, source, around, oracle.random)))
        around = adapted(around, found.length / samples, adaptation)
        if (found.length > 0) return found
      }
      return []
    }

    async function approach(from: readonly Picture[]): Promise<Picture[]> {
      for (let trial = 0; trial < trials; trial++) {
        const found = await wrongOf(from.map((y) => approached(y, source, towards)))
        towards = adapted(towards, found.length / from.length, adaptation)
        if (found.length > 0) return found
      }
      return [...from]
    }

    async function wrongOf(pictures: readonly Picture[]): Promise<Picture[]> {
      const answers = await oracle.askAll(pictures)
      return pictures.filter((_, i) => isWanted(answers[i]!))
    }
  },
})

/** A step is shortened where less than a fifth of its probes are wrong, lengthened where more than half are. */
export function adapted(step: number, share: number, factor: number): number {
  if (share < 0.2) return step * factor
  return share > 0.5 ? step / factor : step
}

/** A random step around the source: as far away as before, up to clipping and what the removed component takes. */
export function walked(x: Picture, source: Picture, share: number, random: Random): Picture {
  const z = random.normals(x.length)
  const far = distance(x, source)
  let [square, along] = [0, 0]
  for (let i = 0; i < z.length; i++) {
    square += z[i]! ** 2
    along += z[i]! * (source[i]! - x[i]!)
  }
  const scale = (share * far) / Math.sqrt(square)
  along /= far * far
  const h = Math.sqrt(1 + share * share)
  const y = new Float64Array(x.length)
  for (let i = 0; i < y.length; i++) {
    const away = x[i]! - source[i]!
    y[i] = clip(x[i]! + ((1 - h) * away + scale * (z[i]! + along * away)) / h)
  }
  return y
}

/** A share of the way to the source. */
export function approached(x: Picture, source: Picture, share: number): Picture {
  const y = new Float64Array(x.length)
  for (let i = 0; i < y.length; i++) y[i] = clip(x[i]! + share * (source[i]! - x[i]!))
  return y
}

function nearest(source: Picture, pictures: readonly Picture[]): Picture {
  return pictures.reduce((best, x) => (distance(x, source) < distance(best, source) ? x : best))
}
