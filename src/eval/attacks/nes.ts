/** NES: the slope of the loss from pairs of probes on both sides of a point. Two forms, which differ in almost everything else. */
import { defineAttack } from '../define.ts'
import { moved, projected } from '../picture.ts'
import type { Random } from '../random.ts'
import type { Answer, Oracle, Picture, Shape } from '../types.ts'
import { type Aim, marginLoss, probabilityLoss, succeedsByAim } from './aims.ts'

interface NesConfig {
  /** What answer is wanted. Default `any`. */
  readonly aim: Aim
  /** L∞ distance from the source that no step exceeds. Probes may, by `sigma`. */
  readonly ball: number
  /** Pairs of probes a step. */
  readonly pairs: number
  /** Standard deviation of the probes. */
  readonly sigma: number
  /** Change of every number in one step. */
  readonly step: number
}

export interface NesAConfig extends NesConfig {
  /** The step is halved down to this. Default 5e-5. */
  readonly leastStep: number
  /** Share of the old slope in the new one. Default 0.9. */
  readonly momentum: number
}

export interface NesBConfig extends NesConfig {
  /** Probes are alike in squares of this many pixels. Default 1; 8 for pictures of 224 pixels. */
  readonly tile: number
  /** Goes on from every candidate, better or not. Default false. */
  readonly alwaysMoves: boolean
  /** Share of worse candidates that it goes on from all the same. Default 0. */
  readonly upward: number
  /** Never asks for a point that it goes on from, only for probes around it. Default false. */
  readonly isBlind: boolean
}

const common = {
  kind: 'image',
  sees: 'probabilities',
  paper: 'Ilyas et al., ICML 2018, arXiv 1804.08598',
  succeeds: succeedsByAim,
} as const

/** NES with momentum, from a random point of the ball; as used against OARS's defences. 51 queries a step. */
export const nesA = defineAttack({
  ...common,
  name: 'nes_a',
  summary: 'steps against a slope estimated from 25 pairs, with momentum, halved on a plateau',
  defaults: {
    aim: 'any',
    ball: 0.05,
    pairs: 25,
    sigma: 0.001,
    step: 0.01,
    leastStep: 5e-5,
    momentum: 0.9,
  } as NesAConfig,
  async run(oracle, task, { aim, ball, pairs, sigma, step: firstStep, leastStep, momentum }) {
    const { source, shape } = task
    const loss = probabilityLoss(aim, task)
    const plateau = createPlateau(firstStep, leastStep)
    let x: Picture = source.map((v) => v + ball * (2 * oracle.random.next() - 1))
    x = projected(x, source, ball)
    const slope = new Float64Array(source.length)
    for (;;) {
      const directions = Array.from({ length: pairs }, () => noiseOf(oracle.random, shape))
      const found = await pairedSlope({ oracle, x, directions, sigma, loss, first: 1 })
      for (let i = 0; i < slope.length; i++) slope[i] = momentum * slope[i]! + (1 - momentum) * found.slope[i]!
      const step = plateau(found.mean)
      x = stepped(x, slope, { step, source, ball })
      await oracle.ask(x)
    }
  },
})

/** NES of the matched study: small steps, each kept only if the margin falls. 1 + 60 · 17 = 1 021 queries of 1 024. */
export const nesB = defineAttack({
  ...common,
  name: 'nes_b',
  summary: 'steps against a slope estimated from 8 pairs, kept only if the margin falls',
  defaults: {
    aim: 'any',
    ball: 8 / 255,
    pairs: 8,
    sigma: 2 / 255,
    step: 0.25 / 255,
    tile: 1,
    alwaysMoves: false,
    upward: 0,
    isBlind: false,
  } as NesBConfig,
  async run(oracle, task, { aim, ball, pairs, sigma, step, tile, alwaysMoves, upward, isBlind }) {
    const { source, shape } = task
    const { random } = oracle
    const loss = marginLoss(aim, task)
    let x = source
    let lowest = isBlind ? Infinity : loss(await oracle.ask(x))
    while (oracle.left >= 2 * pairs + (isBlind ? 0 : 1)) {
      const directions = Array.from({ length: pairs }, () => noiseOf(random, shape, tile))
      const { slope } = await pairedSlope({ oracle, x, directions, sigma, loss, first: -1 })
      const candidate = stepped(x, slope, { step, source, ball })
      if (isBlind) {
        x = candidate
        continue
      }
      const value = loss(await oracle.ask(candidate))
      const isTaken = value < lowest || alwaysMoves || (upward > 0 && random.next() < upward)
      if (!isTaken) continue
      x = candidate
      lowest = value
    }
  },
})

/**
 * The step, told the mean loss of every round: halved when the last of five is above the first. The loss is one to be
 * lowered, whatever the aim: the rule as published halves when −log p of the label rises, right for targeted runs only.
 */
export function createPlateau(step: number, least: number): (loss: number) => number {
  let losses: number[] = []
  return (loss) => {
    losses = [...losses, loss].slice(-5)
    if (losses.length === 5 && losses[4]! > losses[0]!) {
      step = Math.max(step / 2, least)
      losses = []
    }
    return step
  }
}

/** One step against the slope, all numbers alike. */
export function stepped(
  x: Picture,
  slope: Float64Array,
  { step, source, ball }: { readonly step: number; readonly source: Picture; readonly ball: number },
): Picture {
  const y = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) y[i] = x[i]! - step * Math.sign(slope[i]!)
  return projected(y, source, ball)
}

export interface Paired {
  readonly oracle: Oracle<Picture>
  readonly x: Picture
  readonly directions: readonly Float64Array[]
  readonly sigma: number
  /** To be lowered; Infinity for an answer that was refused. */
  readonly loss: (answer: Answer, x: Picture) => number
  /** The side that is asked first, for all directions; then the other. */
  readonly first: 1 | -1
}

/** The mean of loss · direction over all probes, and the mean loss. A pair of which one half was refused counts for nothing. */
export async function pairedSlope({ oracle, x, directions, sigma, loss, first }: Paired) {
  const losses = async (sign: number) => {
    const probes = directions.map((u) => moved(x, u, sign * sigma))
    const answers = await oracle.askAll(probes)
    return answers.map((answer, n) => loss(answer, probes[n]!))
  }
  const here = await losses(first)
  const there = await losses(-first)
  const slope = new Float64Array(x.length)
  let sum = 0
  let count = 0
  for (const [n, u] of directions.entries()) {
    const rise = first * (here[n]! - there[n]!)
    if (!Number.isFinite(rise)) continue
    for (let i = 0; i < slope.length; i++) slope[i]! += rise * u[i]!
    sum += here[n]! + there[n]!
    count += 2
  }
  if (count > 0) for (let i = 0; i < slope.length; i++) slope[i]! /= count
  return { slope, mean: sum / Math.max(count, 1) }
}

/** Normal noise, the same over squares of `tile` pixels (nearest upsampling). */
export function noiseOf(random: Random, { width, height, channels }: Shape, tile = 1): Float64Array {
  if (tile === 1) return random.normals(width * height * channels)
  const across = Math.ceil(width / tile)
  const coarse = random.normals(across * Math.ceil(height / tile) * channels)
  const noise = new Float64Array(width * height * channels)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (Math.floor(row / tile) * across + Math.floor(column / tile)) * channels
      for (let c = 0; c < channels; c++) noise[(row * width + column) * channels + c] = coarse[from + c]!
    }
  }
  return noise
}
