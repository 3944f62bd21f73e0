import { defineAttack } from '../../define.ts'
import { moved, projected } from '../../picture.ts'
import type { Oracle, Picture, Task } from '../../types.ts'
import { type Loss, probabilityLoss } from '../aims.ts'
import { succeedsNear } from '../labels.ts'
import { createPlateau, type NesAConfig, nesA, noiseOf, stepped } from '../nes.ts'
import { OARS_PAPER, type SizeSearch, smallestAnswered } from './refusals.ts'

export interface OarsNesConfig extends NesAConfig {
  /** Of the standard deviation of the probes. Default: 10 × 20 queries in [0.05, 0.5], none refused. */
  readonly sigmaSearch: SizeSearch
  /** Of the step. Default: 10 × 20 queries at 0.1, at most 0.005 refused. */
  readonly stepSearch: SizeSearch
  /** Rounds of probes until enough pairs are answered; after them what there is has to do. Default 5. */
  readonly slopeRounds: number
  /** Steps refused in a row after which the attack gives up. Default 20. */
  readonly stepAttempts: number
}

/**
 * NES (a) with probes and steps so large that they are not refused. As in the release, a targeted run asks about one step in
 * so many that steps asked are as far apart as the search says; an untargeted one makes every step that large.
 */
export const oarsNes = defineAttack({
  name: 'oars_nes',
  kind: 'image',
  sees: 'probabilities',
  summary: 'NES with probes and steps of the smallest size that is not refused',
  paper: OARS_PAPER,
  defaults: {
    ...nesA.defaults,
    aim: 'next',
    sigmaSearch: { from: 0.05, to: 0.5, bisections: 10, samples: 20, refused: 0 },
    stepSearch: { from: 0.1, to: 0.1, bisections: 10, samples: 20, refused: 0.005 },
    slopeRounds: 5,
    stepAttempts: 20,
  } as OarsNesConfig,
  // Its probes are so far out that many a wrong answer to them is worth nothing.
  succeeds: ({ aim, ball }, task) => succeedsNear({ norm: 'linf', within: ball, aim }, task),
  async run(oracle, task, config) {
    const { source, shape } = task
    const { aim, ball, pairs, leastStep, momentum } = config
    const { random } = oracle
    const loss = probabilityLoss(aim, task)
    await oracle.ask(source)
    let x: Picture = source.map((v) => v + ball * (2 * random.next() - 1))
    x = projected(x, source, ball)
    const sigma = await smallestAnswered(oracle, config.sigmaSearch, (size) =>
      moved(source, noiseOf(random, shape), size),
    )
    const least = await smallestAnswered(oracle, config.stepSearch, (size) => moved(source, signs(), size))
    const every = aim === 'any' ? 1 : Math.ceil((least / leastStep) * config.stepSearch.refused)
    const plateau = createPlateau(config.step, leastStep)
    let old: Float64Array | undefined
    let refusals = 0
    for (let n = 0; refusals < config.stepAttempts; n++) {
      const found = await answeredSlope(oracle, task, { x, pairs, sigma, loss, rounds: config.slopeRounds })
      if (found === undefined) return
      const slope = refusals === 0 && old !== undefined ? mixed(old, found.slope, momentum) : found.slope
      old = slope
      const step = Math.max(plateau(found.mean), aim === 'any' ? least : 0)
      const next = stepped(x, slope, { step, source, ball })
      const isAsked = n % every === 0
      if (isAsked && (await oracle.ask(next)).refused) refusals++
      else {
        x = next
        if (isAsked) refusals = 0
      }
    }

    function signs(): Float64Array {
      return new Float64Array(source.length).map(() => (random.next() < 0.5 ? -1 : 1))
    }
  },
})

interface Wanted {
  readonly x: Picture
  readonly pairs: number
  readonly sigma: number
  readonly loss: Loss
  readonly rounds: number
}

/** Pair after pair, its second half only if the first was answered, until there are enough; undefined if there is none. */
async function answeredSlope(
  oracle: Oracle<Picture>,
  { shape }: Task<Picture>,
  { x, pairs, sigma, loss, rounds }: Wanted,
) {
  const slope = new Float64Array(x.length)
  let sum = 0
  let answered = 0
  for (let round = 0; round < rounds && answered < pairs; round++) {
    for (let left = pairs - answered; left > 0; left--) {
      const u = noiseOf(oracle.random, shape)
      const above = loss(await oracle.ask(moved(x, u, sigma)))
      if (above === Infinity) continue
      const below = loss(await oracle.ask(moved(x, u, -sigma)))
      if (below === Infinity) continue
      for (let i = 0; i < slope.length; i++) slope[i]! += (above - below) * u[i]!
      sum += above + below
      answered++
    }
  }
  if (answered === 0) return undefined
  for (let i = 0; i < slope.length; i++) slope[i]! /= 2 * answered
  return { slope, mean: sum / (2 * answered) }
}

function mixed(old: Float64Array, found: Float64Array, momentum: number): Float64Array {
  return found.map((v, i) => momentum * old[i]! + (1 - momentum) * v)
}
