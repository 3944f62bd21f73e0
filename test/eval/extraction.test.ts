/** Thieves of models: the copy they train, what they ask, and what is noted of them. */
import { describe, expect, test } from 'vitest'
import { byEntropy } from '../../src/eval/extraction/activeThief.ts'
import { EXTRACTIONS } from '../../src/eval/extraction/index.ts'
import { MEDIA } from '../../src/eval/extraction/medium.ts'
import { createReservoir } from '../../src/eval/extraction/reservoir.ts'
import { agreement, createSurrogate } from '../../src/eval/extraction/surrogate.ts'
import {
  type ClientSpec,
  createRandom,
  type Labelled,
  largest,
  type Outcome,
  type Picture,
  REFUSED,
  runSession,
  type Task,
  type Victim,
} from '../../src/eval/index.ts'
import { digits, missing, mnist } from './mnist.ts'

const random = () => createRandom(1)

/** Two classes of points in the unit square. */
function points(count: number, isSecond: (x: number, y: number) => boolean, seed: number) {
  const { next } = createRandom(seed)
  return Array.from({ length: count }, () => {
    const x = Float64Array.of(next(), next())
    const label = Number(isSecond(x[0]!, x[1]!))
    return { x, label, target: Float64Array.of(1 - label, label) }
  })
}

describe('the copy', () => {
  test.each([0, 64])('learns what a line separates, with %i hidden units', (hidden) => {
    const isRight = (x: number, y: number) => x + y > 1
    const copy = createSurrogate({ classes: 2, hidden, random: random() })
    copy.train(points(500, isRight, 1), 40)
    expect(agreement(copy, points(500, isRight, 2))).toBeGreaterThan(0.97)
  })

  test('learns opposite corners with hidden units only', () => {
    const isCorner = (x: number, y: number) => x > 0.5 !== y > 0.5
    const [linear, relu] = [0, 64].map((hidden) => {
      const copy = createSurrogate({ classes: 2, hidden, random: random() })
      copy.train(points(500, isCorner, 1), 30)
      return agreement(copy, points(500, isCorner, 2))
    })
    expect(linear).toBeLessThan(0.75)
    expect(relu).toBeGreaterThan(0.93)
  })

  test('knows the way to each class, and takes up where there is none', () => {
    const copy = createSurrogate({ classes: 2, hidden: 0, random: random() })
    const [a, b] = [Float64Array.of(0, 0.5, 1), Float64Array.of(1, 0.5, 0)]
    expect(Array.from(copy.direction(a, 0))).toEqual([1, 1, 1])
    // Both weights of the middle number stay 0, since it is at the centre in every example.
    copy.train(
      [
        { x: a, target: Float64Array.of(1, 0) },
        { x: b, target: Float64Array.of(0, 1) },
      ],
      1,
    )
    expect(Array.from(copy.direction(a, 0))).toEqual([-1, 1, 1])
    expect(Array.from(copy.direction(b, 1))).toEqual([1, 1, -1])
  })

  test.each([0, 64])('goes the way in which the probability rises, with %i hidden units', (hidden) => {
    const next = random()
    const copy = createSurrogate({ classes: 3, hidden, random: next })
    const draw = () => Float64Array.from({ length: 8 }, next.next)
    const examples = Array.from({ length: 100 }, () => {
      const x = draw()
      return { x, target: Float64Array.from([0, 1, 2], (k) => Number(k === largest(x.subarray(0, 3)))) }
    })
    copy.train(examples, 5)
    for (let n = 0; n < 20; n++) {
      const [x, k] = [draw(), n % 3]
      const slopes = x.map((v, i) => copy.predict(x.with(i, v + 1e-7))[k]! - copy.predict(x)[k]!)
      expect(Array.from(copy.direction(x, k))).toEqual(Array.from(slopes, (slope) => (slope < 0 ? -1 : 1)))
    }
  })

  test('does not depend on where the inputs lie and how large they are', () => {
    const isRight = (x: number, y: number) => x + y > 1
    const moved = (count: number, seed: number) =>
      points(count, isRight, seed).map(({ x, ...rest }) => ({ ...rest, x: x.map((v) => 1000 * v - 7) }))
    const copy = createSurrogate({ classes: 2, hidden: 64, random: random() })
    copy.train(moved(500, 1), 40)
    expect(agreement(copy, moved(500, 2))).toBeGreaterThan(0.97)
  })
})

const SHAPE = { width: 2, height: 2, channels: 1 } as const
const CLASSES = 10

/** The class is a tenth of the first number's range. */
const tenths: Victim<'image'> = {
  name: 'tenths',
  hash: '',
  kind: 'image',
  classes: CLASSES,
  answer: async (pictures) =>
    pictures.map(([first = 0]) => {
      const said = Math.min(Math.floor(10 * first), 9)
      return Float64Array.from({ length: CLASSES }, (_, k) => -4 * Math.abs(k - said)) as never
    }),
}

function pictures(count: number, seed: number): Labelled<Picture>[] {
  const { next } = createRandom(seed)
  return Array.from({ length: count }, (_, n) => {
    const input = Float64Array.of((n % CLASSES) / 10 + 0.05, next(), next(), next())
    return { input, label: n % CLASSES, said: n % CLASSES }
  })
}

const task: Task<Picture> = {
  source: Float64Array.of(0, 0, 0, 0),
  label: 0,
  classes: CLASSES,
  shape: SHAPE,
  budget: 20_000,
  pool: pictures(300, 1),
  heldOut: pictures(50, 2),
}

type Thief = ClientSpec<'image', object>

function named(name: string): Thief {
  return EXTRACTIONS.find((client) => client.name === name) as Thief
}

async function watch(name: string, changed: Partial<Task<Picture>> = {}, config: object = {}) {
  const asked: Picture[] = []
  const watcher = {
    see: ({ input }: { readonly input: Picture }) => {
      asked.push(input)
      return undefined
    },
  }
  const outcome: Outcome = await runSession({
    client: named(name),
    config,
    victim: tenths,
    task: { ...task, ...changed },
    seed: 3,
    watchers: [watcher],
  })
  return { asked, ...outcome }
}

describe('JBDA', () => {
  test.each([
    ['jbda', 6400, {}],
    ['jbda_relu', 800, { rounds: 3 }],
    ['jbrand', 800, { rounds: 3 }],
  ])('%s doubles in every round: 100 seeds become %i', async (name, count, config) => {
    const { asked } = await watch(name, {}, config)
    expect(asked).toHaveLength(count)
    const perClass = new Array<number>(CLASSES).fill(0)
    for (const [first = 0] of asked.slice(0, 100)) perClass[Math.floor(10 * first)]!++
    expect(perClass).toEqual(new Array(CLASSES).fill(10))
    for (let known = 100; known < count; known *= 2) {
      for (let i = 0; i < known; i++) {
        for (const [k, v] of asked[known + i]!.entries()) {
          const [up, down] = [Math.min(asked[i]![k]! + 0.1, 1), Math.max(asked[i]![k]! - 0.1, 0)]
          expect(Math.min(Math.abs(v - up), Math.abs(v - down))).toBeLessThan(1e-12)
        }
      }
    }
  })

  test('keeps and moves a fair choice of what it knows above a limit', () => {
    const counts = new Array<number>(12).fill(0)
    const next = random()
    for (let n = 0; n < 3000; n++) {
      const reservoir = createReservoir<number>(4, next)
      for (let i = 0; i < 12; i++) {
        reservoir.add(i)
        if (i === 3) expect(reservoir.items).toEqual([0, 1, 2, 3])
      }
      expect(new Set(reservoir.items).size).toBe(4)
      for (const item of reservoir.items) counts[item]!++
    }
    // Each of the 12 is among the 4 in a third of the draws.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120)
  })

  test('has directions of few kinds with a linear copy, and more with hidden units', async () => {
    const kinds = async (name: string) => {
      const { asked } = await watch(name, { budget: 800 })
      const signs = asked.slice(400).map((x, i) => Array.from(x, (v, k) => Number(v >= asked[i]![k]!)).join(''))
      return new Set(signs).size
    }
    expect(await kinds('jbda')).toBeLessThanOrEqual(await kinds('jbda_relu'))
  })
})

describe('Knockoff', () => {
  test('asks every input of the pool once, in random order', async () => {
    const { asked } = await watch('knockoff_random')
    expect(asked).toHaveLength(300)
    expect(new Set(asked)).toEqual(new Set(task.pool.map(({ input }) => input)))
    expect(asked).not.toEqual(task.pool.map(({ input }) => input))
  })

  test('leaves a fifth of the pool for the judge where nothing else is held out', async () => {
    const { asked, figures } = await watch('knockoff_random', { heldOut: undefined as never })
    expect(new Set(asked).size).toBe(240)
    expect(figures!['fidelity']!.map(([query]) => query)).toEqual([100, 200])
  })

  test('needs a pool', async () => {
    await expect(watch('knockoff_random', { pool: [] })).rejects.toThrow(/must hold inputs to ask/)
  })
})

describe('ActiveThief', () => {
  test('asks a tenth at random and the rest in ten equal rounds, none twice', async () => {
    const { asked } = await watch('active_thief', { budget: 200 })
    expect(new Set(asked).size).toBe(200)
    const whole = await watch('active_thief')
    expect(new Set(whole.asked).size).toBe(300)
  })

  test('prefers what the copy is least sure of', async () => {
    const { next } = random()
    const pool = Array.from({ length: 1000 }, () => {
      const input = Float64Array.of(next(), next(), next(), next())
      return { input, label: 0 }
    })
    const halves: Victim<'image'> = {
      ...tenths,
      classes: 2,
      answer: async (asked) => asked.map(([first = 0]) => Float32Array.of(20 * (0.5 - first), 0)),
    }
    const asked: Picture[] = []
    const see = ({ input }: { readonly input: Picture }) => {
      asked.push(input)
      return undefined
    }
    const client = named('active_thief')
    const chosen = { ...task, classes: 2, pool, budget: 400 }
    await runSession({ client, victim: halves, task: chosen, seed: 1, watchers: [{ see }] })
    const fromEdge = (part: readonly Picture[]) =>
      part.reduce((sum, [first = 0]) => sum + Math.abs(first - 0.5), 0) / part.length
    expect(fromEdge(asked.slice(0, 40))).toBeGreaterThan(0.2)
    expect(fromEdge(asked.slice(40, 220))).toBeLessThan(0.12)
  })

  test('takes the largest entropies, of equals the first', () => {
    const entropies: Record<string, number> = { a: 0.1, b: 0.7, c: 0.3, d: 0.7 }
    expect(byEntropy(['a', 'b', 'c', 'd'], (name) => entropies[name]!)).toEqual(['b', 'd', 'c', 'a'])
  })
})

describe('noise', () => {
  test('is uniform, or normal around grey and clipped', () => {
    const next = random()
    const momentsOf = (draw: () => Picture) => {
      const all = Array.from({ length: 50_000 }, draw).flatMap((x) => Array.from(x))
      const mean = all.reduce((sum, v) => sum + v, 0) / all.length
      const variance = all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length
      return { mean, deviation: Math.sqrt(variance), ends: all.filter((v) => v === 0 || v === 1).length / all.length }
    }
    const medium = MEDIA.image(task)
    const uniform = momentsOf(() => medium.uniform(next))
    expect(uniform.mean).toBeCloseTo(0.5, 2)
    expect(uniform.deviation).toBeCloseTo(Math.sqrt(1 / 12), 2)
    expect(uniform.ends).toBe(0)
    const normal = momentsOf(() => medium.typical(next))
    expect(normal.mean).toBeCloseTo(0.5, 2)
    // Two deviations from the middle are the ends: 4.55 % lie beyond, and the clipping takes the deviation to .23986.
    expect(normal.deviation).toBeCloseTo(0.23986, 2)
    expect(normal.ends).toBeCloseTo(0.0455, 2)
  })

  test.each(['uniform', 'typical'])('is asked as long as may be: %s', async (noise) => {
    const { asked } = await watch('noise_extraction', { budget: 150 }, { noise })
    expect(asked).toHaveLength(150)
    expect(asked.flatMap((x) => Array.from(x)).some((v) => v === 1)).toBe(noise === 'typical')
  })
})

describe('what is noted', () => {
  test('accuracy and fidelity after every 100 queries and at the end', async () => {
    const { figures, queries } = await watch('jbda_relu', { budget: 1024 })
    expect(queries).toBe(1024)
    const hundreds = Array.from({ length: 10 }, (_, i) => 100 * (i + 1))
    expect(figures!['fidelity']!.map(([query]) => query)).toEqual([...hundreds, 1024])
    expect(figures!['accuracy']!.map(([query]) => query)).toEqual([...hundreds, 1024])
    for (const [, value] of figures!['fidelity']!) expect(value >= 0 && value <= 1).toBe(true)
  })

  test('fidelity is agreement with the model, not with the truth', async () => {
    const heldOut = pictures(50, 2).map((one) => ({ ...one, label: (one.label + 1) % CLASSES }))
    const { figures } = await watch('knockoff_random', { pool: pictures(1000, 4), heldOut })
    expect(figures!['fidelity']!.at(-1)![1]).toBeGreaterThan(0.8)
    expect(figures!['accuracy']!.at(-1)![1]).toBeLessThan(0.2)
  })

  test('refused answers teach nothing', async () => {
    const { figures } = await runSession({
      client: named('knockoff_random'),
      victim: tenths,
      task,
      seed: 1,
      watchers: [{ see: () => REFUSED }],
    })
    expect(new Set(figures!['fidelity']!.map(([, value]) => value))).toEqual(new Set([0.1]))
  })
})

describe.skipIf(missing.length > 0)(`on MNIST${missing.length > 0 ? ` (absent: ${missing})` : ''}`, () => {
  test('copies are the better the more the inputs look like digits', async () => {
    const victim = await mnist()
    const all = digits()
    const heldOut = await Promise.all(
      all.slice(500, 700).map(async (one) => ({ ...one, said: largest((await victim.answer([one.input]))[0]!) })),
    )
    const mine: Task<Picture> = {
      ...task,
      shape: { width: 28, height: 28, channels: 1 },
      budget: 500,
      pool: all.slice(0, 500),
      heldOut,
    }
    const fidelity = async (name: string) => {
      const { figures } = await runSession({ client: named(name), victim, task: mine, seed: 1 })
      return figures!['fidelity']!.at(-1)![1]
    }
    const [noise, jbda, knockoff] = [
      await fidelity('noise_extraction'),
      await fidelity('jbda_relu'),
      await fidelity('knockoff_random'),
    ]
    expect(noise).toBeLessThan(0.3)
    expect(jbda).toBeGreaterThan(noise + 0.3)
    expect(knockoff).toBeGreaterThan(jbda)
  })
})
