/** The near-duplicate benchmark's own parts: what is done to the pictures, and how the figures are counted. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Pixels } from '../src/core/index.ts'
import { hasData } from './tools/data.ts'

type Picture = Pixels & { readonly data: Uint8Array }
type Random = { next(): number; below(count: number): number; normal(): number }
interface Transform {
  readonly name: string
  readonly group: 'plain' | 'mirror' | 'hard' | 'more'
}
interface Transforms {
  readonly TRANSFORMS: readonly Transform[]
  transformAll(picture: Picture, options?: { seed?: number; index?: number }): Promise<Picture[]>
}
interface Geometry {
  crop(picture: Picture, share: number): Picture
  mirror(picture: Picture): Picture
  rotate(picture: Picture, degrees: number): Picture
  shift(picture: Picture, right: number, down: number): Picture
}
interface Tones {
  blur(picture: Picture, sigma: number): Picture
  brightness(picture: Picture, factor: number): Picture
  contrast(picture: Picture, factor: number): Picture
  hue(picture: Picture, degrees: number): Picture
  jpeg(picture: Picture, quality: number): Promise<Picture>
  noise(picture: Picture, sigma: number, random: Random): Picture
  saturation(picture: Picture, factor: number): Picture
  signNoise(picture: Picture, amount: number, random: Random): Picture
}
interface Marks {
  overlay(picture: Picture, share: number, random: Random): Picture
  squares(picture: Picture, kind: 'patches' | 'colours', random: Random): Picture
  text(picture: Picture, random: Random): Picture
  screenshot(picture: Picture, random: Random): Picture
}
interface Scores {
  dot(a: ArrayLike<number>, b: ArrayLike<number>): number
  compareAll(
    originals: readonly unknown[],
    transformed: readonly unknown[],
    likeness: (a: never, b: never) => number,
  ): { related: Float32Array[]; unrelated: Float32Array[] }
  thresholdFor(lists: readonly Float32Array[], share: number): number
  shareAtLeast(list: Float32Array, threshold: number): number
  rates(
    comparison: { related: Float32Array[]; unrelated: Float32Array[] },
    transforms: readonly Transform[],
  ): readonly {
    readonly threshold: number
    readonly falseRate: number
    readonly means: Readonly<Record<string, number>>
  }[]
}

const root = resolve(fileURLToPath(import.meta.url), '../..')
const part = <Module>(name: string): Promise<Module> => import(join(root, 'bench/embed', `${name}.mjs`))

const { TRANSFORMS, transformAll } = await part<Transforms>('transforms')
const { crop, mirror, rotate, shift } = await part<Geometry>('geometry')
const { blur, brightness, contrast, hue, jpeg, noise, saturation, signNoise } = await part<Tones>('tones')
const { overlay, screenshot, squares, text } = await part<Marks>('marks')
const { compareAll, dot, rates, shareAtLeast, thresholdFor } = await part<Scores>('scores')
const { createRandom } = await part<{ createRandom(...seeds: number[]): Random }>('random')

/** Different in every pixel. */
function picture(size = 32): Picture {
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 37 + (i >> 5) * 11) % 256)
  return { data, width: size, height: size, channels: 3 }
}

function plain(red: number, green: number, blue: number, size = 32): Picture {
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => [red, green, blue][i % 3]!)
  return { data, width: size, height: size, channels: 3 }
}

function at({ data, width }: Picture, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]
}

function changedPixels(a: Picture, b: Picture): number {
  let count = 0
  for (let i = 0; i < a.data.length; i += 3) if ([0, 1, 2].some((c) => a.data[i + c] !== b.data[i + c])) count++
  return count
}

describe('the transformations', () => {
  test('there are 25 plain ones, the mirror, a hard set of 7, and 9 others, each with a name of its own', () => {
    const count = (group: string) => TRANSFORMS.filter((one) => one.group === group).length
    expect(['plain', 'mirror', 'hard', 'more'].map(count)).toEqual([25, 1, 7, 9])
    expect(new Set(TRANSFORMS.map(({ name }) => name)).size).toBe(TRANSFORMS.length)
  })

  test.each([28, 32, 224])(
    'each keeps the size of %i pixels, changes the picture, and leaves the argument',
    async (size) => {
      const original = picture(size)
      const made = await transformAll(original)
      expect(original.data).toEqual(picture(size).data)
      for (const [t, { data, width, height, channels }] of made.entries()) {
        expect([width, height, channels, data.length]).toEqual([size, size, 3, size * size * 3])
        expect(data, TRANSFORMS[t]!.name).not.toEqual(original.data)
      }
    },
  )

  test('the same seed and position give the same bytes, another one other noise', async () => {
    const [once, again, other, reseeded] = [
      await transformAll(picture(), { seed: 4, index: 9 }),
      await transformAll(picture(), { seed: 4, index: 9 }),
      await transformAll(picture(), { seed: 4, index: 10 }),
      await transformAll(picture(), { seed: 5, index: 9 }),
    ]
    expect(again).toEqual(once)
    expect(other[0]).not.toEqual(once[0])
    expect(reseeded[0]).not.toEqual(once[0])
  })

  test('a mirrored picture mirrored again is the picture, and its left is its right', () => {
    const once = mirror(picture())
    expect(at(once, 0, 5)).toEqual(at(picture(), 31, 5))
    expect(mirror(once)).toEqual(picture())
  })

  test('a shift moves the pixels and leaves black behind', () => {
    const moved = shift(picture(), 3, -2)
    expect(at(moved, 3, 0)).toEqual(at(picture(), 0, 2))
    expect(at(moved, 31, 29)).toEqual(at(picture(), 28, 31))
    expect(at(moved, 2, 0)).toEqual([0, 0, 0])
    expect(at(moved, 10, 30)).toEqual([0, 0, 0])
  })

  test('a crop of nothing and a turn by nothing are the picture', () => {
    expect(crop(picture(), 0)).toEqual(picture())
    expect(rotate(picture(), 0)).toEqual(picture())
  })

  test('a crop of a quarter shows the middle half: a vertical edge there is in its place, one outside is gone', () => {
    const edges = picture()
    for (let i = 0; i < 32 * 32; i++) edges.data.fill(i % 32 < 4 ? 200 : i % 32 < 16 ? 50 : 100, 3 * i, 3 * i + 3)
    const row = [0, 14, 17, 31].map((x) => at(crop(edges, 0.25), x, 8)[0])
    expect(row).toEqual([50, 50, 100, 100])
  })

  test('a turn by 90° takes the top right corner to the bottom right one', () => {
    const turned = rotate(picture(), 90)
    expect(at(turned, 31, 31)).toEqual(at(picture(), 31, 0))
    expect(at(rotate(plain(9, 9, 9), 45), 0, 0)).toEqual([0, 0, 0])
  })

  test('noise has the deviation asked for, and sign noise is ±8', () => {
    const grey = plain(128, 128, 128, 224)
    const differences = Array.from(noise(grey, 8, createRandom(1)).data, (value) => value - 128)
    const mean = differences.reduce((a, b) => a + b) / differences.length
    const deviation = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / differences.length)
    expect(Math.abs(mean)).toBeLessThan(0.1)
    expect(Math.abs(deviation - 8)).toBeLessThan(0.1)
    expect(new Set(signNoise(grey, 8, createRandom(1)).data)).toEqual(new Set([120, 136]))
  })

  test('blur leaves a plain colour, and spreads a dot to the weights of a Gaussian', () => {
    expect(blur(plain(10, 20, 30), 2)).toEqual(plain(10, 20, 30))
    const dotted = plain(0, 0, 0)
    dotted.data.fill(255, (16 * 32 + 16) * 3, (16 * 32 + 16) * 3 + 3)
    // 255 / 2π at the centre of σ 1, times e^(−1/2) beside it
    expect(at(blur(dotted, 1), 16, 16)[0]).toBe(41)
    expect(at(blur(dotted, 1), 17, 16)[0]).toBe(25)
  })

  test('brightness is cut at 255, and contrast keeps the mean', () => {
    expect(at(brightness(plain(100, 200, 250), 1.2), 0, 0)).toEqual([120, 240, 255])
    expect(contrast(plain(60, 60, 60), 1.2)).toEqual(plain(60, 60, 60))
    const halves = plain(100, 100, 100)
    halves.data.fill(200, 0, halves.data.length / 2)
    expect([at(contrast(halves, 0.5), 0, 0)[0], at(contrast(halves, 0.5), 0, 31)[0]]).toEqual([175, 125])
  })

  test('without saturation a colour is its brightness, and a hue turned by 120° changes the channels round', () => {
    expect(at(saturation(plain(255, 0, 0), 0), 0, 0)).toEqual([76, 76, 76]) // 0.299 · 255
    expect(saturation(picture(), 1)).toEqual(picture())
    expect(at(hue(plain(200, 30, 90), 120), 0, 0)).toEqual([90, 200, 30])
  })

  test('a JPEG of high quality differs by little, one of low quality by more', async () => {
    const smooth = picture(64)
    for (let i = 0; i < 64 * 64; i++) smooth.data.fill(2 * (i % 64) + (i >> 6), 3 * i, 3 * i + 3)
    const error = async (quality: number) => {
      const { data } = await jpeg(smooth, quality)
      return data.reduce((sum, value, i) => sum + Math.abs(value - smooth.data[i]!), 0) / data.length
    }
    expect(await error(90)).toBeLessThan(2)
    expect(await error(10)).toBeGreaterThan(await error(90))
  })

  test('an overlay covers its share of the picture with one colour', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const covered = changedPixels(plain(1, 2, 3, 224), overlay(plain(1, 2, 3, 224), 0.2, createRandom(seed)))
      expect(Math.abs(covered / 224 ** 2 - 0.2)).toBeLessThan(0.005)
    }
  })

  test('thirty squares of a sixteenth of the side cover at most 30/256, and patches change by 8 at a time', () => {
    const grey = plain(128, 128, 128, 224)
    for (const kind of ['patches', 'colours'] as const) {
      const covered = changedPixels(grey, squares(grey, kind, createRandom(3))) / 224 ** 2
      expect(covered).toBeGreaterThan(0.06)
      expect(covered).toBeLessThanOrEqual(30 / 256)
    }
    const values = new Set(squares(grey, 'patches', createRandom(3)).data)
    expect([...values].every((value) => (value - 128) % 8 === 0)).toBe(true)
    expect(values).toContain(136)
    expect(values).toContain(120)
  })

  test('text leaves marks on a few per cent of the picture, black and white', () => {
    const written = text(plain(128, 128, 128, 224), createRandom(5))
    const share = changedPixels(plain(128, 128, 128, 224), written) / 224 ** 2
    expect(share).toBeGreaterThan(0.02)
    expect(share).toBeLessThan(0.2)
    expect(new Set(written.data)).toEqual(new Set([0, 128, 255]))
  })

  test('a screenshot shows the picture smaller in its middle, and a frame around it', () => {
    const shown = screenshot(plain(255, 0, 0, 224), createRandom(1))
    expect(at(shown, 112, 112)).toEqual([255, 0, 0])
    expect(at(shown, 2, 112)).not.toEqual([255, 0, 0])
    const inside = 224 ** 2 - changedPixels(plain(255, 0, 0, 224), shown)
    expect(Math.abs(inside / 224 ** 2 - 0.86 ** 2)).toBeLessThan(0.01)
  })
})

describe('the scoring', () => {
  // Three pictures on a circle, at 0°, 90° and 180°; one transformation that turns them by 60°, another by nothing.
  const point = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const originals = [0, 90, 180].map(point)
  const turned = [60, 150, 240].map((degrees) => [point(degrees)])
  const same = [0, 90, 180].map((degrees) => [point(degrees)])
  const transforms: Transform[] = [
    { name: 'turned', group: 'plain' },
    { name: 'same', group: 'hard' },
  ]

  test('every original is compared with every other picture’s copy, and its own copy apart from them', () => {
    const { related, unrelated } = compareAll(originals, [turned], dot)
    expect([...related[0]!].map((value) => value.toFixed(3))).toEqual(['0.500', '0.500', '0.500'])
    // copy at 60°: cos 30°, cos 120° · at 150°: cos 150°, cos 30° · at 240°: cos 240°, cos 150°
    const expected = [0.866, -0.5, -0.866, 0.866, -0.5, -0.866]
    expect([...unrelated[0]!].map((value) => Number(value.toFixed(3)))).toEqual(expected)
  })

  test('of several vectors of a copy the nearest counts', () => {
    const either = [[point(60), point(10)], ...turned.slice(1)]
    expect(compareAll(originals, [either], dot).related[0]![0]).toBeCloseTo(Math.cos(Math.PI / 18), 6)
  })

  test('the threshold lets through the share of the pairs and no more, ties included', () => {
    const list = Float32Array.from({ length: 1000 }, (_, i) => i)
    const threshold = thresholdFor([list.subarray(500), list.subarray(0, 500)], 0.01)
    expect(shareAtLeast(list, threshold)).toBe(0.01)
    expect(shareAtLeast(Float32Array.of(989, 990), threshold)).toBe(0.5)
    const tied = Float32Array.from({ length: 1000 }, (_, i) => -Math.floor(i / 100)) // 100 pairs at each radius 0 … 9
    expect(shareAtLeast(tied, thresholdFor([tied], 0.05))).toBe(0)
    expect(shareAtLeast(tied, thresholdFor([tied], 0.1))).toBe(0.1)
    expect(shareAtLeast(tied, thresholdFor([tied], 0.25))).toBe(0.2)
    expect(shareAtLeast(Float32Array.of(-1, -2), thresholdFor([tied], 0.25))).toBe(0.5)
  })

  test('equal to the threshold is above it', () => {
    expect(shareAtLeast(Float32Array.of(1, 2, 3, 4), 2)).toBe(0.75)
  })

  test('with the mirrored picture compared as well a mirrored copy is a copy', async () => {
    const { evaluate } = await part<{
      evaluate(
        dataset: { readonly pictures: readonly Picture[]; readonly indices: readonly number[] },
        methods: readonly object[],
        title: string,
      ): Promise<{ direct: ReturnType<Scores['rates']>; mirrored: ReturnType<Scores['rates']> | null }[]>
    }>('evaluate')
    const pictures = [1, 2, 3, 4].map((seed) => noise(plain(128, 128, 128, 16), 40, createRandom(seed)))
    // The brightness around middle grey as it lies in the picture, one vector each.
    const embed = async (list: readonly Picture[]) => list.map(({ data }) => Float32Array.from(data, (v) => v - 128))
    const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
    const method = { embed, likeness: cosine, mirrored: true }
    const [made, alone] = await evaluate(
      { pictures, indices: [0, 1, 2, 3] },
      [method, { ...method, mirrored: false }],
      '',
    )
    expect(made!.direct[0]!.means['mirror']).toBe(0)
    expect(made!.mirrored![0]!.means['mirror']).toBe(1)
    expect(made!.direct).toEqual(alone!.direct)
    expect(alone!.mirrored).toBe(null)
  })

  test('the figures of three pictures and two transformations, counted by hand', () => {
    const comparison = compareAll(originals, [turned, same], dot)
    const [at] = rates(comparison, transforms)
    // No pair of the twelve may pass, and the highest has the cosine of 30°: copies turned by 60° are lost.
    expect(at!.threshold).toBeGreaterThan(Math.cos(Math.PI / 6) - 1e-6)
    expect(at!.threshold).toBeLessThan(Math.cos(Math.PI / 6) + 1e-6)
    expect(at!.falseRate).toBe(0)
    expect(at!.means).toEqual({ plain: 0, hard: 1 })
  })

  test('a method that knows the copies but for one transformation has the mean of the others', () => {
    const three = [0, 120, 240].map(point)
    const near = [10, 130, 250].map((degrees) => [point(degrees)])
    const mixed = [[point(10)], [point(130)], [point(60)]] // the third copy lies between the first two pictures
    const plainly: Transform[] = [
      { name: 'near', group: 'plain' },
      { name: 'mixed', group: 'plain' },
    ]
    expect(rates(compareAll(three, [near, mixed], dot), plainly)[0]!.means['plain']).toBeCloseTo((1 + 2 / 3) / 2, 9)
  })

  test('the area under the curve counts a tie as half', async () => {
    const { rocAuc } = await part<{ rocAuc(positive: number[], negative: number[]): number }>('text')
    expect(rocAuc([3, 2], [1, 2])).toBe((1 + 1 + 1 + 0.5) / 4)
    expect(rocAuc([1, 2], [3, 4])).toBe(0)
  })
})

describe('the edits of texts', () => {
  test('each changes the sentence, and the same seed in the same way', async () => {
    const { EDITS } = await part<{
      EDITS: readonly { name: string; apply(text: string, random: Random, words: readonly string[]): string }[]
    }>('edits')
    const sentence = 'How do I activate my new card, please?'
    for (const { name, apply } of EDITS) {
      for (let seed = 0; seed < 50; seed++) {
        const edited = apply(sentence, createRandom(seed), ['wallet', 'phone'])
        expect(edited, name).not.toBe(sentence)
        expect(apply(sentence, createRandom(seed), ['wallet', 'phone'])).toBe(edited)
      }
    }
  })
})

test('the rows of the backends come together by backend, others are passed over', async () => {
  const { toBackends } = await part<{ toBackends(rows: readonly object[]): object[] }>('backends')
  const rows = [
    { name: 'Node, native: ms a picture', value: 1 },
    { name: 'Deno, WASM: ms a picture', value: 7 },
    { name: 'Deno, WASM: largest difference of a number', value: 5e-6 },
    { name: 'something else', value: 3 },
  ]
  const expected = [
    { backend: 'Node, native', ms: 1 },
    { backend: 'Deno, WASM', ms: 7, difference: 5e-6 },
  ]
  expect(toBackends(rows)).toEqual(expected)
})

const there = ['images/imagenet-sample', 'images/cifar10', 'images/mnist', 'text', 'tabular'].every(hasData)

describe.skipIf(!there)(`the program${there ? '' : ' (skipped: no test data)'}`, () => {
  test('a quick run ends well and writes rows of the common form', () => {
    execFileSync(process.execPath, ['bench/embed.mjs', '--quick'], { cwd: root, stdio: 'pipe' })
    const report = JSON.parse(readFileSync(join(root, 'reports/embed-quick.json'), 'utf8'))
    const odd = report.rows.filter((row: { name: unknown; value: unknown; met: unknown }) => {
      const isNamed = typeof row.name === 'string'
      return !isNamed || ![true, false, null].includes(row.met as boolean) || row.value === undefined
    })
    expect(odd).toEqual([])
    expect(report.rows.some((row: { name: string }) => row.name.startsWith('descriptor, photos'))).toBe(true)
  })
})

test('without the data the program says what is missing and fails', () => {
  const run = () =>
    execFileSync(process.execPath, ['bench/embed.mjs', '--quick'], {
      cwd: root,
      stdio: 'pipe',
      env: { ...process.env, MONITAUR_DATA: join(root, 'test/tools') },
    })
  expect(run).toThrow(/the data of the benchmark is not here: images\/imagenet-sample/)
})
