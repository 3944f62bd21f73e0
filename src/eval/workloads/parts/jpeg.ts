/**
 * What baseline JPEG (ITU-T T.81) makes of a picture: colours as Y, Cb, Cr, the latter at half the size (4:2:0), blocks of
 * 8 × 8 cosines rounded by the standard tables at a quality, and back. No file is written: entropy coding loses nothing.
 * Sampling as in libjpeg: the mean of four on the way in, a triangle filter on the way out.
 */
import type { Picture, Shape } from '../../types.ts'

/** Annex K.1, luminance, row by row. */
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
]

/** Annex K.2, chrominance: 99 beyond its first rows. */
const CHROMINANCE = [
  17,
  18,
  24,
  47,
  99,
  99,
  99,
  99,
  18,
  21,
  26,
  66,
  99,
  99,
  99,
  99,
  24,
  26,
  56,
  99,
  99,
  99,
  99,
  99,
  47,
  66,
  99,
  99,
  99,
  99,
  99,
  99,
  ...new Array<number>(32).fill(99),
]

const SIDE = 8

/** Rows are the eight cosines, orthonormal. */
const COSINES = Float64Array.from({ length: SIDE * SIDE }, (_, i) => {
  const [k, n] = [Math.floor(i / SIDE), i % SIDE]
  return Math.sqrt((k === 0 ? 1 : 2) / SIDE) * Math.cos((Math.PI * (2 * n + 1) * k) / (2 * SIDE))
})

/** One channel, 0 … 255. */
interface Plane {
  readonly data: Float64Array
  readonly width: number
  readonly height: number
}

/** The picture written as JPEG and read again. `quality` is libjpeg's, a whole number of 1 … 100. */
export function jpegCopy(x: Picture, shape: Shape, quality: number): Picture {
  const { width, height, channels } = shape
  const sized = (data: Float64Array): Plane => ({ data, width, height })
  if (channels === 1) {
    const grey = coded(sized(x.map((v) => Math.round(255 * v))), tableOf(LUMINANCE, quality))
    return grey.data.map((v) => v / 255)
  }
  const [y, cb, cr] = toYcc(x, width * height)
  const chroma = tableOf(CHROMINANCE, quality)
  return toRgb(
    coded(sized(y), tableOf(LUMINANCE, quality)).data,
    doubled(coded(halved(sized(cb)), chroma), shape),
    doubled(coded(halved(sized(cr)), chroma), shape),
  )
}

/** jpeg_quality_scaling of libjpeg. */
export function tableOf(base: readonly number[], quality: number): Float64Array {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality
  return Float64Array.from(base, (v) => Math.min(Math.max(Math.floor((v * percent + 50) / 100), 1), 255))
}

/** JFIF. */
function toYcc(x: Picture, pixels: number): [Float64Array, Float64Array, Float64Array] {
  const planes = [new Float64Array(pixels), new Float64Array(pixels), new Float64Array(pixels)] as const
  for (let i = 0; i < pixels; i++) {
    const r = Math.round(255 * x[3 * i]!)
    const g = Math.round(255 * x[3 * i + 1]!)
    const b = Math.round(255 * x[3 * i + 2]!)
    planes[0][i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b)
    planes[1][i] = Math.round(-0.168735892 * r - 0.331264108 * g + 0.5 * b + 128)
    planes[2][i] = Math.round(0.5 * r - 0.418687589 * g - 0.081312411 * b + 128)
  }
  return [...planes]
}

function toRgb(y: Float64Array, cb: Float64Array, cr: Float64Array): Picture {
  const x = new Float64Array(3 * y.length)
  for (let i = 0; i < y.length; i++) {
    const [u, v] = [cb[i]! - 128, cr[i]! - 128]
    x[3 * i] = level(y[i]! + 1.402 * v) / 255
    x[3 * i + 1] = level(y[i]! - 0.344136286 * u - 0.714136286 * v) / 255
    x[3 * i + 2] = level(y[i]! + 1.772 * u) / 255
  }
  return x
}

function level(v: number): number {
  return Math.min(Math.max(Math.round(v), 0), 255)
}

/**
 * The mean of every 2 × 2, rounded down and up in turn as libjpeg does. The last row and column repeat, the column until the
 * last block is full.
 */
function halved({ data, width, height }: Plane): Plane {
  const [w, h] = [SIDE * Math.ceil(width / 2 / SIDE), Math.ceil(height / 2)]
  const half = new Float64Array(w * h)
  for (let row = 0; row < h; row++) {
    const [upper, lower] = [2 * row * width, Math.min(2 * row + 1, height - 1) * width]
    for (let column = 0; column < w; column++) {
      const [left, right] = [Math.min(2 * column, width - 1), Math.min(2 * column + 1, width - 1)]
      const sum = data[upper + left]! + data[upper + right]! + data[lower + left]! + data[lower + right]!
      half[row * w + column] = Math.floor((sum + 1 + (column % 2)) / 4)
    }
  }
  return { data: half, width: w, height: h }
}

/** Three quarters of the nearer row and column and one of the further: "fancy upsampling". */
function doubled({ data, width: w, height: h }: Plane, { width, height }: Shape): Float64Array {
  const double = new Float64Array(width * height)
  const last = Math.ceil(width / 2) - 1
  for (let row = 0; row < height; row++) {
    const near = row >> 1
    const far = Math.min(Math.max(near + (row % 2 === 0 ? -1 : 1), 0), h - 1)
    for (let column = 0; column < width; column++) {
      const beside = column >> 1
      const beyond = Math.min(Math.max(beside + (column % 2 === 0 ? -1 : 1), 0), last)
      const here = 3 * data[near * w + beside]! + data[far * w + beside]!
      const there = 3 * data[near * w + beyond]! + data[far * w + beyond]!
      double[row * width + column] = Math.floor((3 * here + there + (column % 2 === 0 ? 8 : 7)) / 16)
    }
  }
  return double
}

/** Every block through the table and back; beyond the border the last row and column repeat. */
function coded({ data, width, height }: Plane, table: Float64Array): Plane {
  const out = new Float64Array(data.length)
  const block = new Float64Array(SIDE * SIDE)
  const turned = new Float64Array(SIDE * SIDE)
  for (let top = 0; top < height; top += SIDE) {
    for (let left = 0; left < width; left += SIDE) {
      for (let i = 0; i < block.length; i++) {
        const row = Math.min(top + Math.floor(i / SIDE), height - 1)
        block[i] = data[row * width + Math.min(left + (i % SIDE), width - 1)]! - 128
      }
      quantise(block, table, turned)
      for (let i = 0; i < block.length; i++) {
        const [row, column] = [top + Math.floor(i / SIDE), left + (i % SIDE)]
        if (row < height && column < width) out[row * width + column] = level(block[i]! + 128)
      }
    }
  }
  return { data: out, width, height }
}

function quantise(block: Float64Array, table: Float64Array, turned: Float64Array): void {
  // Twice the same lines: transformed and turned over, so that the second time gives columns.
  transform(block, turned, false)
  transform(turned, block, false)
  for (let i = 0; i < block.length; i++) block[i] = table[i]! * rounded(block[i]!, table[i]!)
  transform(block, turned, true)
  transform(turned, block, true)
}

/** How many steps of the table; first to eighths, then halves away from zero, so that ties fall as in libjpeg. */
function rounded(value: number, step: number): number {
  const eighths = Math.round(8 * Math.abs(value))
  return Math.sign(value) * Math.floor((eighths + 4 * step) / (8 * step))
}

/** The transform of each row as a column of `to`. */
function transform(from: Float64Array, to: Float64Array, isInverse: boolean): void {
  for (let row = 0; row < SIDE; row++) {
    for (let k = 0; k < SIDE; k++) {
      let sum = 0
      for (let n = 0; n < SIDE; n++) sum += COSINES[isInverse ? n * SIDE + k : k * SIDE + n]! * from[row * SIDE + n]!
      to[k * SIDE + row] = sum
    }
  }
}
