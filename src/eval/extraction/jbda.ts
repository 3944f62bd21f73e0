import { defineAttack } from '../define.ts'
import type { Random } from '../random.ts'
import type { ClientSpec, InputOf, Labelled } from '../types.ts'
import { MEDIA, type Stolen } from './medium.ts'
import { createSurrogate } from './surrogate.ts'
import { askableOf, createThief } from './thief.ts'

export interface JbdaConfig {
  /** Inputs of each class that it begins with. Default 10. */
  readonly seeds: number
  /** Each doubles what has been asked. Default 6. */
  readonly rounds: number
  /** How far each number is moved, of its range 0 … 1. Default 25.5/255. */
  readonly step: number
  /** Rectified units of the copy; 0 for a linear softmax. Default 0 (`jbda`), 64 (`jbda_relu`). */
  readonly units: number
  /** Passes over all answers a round. Default 10. */
  readonly epochs: number
}

export interface JbdaForm<K extends Stolen> {
  readonly kind: K
  readonly name: string
  readonly units: number
  /** Moves towards a class at random, not towards the class that the model said. */
  readonly isRandom?: boolean
}

/**
 * Jacobian-based augmentation: a few seeds, then in every round a new input beside each known one, moved by the sign of
 * the gradient of the thief's own copy. A linear copy knows few directions, which makes it easy to see: the one with
 * rectified units is the harder adversary. Above 4000 known inputs a random choice of them is moved.
 */
export function jbda<K extends Stolen>({
  kind,
  name,
  units,
  isRandom = false,
}: JbdaForm<K>): ClientSpec<K, JbdaConfig> {
  return defineAttack<K, JbdaConfig>({
    name,
    kind,
    role: 'extraction',
    sees: 'probabilities',
    summary: `a few seeds, then steps along the gradient of its own copy towards ${isRandom ? 'a random' : 'the said'} class`,
    paper: isRandom
      ? 'Juuti et al., EuroS&P 2019, arXiv 1805.02628'
      : 'Papernot et al., AsiaCCS 2017, arXiv 1602.02697',
    defaults: { seeds: 10, rounds: 6, step: 25.5 / 255, units, epochs: 10 },
    async run(oracle, task, config) {
      const medium = MEDIA[kind](task)
      const thief = createThief<InputOf[K]>(oracle, task, medium)
      const copy = createSurrogate({ classes: task.classes, hidden: config.units, random: oracle.random })
      await thief.ask(seedsOf(askableOf(task), config.seeds, oracle.random))
      for (let round = 0; round < config.rounds; round++) {
        copy.train(thief.known, config.epochs)
        const towards = (said: number) => (isRandom ? otherThan(said, task.classes, oracle.random) : said)
        await thief.ask(
          thief.known.map(({ input, x, label }) => medium.moved(input, copy.direction(x, towards(label)), config.step)),
        )
      }
    },
  })
}

function seedsOf<Input>(pool: readonly Labelled<Input>[], perClass: number, random: Random): Input[] {
  const counts = new Map<number, number>()
  const seeds: Input[] = []
  for (const { input, label } of random.shuffled(pool)) {
    const count = counts.get(label) ?? 0
    if (count < perClass) seeds.push(input)
    counts.set(label, count + 1)
  }
  return seeds
}

function otherThan(said: number, classes: number, random: Random): number {
  return (said + 1 + random.whole(classes - 1)) % classes
}
