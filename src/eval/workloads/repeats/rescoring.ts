import { defineWorkload } from '../../define.ts'
import type { InputOf, Kind } from '../../types.ts'

export interface RescoringConfig {
  /** Asked every day. Default null: as many as the budget allows, 1000 at most. */
  readonly inputs: number | null
  /** Default 10. */
  readonly days: number
}

const DAY_MS = 86_400_000
const BATCH = 32

interface Rescoring<K extends Kind> {
  readonly kind: K
  readonly name: string
  readonly summary: string
  /** In another order every day. */
  readonly isShuffled?: boolean
}

/** The same inputs day after day: the source, and some of the pool. */
function rescoring<K extends Kind>({ kind, name, summary, isShuffled = false }: Rescoring<K>) {
  return defineWorkload<K, RescoringConfig>({
    name,
    kind,
    profile: 'F',
    sees: 'label',
    summary,
    defaults: { inputs: null, days: 10 },
    async run(oracle, { source, pool, budget }, { inputs, days }) {
      const count = inputs ?? Math.min(Math.max(Math.floor(budget / days), 1), 1000)
      const others = oracle.random.shuffled(pool).slice(0, count - 1)
      const all: readonly InputOf[K][] = [source, ...others.map(({ input }) => input)]
      for (let day = 0; day < days; day++) {
        const [first, ...rest] = isShuffled ? oracle.random.shuffled(all) : all
        await oracle.ask(first!, { timeMs: day * DAY_MS })
        for (let from = 0; from < rest.length; from += BATCH) await oracle.askAll(rest.slice(from, from + BATCH))
      }
    },
  })
}

const IN_ORDER = 'scored every day for ten days, in the same order'
const ANEW = 'scored every day for ten days, in a new order each time'

export const rescoringImages = rescoring({ kind: 'image', name: 'rescoring', summary: `the same pictures ${IN_ORDER}` })
export const rescoringImagesShuffled = rescoring({
  kind: 'image',
  name: 'rescoring_shuffled',
  summary: `the same pictures ${ANEW}`,
  isShuffled: true,
})
export const rescoringRows = rescoring({
  kind: 'tabular',
  name: 'rescoring_rows',
  summary: `the same rows ${IN_ORDER}`,
})
export const rescoringRowsShuffled = rescoring({
  kind: 'tabular',
  name: 'rescoring_rows_shuffled',
  summary: `the same rows ${ANEW}`,
  isShuffled: true,
})
export const rescoringTexts = rescoring({
  kind: 'text',
  name: 'rescoring_texts',
  summary: `the same texts ${IN_ORDER}`,
})
export const rescoringTextsShuffled = rescoring({
  kind: 'text',
  name: 'rescoring_texts_shuffled',
  summary: `the same texts ${ANEW}`,
  isShuffled: true,
})
