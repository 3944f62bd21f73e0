import { defineAttack } from '../define.ts'
import type { ClientSpec, InputOf } from '../types.ts'
import { MEDIA, type Stolen } from './medium.ts'
import { askableOf, createThief } from './thief.ts'

/** Knockoff-random: natural inputs of a pool, best of another data set, each once; ends when all are asked. */
export function knockoffRandom<K extends Stolen>(kind: K, name: string): ClientSpec<K, object> {
  return defineAttack<K, object>({
    name,
    kind,
    role: 'extraction',
    sees: 'probabilities',
    summary: 'natural inputs of a pool in random order, none twice',
    paper: 'Orekondy et al., CVPR 2019, arXiv 1812.02766',
    defaults: {},
    async run(oracle, task) {
      const thief = createThief<InputOf[K]>(oracle, task, MEDIA[kind](task))
      await thief.ask(oracle.random.shuffled(askableOf(task)).map(({ input }) => input))
    },
  })
}
