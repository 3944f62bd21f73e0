/** Decoded pixels: the check at the door, grey, and transparency. */
import { checkNumber, elementType, refuse } from './checkers.ts'
import { MonitorError } from './errors.ts'
import type { Pixels } from './types.ts'

/** The longest side of a picture, as in JPEG: a strip one pixel high must not ask for huge filter tables. */
const MAX_SIDE = 65_535

const FLOATS = /^Float(32|64)Array$/
const BYTES = /^Uint8(Clamped)?Array$/

/**
 * Raw pixels, checked: the same object comes back, nothing is copied. Costs O(1) for bytes, and one pass over the data
 * for floats and for `maxValue` 1. Data may come from another realm; an element type is known by its tag.
 *
 * @param path Where the picture stands in the query; errors name the field behind it, such as `input.width`.
 * @param maxPixels Most pixels accepted, inclusive. Default 40 million. No side may exceed 65 535.
 * @throws `bad_query` for anything that is not {@link Pixels}: wrong types, sizes that are not whole numbers from 1 up,
 * a length other than width · height · channels, floats without `maxValue`, NaN, or values outside 0 … `maxValue`.
 */
export function checkPixels(value: unknown, path = 'input', maxPixels = 40_000_000): Pixels {
  if (typeof value !== 'object' || value === null) {
    refuse('bad_query', 'must be pixels { data, width, height, channels }', value, path)
  }
  const { data, width, height, channels, maxValue } = value as Readonly<Record<keyof Pixels, unknown>>
  checkSide(width, `${path}.width`)
  checkSide(height, `${path}.height`)
  const size = (width as number) * (height as number)
  if (size > maxPixels) {
    throw new MonitorError('bad_query', `must have at most ${maxPixels} pixels, got ${width} × ${height}`, path)
  }
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    refuse('bad_query', 'must be 1, 3 or 4', channels, `${path}.channels`)
  }
  const values = data as Pixels['data']
  const type = elementType(data)
  const isFloat = FLOATS.test(type)
  if (maxValue !== 1 && maxValue !== 255 && (maxValue !== undefined || isFloat)) {
    refuse('bad_query', 'must be 1 or 255; the range of floats is never guessed', maxValue, `${path}.maxValue`)
  }
  if (!isFloat && !BYTES.test(type)) {
    refuse(
      'bad_query',
      'must be a Uint8Array, Uint8ClampedArray, Float32Array or Float64Array: Float32Array.from(…)',
      data,
      `${path}.data`,
    )
  }
  const length = size * channels
  if (values.length !== length) {
    refuse('bad_query', `must hold width · height · channels = ${length} values`, values.length, `${path}.data`)
  }
  if (isFloat || maxValue === 1) checkRange(values, maxValue ?? 255, `${path}.data`)
  return value as Pixels
}

function checkSide(side: unknown, path: string): void {
  checkNumber(side, { min: 1, max: MAX_SIDE, integer: true }, path, 'bad_query')
}

function checkRange(data: Pixels['data'], max: number, path: string): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!
    if (!(value >= 0 && value <= max)) refuse('bad_query', `must be in [0, ${max}]`, value, `${path}[${i}]`)
  }
}

/** Values of a picture that are bytes, of any realm. */
export function isBytes(data: Pixels['data']): data is Uint8Array | Uint8ClampedArray {
  return BYTES.test(elementType(data))
}

/**
 * The picture's values as bytes, 0 … 255, in the same order: bytes as they are (no copy), floats and `maxValue` 1 scaled
 * to 255 and rounded half up.
 */
export function toBytes(pixels: Pixels): Uint8Array | Uint8ClampedArray {
  const { data, maxValue = 255 } = pixels
  if (BYTES.test(elementType(data)) && maxValue === 255) return data as Uint8Array | Uint8ClampedArray
  const scale = maxValue === 1 ? 255 : 1
  const bytes = new Uint8ClampedArray(data.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(data[i]! * scale + 0.5)
  return bytes
}

/**
 * Brightness as bytes, row by row, one value a pixel: Pillow's `convert('L')` to the bit,
 * (19595 R + 38470 G + 7471 B + 32768) >> 16, the weights of ITU-R 601. Alpha is ignored; one channel is copied.
 */
export function toGrey(pixels: Pixels): Uint8Array {
  const bytes = toBytes(pixels)
  const step = pixels.channels
  if (step === 1) return new Uint8Array(bytes)
  const grey = new Uint8Array(pixels.width * pixels.height)
  for (let i = 0, p = 0; i < grey.length; i++, p += step) {
    grey[i] = (19595 * bytes[p]! + 38470 * bytes[p + 1]! + 7471 * bytes[p + 2]! + 32768) >> 16
  }
  return grey
}

/**
 * The picture over white: 4 channels become 3 bytes a pixel, round((c · a + 255 · (255 − a)) / 255). So what a viewer
 * sees counts, and not the colours that full transparency hides. 1 and 3 channels come back as the same object.
 */
export function flattenAlpha(pixels: Pixels): Pixels {
  if (pixels.channels !== 4) return pixels
  const { width, height } = pixels
  const bytes = toBytes(pixels)
  const data = new Uint8Array(width * height * 3)
  for (let i = 0, p = 0; i < data.length; i += 3, p += 4) {
    const alpha = bytes[p + 3]!
    if (alpha === 255) {
      // As most pixels are.
      data[i] = bytes[p]!
      data[i + 1] = bytes[p + 1]!
      data[i + 2] = bytes[p + 2]!
      continue
    }
    const white = 255 * (255 - alpha)
    for (let c = 0; c < 3; c++) data[i + c] = overWhite(bytes[p + c]! * alpha + white)
  }
  return { data, width, height, channels: 3 }
}

/** round(sum / 255) for 0 ≤ sum ≤ 255², in integers. */
function overWhite(sum: number): number {
  const t = sum + 128
  return (t + (t >> 8)) >> 8
}

/** A fresh picture with left and right exchanged. */
export function mirrorPixels(pixels: Pixels): Pixels {
  const { data, width, height, channels } = pixels
  const mirrored = data.slice()
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + width - 1 - x) * channels
      const to = (y * width + x) * channels
      for (let c = 0; c < channels; c++) mirrored[to + c] = data[from + c]!
    }
  }
  return { ...pixels, data: mirrored }
}
