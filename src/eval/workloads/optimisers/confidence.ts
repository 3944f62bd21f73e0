import { logProbability } from '../../answers.ts'
import { defineWorkload } from '../../define.ts'
import { projected } from '../../picture.ts'
import type { Answer } from '../../types.ts'
import { countAcceptance } from '../parts/acceptance.ts'
import { CLIMB_DEFAULTS, climb } from '../parts/climb.ts'

const BALL = 8 / 255
/** Candidates after which the share of those kept is noted. */
const NOTED = 16

const common = { kind: 'image', profile: 'D', sees: 'probabilities' } as const

/** Raises the probability of what the model says first, by NES (b). */
export const confidenceRaising = defineWorkload({
  ...common,
  name: 'confidence_raising',
  summary: 'makes the model surer of what it says, by estimated slopes',
  defaults: CLIMB_DEFAULTS,
  async run(oracle, { source, label, shape }, config) {
    const first = await oracle.ask(source)
    const raised = first.refused ? label : first.label
    const loss = ({ logits }: Answer) => -logProbability(logits, raised)
    await climb(oracle, { ...config, start: source, first, shape, ball: BALL, loss })
  },
})

export interface ConfidenceSimbaConfig {
  /** Change of one number. Default 8/255. */
  readonly step: number
}

/** The same aim by the steps of SimBA: one number at a time, both ways, kept if the model is surer. */
export const confidenceSimba = defineWorkload({
  ...common,
  name: 'confidence_simba',
  summary: 'makes the model surer of what it says, one pixel at a time',
  defaults: { step: BALL } as ConfidenceSimbaConfig,
  async run(oracle, { source, label }, { step }) {
    const first = await oracle.ask(source)
    const raised = first.refused ? label : first.label
    const sureness = ({ logits, refused }: Answer) => (refused ? -Infinity : logProbability(logits, raised))
    const count = countAcceptance(oracle, NOTED)
    let x = source
    let highest = sureness(first)
    let order: number[] = []
    for (;;) {
      if (order.length === 0) order = oracle.random.shuffled([...source.keys()])
      const at = order.pop()!
      const tries = [-step, step].map((change) => projected(x.with(at, x[at]! + change), source, BALL))
      const values = (await oracle.askAll(tries)).map(sureness)
      const better = values.findIndex((value) => value > highest)
      count(better !== -1)
      if (better === -1) continue
      x = tries[better]!
      highest = values[better]!
    }
  },
})
