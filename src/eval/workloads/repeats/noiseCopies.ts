import { defineWorkload } from '../../define.ts'
import { moved } from '../../picture.ts'
import type { Oracle, Picture, Task } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'

export interface NoiseCopiesConfig {
  /** Standard deviation of the noise. Default 0.1, and 0.1/255 of near duplicates. */
  readonly deviation: number
}

const common = {
  kind: 'image',
  profile: 'F',
  sees: 'nothing',
  run(oracle: Oracle<Picture>, { source, budget }: Task<Picture>, { deviation }: NoiseCopiesConfig) {
    return askEach(oracle, budget, () => moved(source, oracle.random.normals(source.length), deviation))
  },
} as const

/** Copies of one picture under noise of their own. */
export const noiseCopies = defineWorkload({
  ...common,
  name: 'noise_copies',
  summary: 'copies of one picture, each with its own noise',
  defaults: { deviation: 0.1 } as NoiseCopiesConfig,
})

/** Copies of one picture that no eye can tell apart. */
export const nearDuplicates = defineWorkload({
  ...common,
  name: 'near_duplicates',
  summary: 'copies of one picture, each with noise of a tenth of a level',
  defaults: { deviation: 0.1 / 255 } as NoiseCopiesConfig,
})
