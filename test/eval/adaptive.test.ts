/** Attackers who know that they are watched: disguises of any attack, and OARS, which learns from refusals. */
import { describe, expect, test } from 'vitest'
import { REFUSED } from '../../src/eval/answers.ts'
import { shuffledBatches, slowDrip, sybil } from '../../src/eval/attacks/adaptive/accounts.ts'
import { blinded, blindedCopy, eightBitQueries, oneInverted } from '../../src/eval/attacks/adaptive/disguises.ts'
import { decoyFirst, decoysAtSource, evicting, padded, resending } from '../../src/eval/attacks/adaptive/fillers.ts'
import { oarsHopSkipJump } from '../../src/eval/attacks/adaptive/oarsHopSkipJump.ts'
import { oarsNes } from '../../src/eval/attacks/adaptive/oarsNes.ts'
import { oarsSquare } from '../../src/eval/attacks/adaptive/oarsSquare.ts'
import { smallestAnswered } from '../../src/eval/attacks/adaptive/refusals.ts'
import { twoChildren } from '../../src/eval/attacks/adaptive/twoChildren.ts'
import { nesA, nesB } from '../../src/eval/attacks/nes.ts'
import { simba } from '../../src/eval/attacks/simba.ts'
import { square } from '../../src/eval/attacks/square.ts'
import { defineAttack } from '../../src/eval/define.ts'
import { distance } from '../../src/eval/picture.ts'
import { createRandom } from '../../src/eval/random.ts'
import type { Asked, Oracle, Picture } from '../../src/eval/types.ts'
import { changes, deaf, farthest, linear, type RecordOptions, recorded } from './attackToys.ts'

const shape = { width: 2, height: 2, channels: 3 } as const
const source = new Float64Array(12).fill(0.5)
const pool = [0.1, 0.3, 0.9].map((v, i) => ({ input: new Float64Array(12).fill(v), label: i % 2 }))
const setting = { shape, source, pool, victim: deaf }

/** Asks for the source made darker by thousandths, a batch of three and one by itself in turn. */
const steps = defineAttack({
  name: 'steps',
  kind: 'image',
  sees: 'label',
  summary: 'darker and darker',
  defaults: { left: [] as number[] },
  async run(oracle, task, { left }) {
    for (let n = 0; ; n += 4) {
      left.push(oracle.left)
      const at = (k: number) => task.source.map((v) => v - (n + k) / 1000)
      await oracle.askAll([at(0), at(1), at(2)])
      await oracle.ask(at(3))
    }
  },
})

/** By how many thousandths the picture is darker than the source; NaN for others. */
function darker({ input, isFiller }: Asked<Picture>): number {
  return isFiller ? Number.NaN : Math.round(1000 * (0.5 - input[0]!))
}

describe('disguises', () => {
  test('have names, options and summaries of their own, also one in another', () => {
    const both = sybil(padded(simba, { share: 0.9 }), { accounts: 3 })
    expect(both.name).toBe('sybil_padded_simba')
    expect(both.defaults).toEqual({
      ...simba.defaults,
      padded: { share: 0.9 },
      sybil: { accounts: 3, order: 'turns' },
    })
    expect(both.summary).toBe(`${simba.summary}; honest queries are mixed in; asked from several accounts`)
    expect([decoysAtSource(nesB).name, both.role, both.sees]).toEqual([
      'decoys_at_source_nes_b',
      'evasion',
      'probabilities',
    ])
  })

  test('padding mixes in inputs of the pool by its share, and leaves the attack in order', async () => {
    const { asked } = await recorded({ ...setting, client: padded(steps, { share: 0.75 }), budget: 4000 })
    const fillers = asked.filter(({ isFiller }) => isFiller)
    // Standard deviation of the share: √(0.75 · 0.25 / 4000) = 0.007.
    expect(Math.abs(fillers.length / 4000 - 0.75)).toBeLessThan(0.03)
    for (const { input } of fillers) expect(pool.some((one) => one.input === input)).toBe(true)
    const own = asked.filter(({ isFiller }) => !isFiller).map(darker)
    expect(own).toEqual([...own.keys()])
  })

  test('padding tells the attack what is left to it, so that schedules fit', async () => {
    const left: number[] = []
    await recorded({ ...setting, client: padded(steps, { share: 0.75 }), config: { left }, budget: 400 })
    expect(left[0]).toBe(100)
    expect(left[1]).toBeLessThan(100)
    // Square on a tenth of its budget shrinks ten times as fast: the last squares are single pixels.
    const wide = { width: 16, height: 16, channels: 1 } as const
    const grey = new Float64Array(256).fill(0.5)
    const run = {
      shape: wide,
      source: grey,
      pool: [{ input: grey.map(() => 0.2), label: 1 }],
      victim: deaf,
      budget: 3000,
    }
    const { asked } = await recorded({ ...run, client: padded(square, { share: 0.9 }) })
    const own = asked.filter(({ isFiller }) => !isFiller)
    for (const { input } of own.slice(200)) expect(changes(own[0]!.input, input)).toHaveLength(1)
  })

  test('need a pool to pad from', async () => {
    await expect(recorded({ ...setting, pool: [], client: padded(steps), budget: 9 })).rejects.toThrow(
      /the pool is empty/,
    )
  })

  test('accounts take turns, blocks, or chance', async () => {
    const accounts = async (order: 'turns' | 'blocks' | 'random') => {
      const client = sybil(steps, { accounts: 3, order })
      return (await recorded({ ...setting, client, budget: 300 })).asked.map(({ account }) => account)
    }
    expect((await accounts('turns')).slice(0, 7)).toEqual([0, 1, 2, 0, 1, 2, 0])
    const blocks = await accounts('blocks')
    expect([0, 99, 100, 199, 200, 299].map((n) => blocks[n])).toEqual([0, 0, 1, 1, 2, 2])
    const counts = [0, 0, 0]
    for (const account of await accounts('random')) counts[account]!++
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(40)
  })

  test('fillers go through the accounts too', async () => {
    const client = sybil(evicting(steps, { fillers: 2 }), { accounts: 2 })
    const { asked } = await recorded({ ...setting, client, budget: 7 })
    expect(asked.map(({ account, isFiller }) => [account, isFiller])).toEqual([
      [0, false],
      [1, true],
      [0, true],
      [1, false],
      [0, true],
      [1, true],
      [0, false],
    ])
  })

  test('eviction asks its fillers between any two queries', async () => {
    const { asked } = await recorded({ ...setting, client: evicting(steps), budget: 304 })
    expect(asked.flatMap(({ isFiller, number }) => (isFiller ? [] : [number]))).toEqual([1, 102, 203, 304])
  })

  test('a slow drip waits', async () => {
    const { asked } = await recorded({ ...setting, client: slowDrip(steps, { everyMs: 60_000 }), budget: 5 })
    expect(asked.map(({ timeMs }) => timeMs)).toEqual([60_000, 120_000, 180_000, 240_000, 300_000])
  })

  test('a decoy comes first: unrelated, or half source and half a picture of another class', async () => {
    const first = async (like: 'unrelated' | 'similar') => {
      const { asked } = await recorded({ ...setting, client: decoyFirst(steps, { like }), budget: 4 })
      expect(asked.slice(1).map(darker)).toEqual([0, 1, 2])
      expect(asked[0]!.isFiller).toBe(true)
      return asked[0]!.input
    }
    expect(pool.map(({ input }) => input)).toContain(await first('unrelated'))
    // The only picture of another class has 0.3 everywhere.
    for (const v of await first('similar')) expect(v).toBeCloseTo(0.4, 12)
  })

  test('decoys at the source follow what is asked by itself', async () => {
    const { asked } = await recorded({ ...setting, client: decoysAtSource(steps), budget: 12 })
    expect(asked.map(darker)).toEqual([0, 1, 2, 3, ...Array(4).fill(Number.NaN), 4, 5, 6, 7])
    for (const { input } of asked.slice(4, 8)) expect(input).toEqual(source)
  })

  test('early queries come again', async () => {
    const client = resending(steps, { share: 0.5, first: 4 })
    const { asked } = await recorded({ ...setting, client, budget: 400 })
    const again = asked.filter(({ isFiller }) => isFiller)
    expect(Math.abs(again.length / 400 - 0.5)).toBeLessThan(0.1)
    for (const { input } of again) expect(0.5 - input[0]!).toBeLessThan(0.0031)
  })

  test('shuffled batches are the same questions, and every answer goes to its own', async () => {
    const got: number[] = []
    const asks = [5, 6, 7, 8, 9, 10]
    const client = defineAttack({
      name: 'batch',
      kind: 'image',
      sees: 'label',
      summary: 'six at once',
      defaults: {},
      async run(oracle, task) {
        const answers = await oracle.askAll(asks.map((n) => task.source.map(() => n / 100)))
        got.push(...answers.map(({ logits }) => Math.round(100 * (100 - logits[0]!))))
      },
    })
    const victim = linear(Float64Array.of(1, ...Array(11).fill(0)), 100)
    const { pictures } = await recorded({ ...setting, victim, client: shuffledBatches(client), budget: 9 })
    const shown = pictures.map((x) => Math.round(100 * x[0]!))
    expect([...shown].sort((a, b) => a - b)).toEqual(asks)
    expect(shown).not.toEqual(asks)
    expect(got).toEqual(asks)
  })

  test('one number is inverted, and no other', async () => {
    const { asked } = await recorded({
      ...setting,
      source: source.map(() => 0.2),
      client: oneInverted(simba),
      budget: 200,
    })
    expect(
      changes(
        source.map(() => 0.2),
        asked[0]!.input,
      ),
    ).toHaveLength(1)
    for (const { input } of asked) expect([...input].filter((v) => v > 0.7)).toHaveLength(1)
  })

  test('pictures are rounded to 8 bits', async () => {
    const { pictures } = await recorded({ ...setting, client: eightBitQueries(nesB), budget: 50 })
    for (const x of pictures) for (const v of x) expect(255 * v).toBeCloseTo(Math.round(255 * v), 9)
  })

  test('blinding shifts, crops and brightens by no more than it may', async () => {
    const wide = { width: 5, height: 4, channels: 1 } as const
    const random = createRandom(2)
    const x = new Float64Array(20).map((_, i) => (i % 5) / 10)
    const still = { shift: 0, crop: 0, brightness: 0 }
    expect(farthest(blindedCopy(x, wide, still, random), x)).toBeLessThan(1e-12)
    const rows = new Set<string>()
    for (let n = 0; n < 60; n++) {
      const row = blindedCopy(x, wide, { ...still, shift: 1 }, random).slice(0, 5)
      rows.add([...row].map((v) => Math.round(10 * v)).join(''))
    }
    expect([...rows].sort()).toEqual(['00123', '01234', '12344'])
    const brighter = blindedCopy(x, wide, { ...still, brightness: 0.05 }, random)
    const added = new Set([...brighter].map((v, i) => Math.round(1e9 * (v - x[i]!))))
    expect(Math.max(...[...added].map(Math.abs))).toBeLessThanOrEqual(0.05e9)
    // A crop of one column: 4 columns over 5 pixels, 0.8 apart, the first at 0.4 of 0.5 … between columns.
    const cropped = blindedCopy(x, { ...wide }, { ...still, crop: 1 }, { ...random, whole: (count) => count - 1 })
    for (const [i, v] of [0.09, 0.17, 0.25, 0.33, 0.4].entries()) expect(cropped[i]).toBeCloseTo(v, 12)
    const { pictures } = await recorded({ ...setting, client: blinded(steps), budget: 40 })
    for (const y of pictures) for (const v of y) expect(v >= 0 && v <= 1).toBe(true)
  })

  test('nobody has more than two children', async () => {
    const wide = { width: 8, height: 8, channels: 3 } as const
    const grey = new Float64Array(192).fill(0.5)
    const run = { shape: wide, source: grey, victim: linear(new Float64Array(192).fill(1), 200), budget: 90 }
    const most = (pictures: readonly Picture[]) => {
      const children = new Array<number>(pictures.length).fill(0)
      for (let n = 1; n < pictures.length; n++) {
        const far = pictures.slice(0, n).map((x) => distance(x, pictures[n]!))
        const nearest = Math.min(...far)
        if (nearest > 1e-6) children[far.indexOf(nearest)]!++
      }
      return Math.max(...children)
    }
    expect(most((await recorded({ ...run, client: nesB })).pictures)).toBeGreaterThan(10)
    expect(most((await recorded({ ...run, client: twoChildren(nesB) })).pictures)).toBeLessThanOrEqual(2)
  })
})

describe('OARS', () => {
  type Guard = NonNullable<RecordOptions<object>['guard']>

  test('bisects to the smallest size that is answered', async () => {
    const asked: number[] = []
    const askAll = async (xs: readonly Picture[]) => {
      asked.push(xs[0]![0]!)
      return xs.map((x, i) =>
        x[0]! < 0.3 || (x[0]! < 0.35 && i > 0) ? REFUSED : { logits: new Float32Array(2), label: 0, refused: false },
      )
    }
    const oracle = { askAll } as unknown as Oracle<Picture>
    const search = { from: 0, to: 1, bisections: 3, samples: 4, refused: 0 }
    expect(await smallestAnswered(oracle, search, (size) => Float64Array.of(size))).toBe(0.375)
    expect(asked).toEqual([0.5, 0.25, 0.375])
    // One of four answered is not enough, unless three refusals may be.
    expect(await smallestAnswered(oracle, { ...search, from: 0.2, to: 0.44 }, (size) => Float64Array.of(size))).toBe(
      0.35,
    )
    const lax = { ...search, from: 0.2, to: 0.44, refused: 0.75 }
    expect(await smallestAnswered(oracle, lax, (size) => Float64Array.of(size))).toBe(0.32)
  })

  /** Refuses what is near to anything before, as similarity monitors do. */
  const guarded = (least: number): Guard => {
    return ({ input }, before) => (before.some((x) => distance(x, input) < least) ? REFUSED : undefined)
  }
  const wide = { width: 8, height: 8, channels: 3 } as const
  const grey = new Float64Array(192).fill(0.5)
  const weights = createRandom(5).normals(192)
  const middle = weights.reduce((sum, w) => sum + 0.5 * w, 0)
  const victim = linear(weights, middle + 3)
  const run = { shape: wide, source: grey, victim, budget: 3000 }

  test('NES finds a probe size past the monitor and succeeds where NES does not', async () => {
    const guard = guarded(0.5)
    expect((await recorded({ ...run, client: nesA, guard })).success).toBeUndefined()
    const config = { aim: 'any', ball: 0.05 } as const
    const found = await recorded({ ...run, client: oarsNes, config, guard })
    expect(found.success).toBeDefined()
    // 1 + 10 · 20 + 10 · 20 queries before the first pair.
    expect(found.success).toBeGreaterThan(401)
  })

  test('NES asks the source first, then its searches: 200 queries of noise, 200 of signs', async () => {
    const { pictures } = await recorded({ ...run, victim: deaf, client: oarsNes, budget: 402 })
    expect(pictures[0]).toEqual(grey)
    expect(new Set(pictures[1]).size).toBeGreaterThan(100)
    for (const x of pictures.slice(201, 401)) for (const v of x) expect(Math.abs(v - 0.5)).toBeCloseTo(0.1, 12)
    expect(new Set(pictures[401]).size).toBeGreaterThan(100)
  })

  test('NES gives up where nothing is answered any more', async () => {
    const guard: Guard = ({ number }) => (number > 401 ? REFUSED : undefined)
    // 5 rounds of 25 first halves, then none is left.
    expect((await recorded({ ...run, victim: deaf, client: oarsNes, guard })).queries).toBe(401 + 125)
  })

  test('Square asks 10 · 5 and 10 · 10 queries, then changes as many squares as it takes', async () => {
    const guard = guarded(0.4)
    expect((await recorded({ ...run, victim: deaf, client: square, guard, budget: 200 })).asked).toHaveLength(200)
    const open = await recorded({ ...run, victim: deaf, client: oarsSquare, budget: 400 })
    // Nothing is refused, so ten squares of one pixel are enough in the end.
    expect(changes(open.pictures[0]!, open.pictures[399]!).length).toBeLessThanOrEqual(10 * 3)
    const watched = await recorded({ ...run, victim: deaf, client: oarsSquare, guard, budget: 400 })
    expect(changes(watched.pictures[0]!, watched.pictures[399]!).length).toBeGreaterThan(10 * 3)
  })

  test('Square gives up after 300 refusals in a row', async () => {
    const guard: Guard = ({ number }) => (number > 151 ? REFUSED : undefined)
    expect((await recorded({ ...run, victim: deaf, client: oarsSquare, guard })).queries).toBe(151 + 300)
  })

  test('HopSkipJump ends a bisection at a refusal, and drops probes that are refused', async () => {
    const white = { input: new Float64Array(192).fill(1), label: 1 }
    const bright = linear(new Float64Array(192).fill(1 / 192), 0.7)
    const config = { aim: 'any', within: 0 } as const
    const open = { ...run, victim: bright, pool: [white], client: oarsHopSkipJump, config, budget: 600 }
    const isOnDiagonal = (x: Picture) =>
      farthest(
        x,
        x.map(() => x[0]!),
      ) < 1e-9
    const linedUp = async (guard: Guard = () => undefined) => {
      const { pictures } = await recorded({ ...open, guard })
      return pictures.findIndex((x) => !isOnDiagonal(x))
    }
    // 1 start, 10 blends, and ⌈log₂ 192^1.5⌉ = 12 bisections; the third of them refused ends them.
    expect(await linedUp()).toBe(23)
    expect(await linedUp(({ number }) => (number === 14 ? REFUSED : undefined))).toBe(14)
    // All probes of the first round refused: 20 rounds of 100 are asked, after the 200 of the search.
    const deafened = await recorded({
      ...open,
      budget: 5000,
      guard: ({ number }) => (number > 223 ? REFUSED : undefined),
    })
    const radii = deafened.pictures.slice(223, 223 + 2000).map((x) => distance(x, deafened.pictures[22]!))
    expect(Math.max(...radii) / Math.min(...radii)).toBeLessThan(1.01)
  })
})
