/** The optimiser of NES (b) for any aim: 8 pairs of probes, all minus, then all plus, then the candidate, kept if better. */
import { noiseOf, stepped } from '../../attacks/nes.ts'
import { moved } from '../../picture.ts'
import type { Answer, Oracle, Picture, Shape } from '../../types.ts'
import { countAcceptance } from './acceptance.ts'
import { bySize } from './size.ts'

const PAIRS = 8
const SIGMA = 2 / 255

export interface ClimbConfig {
  /** Change of every number in one step. Default null: 0.25/255, and 1/255 for large pictures. */
  readonly step: number | null
  /** Probes are alike in squares of this many pixels. Default null: 1, and 8 for large pictures. */
  readonly tile: number | null
}

export const CLIMB_DEFAULTS: ClimbConfig = { step: null, tile: null }

export interface Climb extends ClimbConfig {
  readonly start: Picture
  /** What the model says of the start, asked before. */
  readonly first: Answer
  readonly shape: Shape
  /** L∞ distance from the start that no step exceeds. Default 8/255. */
  readonly ball?: number
  /** To be lowered. */
  readonly loss: (answer: Answer, x: Picture) => number
  /** True for a candidate that is not kept, whatever its loss. */
  readonly refuses?: (answer: Answer) => boolean
}

/** Goes on until no whole step is left, and notes the share of candidates kept as `acceptance`. */
export async function climb(oracle: Oracle<Picture>, options: Climb): Promise<void> {
  const { start, first, shape, ball = 8 / 255, loss, refuses } = options
  const step = options.step ?? bySize(shape, 0.25 / 255, 1 / 255)
  const tile = options.tile ?? bySize(shape, 1, 8)
  const count = countAcceptance(oracle)
  let x = start
  let lowest = first.refused ? Infinity : loss(first, start)
  while (oracle.left > 2 * PAIRS) {
    const slope = await slopeAt(oracle, x, options, tile)
    const candidate = stepped(x, slope, { step, source: start, ball })
    const answer = await oracle.ask(candidate)
    const value = answer.refused || refuses?.(answer) ? Infinity : loss(answer, candidate)
    count(value < lowest)
    if (value >= lowest) continue
    x = candidate
    lowest = value
  }
}

/** A pair of which one half was refused counts for nothing. */
async function slopeAt(
  oracle: Oracle<Picture>,
  x: Picture,
  { shape, loss }: Climb,
  tile: number,
): Promise<Float64Array> {
  const directions = Array.from({ length: PAIRS }, () => noiseOf(oracle.random, shape, tile))
  const losses = async (sign: number) => {
    const probes = directions.map((u) => moved(x, u, sign * SIGMA))
    const answers = await oracle.askAll(probes)
    return answers.map((answer, n) => (answer.refused ? Number.NaN : loss(answer, probes[n]!)))
  }
  const minus = await losses(-1)
  const plus = await losses(1)
  const slope = new Float64Array(x.length)
  for (const [n, u] of directions.entries()) {
    const rise = plus[n]! - minus[n]!
    if (Number.isFinite(rise)) for (let i = 0; i < slope.length; i++) slope[i]! += rise * u[i]!
  }
  return slope
}

/** The mean squared difference. */
export function meanSquare(x: Picture, y: Picture): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i]! - y[i]!) ** 2
  return sum / x.length
}

/** True for another label; never for an answer that was refused. */
export function isOther({ label, refused }: Answer, than: number): boolean {
  return !refused && label !== than
}
