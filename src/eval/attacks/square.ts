import { defineAttack } from '../define.ts'
import { clip } from '../picture.ts'
import type { Random } from '../random.ts'
import type { Picture, Shape } from '../types.ts'
import { marginLoss } from './aims.ts'

export interface SquareConfig {
  /** L∞ size of every change. Default 8/255; published with 0.05. */
  readonly ball: number
  /** Share of the picture that the first squares cover. Default 0.05. */
  readonly share: number
}

/** Square attack, L∞: stripes first, then squares of shrinking size, kept if the margin falls. */
export const square = defineAttack({
  name: 'square',
  kind: 'image',
  sees: 'probabilities',
  summary: 'random squares of the largest change allowed, kept if the margin of the label falls',
  paper: 'Andriushchenko et al., ECCV 2020, arXiv 1912.00049',
  defaults: { ball: 8 / 255, share: 0.05 } as SquareConfig,
  async run(oracle, task, { ball, share }) {
    const { source, shape } = task
    const loss = marginLoss('any', task)
    let x = striped(source, shape, ball, oracle.random)
    let lowest = loss(await oracle.ask(x))
    for (let n = 0; ; n++) {
      const side = sideOf(shareAt(n, task.budget, share), shape)
      const tried = withSquare(x, source, { side, ball, shape, random: oracle.random })
      const value = loss(await oracle.ask(tried))
      if (value >= lowest) continue
      x = tried
      lowest = value
    }
  },
})

/** The share is halved after each of these iterations, of 10 000. */
const HALVED_AFTER = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000]

/** The share of the picture at iteration `n`, from 0 on. The schedule is stretched to `iterations`. */
export function shareAt(n: number, iterations: number, first: number): number {
  const at = Math.floor((10_000 * n) / iterations)
  return first / 2 ** HALVED_AFTER.filter((end) => at > end).length
}

/** The side in pixels of a square that covers a share of the picture. */
export function sideOf(share: number, { width, height }: Shape): number {
  const most = Math.max(1, Math.min(width, height) - 1)
  return Math.min(Math.max(Math.round(Math.sqrt(share * width * height)), 1), most)
}

/** Every column of every channel up or down by the ball. */
export function striped(source: Picture, { width, channels }: Shape, ball: number, random: Random): Picture {
  const stripes = new Float64Array(width * channels).map(() => signed(ball, random))
  return source.map((v, i) => clip(v + stripes[i % stripes.length]!))
}

export interface SquareOptions {
  readonly side: number
  readonly ball: number
  readonly shape: Shape
  readonly random: Random
}

/** One random square of x set to the source ± ball, a sign a channel, drawn anew while nothing changes. */
export function withSquare(x: Picture, source: Picture, { side, ball, shape, random }: SquareOptions): Picture {
  const { width, height, channels } = shape
  const top = random.whole(height - side)
  const left = random.whole(width - side)
  const y = x.slice()
  for (let isChanged = false; !isChanged; ) {
    const signs = new Float64Array(channels).map(() => signed(ball, random))
    for (let row = top; row < top + side; row++) {
      const from = (row * width + left) * channels
      for (let i = from; i < from + side * channels; i++) {
        y[i] = clip(source[i]! + signs[i % channels]!)
        isChanged ||= y[i] !== x[i]
      }
    }
  }
  return y
}

function signed(size: number, random: Random): number {
  return random.next() < 0.5 ? size : -size
}
