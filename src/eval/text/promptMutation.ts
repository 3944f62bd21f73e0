import { defineAttack } from '../define.ts'
import { MUTATIONS } from './mutations.ts'

export interface PromptMutationConfig {
  /** Texts that the next ones are made of: the newest so many that were kept. Default 10. */
  readonly parents: number
  /** Share of the texts without success that are kept all the same. Default 0.2. */
  readonly drift: number
  /** Longest text, as a multiple of the source's; a longer one gives way to the source. Default 4. */
  readonly growth: number
}

/** Text that short texts may grow by in any case. */
const FREE_LENGTH = 200

/** Prompt fuzzing: one change after another to what went before; what gets another answer than the source is kept. */
export const promptMutation = defineAttack({
  name: 'prompt_mutation',
  kind: 'text',
  role: 'misuse',
  sees: 'label',
  summary: 'one change after another to a prompt: words, letters, what stands before and after',
  paper: 'after GPTFuzzer, Yu et al., arXiv 2309.10253',
  defaults: { parents: 10, drift: 0.2, growth: 4 } as PromptMutationConfig,
  async run(oracle, { source, label }, { parents, drift, growth }) {
    const { random } = oracle
    const kept = [source]
    await oracle.ask(source)
    for (;;) {
      const changed = random.pick(MUTATIONS)(random.pick(kept.slice(-parents)), random)
      const text =
        changed.length > growth * source.length + FREE_LENGTH ? random.pick(MUTATIONS)(source, random) : changed
      const answer = await oracle.ask(text)
      const isThrough = !answer.refused && answer.label !== label
      if (isThrough || random.next() < drift) kept.push(text)
    }
  },
})
