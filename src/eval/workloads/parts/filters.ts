/** Filters on pictures. Beyond the border a picture goes on as in a mirror, its edge included: `d c b a | a b c d | d c b a`. */
import { clip } from '../../picture.ts'
import type { Picture, Shape } from '../../types.ts'

/** The place inside of 0 … size − 1 that a place outside mirrors. */
export function mirrored(at: number, size: number): number {
  const period = 2 * size
  const place = ((at % period) + period) % period
  return place < size ? place : period - 1 - place
}

/** Every row and every column weighted by a kernel of odd length; channels apart. */
export function convolved(x: ArrayLike<number>, shape: Shape, kernel: ArrayLike<number>): Float64Array {
  const { width, height, channels } = shape
  const across = alongLines(x, kernel, {
    lines: height,
    lineStep: width * channels,
    size: width,
    step: channels,
    channels,
  })
  return alongLines(across, kernel, {
    lines: width,
    lineStep: channels,
    size: height,
    step: width * channels,
    channels,
  })
}

interface Lines {
  readonly lines: number
  readonly lineStep: number
  /** Pixels of a line, and how far apart they are. */
  readonly size: number
  readonly step: number
  readonly channels: number
}

function alongLines(x: ArrayLike<number>, kernel: ArrayLike<number>, { lines, lineStep, size, step, channels }: Lines) {
  const radius = (kernel.length - 1) / 2
  const places = Int32Array.from({ length: size + 2 * radius }, (_, i) => step * mirrored(i - radius, size))
  const y = new Float64Array(x.length)
  for (let line = 0; line < lines; line++) {
    for (let at = 0; at < size; at++) {
      for (let c = 0; c < channels; c++) {
        const from = line * lineStep + c
        let sum = 0
        for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * x[from + places[at + k]!]!
        y[from + at * step] = sum
      }
    }
  }
  return y
}

/** The mean over a square of `side` pixels, an odd number. */
export function boxBlur(x: ArrayLike<number>, shape: Shape, side: number): Float64Array {
  return convolved(x, shape, new Float64Array(side).fill(1 / side))
}

/** A Gaussian of `sigma` pixels, cut at four of them. */
export function gaussianBlur(x: ArrayLike<number>, shape: Shape, sigma: number): Float64Array {
  const radius = Math.round(4 * sigma)
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, k) =>
    Math.exp(-((k - radius) ** 2) / (2 * sigma ** 2)),
  )
  const sum = kernel.reduce((a, b) => a + b, 0)
  return convolved(
    x,
    shape,
    kernel.map((v) => v / sum),
  )
}

/** (1 − share) · x + share · the mean over 3 × 3, in 0 … 1. A negative share sharpens. */
export function softened(x: Picture, shape: Shape, share: number): Picture {
  const soft = boxBlur(x, shape, 3)
  return x.map((v, i) => clip((1 - share) * v + share * soft[i]!))
}

/** The mean of every channel. */
export function channelMeans(x: Picture, { channels }: Shape): Float64Array {
  const means = new Float64Array(channels)
  for (let i = 0; i < x.length; i++) means[i % channels]! += (x[i]! * channels) / x.length
  return means
}
