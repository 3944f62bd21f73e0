/** Tables as attackers see them, thieves of models of rows, and the search for a row with another answer. */
import { describe, expect, test } from 'vitest'
import type { Row } from '../../src/core/index.ts'
import { EXTRACTIONS } from '../../src/eval/extraction/index.ts'
import { type ClientSpec, createRandom, runSession, type Task, type Victim } from '../../src/eval/index.ts'
import { type TabularSearchConfig, tabularSearch } from '../../src/eval/tabular/search.ts'
import { createTable } from '../../src/eval/tabular/table.ts'

/** Ages 20 … 70, amounts that are mostly 0, three kinds of job. */
function people(count: number, seed = 1): Row[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, n) => ({
    age: n === 0 ? 20 : n === 1 ? 70 : 20 + random.whole(51),
    gain: n === 0 ? 1000 : random.next() < 0.05 ? random.whole(1000) : 0,
    job: ['clerk', 'nurse', 'smith'][n % 3]!,
  }))
}

const table = createTable(people(200))

describe('a table', () => {
  test('places numbers between the ends of their column, and a category by a 1', () => {
    // Skewed amounts by asinh: asinh(10) / asinh(1000) = 2.99822 / 7.60090.
    const numbers = table.numbersOf({ age: 45, gain: 10, job: 'nurse' })
    expect(Array.from(numbers)).toEqual([0.5, expect.closeTo(0.394456, 5), 0, 1, 0])
  })

  test('takes numbers that are spelt, and knows nothing of what it has not seen', () => {
    expect(Array.from(table.numbersOf({ age: '45', gain: null, job: 'pilot' }))).toEqual([0.5, 0, 0, 0, 0])
  })

  test('moves numbers by a share of their range, whole where they are, and a category only by large steps', () => {
    const row = { age: 45, gain: 0, job: 'nurse' }
    const up = Int8Array.of(1, 1, 1, -1, 1)
    // sinh(.1 · 7.60090) = .8354: a whole 1.
    expect(table.moved(row, up, 0.1)).toEqual({ age: 50, gain: 1, job: 'nurse' })
    expect(table.moved(row, up, 0.9)).toMatchObject({ age: 70, job: 'clerk' })
    expect(table.moved({ ...row, job: 'pilot', age: null }, up, 0.9)).toMatchObject({ age: null, job: 'pilot' })
  })

  test('draws uniform rows from the ranges, and typical ones cell by cell', () => {
    const random = createRandom(5)
    const draws = (kind: 'uniform' | 'typical') => Array.from({ length: 2000 }, () => table[kind](random))
    const noGain = (rows: readonly Row[]) => rows.filter(({ gain }) => gain === 0).length / rows.length
    expect(noGain(draws('typical'))).toBeGreaterThan(0.9)
    expect(noGain(draws('uniform'))).toBeLessThan(0.2)
    for (const { age } of draws('uniform')) {
      expect(Number.isInteger(age) && Number(age) >= 20 && Number(age) <= 70).toBe(true)
    }
  })
})

/** Whether somebody gets a loan: by age and job together, and by large amounts alone. */
const loans: Victim<'tabular'> = {
  name: 'loans',
  hash: '',
  kind: 'tabular',
  classes: 2,
  answer: async (rows) =>
    rows.map(({ age, gain, job }) => {
      const points = (Number(age) - 50) / 10 + (job === 'smith' ? 1 : 0) + Math.asinh(Number(gain)) / 2
      return Float32Array.of(0, 2 * points)
    }),
}

const source: Row = { age: 40, gain: 0, job: 'clerk' }
const pool = people(500).map((input) => ({ input, label: 0 }))
const shape = { width: 1, height: 1, channels: 1 } as const
const task: Task<Row> = { source, label: 0, classes: 2, shape, budget: 500, pool }

async function watch(config: Partial<TabularSearchConfig>, victim: Victim<'tabular'> = loans) {
  const asked: Row[] = []
  const see = ({ input }: { readonly input: Row }) => {
    asked.push(input)
    return undefined
  }
  const outcome = await runSession({ client: tabularSearch, config, victim, task, seed: 2, watchers: [{ see }] })
  return { asked, ...outcome }
}

describe('tabular search', () => {
  const stubborn: Victim<'tabular'> = {
    ...loans,
    answer: async (rows) =>
      (await loans.answer(rows)).map((logits) => logits.map((v, k) => (k === 1 ? v / 50 - 9 : v))),
  }

  test('begins with the source and finds a row with another answer', async () => {
    const { asked, success } = await watch({})
    expect(asked[0]).toEqual(source)
    expect(success).toBeLessThan(100)
  })

  test('stays within reach, and leaves fixed columns alone', async () => {
    const { asked } = await watch({ reach: 0.1, fixed: ['gain'] }, stubborn)
    expect(asked).toHaveLength(500)
    // A tenth of the 50 years.
    for (const { age, gain } of asked) expect(Math.abs(Number(age) - 40) <= 5 && gain === 0).toBe(true)
    expect(new Set(asked.map(({ job }) => job))).toEqual(new Set(['clerk', 'nurse', 'smith']))
  })

  test('changes no more categories than it may', async () => {
    const { asked } = await watch({ categories: 0 }, stubborn)
    expect(new Set(asked.map(({ job }) => job))).toEqual(new Set(['clerk']))
  })

  test('goes only where the probability of the label falls', async () => {
    const { asked } = await watch({ fixed: ['job', 'gain'], reach: 1 }, stubborn)
    const oldest = asked.findIndex(({ age }) => age === 70)
    // 40 and then at most both ways a step of 5 years each, six times.
    expect(oldest).toBeGreaterThan(0)
    expect(oldest).toBeLessThanOrEqual(12)
  })
})

describe('thieves of models of rows', () => {
  test.each(EXTRACTIONS.filter(({ kind }) => kind === 'tabular').map((client) => [client.name, client] as const))(
    '%s is better than the more frequent answer',
    async (_name, client) => {
      const answers = await loans.answer(pool.map(({ input }) => input))
      const labelled = pool.map(({ input }, i) => {
        const said = Number(answers[i]![1]! > 0)
        return { input, label: said, said }
      })
      const [mine, heldOut] = [labelled.slice(0, 300), labelled.slice(300)]
      const { figures } = await runSession({
        client: client as ClientSpec<'tabular', object>,
        victim: loans,
        task: { ...task, budget: 300, pool: mine, heldOut },
        seed: 1,
      })
      const share = heldOut.filter(({ said }) => said === 1).length / heldOut.length
      expect(figures!['fidelity']!.at(-1)![1]).toBeGreaterThan(Math.max(share, 1 - share))
    },
  )
})
