import { padded } from '../attacks/adaptive/fillers.ts'
import { defineAttack } from '../define.ts'
import type { ClientSpec, Task } from '../types.ts'
import { MUTATIONS } from './mutations.ts'

export interface ReplayedPromptsConfig {
  /** Changes to each prompt from the second round on; 0 repeats them as they are. Default 0. */
  readonly changes: number
}

/** A set of prompts one after the other, round after round: the source and what in the pool is labelled like it. */
export const replayedPrompts = defineAttack({
  name: 'replayed_prompts',
  kind: 'text',
  role: 'misuse',
  sees: 'nothing',
  summary: 'a set of prompts one after the other, round after round',
  defaults: { changes: 0 } as ReplayedPromptsConfig,
  async run(oracle, { source, label, pool }, { changes }) {
    const { random } = oracle
    const prompts = [source, ...pool.filter((other) => other.label === label).map(({ input }) => input)]
    for (let round = 0; ; round++) {
      for (const prompt of prompts) {
        let text = prompt
        for (let n = 0; n < (round === 0 ? 0 : changes); n++) text = random.pick(MUTATIONS)(text, random)
        await oracle.ask(text)
      }
    }
  },
})

/**
 * A misuse among what honest people ask: `share` of the queries are its own, 1 % unless said otherwise; the others are
 * those of the pool that are not labelled like the source.
 */
export function amongOthers<Config extends object>(attack: ClientSpec<'text', Config>, share = 0.01) {
  const mixed = padded(attack, { share: 1 - share })
  const run: typeof mixed.run = (oracle, task, config) => {
    const whole = padded({ ...attack, run: (own, _, c) => attack.run(own, task, c) }, { share: 1 - share })
    return whole.run(oracle, { ...task, pool: othersOf(task) }, config)
  }
  return Object.freeze({ ...mixed, name: `among_others_${attack.name}`, run })
}

function othersOf({ pool, label }: Task<string>): Task<string>['pool'] {
  return pool.filter((other) => other.label !== label)
}
