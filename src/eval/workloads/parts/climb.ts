/** The optimiser of NES (b) for any aim: 8 pairs of probes, all minus, then all plus, then the candidate, kept if better. */
import { noiseOf, pairedSlope, stepped } from '../../attacks/nes.ts'
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
  const shown = (answer: Answer, x: Picture) => (answer.refused ? Infinity : loss(answer, x))
  let x = start
  let lowest = shown(first, start)
  while (oracle.left > 2 * PAIRS) {
    const directions = Array.from({ length: PAIRS }, () => noiseOf(oracle.random, shape, tile))
    const { slope } = await pairedSlope({ oracle, x, directions, sigma: SIGMA, loss: shown, first: -1 })
    const candidate = stepped(x, slope, { step, source: start, ball })
    const answer = await oracle.ask(candidate)
    const value = refuses?.(answer) ? Infinity : shown(answer, candidate)
    count(value < lowest)
    if (value >= lowest) continue
    x = candidate
    lowest = value
  }
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
