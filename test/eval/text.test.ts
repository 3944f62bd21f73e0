/** Misuse of text models and evasion of text classifiers. */
import { describe, expect, test } from 'vitest'
import { type Asked, type ClientSpec, createRandom, runSession, type Task, type Victim } from '../../src/eval/index.ts'
import { amongOthers, TEXT_ATTACKS } from '../../src/eval/text/index.ts'
import {
  dropWord,
  MUTATIONS,
  type Mutation,
  misspelt,
  REWORDINGS,
  swapWords,
  typo,
  wordsOf,
} from '../../src/eval/text/mutations.ts'
import { replayedPrompts } from '../../src/eval/text/replayedPrompts.ts'
import { filled } from '../../src/eval/text/templateProbing.ts'
import { wordEdits, wordSubstitution } from '../../src/eval/text/wordSubstitution.ts'

/** Each word weighs something; the sum decides. */
const WEIGHTS: Readonly<Record<string, number>> = { good: 2, great: 3, fine: 1, bad: -4 }

const mood: Victim<'text'> = {
  name: 'mood',
  hash: '',
  kind: 'text',
  classes: 2,
  answer: async (texts) =>
    texts.map((text) => {
      const sum = wordsOf(text).reduce((total, word) => total + (WEIGHTS[word] ?? 0), 0)
      return Float32Array.of(sum, 0)
    }),
}

const task: Task<string> = {
  source: 'a good film and a great end',
  label: 0,
  classes: 2,
  shape: { width: 1, height: 1, channels: 1 },
  budget: 300,
  pool: [
    { input: 'a fine film', label: 0 },
    { input: 'great actors', label: 0 },
    ...Array.from({ length: 50 }, (_, n) => ({ input: `an honest question number ${n}`, label: 1 })),
  ],
}

async function watch(client: unknown, changed: Partial<Task<string>> = {}, config: object = {}) {
  const asked: Asked<string>[] = []
  const see = (one: Asked<string>) => {
    asked.push(one)
    return undefined
  }
  const outcome = await runSession({
    client: client as ClientSpec<'text', object>,
    config,
    victim: mood,
    task: { ...task, ...changed },
    seed: 4,
    watchers: [{ see }],
  })
  return { ...outcome, asked, texts: asked.map(({ input }) => input) }
}

describe('changes of texts', () => {
  test('are the same under the same seed, and others under another', () => {
    const draw = (change: Mutation, seed: number) => {
      const random = createRandom(seed)
      return Array.from({ length: 30 }, () => change('what is the way, and where does it end', random))
    }
    for (const change of [...MUTATIONS, ...REWORDINGS]) expect(draw(change, 1)).toEqual(draw(change, 1))
    for (const change of MUTATIONS) expect(draw(change, 1)).not.toEqual(draw(change, 2))
  })

  test('keep the words or letters that they should', () => {
    const random = createRandom(1)
    const sorted = (text: string) => [...text].sort().join('')
    const text = 'one two three four'
    for (let n = 0; n < 50; n++) {
      expect(wordsOf(swapWords(text, random)).sort()).toEqual(wordsOf(text).sort())
      expect(sorted(typo(text, random))).toBe(sorted(text))
      expect(wordsOf(dropWord(text, random))).toHaveLength(3)
    }
    expect(misspelt('abc', random)).toBe('acb')
    expect(misspelt('ab', random)).toBe('ab')
  })

  test('take texts of one word and of none', () => {
    const random = createRandom(1)
    for (const change of [...MUTATIONS, ...REWORDINGS]) {
      for (const text of ['', 'a', 'word']) expect(typeof change(text, random)).toBe('string')
    }
  })
})

describe('the clients', () => {
  test.each(TEXT_ATTACKS.map((client) => [client.name, client] as const))(
    '%s asks the same under the same seed, texts all of them',
    async (_name, client) => {
      const first = await watch(client)
      expect(first.texts.length).toBeGreaterThan(0)
      expect(first.texts.every((text) => text.length > 0)).toBe(true)
      expect((await watch(client)).texts).toEqual(first.texts)
    },
  )

  test('prompt mutation goes on from what got through, and never grows without end', async () => {
    const { texts } = await watch(TEXT_ATTACKS[0], { budget: 2000 })
    expect(texts[0]).toBe(task.source)
    expect(new Set(texts).size).toBeGreaterThan(1000)
    // 4 × 27 + 200, and one change more.
    for (const text of texts) expect(text.length).toBeLessThan(360)
  })

  test('template probing fills every combination once', async () => {
    const { texts } = await watch(TEXT_ATTACKS[1], { budget: 5000 })
    expect(texts).toHaveLength(10 * 20 * 8)
    expect(new Set(texts).size).toBe(1600)
    expect(texts.every((text) => text.includes(task.source) && !text.includes('{'))).toBe(true)
    expect(filled('{a} and {b}, {c}', { a: '{b}', b: 'x' })).toBe('{b} and x, {c}')
  })

  test('replayed prompts are the source and those labelled like it, round after round', async () => {
    const set = [task.source, 'a fine film', 'great actors']
    expect((await watch(replayedPrompts, { budget: 7 })).texts).toEqual([...set, ...set, task.source])
    const { texts } = await watch(replayedPrompts, { budget: 60 }, { changes: 1 })
    expect(texts.slice(0, 3)).toEqual(set)
    expect(new Set(texts.slice(3)).size).toBeGreaterThan(30)
  })

  test('among others a hundredth of the queries are its own, the rest honest', async () => {
    const { asked } = await watch(amongOthers(replayedPrompts), { budget: 20_000 })
    const own = asked.filter(({ isFiller }) => !isFiller).map(({ input }) => input)
    // 200 are expected, with a deviation of 14.
    expect(Math.abs(own.length - 200)).toBeLessThan(50)
    expect(own.slice(0, 4)).toEqual([task.source, 'a fine film', 'great actors', task.source])
    for (const { input, isFiller } of asked) expect(input.startsWith('an honest question')).toBe(isFiller)
  })
})

describe('word substitution', () => {
  test('leaves each word out once, then changes the words that matter most, first', async () => {
    const { texts, success } = await watch(wordSubstitution, { source: 'great good plain film here now then' })
    expect(texts.slice(0, 3)).toEqual([
      'great good plain film here now then',
      'good plain film here now then',
      'great plain film here now then',
    ])
    // 1 + 7 queries, then 'great': left out, moved, misspelt, replaced.
    expect(texts[8]).toBe('good plain film here now then')
    expect(texts[9]).toBe('good great plain film here now then')
    expect(texts[10]).toMatch(/^g[reat]{4} good plain film here now then$/)
    // Without 'great' and 'good' the sum is 0, and the first of equals is still the label.
    expect(success).toBeUndefined()
  })

  test('succeeds where the pool has a word for it', async () => {
    const pool = [{ input: 'bad bad bad', label: 1 }]
    const { success, texts } = await watch(wordSubstitution, { source: 'a great film', pool })
    // 1 + 3 queries; then 'great' left out, moved, misspelt, and replaced.
    expect(success).toBe(8)
    expect(texts.at(-1)).toBe('a bad film')
  })

  test('ends with a text of one word', async () => {
    expect((await watch(wordSubstitution, { source: 'great' })).queries).toBe(1)
  })

  test('by the label alone makes more and more edits, up to its share, and begins again', async () => {
    const source = 'one two three four five six seven eight nine ten'
    const { texts } = await watch(wordEdits, { source, budget: 600 }, { tries: 100 })
    const fewest = (part: readonly string[]) => Math.min(...part.map((text) => wordsOf(text).length))
    // A share of .4 of ten words: four at most are left out.
    expect([0, 100, 200, 300, 400, 500].map((from) => fewest(texts.slice(from, from + 100)))).toEqual([
      9, 8, 7, 6, 9, 8,
    ])
  })
})
