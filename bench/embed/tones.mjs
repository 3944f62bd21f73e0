/** Transformations of brightness, colour and grain. Pictures as in geometry.mjs; never changed. */
import sharp from 'sharp'
import { withData } from './geometry.mjs'

/** Each byte by `change(value, position)`, rounded, cut to 0 … 255. */
export function eachByte(picture, change) {
  const data = new Uint8Array(picture.data.length)
  for (let i = 0; i < data.length; i++) data[i] = toByte(change(picture.data[i], i))
  return withData(picture, data)
}

function toByte(value) {
  return Math.max(0, Math.min(255, Math.round(value)))
}

/** Each pixel by `change(red, green, blue)`, which gives three new ones. */
function eachPixel(picture, change) {
  const data = new Uint8Array(picture.data.length)
  for (let i = 0; i < data.length; i += 3) {
    const changed = change(picture.data[i], picture.data[i + 1], picture.data[i + 2])
    for (let c = 0; c < 3; c++) data[i + c] = toByte(changed[c])
  }
  return withData(picture, data)
}

/** Brightness of a pixel, ITU-R 601. */
function luma(red, green, blue) {
  return 0.299 * red + 0.587 * green + 0.114 * blue
}

/** Gaussian noise, for each colour of each pixel. */
export function noise(picture, sigma, random) {
  return eachByte(picture, (value) => value + sigma * random.normal())
}

/** Each colour of each pixel up or down by `amount`, as the sign of a gradient would have it. */
export function signNoise(picture, amount, random) {
  return eachByte(picture, (value) => value + amount * random.sign())
}

export function brightness(picture, factor) {
  return eachByte(picture, (value) => value * factor)
}

/** Away from the picture's mean brightness, or towards it. */
export function contrast(picture, factor) {
  const { data } = picture
  let sum = 0
  for (let i = 0; i < data.length; i += 3) sum += luma(data[i], data[i + 1], data[i + 2])
  const mean = (3 * sum) / data.length
  return eachByte(picture, (value) => mean + factor * (value - mean))
}

/** 0: grey · 1: as it was · 2: twice as far from grey. */
export function saturation(picture, factor) {
  return eachPixel(picture, (red, green, blue) => {
    const grey = luma(red, green, blue)
    return [red, green, blue].map((value) => grey + factor * (value - grey))
  })
}

/** Colours turned around the grey axis, as CSS `hue-rotate` does. */
export function hue(picture, degrees) {
  const cos = Math.cos((degrees * Math.PI) / 180)
  const sin = Math.sin((degrees * Math.PI) / 180)
  return eachPixel(picture, (red, green, blue) => {
    const third = ((1 - cos) * (red + green + blue)) / 3
    const side = sin / Math.sqrt(3)
    return [
      third + cos * red + side * (blue - green),
      third + cos * green + side * (red - blue),
      third + cos * blue + side * (green - red),
    ]
  })
}

/** Gaussian blur, up to three deviations; the border goes on beyond the picture. */
export function blur(picture, sigma) {
  const reach = Math.ceil(3 * sigma)
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)))
  const total = weights.reduce((a, b) => a + b)
  const { width, height } = picture
  const once = new Float32Array(picture.data.length)
  alongLines(picture.data, once, { count: height, step: width * 3, length: width, stride: 3 }, weights, total)
  const twice = new Float32Array(once.length)
  alongLines(once, twice, { count: width, step: 3, length: height, stride: width * 3 }, weights, total)
  return withData(picture, Uint8Array.from(twice, toByte))
}

function alongLines(source, out, { count, step, length, stride }, weights, total) {
  const reach = weights.length >> 1
  for (let line = 0; line < count; line++) {
    for (let i = 0; i < length; i++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = -reach; k <= reach; k++) {
          const at = Math.min(Math.max(i + k, 0), length - 1)
          sum += weights[k + reach] * source[line * step + at * stride + c]
        }
        out[line * step + i * stride + c] = sum / total
      }
    }
  }
}

/** Compressed as a JPEG file (libjpeg's quality, colours at half the resolution) and decoded again. */
export async function jpeg(picture, quality) {
  const { width, height } = picture
  const file = await sharp(picture.data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer()
  const data = await sharp(file).toColourspace('srgb').raw().toBuffer()
  return withData(picture, new Uint8Array(data))
}
