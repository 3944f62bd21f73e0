import { defineWorkload } from '../../define.ts'
import type { InputOf, Kind } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'

/** Every input of the pool once, in random order. */
function unrelated<K extends Kind>(kind: K, name: string, summary: string) {
  return defineWorkload<K, object>({
    name,
    kind,
    profile: 'E',
    sees: 'label',
    summary,
    defaults: {},
    run(oracle, { pool }) {
      const order = oracle.random.shuffled(pool)
      return askEach<InputOf[K]>(oracle, order.length, (n) => order[n]!.input)
    },
  })
}

export const shuffled = unrelated('image', 'shuffled', 'unrelated pictures, each once')
export const shuffledRows = unrelated('tabular', 'shuffled_rows', 'unrelated rows, each once')
export const shuffledTexts = unrelated('text', 'shuffled_texts', 'unrelated texts, each once')
