/** SurFree: circles through the boundary in random planes; no slope is estimated. Written from the paper's formulas. */
import { defineAttack } from '../define.ts'
import { clip, distance } from '../picture.ts'
import type { Picture } from '../types.ts'
import {
  askingWhetherWrong,
  blendedBack,
  findStart,
  type LabelConfig,
  type StartConfig,
  succeedsNear,
} from './labels.ts'
import { cosineBlocks, randomWaves } from './waves.ts'

export interface SurfreeConfig extends LabelConfig, StartConfig {
  /** The largest angle tried at first, in degrees. Default 30. */
  readonly angle: number
  /** Angles tried on either side. Default 3. */
  readonly steps: number
  /** Directions to which a new one is orthogonal. Default 100. */
  readonly history: number
  /** Share of the frequencies of a block, the lowest, that directions are made of. Default 0.5. */
  readonly frequencies: number
}

/** Factor of the largest angle: after a success divided by it, after a failure multiplied. */
const EASE = 0.98
/** A bisection ends when the cosines of its ends are this close, or after so many questions. */
const COSINES_APART = 0.01
const MOST_BISECTIONS = 10
const QUARTER = Math.PI / 2

export const surfree = defineAttack({
  name: 'surfree',
  kind: 'image',
  sees: 'label',
  summary: 'labels alone: circles towards the source in random planes of low frequencies',
  paper: 'Maho, Furon, Le Merrer, CVPR 2021, arXiv 2011.12807',
  defaults: {
    norm: 'l2',
    within: 1,
    start: 'noise',
    aim: 'any',
    angle: 30,
    steps: 3,
    history: 100,
    frequencies: 0.5,
  } as SurfreeConfig,
  succeeds: succeedsNear,
  async run(oracle, task, config) {
    const { source, shape } = task
    const { steps } = config
    const isWrong = askingWhetherWrong(oracle, task, config.aim)
    const far = await findStart(oracle, task, config)
    if (far === undefined) return
    const blocks = cosineBlocks(source, shape, config.frequencies)
    const history: Float64Array[] = []
    let x = await blendedBack(isWrong, source, far, 1e-3)
    let most = (config.angle * Math.PI) / 180
    for (;;) {
      const away = unit(difference(x, source))
      const v = randomWaves(blocks, shape, oracle.random)
      if (!orthogonalise(v, [away, ...history])) {
        // The directions span all there is, so the oldest goes; of a black picture none can be made at all.
        if (history.shift() === undefined) return
        continue
      }
      const plane: Plane = { source, far: distance(x, source), away, across: v }
      const wrongAt = (angle: number) => isWrong(onCircle(plane, angle))
      const found = await search(wrongAt, most, steps)
      if (found === undefined) most *= EASE
      else {
        x = onCircle(plane, found)
        most = Math.min(most / EASE, QUARTER)
      }
      history.push(v)
      if (history.length > config.history) history.shift()
    }
  },
})

/** The largest angle known to be wrong, its sign the side; undefined if none of those tried is. */
export async function search(
  wrongAt: (angle: number) => Promise<boolean>,
  most: number,
  steps: number,
): Promise<number | undefined> {
  const step = most / steps
  for (let n = steps; n >= 1; n--) {
    for (const side of [1, -1]) {
      if (!(await wrongAt(side * n * step))) continue
      const [low, high] = await widened(n * step, n === steps)
      return side * (await bisected(low, high, side))

      async function widened(from: number, isLargest: boolean): Promise<[number, number]> {
        let angle = from
        // The next smaller angles were tried after the larger ones, which were right.
        while (isLargest && angle + step < QUARTER && (await wrongAt(side * (angle + step)))) angle += step
        return [angle, angle + step]
      }
    }
  }
  return undefined

  async function bisected(low: number, high: number, side: number): Promise<number> {
    for (let n = 0; n < MOST_BISECTIONS && Math.cos(low) - Math.cos(high) > COSINES_APART; n++) {
      const middle = (low + high) / 2
      if (await wrongAt(side * middle)) low = middle
      else high = middle
    }
    return low
  }
}

export interface Plane {
  readonly source: Picture
  /** L2 distance of the point that the circle begins at. */
  readonly far: number
  /** Unit vectors: from the source to that point, and at a right angle to it. */
  readonly away: Float64Array
  readonly across: Float64Array
}

/** The point at an angle of the circle whose diameter is the way from the source: at `far` · cos(angle) of the source, before clipping. */
export function onCircle({ source, far, away, across }: Plane, angle: number): Picture {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const y = new Float64Array(source.length)
  for (let i = 0; i < y.length; i++) y[i] = clip(source[i]! + far * cos * (cos * away[i]! + sin * across[i]!))
  return y
}

/** Makes v of length 1 and orthogonal to the others, which are of length 1. False if nothing is left of it. */
export function orthogonalise(v: Float64Array, others: readonly Float64Array[]): boolean {
  const before = Math.sqrt(dot(v, v))
  for (const u of others) {
    const along = dot(u, v)
    for (let i = 0; i < v.length; i++) v[i]! -= along * u[i]!
  }
  const length = Math.sqrt(dot(v, v))
  if (!(length > 1e-9 * before)) return false
  for (let i = 0; i < v.length; i++) v[i]! /= length
  return true
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function difference(a: Picture, b: Picture): Float64Array {
  return a.map((v, i) => v - b[i]!)
}

function unit(v: Float64Array): Float64Array {
  const length = Math.sqrt(dot(v, v))
  return v.map((value) => value / length)
}
