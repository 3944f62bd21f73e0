import { defineAttack } from '../define.ts'
import type { ClientSpec, InputOf } from '../types.ts'
import { MEDIA, type Stolen } from './medium.ts'
import { createSurrogate, type Surrogate } from './surrogate.ts'
import { askableOf, createThief } from './thief.ts'

export interface ActiveThiefConfig {
  /** Share of the queries that is drawn at random, first. Default 0.1. */
  readonly randomShare: number
  /** Equal rounds in which the others are asked. Default 10. */
  readonly rounds: number
  /** Rectified units of the copy; 0 for a linear softmax. Default 64. */
  readonly units: number
  /** Passes over all answers a round, from new weights. Default 10. */
  readonly epochs: number
}

/** Inputs of a pool of which its own copy is least sure: the largest entropy. Ends when budget or pool are used up. */
export function activeThief<K extends Stolen>(kind: K, name: string): ClientSpec<K, ActiveThiefConfig> {
  return defineAttack<K, ActiveThiefConfig>({
    name,
    kind,
    role: 'extraction',
    sees: 'probabilities',
    summary: 'inputs of a pool of which its own copy is least sure',
    paper: 'Pal et al., AAAI 2020',
    defaults: { randomShare: 0.1, rounds: 10, units: 64, epochs: 10 },
    async run(oracle, task, { randomShare, rounds, units, epochs }) {
      const medium = MEDIA[kind](task)
      const thief = createThief<InputOf[K]>(oracle, task, medium)
      let left = oracle.random.shuffled(askableOf(task)).map(({ input }) => input)
      const total = Math.min(oracle.left, left.length)
      const first = Math.round(randomShare * total)
      await thief.ask(left.slice(0, first))
      left = left.slice(first)
      for (let round = 0; round < rounds; round++) {
        const copy = createSurrogate({ classes: task.classes, hidden: units, random: oracle.random })
        copy.train(thief.known, epochs)
        const unsure = byEntropy(left, (input) => copyEntropy(copy, medium.numbersOf(input)))
        const count = share(total - first, round, rounds)
        await thief.ask(unsure.slice(0, count))
        left = unsure.slice(count)
      }
    },
  })
}

/** The part of one round when all are as equal as whole numbers can be. */
function share(all: number, round: number, rounds: number): number {
  return Math.floor((all * (round + 1)) / rounds) - Math.floor((all * round) / rounds)
}

/** From the largest entropy down; equals in the order they came. */
export function byEntropy<Input>(inputs: readonly Input[], entropyOf: (input: Input) => number): Input[] {
  return inputs
    .map((input) => ({ input, entropy: entropyOf(input) }))
    .sort((a, b) => b.entropy - a.entropy)
    .map(({ input }) => input)
}

/** In nats. */
function copyEntropy(copy: Surrogate, x: Float64Array): number {
  return copy.predict(x).reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)
}
