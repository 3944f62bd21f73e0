import { defineWorkload } from '../../define.ts'
import { moved } from '../../picture.ts'
import type { Random } from '../../random.ts'
import type { Oracle, Picture, Shape, Task } from '../../types.ts'
import { countAcceptance } from '../parts/acceptance.ts'
import { CLIMB_DEFAULTS, type ClimbConfig, climb, isOther, meanSquare } from '../parts/climb.ts'
import { softened } from '../parts/filters.ts'

/** Of the noisy picture that is to be cleaned. */
const DEVIATION = 16 / 255
/** Candidates after which the share of those kept is noted. */
const NOTED = 16

export interface RestorationConfig extends ClimbConfig {
  /** How far the filter goes that says what is wanted, 0 … 1. Default 0.5. */
  readonly strength: number
}

const common = { kind: 'image', profile: 'D', sees: 'probabilities' } as const

interface Damaged {
  readonly start: Picture
  readonly wanted: Picture
}

/** Towards the noisy picture softened; strengths of the study: .3, .5, .7. */
export const denoise = defineWorkload({
  ...common,
  name: 'denoise',
  summary: 'takes noise out of a picture step by step, as long as the label stays',
  defaults: { ...CLIMB_DEFAULTS, strength: 0.5 } as RestorationConfig,
  run: (oracle, task, { strength, ...config }) =>
    restore(oracle, task, config, noisy(oracle.random, task.source, task.shape, strength)),
})

/** Towards the blurred picture sharpened; strengths of the study: .3, .5, 1. */
export const deblur = defineWorkload({
  ...common,
  name: 'deblur',
  summary: 'sharpens a blurred picture step by step, as long as the label stays',
  defaults: { ...CLIMB_DEFAULTS, strength: 0.5 } as RestorationConfig,
  run(oracle, task, { strength, ...config }) {
    const start = softened(task.source, task.shape, 0.5)
    return restore(oracle, task, config, { start, wanted: softened(start, task.shape, -strength) })
  },
})

export interface DenoiseRandomConfig {
  readonly strength: number
  /** Standard deviation of a step. Default 0.25/255. */
  readonly step: number
}

/** The same aim without slopes: a random step is kept if it helps. */
export const denoiseRandom = defineWorkload({
  ...common,
  name: 'denoise_random',
  summary: 'takes noise out of a picture by random steps that help, as long as the label stays',
  defaults: { strength: 0.5, step: 0.25 / 255 } as DenoiseRandomConfig,
  async run(oracle, { source, shape }, { strength, step }) {
    const { start, wanted } = noisy(oracle.random, source, shape, strength)
    const first = await oracle.ask(start)
    const count = countAcceptance(oracle, NOTED)
    let x = start
    let lowest = meanSquare(x, wanted)
    for (;;) {
      const candidate = moved(x, oracle.random.normals(x.length), step)
      const answer = await oracle.ask(candidate)
      const value = meanSquare(candidate, wanted)
      const isKept = !answer.refused && !isOther(answer, first.label) && value < lowest
      count(isKept)
      if (!isKept) continue
      x = candidate
      lowest = value
    }
  },
})

function noisy(random: Random, source: Picture, shape: Shape, strength: number): Damaged {
  const start = moved(source, random.normals(source.length), DEVIATION)
  return { start, wanted: softened(start, shape, strength) }
}

async function restore(
  oracle: Oracle<Picture>,
  { shape }: Task<Picture>,
  config: ClimbConfig,
  { start, wanted }: Damaged,
): Promise<void> {
  const first = await oracle.ask(start)
  const loss = (_: unknown, x: Picture) => meanSquare(x, wanted)
  await climb(oracle, {
    ...config,
    start,
    first,
    shape,
    ball: 1,
    loss,
    refuses: (answer) => isOther(answer, first.label),
  })
}
