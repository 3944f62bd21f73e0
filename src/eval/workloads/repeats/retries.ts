import { defineWorkload } from '../../define.ts'
import type { Kind, Oracle, Task } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'
import { jpegCopy } from '../parts/jpeg.ts'

export interface RetriesConfig {
  /** Times that an input is asked, at most; every number of times alike. Default 20. */
  readonly most: number
}

export interface RetriesImagesConfig extends RetriesConfig {
  /** Share of retries that send the picture as JPEG once more. Default 0.3. */
  readonly encoded: number
}

const common = { profile: 'F', sees: 'label' } as const

export const retriesImages = defineWorkload({
  ...common,
  name: 'retries',
  kind: 'image',
  summary: 'every picture up to twenty times, some as a JPEG copy of itself',
  defaults: { most: 20, encoded: 0.3 } as RetriesImagesConfig,
  run(oracle, task, { most, encoded }) {
    const { random } = oracle
    return retry(oracle, task, most, (x) =>
      random.next() < encoded ? jpegCopy(x, task.shape, 60 + random.whole(40)) : x,
    )
  },
})

export const retriesRows = retries('tabular', 'retries_rows', 'every row up to twenty times')
export const retriesTexts = retries('text', 'retries_texts', 'every text up to twenty times')

function retries<K extends Kind>(kind: K, name: string, summary: string) {
  return defineWorkload<K, RetriesConfig>({
    ...common,
    name,
    kind,
    summary,
    defaults: { most: 20 },
    run: (oracle, task, { most }) => retry(oracle, task, most, (input) => input),
  })
}

/** The source first, then inputs of the pool; the first time as it is, then as `again` makes it. */
export function retry<Input>(
  oracle: Oracle<Input>,
  { source, pool, budget }: Task<Input>,
  most: number,
  again: (input: Input) => Input,
): Promise<void> {
  const { random } = oracle
  let input = source
  let left = 1 + random.whole(most)
  let isFirst = true
  return askEach(oracle, budget, () => {
    if (left === 0) {
      input = pool.length === 0 ? source : random.pick(pool).input
      left = 1 + random.whole(most)
      isFirst = true
    }
    left--
    if (!isFirst) return again(input)
    isFirst = false
    return input
  })
}
