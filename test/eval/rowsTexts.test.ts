/** Honest clients with rows and with texts. */
import { describe, expect, test } from 'vitest'
import type { Row } from '../../src/core/index.ts'
import { createRandom, type Task } from '../../src/eval/index.ts'
import { rescoringRows, rescoringTextsShuffled } from '../../src/eval/workloads/repeats/rescoring.ts'
import { retriesRows, retriesTexts } from '../../src/eval/workloads/repeats/retries.ts'
import { shuffledRows, shuffledTexts } from '../../src/eval/workloads/repeats/unrelated.ts'
import { featureSweep, whatIfGrid } from '../../src/eval/workloads/tabular/sweeps.ts'
import { edited, editRetries } from '../../src/eval/workloads/text/edits.ts'
import { slotPrompts, templatedPrompts } from '../../src/eval/workloads/text/templates.ts'
import { listenTo } from './asked.ts'

const COLOURS = ['blue', 'green', 'red'] as const

const rows: Task<Row> = {
  source: { age: 20, height: 1.5, colour: 'blue', kind: 'person' },
  label: 0,
  classes: 2,
  shape: { width: 1, height: 1, channels: 1 },
  budget: 100,
  pool: Array.from({ length: 30 }, (_, n) => ({
    input: { age: 21 + 2 * (n % 20), height: 1.5 + n / 58, colour: COLOURS[n % 3]!, kind: 'person' },
    label: 0,
  })),
}

const texts: Task<string> = {
  label: 0,
  classes: 2,
  shape: rows.shape,
  budget: 100,
  source: 'Where can I get my new card?',
  pool: ['My money is gone, what now?', 'Please close the account', 'Is this exchange rate wrong today?'].map(
    (input) => ({
      input,
      label: 0,
    }),
  ),
}

/** The columns in which a row differs. */
const changedIn = (row: Row, from: Row = rows.source) => Object.keys(from).filter((name) => row[name] !== from[name])

describe('rows', () => {
  test('a sweep takes one feature through all its values in order, then the next, then the next row', async () => {
    const { inputs } = await listenTo(featureSweep, rows, { config: { values: 6 } })
    expect(inputs).toHaveLength(100)
    const order = Object.keys(inputs[0]!)
    expect(order).toEqual(['age', 'height', 'colour', 'kind'])
    // Ages 20 … 59: every 7.8 years, as whole numbers; three colours; no second kind.
    const ages = [20, 28, 36, 43, 51, 59]
    const byAge = inputs.slice(0, 15).filter((row) => row['height'] === 1.5 && row['colour'] === 'blue')
    expect(byAge.map((row) => row['age'])).toEqual(expect.arrayContaining(ages))
    for (const row of inputs.slice(0, 15)) expect(changedIn(row).length).toBeLessThanOrEqual(1)
    const runs = inputs.slice(0, 15).map((row) => changedIn(row)[0])
    expect(new Set(runs.filter((name) => name !== undefined))).toEqual(new Set(['age', 'colour', 'height']))
    const heights = inputs
      .slice(0, 15)
      .filter((row) => changedIn(row)[0] === 'height')
      .map((row) => Number(row['height']))
    expect(heights).toHaveLength(5)
    expect(heights).toEqual(heights.toSorted((a, b) => a - b))
    expect(heights.at(-1)).toBe(2)
    // 6 + 6 + 3 queries a row.
    expect(changedIn(inputs[15]!, rows.pool[0]!.input).length).toBeLessThanOrEqual(1)
  })

  test('a grid has every combination of two features once, then takes the next row', async () => {
    const { inputs } = await listenTo(whatIfGrid, { ...rows, budget: 40 }, { config: { values: 3 } })
    const first = inputs.slice(0, 9)
    expect(new Set(first.map((row) => JSON.stringify(row))).size).toBe(9)
    const varied = new Set(first.flatMap((row) => changedIn(row)))
    expect(varied.size).toBe(2)
    // One of the two runs fastest: it changes in each of the first three, the other in none.
    const columns = ['age', 'height', 'colour'].map((name) => new Set(first.slice(0, 3).map((row) => row[name])).size)
    expect(columns.toSorted()).toEqual([1, 1, 3])
    expect(changedIn(inputs[9]!, rows.pool[0]!.input).length).toBeLessThanOrEqual(2)
  })

  test('of one row there is nothing to sweep', async () => {
    expect((await listenTo(featureSweep, { ...rows, pool: [] })).queries).toBe(0)
    expect((await listenTo(whatIfGrid, { ...rows, pool: [] })).queries).toBe(0)
  })

  test('are shuffled, asked again and scored again as they are', async () => {
    const known = [rows.source, ...rows.pool.map(({ input }) => input)]
    expect((await listenTo(shuffledRows, rows)).queries).toBe(30)
    const again = await listenTo(retriesRows, rows)
    expect(again.inputs).toHaveLength(100)
    for (const row of again.inputs) expect(known).toContain(row)
    expect(new Set(again.inputs).size).toBeLessThan(25)
    const scored = (await listenTo(rescoringRows, rows)).inputs
    expect(scored).toHaveLength(100)
    for (const [n, row] of scored.entries()) expect(row).toBe(scored[n % 10])
  })
})

describe('texts', () => {
  test('have one frame around them', async () => {
    const { inputs } = await listenTo(templatedPrompts, texts, { config: { template: 'Sum up: {}. $& now' } })
    expect(inputs).toHaveLength(100)
    expect(inputs).toContain('Sum up: Please close the account. $& now')
    for (const [n, text] of inputs.entries()) {
      expect(text).toMatch(/^Sum up: .*\. \$& now$/)
      expect(text).toBe(inputs[n % 4])
    }
  })

  test('differ in one word, always in the same place', async () => {
    const { inputs } = await listenTo(slotPrompts, texts)
    const words = texts.source.split(' ')
    const places = new Set(
      inputs.flatMap((text) => {
        const own = text.split(' ')
        expect(own).toHaveLength(words.length)
        return [...own.keys()].filter((n) => own[n] !== words[n])
      }),
    )
    expect(places.size).toBe(1)
    // My, money, is, gone, what, now … without those of two letters: money gone what now Please close the account this exchange rate wrong today.
    expect(new Set(inputs).size).toBe(13)
  })

  test('are edited a little', () => {
    const random = createRandom(2)
    const made = Array.from({ length: 500 }, () => edited(texts.source, random))
    expect(new Set(made).size).toBeGreaterThan(60)
    expect(made).toContain(texts.source)
    expect(made).toContain('Where could I get my new card?')
    expect(made).toContain('where can i get my new card?')
    expect(made).toContain(`${texts.source} Thanks!`)
    for (const text of made) expect(Math.abs(text.length - texts.source.length)).toBeLessThan(50)
  })

  test('are asked again, edited or not', async () => {
    const known = [texts.source, ...texts.pool.map(({ input }) => input)]
    const plain = await listenTo(retriesTexts, texts)
    for (const text of plain.inputs) expect(known).toContain(text)
    const { inputs } = await listenTo(editRetries, texts)
    expect(inputs[0]).toBe(texts.source)
    expect(inputs.filter((text) => !known.includes(text)).length).toBeGreaterThan(40)
    expect((await listenTo(shuffledTexts, texts)).queries).toBe(3)
    expect(new Set((await listenTo(rescoringTextsShuffled, { ...texts, budget: 40 })).inputs).size).toBe(4)
  })
})
