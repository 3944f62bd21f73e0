import { defineWorkload } from '../../define.ts'
import { askEach } from '../parts/askEach.ts'

const common = { kind: 'text', profile: 'F', sees: 'label' } as const

export interface TemplatedPromptsConfig {
  /** `{}` is the slot. */
  readonly template: string
}

/** One frame around every text of the pool, in random order, over and over. */
export const templatedPrompts = defineWorkload({
  ...common,
  name: 'templated_prompts',
  summary: 'the same frame around one text after the other',
  defaults: {
    template: 'A customer wrote to us. Answer politely, in at most two sentences, and ask nothing back. Message: {}',
  } as TemplatedPromptsConfig,
  run(oracle, { source, pool, budget }, { template }) {
    const order = oracle.random.shuffled([source, ...pool.map(({ input }) => input)])
    return askEach(oracle, budget, (n) => template.split('{}').join(order[n % order.length]!))
  },
})

/** The source with one word exchanged for another from the pool, always in the same place. */
export const slotPrompts = defineWorkload({
  ...common,
  name: 'slot_prompts',
  summary: 'one text with another word in the same place each time',
  defaults: {},
  run(oracle, { source, pool, budget }) {
    const { random } = oracle
    const words = source.split(' ')
    const slot = random.whole(words.length)
    const known = new Set(pool.flatMap(({ input }) => input.match(/\p{L}{3,}/gu) ?? []))
    const fillers = random.shuffled(known.size === 0 ? words : [...known])
    return askEach(oracle, budget, (n) => words.with(slot, fillers[n % fillers.length]!).join(' '))
  },
})
