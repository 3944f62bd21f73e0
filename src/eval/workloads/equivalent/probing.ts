import { logProbability, marginOf } from '../../answers.ts'
import { defineWorkload } from '../../define.ts'
import type { Answer, Picture } from '../../types.ts'
import { CLIMB_DEFAULTS, type ClimbConfig, climb, isOther, meanSquare } from '../parts/climb.ts'

const common = { kind: 'image', profile: 'equivalent', sees: 'probabilities' } as const

/** How near the boundary is: down the margin of what the model says first, but never over. */
export const boundaryProbing = defineWorkload({
  ...common,
  name: 'boundary_probing',
  summary: 'lowers the margin of what the model says, as long as the label stays',
  defaults: CLIMB_DEFAULTS,
  async run(oracle, { source, shape }, config) {
    const first = await oracle.ask(source)
    const loss = ({ logits }: Answer) => marginOf(logits, first.label)
    const refuses = (answer: Answer) => isOther(answer, first.label)
    await climb(oracle, { ...config, start: source, first, shape, loss, refuses })
  },
})

export interface CounterfactualConfig extends ClimbConfig {
  /** Weight of the mean squared change. Default 100. */
  readonly closeness: number
}

/** What would have to change for the second most likely label. Goes on when it is reached, for a smaller change. */
export const counterfactual = defineWorkload({
  ...common,
  name: 'counterfactual',
  summary: 'looks for a small change that makes the second most likely label the first',
  defaults: { ...CLIMB_DEFAULTS, closeness: 100 } as CounterfactualConfig,
  async run(oracle, { source, shape }, { closeness, ...config }) {
    const first = await oracle.ask(source)
    const wanted = second(first.logits)
    const loss = ({ logits }: Answer, x: Picture) => -logProbability(logits, wanted) + closeness * meanSquare(x, source)
    await climb(oracle, { ...config, start: source, first, shape, loss })
  },
})

/** The class of the second largest number. */
function second(logits: ArrayLike<number>): number {
  const order = Array.from(logits, (_, k) => k).sort((a, b) => logits[b]! - logits[a]! || a - b)
  return order[1] ?? 0
}
