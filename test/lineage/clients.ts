/**
 * Honest clients, by profile: E unrelated pictures and explainers, D optimisers with honest aims, F near-duplicates of
 * all kinds. Settings of the matched study, except LIME's segments, which are squares of 5 pixels here.
 */
import { nesB } from './attacks.ts'
import { blurred, cut, largest, logProbability, noisy, SIDE, SIZE } from './target.ts'
import type { Network } from './watched.ts'

/** The picture with some pixels replaced. */
function replaced(
  x: Float64Array,
  fill: (i: number) => number,
  isHidden: (row: number, column: number) => boolean,
): Float64Array {
  return x.map((v, i) => (isHidden(Math.floor(i / (SIDE * 3)), Math.floor(i / 3) % SIDE) ? fill(i) : v))
}

function channelMeans(x: Float64Array): number[] {
  return [0, 1, 2].map((c) => x.reduce((sum, v, i) => sum + (i % 3 === c ? v : 0), 0) / (SIDE * SIDE))
}

async function askMany(network: Network, count: number, make: (n: number) => Float64Array): Promise<void> {
  for (let from = 0; from < count; from += 32)
    await network.askAll(Array.from({ length: Math.min(32, count - from) }, (_, n) => make(from + n)))
}

/** Unrelated pictures, each once, in any order. */
export function shuffled(pictures: readonly { readonly x: Float64Array }[]): (network: Network) => Promise<void> {
  return (network) => {
    const order = pictures.map(({ x }) => ({ x, key: network.next() })).sort((a, b) => a.key - b.key)
    return askMany(network, order.length, (n) => order[n]!.x)
  }
}

export async function lime(network: Network): Promise<void> {
  const { x } = network.source
  const means = new Map<number, number>()
  const segment = (row: number, column: number) => 7 * Math.floor(row / 5) + Math.floor(column / 5)
  const key = (i: number) => 3 * segment(Math.floor(i / (SIDE * 3)), Math.floor(i / 3) % SIDE) + (i % 3)
  for (let part = 0; part < 3 * 49; part++) {
    const own = x.filter((_, i) => key(i) === part)
    means.set(part, own.reduce((sum, v) => sum + v, 0) / own.length)
  }
  await askMany(network, 1000, (n) => {
    const hidden = Array.from({ length: 49 }, () => n > 0 && network.next() < 0.5)
    return replaced(
      x,
      (i) => means.get(key(i))!,
      (row, column) => hidden[segment(row, column)]!,
    )
  })
}

export async function kernelShap(network: Network): Promise<void> {
  const { x } = network.source
  const fill = blurred(blurred(x, 1), 1)
  const weights = Array.from({ length: 15 }, (_, i) => 15 / ((i + 1) * (15 - i)))
  const total = weights.reduce((sum, w) => sum + w, 0)
  await askMany(network, 500, (n) => {
    let size = n === 0 ? 16 : 0
    if (n > 1) for (let u = total * network.next(); size < 15 && u > 0; size++) u -= weights[size]!
    const order = Array.from({ length: 16 }, () => network.next())
    const on = new Set([...order.keys()].sort((a, b) => order[a]! - order[b]!).slice(0, size))
    return replaced(
      x,
      (i) => fill[i]!,
      (row, column) => !on.has(4 * Math.floor(row / 8) + Math.floor(column / 8)),
    )
  })
}

/** A patch of 4 × 4, moved by one pixel a query. */
export async function occlusion(network: Network): Promise<void> {
  const { x } = network.source
  const means = channelMeans(x)
  await askMany(network, 842, (n) => {
    const [top, left] = [Math.floor((n - 1) / 29), (n - 1) % 29]
    const isHidden = (row: number, column: number) =>
      n > 0 && row >= top && row < top + 4 && column >= left && column < left + 4
    return replaced(x, (i) => means[i % 3]!, isHidden)
  })
}

/** Masks of 7 × 7, enlarged without a seam and shifted. */
export async function rise(network: Network): Promise<void> {
  const { x } = network.source
  const cell = Math.ceil(SIDE / 7)
  await askMany(network, 1000, () => {
    const grid = Array.from({ length: 9 }, () => Array.from({ length: 9 }, () => (network.next() < 0.5 ? 1 : 0)))
    const [down, right] = [network.whole(cell), network.whole(cell)]
    return x.map((v, i) => {
      const [row, column] = [(Math.floor(i / (SIDE * 3)) + down) / cell, ((Math.floor(i / 3) % SIDE) + right) / cell]
      const [r, k] = [Math.floor(row), Math.floor(column)]
      const [fr, fk] = [row - r, column - k]
      const at = (a: number, b: number) => grid[Math.min(a, 8)]![Math.min(b, 8)]!
      const upper = at(r, k) * (1 - fk) + at(r, k + 1) * fk
      const lower = at(r + 1, k) * (1 - fk) + at(r + 1, k + 1) * fk
      return v * (upper * (1 - fr) + lower * fr)
    })
  })
}

/** Towards a cleaner picture, by the same estimates as the attack; a change of the label is refused. */
export function restoration(step: number): (network: Network) => Promise<void> {
  return async (network) => {
    const { x: clean } = network.source
    const start = noisy(clean, network.next, 16)
    const target = blurred(start, 1)
    const label = largest(await network.ask(start))
    const loss = (_: readonly number[], x: Float64Array) =>
      x.reduce((sum, v, i) => sum + (v - target[i]!) ** 2, 0) / SIZE
    await nesB(network, { step, start, ball: 1, loss, refuses: (l) => largest(l) !== label })
  }
}

export async function confidenceRaising(network: Network): Promise<void> {
  const { label } = network.source
  await nesB(network, { step: 1 / 255, loss: (l) => -logProbability(l, label) })
}

export function noiseCopies(levels: number): (network: Network) => Promise<void> {
  return (network) => askMany(network, 1000, () => noisy(network.source.x, network.next, levels))
}

/** 32 qualities of JPEG, and for each 32 shifts of the brightness. */
export async function sweep(network: Network): Promise<void> {
  const { default: sharp } = await import('sharp')
  const { x } = network.source
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const
  const bytes = Uint8Array.from(x, (v) => Math.round(255 * v))
  for (let quality = 95; quality > 20; quality -= 75 / 31) {
    const file = await sharp(bytes, { raw })
      .jpeg({ quality: Math.round(quality) })
      .toBuffer()
    const decoded = Float64Array.from(await sharp(file).raw().toBuffer(), (v) => v / 255)
    await askMany(network, 32, (n) => decoded.map((v) => cut(v - 0.2 + (0.4 * n) / 31)))
  }
}

/** Scenes of 24 frames: panning by a pixel, flicker of 2 %, sensor noise. */
export function video(pictures: readonly { readonly x: Float64Array }[]): (network: Network) => Promise<void> {
  return async (network) => {
    for (let scene = 0; scene < 40; scene++) {
      const { x } = pictures[network.whole(pictures.length)]!
      let [down, right] = [0, 0]
      await askMany(network, 24, () => {
        down += network.whole(3) - 1
        right += network.whole(3) - 1
        const flicker = 1 + 0.04 * (network.next() - 0.5)
        return noisy(
          x.map((_, i) => {
            const row = Math.min(Math.max(Math.floor(i / (SIDE * 3)) + down, 0), SIDE - 1)
            const column = Math.min(Math.max((Math.floor(i / 3) % SIDE) + right, 0), SIDE - 1)
            return cut(flicker * x[(row * SIDE + column) * 3 + (i % 3)]!)
          }),
          network.next,
          1,
        )
      })
    }
  }
}

/** Every picture is asked up to twenty times, some as a JPEG copy of itself. */
export function retries(pictures: readonly { readonly x: Float64Array }[]): (network: Network) => Promise<void> {
  return async (network) => {
    const { default: sharp } = await import('sharp')
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const
    for (let asked = 0; asked < 1000; ) {
      const { x } = pictures[network.whole(pictures.length)]!
      const times = 1 + network.whole(20)
      for (let n = 0; n < times; n++, asked++) {
        if (network.next() < 0.7) {
          await network.ask(x)
          continue
        }
        const quality = 60 + network.whole(40)
        const file = await sharp(
          Uint8Array.from(x, (v) => Math.round(255 * v)),
          { raw },
        )
          .jpeg({ quality })
          .toBuffer()
        await network.ask(Float64Array.from(await sharp(file).raw().toBuffer(), (v) => v / 255))
      }
    }
  }
}

export async function randomWalk(network: Network): Promise<void> {
  let { x } = network.source
  await askMany(network, 1000, () => {
    x = x.map((v, i) => {
      const near = v + (network.next() < 0.5 ? 0.25 : -0.25) / 255
      return cut(Math.min(Math.max(near, network.source.x[i]! - 8 / 255), network.source.x[i]! + 8 / 255))
    })
    return x
  })
}

/** Filters, brightness and noise, kept half the time whatever the model says, undone now and then. */
export async function editing(network: Network): Promise<void> {
  const past = [network.source.x]
  await askMany(network, 1000, () => {
    const x = past.at(-1)!
    const kind = network.whole(4)
    if (kind === 3 && past.length > 1) {
      past.pop()
      return past.at(-1)!
    }
    const tried =
      kind === 0
        ? blurred(x, 0.3)
        : kind === 1
          ? x.map((v) => cut(v * (0.97 + 0.06 * network.next())))
          : noisy(x, network.next, 1)
    if (network.next() < 0.5) past.push(tried)
    return tried
  })
}
