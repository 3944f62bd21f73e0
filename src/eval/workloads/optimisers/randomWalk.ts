import { defineWorkload } from '../../define.ts'
import { projected } from '../../picture.ts'
import type { Picture } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'

export interface RandomWalkConfig {
  /** Change of every number a query. Default 0.25/255. */
  readonly step: number
  /** L∞ distance from the source that no number exceeds. Default 8/255. */
  readonly ball: number
}

/** The steps of an optimiser without its aim. */
export const randomWalk = defineWorkload({
  name: 'random_walk',
  kind: 'image',
  profile: 'F',
  sees: 'nothing',
  summary: 'small steps in random directions near a picture, without an aim',
  defaults: { step: 0.25 / 255, ball: 8 / 255 } as RandomWalkConfig,
  run(oracle, { source, budget }, { step, ball }) {
    let x: Picture = source
    return askEach(oracle, budget, () => {
      x = projected(
        x.map((v) => v + (oracle.random.next() < 0.5 ? step : -step)),
        source,
        ball,
      )
      return x
    })
  },
})
