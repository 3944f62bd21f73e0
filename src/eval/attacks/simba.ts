import { logProbability } from '../answers.ts'
import { defineAttack } from '../define.ts'
import { projected } from '../picture.ts'
import type { Picture } from '../types.ts'

export interface SimbaConfig {
  /** Change of one number. Default 8/255. */
  readonly step: number
  /** L∞ distance from the source that no number exceeds. Default 8/255. */
  readonly ball: number
}

/** SimBA on pixels: one number at a time, kept if the label's probability falls; both directions are always asked. */
export const simba = defineAttack({
  name: 'simba',
  kind: 'image',
  sees: 'probabilities',
  summary: 'one pixel at a time, both ways, kept if the probability of the label falls',
  paper: 'Guo et al., ICML 2019, arXiv 1905.07121',
  defaults: { step: 8 / 255, ball: 8 / 255 } as SimbaConfig,
  async run(oracle, { source, label }, { step, ball }) {
    let x: Picture = source
    let lowest = logProbability((await oracle.ask(x)).logits, label)
    const order = Uint32Array.from(source.keys())
    for (let n = 0; ; n = (n + 1) % order.length) {
      const other = n + oracle.random.whole(order.length - n)
      ;[order[n], order[other]] = [order[other]!, order[n]!]
      const at = order[n]!
      const tries = [-step, step].map((change) => projected(x.with(at, x[at]! + change), source, ball))
      const values = (await oracle.askAll(tries)).map(({ logits }) => logProbability(logits, label))
      const better = values.findIndex((value) => value < lowest)
      if (better === -1) continue
      x = tries[better]!
      lowest = values[better]!
    }
  },
})
