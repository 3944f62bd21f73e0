/** Evasion attacks as published, at the settings of the matched study; every model call is a query. */
import { cut, gap, logProbability, SIDE, SIZE } from './target.ts'
import type { Network } from './watched.ts'

/** No number further than `ball` from the source, and all in 0 … 1. */
function project(x: Float64Array, centre: Float64Array, ball: number): Float64Array {
  return x.map((v, i) => cut(Math.min(Math.max(v, centre[i]! - ball), centre[i]! + ball)))
}

export interface NesOptions {
  readonly step: number
  /** Goes on from every candidate. */
  readonly always?: boolean
  /** Asks for no point that it goes on from, only for probes around it. */
  readonly isBlind?: boolean
  readonly start?: Float64Array
  readonly ball?: number
  /** To be lowered. Default: the margin of the label. */
  readonly loss?: (l: readonly number[], x: Float64Array) => number
  /** Refuses a candidate, whatever its loss. */
  readonly refuses?: (l: readonly number[]) => boolean
}

/**
 * NES (b): 8 antithetic pairs of σ 2/255, all minus first, then all plus, then the candidate, which is gone on from only if
 * it is better. The loss is given per picture, so that honest optimisers use the same.
 */
export async function nesB(network: Network, options: NesOptions): Promise<void> {
  const { source } = network
  const { step, always = false, isBlind = false, start = source.x, ball = 8 / 255, refuses } = options
  const loss = options.loss ?? ((l) => gap(l, source.label))
  let x = start
  let lowest = isBlind ? 0 : loss(await network.ask(x), x)
  for (;;) {
    const us = Array.from({ length: 8 }, () => network.noise())
    const gradient = new Float64Array(SIZE)
    for (const sign of [-1, 1]) {
      const probes = us.map((u) => x.map((v, i) => cut(v + ((sign * 2) / 255) * u[i]!)))
      const answers = await network.askAll(probes)
      for (const [n, u] of us.entries()) {
        const value = sign * loss(answers[n]!, probes[n]!)
        for (let i = 0; i < SIZE; i++) gradient[i]! += value * u[i]!
      }
    }
    const candidate = project(
      x.map((v, i) => v - step * Math.sign(gradient[i]!)),
      start,
      ball,
    )
    if (isBlind) {
      x = candidate
      continue
    }
    const answer = await network.ask(candidate)
    const value = loss(answer, candidate)
    if (refuses?.(answer) || (value >= lowest && !always)) continue
    lowest = value
    x = candidate
  }
}

/** NES (a): 25 pairs, momentum, steps of .01 that halve on a plateau, from a random point of the ball of .05. */
export async function nesA(network: Network): Promise<void> {
  const { x: source, label } = network.source
  let x: Float64Array = source.map((v) => cut(v + 0.05 * (2 * network.next() - 1)))
  let momentum = new Float64Array(SIZE)
  let step = 0.01
  const losses: number[] = []
  for (;;) {
    const us = Array.from({ length: 25 }, () => network.noise())
    const gradient = new Float64Array(SIZE)
    let mean = 0
    for (const sign of [1, -1]) {
      const answers = await network.askAll(us.map((u) => x.map((v, i) => cut(v + sign * 0.001 * u[i]!))))
      for (const [n, u] of us.entries()) {
        const loss = -logProbability(answers[n]!, label)
        mean += loss / 50
        for (let i = 0; i < SIZE; i++) gradient[i]! += (sign * loss * u[i]!) / 50
      }
    }
    momentum = gradient.map((g, i) => 0.9 * momentum[i]! + 0.1 * g)
    x = project(
      x.map((v, i) => v + step * Math.sign(momentum[i]!)),
      source,
      0.05,
    )
    losses.push(mean)
    // Untargeted: the loss shall rise.
    const isFlat = losses.length >= 5 && losses.at(-1)! < losses.at(-5)!
    if (isFlat) {
      step = Math.max(step / 2, 5e-5)
      losses.length = 0
    }
    await network.ask(x)
  }
}

/** SimBA on pixels: both candidates of a coordinate are always sent. */
export async function simba(network: Network): Promise<void> {
  const { x: source, label } = network.source
  let x = source
  let lowest = logProbability(await network.ask(x), label)
  const order = Uint32Array.from({ length: SIZE }, (_, i) => i)
  for (let n = 0; ; n = (n + 1) % SIZE) {
    const other = n + network.whole(SIZE - n)
    ;[order[n], order[other]] = [order[other]!, order[n]!]
    const tries = [-8, 8].map((levels) => project(x.with(order[n]!, x[order[n]!]! + levels / 255), source, 8 / 255))
    const values = (await network.askAll(tries)).map((l) => logProbability(l, label))
    const better = values.findIndex((value) => value < lowest)
    if (better === -1) continue
    x = tries[better]!
    lowest = values[better]!
  }
}

const DIVISORS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000, 10_000]

/** Square, L∞ 8/255: the schedule is scaled to the budget. */
export async function square(network: Network, budget: number): Promise<void> {
  const { x: source, label } = network.source
  const eps = 8 / 255
  const sign = () => (network.next() < 0.5 ? eps : -eps)
  const stripes = Array.from({ length: SIDE * 3 }, sign)
  let delta = new Float64Array(SIZE).map((_, i) => stripes[i % (SIDE * 3)]!)
  const shown = (d: Float64Array) => source.map((v, i) => cut(v + d[i]!))
  let lowest = gap(await network.ask(shown(delta)), label)
  for (let n = 0; ; n++) {
    const stage = DIVISORS.findIndex((end) => Math.floor((10_000 * n) / budget) <= end)
    const share = 0.05 / 2 ** (stage === -1 ? 9 : stage)
    const side = Math.min(Math.max(Math.round(Math.sqrt(share * SIDE * SIDE)), 1), SIDE - 1)
    const tried = delta.slice()
    do {
      const [top, left] = [network.whole(SIDE - side), network.whole(SIDE - side)]
      const signs = [sign(), sign(), sign()]
      for (let r = top; r < top + side; r++)
        for (let k = left; k < left + side; k++) for (let c = 0; c < 3; c++) tried[(r * SIDE + k) * 3 + c] = signs[c]!
    } while (shown(tried).every((v, i) => v === cut(source[i]! + delta[i]!)))
    const value = gap(await network.ask(shown(tried)), label)
    if (value >= lowest) continue
    lowest = value
    delta = tried
  }
}
