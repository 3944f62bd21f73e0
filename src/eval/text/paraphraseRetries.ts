import { defineAttack } from '../define.ts'
import { REWORDINGS } from './mutations.ts'

export interface ParaphraseRetriesConfig {
  /** Rewordings of the source in one retry, at most; at least one. Default 2. */
  readonly rewordings: number
}

/** The same request again and again in other words, always from the source. */
export const paraphraseRetries = defineAttack({
  name: 'paraphrase_retries',
  kind: 'text',
  role: 'misuse',
  sees: 'nothing',
  summary: 'one request again and again, reworded',
  defaults: { rewordings: 2 } as ParaphraseRetriesConfig,
  async run(oracle, { source }, { rewordings }) {
    const { random } = oracle
    await oracle.ask(source)
    for (;;) {
      let text = source
      for (let n = random.whole(rewordings); n >= 0; n--) text = random.pick(REWORDINGS)(text, random)
      await oracle.ask(text)
    }
  },
})
