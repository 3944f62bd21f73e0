/**
 * Resizing. A filter of width `support` is stretched by the reduction, so that every source pixel counts, and its
 * weights are normalised per output pixel. The geometry and the integer arithmetic of `resizeLanczos` are Pillow's
 * (`src/libImaging/Resample.c`), which is the specification that perceptual hashes rest on.
 *
 * The sine is our own polynomial, since the language does not say how exact `Math.sin` is: the result is the same on
 * every engine.
 */

/** One axis of a resize: output i is the sum over k < counts[i] of weights[i · stride + k] · input[starts[i] + k]. */
export interface AxisWeights {
  readonly starts: Int32Array
  readonly counts: Int32Array
  /** The sum over each output's weights is 1. */
  readonly weights: Float64Array
  /** Weights kept per output. */
  readonly stride: number
}

/**
 * The weights of one axis, with Pillow's geometry.
 *
 * @param filter The filter at a distance in output pixels; zero from `support` on.
 * @param support Half the filter's width, in output pixels (source pixels when enlarging).
 */
export function axisWeights(
  size: number,
  outSize: number,
  filter: (distance: number) => number,
  support: number,
): AxisWeights {
  const scale = size / outSize
  const stretch = Math.max(scale, 1)
  const reach = support * stretch
  const stride = Math.ceil(reach) * 2 + 1
  const starts = new Int32Array(outSize)
  const counts = new Int32Array(outSize)
  const weights = new Float64Array(outSize * stride)
  const shrink = 1 / stretch
  for (let i = 0; i < outSize; i++) {
    const centre = (i + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - reach + 0.5))
    const count = Math.min(size, Math.trunc(centre + reach + 0.5)) - start
    const base = i * stride
    let sum = 0
    for (let k = 0; k < count; k++) {
      const weight = filter((k + start - centre + 0.5) * shrink)
      weights[base + k] = weight
      sum += weight
    }
    if (sum !== 0) for (let k = 0; k < count; k++) weights[base + k]! /= sum
    starts[i] = start
    counts[i] = count
  }
  return { starts, counts, weights, stride }
}

/** Lanczos with a = 3: sinc(x) · sinc(x / 3) for |x| < 3. */
const LANCZOS_SUPPORT = 3

function lanczos(x: number): number {
  if (x === 0) return 1
  if (x < -3 || x >= 3) return 0
  const third = sinPi(x / 3)
  const whole = third * (3 - 4 * third * third) // sin 3t = 3 sin t − 4 sin³ t
  return (3 * whole * third) / (Math.PI * Math.PI * x * x)
}

/** sin(π t) for |t| ≤ 1: Taylor's series up to t²¹, whose remainder at π/2 is below 2 · 10⁻¹⁸. */
function sinPi(t: number): number {
  const folded = Math.abs(t) > 0.5 ? (t > 0 ? 1 : -1) - t : t
  const y = Math.PI * folded
  const square = y * y
  let sum = 1
  for (let n = 20; n >= 2; n -= 2) sum = 1 - (square / (n * (n + 1))) * sum
  return y * sum
}

/** From this ratio on Pillow (`Image.resize`) makes a picture lower before it makes it wider. */
export const TALL = 100

/** Bits behind the point of an integer weight; Pillow's PRECISION_BITS for 8-bit pictures: 32 − 8 − 2. */
const PRECISION_BITS = 22
const HALF = 1 << (PRECISION_BITS - 1)

/** The weights of one axis as Pillow has them: whole numbers with {@link PRECISION_BITS} bits behind the point. */
export interface IntegerAxis extends Omit<AxisWeights, 'weights'> {
  readonly weights: Int32Array
}

export function lanczosAxis(size: number, outSize: number): IntegerAxis {
  const axis = axisWeights(size, outSize, lanczos, LANCZOS_SUPPORT)
  const weights = new Int32Array(axis.weights.length)
  for (let i = 0; i < weights.length; i++) {
    const weight = axis.weights[i]! * (1 << PRECISION_BITS)
    weights[i] = weight + (weight < 0 ? -0.5 : 0.5)
  }
  return { ...axis, weights }
}

/**
 * One channel resized as Pillow's `resize((outWidth, outHeight), LANCZOS)` does it, to the bit: across first, then down,
 * 8 bits in between, an axis that keeps its size left alone; a picture over 100 times as tall as wide goes down first.
 * Costs about 6 multiplications per source pixel.
 *
 * @param grey width · height bytes, row by row. Never changed.
 * @returns outWidth · outHeight bytes, always a fresh array.
 */
export function resizeLanczos(
  grey: Uint8Array,
  width: number,
  height: number,
  outWidth: number,
  outHeight: number,
): Uint8Array {
  if (height > TALL * width && height > outHeight && width !== outWidth) {
    const low = resizeLanczos(grey, width, height, width, outHeight)
    return resizeLanczos(low, width, outHeight, outWidth, outHeight)
  }
  // An axis that keeps its size gets the weight 1 and zeros: nothing changes.
  const across = lanczosAxis(width, outWidth)
  const down = width === height && outWidth === outHeight ? across : lanczosAxis(height, outHeight)
  return resizeDown(resizeAcross(grey, width, height, outWidth, across), outWidth, outHeight, down)
}

/** Four rows at a time, so that each weight is loaded once for four products. */
function resizeAcross(
  source: Uint8Array,
  width: number,
  height: number,
  outWidth: number,
  axis: IntegerAxis,
): Uint8Array {
  const { starts, counts, weights, stride } = axis
  const out = new Uint8Array(outWidth * height)
  for (let y = 0; y < height; y += 4) {
    // Past the last row the last one is computed again: its result is the same.
    const y1 = Math.min(y + 1, height - 1)
    const y2 = Math.min(y + 2, height - 1)
    const y3 = Math.min(y + 3, height - 1)
    for (let x = 0; x < outWidth; x++) {
      const start = starts[x]!
      const base = x * stride
      const end = base + counts[x]!
      let p0 = y * width + start
      let p1 = y1 * width + start
      let p2 = y2 * width + start
      let p3 = y3 * width + start
      let sum0 = HALF
      let sum1 = HALF
      let sum2 = HALF
      let sum3 = HALF
      for (let k = base; k < end; k++) {
        const weight = weights[k]!
        sum0 = (sum0 + Math.imul(source[p0++]!, weight)) | 0
        sum1 = (sum1 + Math.imul(source[p1++]!, weight)) | 0
        sum2 = (sum2 + Math.imul(source[p2++]!, weight)) | 0
        sum3 = (sum3 + Math.imul(source[p3++]!, weight)) | 0
      }
      out[y * outWidth + x] = toByte(sum0)
      out[y1 * outWidth + x] = toByte(sum1)
      out[y2 * outWidth + x] = toByte(sum2)
      out[y3 * outWidth + x] = toByte(sum3)
    }
  }
  return out
}

function resizeDown(source: Uint8Array, width: number, outHeight: number, axis: IntegerAxis): Uint8Array {
  const { starts, counts, weights, stride } = axis
  const out = new Uint8Array(width * outHeight)
  const sums = new Int32Array(width)
  for (let y = 0; y < outHeight; y++) {
    sums.fill(HALF)
    let p = starts[y]! * width
    for (let k = 0; k < counts[y]!; k++) {
      const weight = weights[y * stride + k]!
      for (let x = 0; x < width; x++) sums[x] = (sums[x]! + Math.imul(source[p++]!, weight)) | 0
    }
    for (let x = 0; x < width; x++) out[y * width + x] = toByte(sums[x]!)
  }
  return out
}

function toByte(sum: number): number {
  return Math.max(0, Math.min(255, sum >> PRECISION_BITS))
}
