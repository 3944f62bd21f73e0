import { defineWorkload } from '../define.ts'
import { moved } from '../picture.ts'

export interface NoiseCopiesConfig {
  /** Standard deviation of the noise. Default 0.1. */
  readonly deviation: number
}

/** Copies of one picture under noise of their own. */
export const noiseCopies = defineWorkload({
  name: 'noise_copies',
  kind: 'image',
  profile: 'F',
  sees: 'nothing',
  summary: 'copies of one picture, each with its own noise',
  defaults: { deviation: 0.1 } as NoiseCopiesConfig,
  async run(oracle, { source }, { deviation }) {
    for (;;) await oracle.ask(moved(source, oracle.random.normals(source.length), deviation))
  },
})
