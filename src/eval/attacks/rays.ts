import { defineAttack } from '../define.ts'
import { moved } from '../picture.ts'
import type { Shape } from '../types.ts'
import { askingWhetherWrong, bisect, type LabelConfig, succeedsNear } from './labels.ts'

export interface RaysConfig extends LabelConfig {
  /** Of the radius, in L2. Default 1e-3. */
  readonly tolerance: number
}

/** Of the first search, in lengths of the direction. */
const RADII = 10

/** RayS: a direction of signs is improved by flipping blocks, halved from level to level; the radius along it is bisected. */
export const rays = defineAttack({
  name: 'rays',
  kind: 'image',
  sees: 'label',
  summary: 'labels alone: flips blocks of a direction of signs, kept if the boundary comes nearer',
  paper: 'Chen, Gu, KDD 2020, arXiv 2006.12789',
  defaults: { norm: 'linf', within: 12.75 / 255, tolerance: 1e-3 } as RaysConfig,
  succeeds: succeedsNear,
  async run(oracle, task, { tolerance }) {
    const { source, shape } = task
    const size = source.length
    const length = Math.sqrt(size)
    const places = planes(shape)
    const isWrong = askingWhetherWrong(oracle, task, 'any')
    let direction = new Float64Array(size).fill(1)
    let radius = Infinity
    for (let level = 0; ; level++) {
      for (const [from, to] of blocksOf(size, level)) {
        const tried = direction.slice()
        for (let i = from; i < to; i++) tried[places[i]!]! *= -1
        const wrongAt = (r: number) => isWrong(moved(source, tried, r / length))
        const high = radius < Infinity ? await holdsAt(radius, wrongAt) : await firstRadius(wrongAt)
        if (high === undefined) continue
        const found = await bisect(high, tolerance, wrongAt)
        if (found >= radius) continue
        radius = found
        direction = tried
      }
    }

    async function firstRadius(wrongAt: (r: number) => Promise<boolean>): Promise<number | undefined> {
      for (let n = 1; n <= RADII; n++) if (await wrongAt(n * length)) return n * length
      return undefined
    }
  },
})

async function holdsAt(radius: number, wrongAt: (r: number) => Promise<boolean>): Promise<number | undefined> {
  return (await wrongAt(radius)) ? radius : undefined
}

/** From and to of the blocks of a level: 2^level of them, or as many as there are numbers. */
export function blocksOf(size: number, level: number): [from: number, to: number][] {
  const width = Math.ceil(size / 2 ** level)
  return Array.from({ length: Math.ceil(size / width) }, (_, b) => [b * width, Math.min((b + 1) * width, size)])
}

/** Where the numbers of the picture stand when it is read channel by channel, as the published attack does. */
export function planes({ width, height, channels }: Shape): Uint32Array {
  const pixels = width * height
  return new Uint32Array(pixels * channels).map((_, i) => (i % pixels) * channels + Math.floor(i / pixels))
}
