import { defineAttack } from '../define.ts'
import type { ClientSpec, InputOf } from '../types.ts'
import { MEDIA, type Stolen } from './medium.ts'
import { createThief } from './thief.ts'

export interface NoiseExtractionConfig {
  /**
   * `uniform`: every number of its whole range as likely as any other · `typical`: pictures of normal numbers around grey
   * (.5, .25), rows whose cells are drawn from examples, each column for itself. Default `uniform`.
   */
  readonly noise: 'uniform' | 'typical'
}

const CHUNK = 100

/** Inputs that look like nothing: the thief has no data. */
export function noiseExtraction<K extends Stolen>(kind: K, name: string): ClientSpec<K, NoiseExtractionConfig> {
  return defineAttack<K, NoiseExtractionConfig>({
    name,
    kind,
    role: 'extraction',
    sees: 'probabilities',
    summary: 'noise for inputs: independent draws, one query each',
    defaults: { noise: 'uniform' },
    async run(oracle, task, { noise }) {
      const medium = MEDIA[kind](task)
      const thief = createThief<InputOf[K]>(oracle, task, medium)
      for (;;) await thief.ask(Array.from({ length: CHUNK }, () => medium[noise](oracle.random)))
    },
  })
}
