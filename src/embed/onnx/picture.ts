/** Pixels to what an image model eats, by our own arithmetic, so that every runtime gets the same numbers. */
import {
  axisWeights,
  checkNumber,
  checkPixels,
  flattenAlpha,
  type Pixels,
  refuse,
  THUMBNAIL_SIZE,
  thumbnail,
  toPixelBytes,
} from '../../core/index.ts'
import type { Feed } from './types.ts'

/** A picture for a first run. */
export function greyPicture(): Pixels {
  return { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64, channels: 3 }
}

/** How a model wants its pictures. */
export interface PictureOptions {
  /** Pixels along the sides of the model's input: one number for a square, or `[height, width]`. */
  readonly size: number | readonly [height: number, width: number]
  /**
   * Resize until the shorter side has so many pixels, and cut `size` out of the middle: 256 for most ImageNet models.
   * Default: the whole picture is stretched to `size`.
   */
  readonly shorterSide?: number
  /** Each value, 0 … 255, times this comes first. Default 1/255. */
  readonly scale?: number
  /** Subtracted then, per channel; one value makes the input grey. Default 0, 0, 0. */
  readonly mean?: readonly number[]
  /** Divided by then, per channel. Default 1 each. */
  readonly std?: readonly number[]
  /** Default `NCHW`: planes. `NHWC`: channels interleaved. */
  readonly layout?: 'NCHW' | 'NHWC'
}

/** Options of pictures with their defaults, checked. */
export interface PictureRule {
  readonly height: number
  readonly width: number
  readonly shorterSide: number | undefined
  readonly channels: 1 | 3
  readonly scale: number
  readonly mean: readonly number[]
  readonly std: readonly number[]
  readonly layout: 'NCHW' | 'NHWC'
}

const SIDE = { min: 1, max: 4096, integer: true }

/** Checks the options. Throws `bad_config`. */
export function pictureRule(options: PictureOptions): PictureRule {
  const { size, shorterSide, scale = 1 / 255, mean = [0, 0, 0], layout = 'NCHW' } = options
  const [height, width] = typeof size === 'number' ? [size, size] : Array.isArray(size) ? size : [undefined, undefined]
  checkNumber(height, SIDE, 'size')
  checkNumber(width, SIDE, 'size')
  if (shorterSide !== undefined) {
    checkNumber(shorterSide, { ...SIDE, min: Math.max(height!, width!) }, 'shorterSide')
  }
  checkNumber(scale, {}, 'scale')
  if (!Array.isArray(mean) || (mean.length !== 1 && mean.length !== 3)) {
    refuse('bad_config', 'must be a list of 3 numbers, or of 1 for grey', mean, 'mean')
  }
  const { std = mean.map(() => 1) } = options
  if (!Array.isArray(std) || std.length !== mean.length) {
    refuse('bad_config', `must be a list of as many numbers as mean has, ${mean.length}`, std, 'std')
  }
  for (const [i, value] of mean.entries()) checkNumber(value, {}, `mean[${i}]`)
  for (const [i, value] of std.entries()) checkNumber(value, { min: Number.MIN_VALUE }, `std[${i}]`)
  if (layout !== 'NCHW' && layout !== 'NHWC') refuse('bad_config', "must be 'NCHW' or 'NHWC'", layout, 'layout')
  return { height: height!, width: width!, shorterSide, channels: mean.length as 1 | 3, scale, mean, std, layout }
}

/** One picture as the input of a model, a batch of one. Transparent ones are laid over white. Throws `bad_query`. */
export function pictureFeed(pixels: Pixels, rule: PictureRule): Feed {
  const { height, width, channels, scale, mean, std, layout } = rule
  const planes = colours(resized(flattenAlpha(checkPixels(pixels)), rule), channels)
  const area = height * width
  const data = new Float32Array(area * channels)
  for (const [c, plane] of planes.entries()) {
    const [start, step] = layout === 'NCHW' ? [c * area, 1] : [c, channels]
    for (let i = 0; i < area; i++) data[start + i * step] = (plane[i]! * scale - mean[c]!) / std[c]!
  }
  return {
    data,
    dims: layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels],
    type: 'float32',
  }
}

/** The small picture as the input of our network. Throws `bad_query`. */
export function thumbnailFeed(pixels: Pixels): Feed {
  const planes = thumbnail(flattenAlpha(checkPixels(pixels)))
  const data = new Float32Array(3 * THUMBNAIL_SIZE * THUMBNAIL_SIZE)
  for (const [c, plane] of planes.entries()) data.set(plane, c * plane.length)
  return { data, dims: [1, 3, THUMBNAIL_SIZE, THUMBNAIL_SIZE], type: 'float32' }
}

/** ITU-R 601, as Pillow's `convert('L')`. */
const LUMINANCE = [0.299, 0.587, 0.114]

/** As many planes as the model has channels. */
function colours(planes: readonly Float64Array[], channels: 1 | 3): readonly Float64Array[] {
  if (channels === planes.length) return planes
  if (channels === 3) return [planes[0]!, planes[0]!, planes[0]!]
  return [
    planes[0]!.map((red, i) => LUMINANCE[0]! * red + LUMINANCE[1]! * planes[1]![i]! + LUMINANCE[2]! * planes[2]![i]!),
  ]
}

/** A filter of an axis, of which a part of the outputs is wanted. */
interface Axis {
  readonly weights: ReturnType<typeof axisWeights>
  readonly from: number
  readonly count: number
}

function resized(pixels: Pixels, { height, width, shorterSide }: PictureRule): readonly Float64Array[] {
  const enlarge = shorterSide === undefined ? 0 : shorterSide / Math.min(pixels.width, pixels.height)
  // As torchvision: the longer side is cut to a whole number, the shorter one given.
  const side = (own: number, wanted: number) =>
    shorterSide === undefined ? wanted : Math.max(shorterSide, Math.trunc(own * enlarge))
  return resample(
    pixels,
    axis(pixels.width, side(pixels.width, width), width),
    axis(pixels.height, side(pixels.height, height), height),
  )
}

/** The middle `count` of `outSize` outputs; an odd rest leaves one pixel more behind it, as torchvision rounds. */
function axis(size: number, outSize: number, count: number): Axis {
  return { weights: axisWeights(size, outSize, triangle, 1), from: Math.round((outSize - count) / 2), count }
}

function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance))
}

/** Planes of the wanted part: rows first are put together downwards, then each row across. */
function resample(pixels: Pixels, across: Axis, down: Axis): readonly Float64Array[] {
  const { width, channels } = pixels
  const bytes = toPixelBytes(pixels)
  const planes = Array.from({ length: channels }, () => new Float64Array(across.count * down.count))
  const row = new Float64Array(width * channels)
  for (let y = 0; y < down.count; y++) {
    mixRows(bytes, row, down.weights, down.from + y)
    for (let x = 0; x < across.count; x++) {
      const { starts, counts, weights, stride } = across.weights
      const out = across.from + x
      for (let c = 0; c < channels; c++) {
        let p = starts[out]! * channels + c
        let sum = 0
        for (let k = 0; k < counts[out]!; k++, p += channels) sum += weights[out * stride + k]! * row[p]!
        planes[c]![y * across.count + x] = sum
      }
    }
  }
  return planes
}

function mixRows(bytes: ArrayLike<number>, row: Float64Array, down: ReturnType<typeof axisWeights>, out: number): void {
  row.fill(0)
  let p = down.starts[out]! * row.length
  for (let k = 0; k < down.counts[out]!; k++) {
    const weight = down.weights[out * down.stride + k]!
    for (let i = 0; i < row.length; i++) row[i]! += weight * bytes[p++]!
  }
}
