/** The ground of the evaluation: randomness, sessions, definitions. */
import { describe, expect, test } from 'vitest'
import {
  type Answer,
  type Asked,
  createRandom,
  defineAttack,
  defineWorkload,
  type Picture,
  REFUSED,
  runSession,
  seedOf,
  type Task,
  type Victim,
} from '../../src/eval/index.ts'

const SHAPE = { width: 2, height: 1, channels: 1 } as const
const task: Task<Picture> = {
  source: Float64Array.of(0.25, 0.375),
  label: 0,
  classes: 2,
  shape: SHAPE,
  budget: 10,
  pool: [],
}

/** Class 1 from a sum of 1 on. */
const victim: Victim<'image'> = {
  name: 'sum',
  hash: '',
  kind: 'image',
  classes: 2,
  answer: async (pictures) => pictures.map(([a = 0, b = 0]) => Float32Array.of(1 - a - b, 0)),
}

const base = {
  name: 'probe',
  kind: 'image',
  sees: 'label',
  summary: 'adds an eighth a query',
  defaults: { step: 0.125 },
} as const

const probe = defineAttack({
  ...base,
  async run(oracle, { source }, { step }) {
    for (let n = 0; ; n++) await oracle.ask(source.map((v) => v + n * step))
  },
})

describe('a session', () => {
  test('ends at the first wrong answer, counted from 1', async () => {
    expect(await runSession({ client: probe, victim, task, seed: 1 })).toEqual({ queries: 3, success: 3 })
  })

  test('ends when the budget is spent, in the middle of a batch too', async () => {
    const client = defineAttack({
      ...base,
      async run(oracle, { source }) {
        for (;;) expect(await oracle.askAll([source, source, source, source])).toHaveLength(4)
      },
    })
    expect(await runSession({ client, victim, task, seed: 1 })).toEqual({ queries: 10, success: undefined })
  })

  test('ends with the client', async () => {
    const client = defineWorkload({
      ...base,
      profile: 'F',
      async run(oracle, { source }) {
        await oracle.askAll([source, Float64Array.of(1, 1)])
      },
    })
    expect(await runSession({ client, victim, task, seed: 1 })).toEqual({ queries: 2, success: undefined })
  })

  test('asks no more once it is over, even for a client that catches everything', async () => {
    const client = defineAttack({
      ...base,
      async run(oracle, { source }) {
        for (let n = 0; n < 50; n++) await oracle.ask(source).catch(() => {})
      },
    })
    expect((await runSession({ client, victim, task, seed: 1 })).queries).toBe(10)
  })

  test('hands on what a client throws', async () => {
    const client = defineAttack({ ...base, run: () => Promise.reject(new Error('broken')) })
    await expect(runSession({ client, victim, task, seed: 1 })).rejects.toThrow('broken')
  })

  test('writes down what the client notes, the last of a query', async () => {
    const client = defineWorkload({
      ...base,
      profile: 'D',
      async run(oracle, { source }) {
        oracle.note('early', 7)
        await oracle.askAll([source, source])
        oracle.note('share', 0.25)
        oracle.note('share', 0.5)
        for (;;) {
          await oracle.ask(source)
          oracle.note('share', 1)
        }
      },
    })
    const { figures } = await runSession({ client, victim, task: { ...task, budget: 4 }, seed: 1 })
    expect(figures).toEqual({
      early: [[0, 7]],
      share: [
        [2, 0.5],
        [3, 1],
        [4, 1],
      ],
    })
  })

  test('shows every query to the watchers, and what they say to the client', async () => {
    const seen: Asked<Picture>[] = []
    const answers: Answer[] = []
    const client = defineAttack({
      ...base,
      async run(oracle, given, config) {
        const ask: typeof oracle.ask = async (input, how) => {
          answers.push(await oracle.ask(input, how))
          return answers.at(-1)!
        }
        await probe.run({ ...oracle, ask }, given, config)
      },
    })
    const watcher = {
      see(asked: Asked<Picture>) {
        seen.push(asked)
        return asked.number === 3 ? REFUSED : undefined
      },
    }
    const outcome = await runSession({ client, victim, task, seed: 1, watchers: [watcher] })
    expect(outcome).toEqual({ queries: 4, success: 4 })
    expect(seen.map(({ number, timeMs, account }) => [number, timeMs, account])).toEqual([
      [1, 1000, 0],
      [2, 2000, 0],
      [3, 3000, 0],
      [4, 4000, 0],
    ])
    expect(answers.map(({ refused, label }) => [refused, label])).toEqual([
      [false, 0],
      [false, 0],
      [true, -1],
    ])
  })
})

describe('randomness', () => {
  test('is the same for the same seed, and another for another', () => {
    const draw = (seed: number) => Array.from(createRandom(seed).normals(4))
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test('has the moments of what it claims to draw', () => {
    const random = createRandom(3)
    const normals = random.normals(200_000)
    const moment = (k: number) => normals.reduce((sum, v) => sum + v ** k, 0) / normals.length
    expect(moment(1)).toBeCloseTo(0, 2)
    expect(moment(2)).toBeCloseTo(1, 1)
    expect(moment(4)).toBeCloseTo(3, 1)
    const counts = [0, 0, 0]
    for (let i = 0; i < 30_000; i++) counts[random.whole(3)]!++
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })

  test('shuffles to every order alike', () => {
    const random = createRandom(5)
    const counts = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const key = random.shuffled(['a', 'b', 'c']).join('')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  test('is seeded by all parts', () => {
    expect(seedOf(1, 'simba', 3)).toBe(seedOf(1, 'simba', 3))
    expect(new Set([seedOf(1, 'a', 3), seedOf(1, 'a', 4), seedOf(2, 'a', 3), seedOf('1a', 3)]).size).toBe(4)
  })
})

test('a client needs a name and something to run', () => {
  expect(() => defineAttack({ ...base, run: probe.run, name: 'No Name' })).toThrow(/lower-case name/)
  expect(() => defineAttack({ ...base, run: undefined as never })).toThrow(/must be a function/)
})
