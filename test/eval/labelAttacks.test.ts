/** Attacks that look at labels alone: what they ask, in which order, and what they make of the answers. */
import { describe, expect, test } from 'vitest'
import { adapted, approached, boundary, walked } from '../../src/eval/attacks/boundary.ts'
import { hopSkipJump, hopSkipJumpL2, slopeOf } from '../../src/eval/attacks/hopSkipJump.ts'
import { ATTACKS } from '../../src/eval/attacks/index.ts'
import { bisect, succeedsNear } from '../../src/eval/attacks/labels.ts'
import { blocksOf, planes, rays } from '../../src/eval/attacks/rays.ts'
import { onCircle, orthogonalise, search, surfree } from '../../src/eval/attacks/surfree.ts'
import { cosineBlocks, cosines, randomWaves } from '../../src/eval/attacks/waves.ts'
import { distance } from '../../src/eval/picture.ts'
import { createRandom } from '../../src/eval/random.ts'
import type { ClientSpec, Picture } from '../../src/eval/types.ts'
import { bent, changes, deaf, farthest, linear, recorded } from './attackToys.ts'

describe('success', () => {
  const task = { source: new Float64Array(4), label: 0, classes: 2 } as never
  const wrong = { logits: new Float32Array(2), label: 1, refused: false }

  test('is a wrong answer near the source, in the norm that is asked for', () => {
    const near = Float64Array.of(0.05, 0.05, 0.05, 0.05)
    const inCube = succeedsNear({ norm: 'linf', within: 0.05 }, task)
    expect([inCube(near, wrong), inCube(near, { ...wrong, label: 0 })]).toEqual([true, false])
    expect(inCube(near.with(3, 0.051), wrong)).toBe(false)
    // Four times 0.05² is 0.1².
    expect(succeedsNear({ norm: 'l2', within: 0.1 }, task)(near, wrong)).toBe(true)
    expect(succeedsNear({ norm: 'l2', within: 0.0999 }, task)(near, wrong)).toBe(false)
  })

  test('is not a wrong answer far away', async () => {
    const source = new Float64Array(12)
    const victim = linear(new Float64Array(12).fill(1), 3)
    const shape = { width: 2, height: 2, channels: 3 } as const
    const far = { shape, source, victim, client: hopSkipJump, budget: 60 }
    expect((await recorded({ ...far, config: { within: 0.2 } })).success).toBeUndefined()
    expect((await recorded({ ...far, config: { within: 0.6 } })).success).toBeDefined()
  })
})

test('a bisection keeps its upper end, to the tolerance', async () => {
  const asked: number[] = []
  const found = await bisect(1, 0.125, async (v) => asked.push(v) > 0 && v >= 0.3)
  expect(asked).toEqual([0.5, 0.25, 0.375])
  expect(found).toBe(0.375)
})

describe('HopSkipJump', () => {
  const shape = { width: 32, height: 32, channels: 3 } as const
  const source = new Float64Array(3072).fill(0.1)
  const victim = linear(new Float64Array(3072).fill(1 / 3072), 0.3)
  const setting = { shape, source, victim, budget: 700 }

  test('in L2 asks 1 noise, 10 blends, then rounds of 18 bisections, ⌊100 √t⌋ probes and a hop', async () => {
    const { pictures } = await recorded({ ...setting, client: hopSkipJumpL2 })
    const isOnLine = lineTo(source)
    expect(pictures.slice(1, 11).every((x) => isOnLine(x, pictures[0]!))).toBe(true)
    let [at, far] = [11, pictures[0]!]
    for (const probes of [100, 141, 173]) {
      expect(pictures.slice(at, at + 18).every((x) => isOnLine(x, far))).toBe(true)
      expect(pictures.slice(at + 18, at + 18 + probes).some((x) => isOnLine(x, far))).toBe(false)
      far = pictures[at + 18 + probes]!
      at += 18 + probes + 1
    }
    // The next projection begins at the hop that ended the last round.
    expect(isOnLine(pictures[at]!, far)).toBe(true)
  })

  test('in L∞ bisects 24 times, and clips to a cube around the source', async () => {
    const { pictures } = await recorded({ ...setting, client: hopSkipJump, config: { within: 0 } })
    const isClippedOf = (far: Picture) => (x: Picture) => {
      const size = farthest(x, source)
      const cube = far.map((v) => Math.min(Math.max(v, 0.1 - size), 0.1 + size))
      return farthest(x, cube) < 1e-12
    }
    const margins = (await victim.answer(pictures.slice(0, 11))).map(([margin]) => margin!)
    // The nearest wrong one of the 10 blends, which is the darkest.
    const start = pictures[margins.indexOf(Math.max(...margins.filter((margin) => margin < 0)))]!
    expect(pictures.slice(11, 35).every(isClippedOf(start))).toBe(true)
    expect(pictures.slice(35, 135).some(isClippedOf(start))).toBe(false)
    expect(pictures.slice(136, 160).every(isClippedOf(pictures[135]!))).toBe(true)
    expect(pictures.slice(160, 301).some(isClippedOf(pictures[135]!))).toBe(false)
  })

  test('probes at a tenth first, later at a distance that shrinks with the way to the source', async () => {
    const { pictures } = await recorded({ ...setting, client: hopSkipJumpL2 })
    const spread = (from: number, count: number) => {
      const probes = pictures.slice(from, from + count)
      const centre = probes[0]!.map((_, i) => probes.reduce((sum, x) => sum + x[i]!, 0) / count)
      return Math.sqrt(probes.reduce((sum, x) => sum + distance(x, centre) ** 2, 0) / (count - 1))
    }
    expect(spread(29, 100)).toBeCloseTo(0.1, 3)
    // √d · θ · D = D / d, where D is the distance of the hop before it was projected.
    const hop = distance(pictures[129]!, source)
    expect((spread(148, 141) * 3072) / hop).toBeCloseTo(1, 2)
  })

  test('weighs probes by how rare their answer is', () => {
    const one = { change: Float64Array.of(1, 0), sign: 1 }
    const other = { change: Float64Array.of(0, 1), sign: -1 }
    const half = Math.SQRT1_2
    const close = (found: Float64Array, wanted: number[]) =>
      expect(farthest(found, Float64Array.from(wanted))).toBeLessThan(1e-12)
    close(slopeOf([one, other], 2, 'l2'), [half, -half])
    close(slopeOf([one, { ...other, sign: 1 }], 2, 'l2'), [half, half])
    close(slopeOf([{ ...one, sign: -1 }, other], 2, 'l2'), [-half, -half])
    // Mean 1/3: weights 2/3, 2/3 and −4/3.
    close(slopeOf([one, one, other], 2, 'l2'), [half, -half])
    close(slopeOf([one, one, other], 2, 'linf'), [1, -1])
    close(slopeOf([], 2, 'linf'), [0, 0])
  })

  test('gives up where noise is right 10 000 times', async () => {
    const tiny = { shape: { width: 2, height: 2, channels: 1 }, source: new Float64Array(4), victim: deaf } as const
    expect((await recorded({ ...tiny, client: hopSkipJump, budget: 20_000 })).queries).toBe(10_000)
  })

  test('begins at a picture of another class, or of the next one, and says if there is none', async () => {
    const white = { input: new Float64Array(3072).fill(1), label: 1 }
    const black = { input: new Float64Array(3072), label: 2 }
    const start = { ...setting, client: hopSkipJump, config: { start: 'pool', aim: 'next', within: 0 } } as const
    const { pictures } = await recorded({ ...start, pool: [black, white], budget: 12 })
    expect(pictures[0]).toEqual(white.input)
    await expect(recorded({ ...start, pool: [black] })).rejects.toThrow(/a picture of class 1/)
  })
})

describe('RayS', () => {
  test('halves its blocks from level to level, down to single numbers', () => {
    const widths = (level: number) => blocksOf(12, level).map(([from, to]) => to - from)
    expect([0, 1, 2].map(widths)).toEqual([[12], [6, 6], [3, 3, 3, 3]])
    expect([3, 4, 9].map((level) => widths(level).length)).toEqual([6, 12, 12])
    expect(blocksOf(10, 2)).toEqual([
      [0, 3],
      [3, 6],
      [6, 9],
      [9, 10],
    ])
  })

  test('reads pictures channel by channel', () => {
    expect([...planes({ width: 2, height: 1, channels: 3 })]).toEqual([0, 3, 1, 4, 2, 5])
  })

  test('asks ten radii for a first direction, bisects to a thousandth, then one query a block', async () => {
    const shape = { width: 12, height: 1, channels: 1 } as const
    const source = new Float64Array(12).fill(0.25)
    // Wrong where the first number is above 0.75.
    const victim = linear(Float64Array.of(1, ...Array(11).fill(0)), 0.75)
    const { pictures } = await recorded({ shape, source, client: rays, victim, budget: 60 })
    // All down: never wrong. Then the first half down: neither.
    for (const x of pictures.slice(0, 10)) expect([...x]).toEqual(Array(12).fill(0))
    for (const x of pictures.slice(10, 20)) expect([...x]).toEqual([...Array(6).fill(0), ...Array(6).fill(1)])
    // The second half down: wrong at once. √12 / 2¹² is the first below 1e-3.
    expect([...pictures[20]!]).toEqual([...Array(6).fill(1), ...Array(6).fill(0)])
    const radii = pictures.slice(21, 33).map((x) => x[0]! - 0.25)
    expect(radii.slice(0, 4)).toEqual([0.5, 0.75, 0.625, 0.5625].map((v) => expect.closeTo(v, 12)))
    const radius = Math.min(...radii.filter((v) => v > 0.5))
    // Quarters at the radius found. The first turns the number that counts down: right, so one query is enough.
    expect(pictures[33]![0]).toBe(0)
    // The second is as wrong as before; its 11 bisections end where they began, so it is not kept.
    expect(pictures[34]![0]! - 0.25).toBeCloseTo(radius, 12)
    expect(changes(pictures[33]!, pictures[34]!)).toEqual([0, 1, 2, 3, 4, 5])
    expect([...pictures[46]!].map((v) => Math.sign(v - 0.25))).toEqual([...Array(9).fill(1), ...Array(3).fill(-1)])
  })

  test('takes a nearer boundary and goes on from it', async () => {
    const shape = { width: 12, height: 1, channels: 1 } as const
    const source = new Float64Array(12).fill(0.5)
    // Nearest along + + + + + + − − − − − −.
    const weights = Float64Array.from({ length: 12 }, (_, i) => (i < 6 ? 1 : -1))
    const config = { within: 0.1 + 1e-3 }
    const found = await recorded({ shape, source, client: rays, config, victim: linear(weights, 1.2), budget: 100 })
    // 12 · 0.1 = 1.2, exactly at the boundary.
    expect(found.success).toBeDefined()
    expect([...found.pictures.at(-1)!].map((v) => Math.sign(v - 0.5))).toEqual([...weights])
  })
})

describe('Boundary', () => {
  const random = createRandom(4)
  const source = new Float64Array(3072).fill(0.5)
  const x = source.map((v) => v + 0.1 * (random.next() - 0.5))

  test('walks around the source at its distance', () => {
    const far = distance(x, source)
    const y = walked(x, source, 0.1, random)
    // The component removed makes it a little shorter, as published.
    expect(distance(y, source) / far).toBeCloseTo(1, 4)
    expect(distance(y, source)).toBeLessThanOrEqual(far + 1e-12)
    // The chord of a step of a tenth: √((h − 1)² + 0.1²) / h, h = √1.01.
    expect(distance(y, x) / far).toBeCloseTo(0.09963, 3)
  })

  test('walks towards the source by a share of the way', () => {
    expect(distance(approached(x, source, 0.25), source) / distance(x, source)).toBeCloseTo(0.75, 12)
  })

  test('shortens its steps where few are wrong, lengthens them where many are', () => {
    const steps = [0, 0.19, 0.2, 0.5, 0.51, 1].map((share) => adapted(0.01, share, 0.667))
    const wanted = [0.00667, 0.00667, 0.01, 0.01, 0.0149925, 0.0149925]
    for (const [i, step] of steps.entries()) expect(step).toBeCloseTo(wanted[i]!, 7)
  })

  test('asks 20 around, then all wrong ones nearer', async () => {
    const shape = { width: 16, height: 16, channels: 3 } as const
    const source = new Float64Array(768)
    const victim = linear(new Float64Array(768).fill(1 / 768), 0.2)
    const { pictures } = await recorded({ shape, source, client: boundary, victim, budget: 200 })
    const far = distance(pictures[0]!, source)
    for (const y of pictures.slice(1, 21)) expect(distance(y, source) / far).toBeCloseTo(1, 2)
    // Far from the boundary all 20 are wrong; each comes nearer by a hundredth.
    for (let n = 1; n <= 20; n++) {
      expect(distance(pictures[n + 20]!, source) / distance(pictures[n]!, source)).toBeCloseTo(0.99, 12)
    }
    // Both steps grow by a half, and the nearest of the 20 is gone on from.
    const nearest = Math.min(...pictures.slice(21, 41).map((y) => distance(y, source)))
    for (const y of pictures.slice(41, 61)) expect(distance(y, source) / nearest).toBeCloseTo(1, 2)
    expect(distance(pictures[61]!, source) / distance(pictures[41]!, source)).toBeCloseTo(1 - 0.01 / 0.667, 12)
  })

  test('shortens the step around until it is done, where nothing is wrong but the start', async () => {
    let asked = 0
    const once = {
      ...deaf,
      answer: async (xs: readonly Picture[]) => xs.map(() => Float32Array.of(asked++ === 0 ? -1 : 1, 0)),
    }
    const shape = { width: 2, height: 2, channels: 1 } as const
    const lonely = { shape, source: new Float64Array(4), client: boundary, victim: once }
    const { pictures } = await recorded({ ...lonely, config: { within: 0 }, budget: 201 })
    const chord = (n: number) => distance(pictures[n]!, pictures[0]!)
    // Ten trials of 20, each two thirds as long as the one before; clipping only shortens.
    expect(Math.max(...range(181, 200).map(chord))).toBeLessThan(0.05 * Math.max(...range(1, 20).map(chord)))
  })
})

describe('SurFree', () => {
  test('goes along a circle: at the cosine of the angle of the distance', () => {
    const source = new Float64Array(3).fill(0.5)
    const plane = { source, far: 0.3, away: Float64Array.of(1, 0, 0), across: Float64Array.of(0, 1, 0) }
    for (const degrees of [0, 10, 30, 60, -30]) {
      const y = onCircle(plane, (degrees * Math.PI) / 180)
      expect(distance(y, source)).toBeCloseTo(0.3 * Math.cos((degrees * Math.PI) / 180), 12)
      expect(Math.sign(y[1]! - 0.5)).toBe(Math.sign(degrees))
    }
    expect(farthest(onCircle(plane, 0), Float64Array.of(0.8, 0.5, 0.5))).toBeLessThan(1e-12)
  })

  test('tries both sides from the largest angle down, and gives up after six', async () => {
    expect(await anglesAsked(() => false)).toEqual({ found: undefined, asked: [30, -30, 20, -20, 10, -10] })
  })

  test('bisects between a wrong angle and the right one above it, to a hundredth of the cosine', async () => {
    // cos 20° − cos 30° = 0.0737; three halvings leave less than 0.01.
    expect(await anglesAsked((degrees) => degrees === -20 || degrees === -25)).toEqual({
      found: -25,
      asked: [30, -30, 20, -20, -25, -27.5, -26.25],
    })
  })

  test('widens by thirds while the largest angle is wrong', async () => {
    const { found, asked } = await anglesAsked((degrees) => degrees > 0 && degrees < 55)
    expect(asked.slice(0, 4)).toEqual([30, 40, 50, 60])
    expect(asked.slice(4)).toEqual([55, 52.5, 53.75, 54.375])
    expect(found).toBe(54.375)
  })

  test('has directions at right angles to all before, and nothing of what is left is no direction', () => {
    const random = createRandom(6)
    const kept: Float64Array[] = []
    for (let n = 0; n < 8; n++) {
      const v = random.normals(8)
      expect(orthogonalise(v, kept)).toBe(true)
      for (const u of kept) expect(u.reduce((sum, value, i) => sum + value * v[i]!, 0)).toBeCloseTo(0, 10)
      expect(Math.hypot(...v)).toBeCloseTo(1, 12)
      kept.push(v)
    }
    expect(orthogonalise(random.normals(8), kept)).toBe(false)
    expect(orthogonalise(new Float64Array(8), kept)).toBe(false)
  })

  test('makes directions of the lower half of the waves of each block of 8 × 8', () => {
    const shape = { width: 12, height: 8, channels: 3 } as const
    const random = createRandom(8)
    const x = new Float64Array(288).map(() => random.next())
    const blocks = cosineBlocks(x, shape, 0.5)
    // Two blocks of 8 and 4 columns: half of 64 and of 32 waves, for 3 channels.
    expect(blocks.map(({ coefficients }) => coefficients.length)).toEqual([96, 48])
    const v = randomWaves(blocks, shape, random)
    const [row, column] = [cosines(8, 8), cosines(8, 8)]
    const amount = (y: Float64Array, k: number, l: number, c: number) =>
      range(0, 63).reduce((sum, i) => {
        const [r, q] = [Math.floor(i / 8), i % 8]
        return sum + row[k]![r]! * column[l]![q]! * y[(r * 12 + q) * 3 + c]!
      }, 0)
    const ratios = range(0, 63).map((i) => amount(v, i >> 3, i & 7, 1) / amount(x, i >> 3, i & 7, 1))
    for (const ratio of ratios) expect(Math.min(...[-1, 0, 1].map((sign) => Math.abs(ratio - sign)))).toBeLessThan(1e-9)
    for (const [i, ratio] of ratios.entries()) if ((i >> 3) + (i & 7) > 7) expect(ratio).toBeCloseTo(0, 9)
    expect(new Set(ratios.map(Math.round)).size).toBe(3)
  })

  test('comes nearer from round to round', async () => {
    const shape = { width: 16, height: 16, channels: 3 } as const
    const source = new Float64Array(768).fill(0.3)
    const victim = linear(new Float64Array(768).fill(1 / 768), 0.4)
    const run = { shape, source, client: surfree, victim, config: { within: 0 }, budget: 400 }
    const { pictures } = await recorded(run)
    const wrong = (await victim.answer(pictures)).map(([margin]) => margin! < 0)
    const far = pictures.filter((_, i) => wrong[i]).map((y) => distance(y, source))
    expect(Math.min(...far)).toBeLessThan(0.6 * far[0]!)
    // 2.77 is the nearest wrong picture.
    expect(Math.min(...far)).toBeGreaterThan(0.1 * Math.sqrt(768) - 1e-6)
  })

  test('goes on where its directions span all there is, and ends where there are none', async () => {
    const shape = { width: 4, height: 4, channels: 1 } as const
    const victim = linear(new Float64Array(16).fill(1 / 16), 0.4)
    const run = { shape, client: surfree, victim, config: { within: 0 }, budget: 300 }
    const grey = createRandom(3)
      .normals(16)
      .map((v) => 0.3 + 0.01 * v)
    expect((await recorded({ ...run, source: grey })).queries).toBe(300)
    expect((await recorded({ ...run, source: new Float64Array(16) })).queries).toBeLessThan(20)
  })

  async function anglesAsked(isWrong: (degrees: number) => boolean) {
    const asked: number[] = []
    const degreesOf = (angle: number) => Math.round((angle * 180e6) / Math.PI) / 1e6
    const found = await search(
      async (angle) => {
        asked.push(degreesOf(angle))
        return isWrong(degreesOf(angle))
      },
      Math.PI / 6,
      3,
    )
    return { found: found === undefined ? undefined : degreesOf(found), asked }
  }
})

describe('on a small bent model', () => {
  const shape = { width: 8, height: 8, channels: 3 } as const
  const victim = bent(192)
  const random = createRandom(21)
  const pictures = Array.from({ length: 40 }, () => new Float64Array(192).map(() => 0.2 + 0.6 * random.next()))

  test.each(ATTACKS.map((attack) => [attack.name, attack as unknown as ClientSpec<'image', object>] as const))(
    '%s finds a wrong answer within its budget',
    async (_, client) => {
      const labels = (await victim.answer(pictures)).map((logits) => logits.indexOf(Math.max(...logits)))
      const pool = pictures.map((input, i) => ({ input, label: labels[i]! }))
      let found = 0
      for (const { input: source, label } of pool.slice(0, 5)) {
        const { success } = await recorded({ client, victim, shape, source, label, pool, budget: 3000 })
        if (success !== undefined) found++
      }
      expect(found).toBeGreaterThanOrEqual(4)
    },
  )
})

/** Whether a picture lies on the line from the source to another. */
function lineTo(source: Picture): (x: Picture, far: Picture) => boolean {
  return (x, far) => {
    const share = distance(x, source) / distance(far, source)
    return (
      farthest(
        x,
        source.map((v, i) => v + share * (far[i]! - v)),
      ) < 1e-9
    )
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
