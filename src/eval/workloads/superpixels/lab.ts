import type { Picture, Shape } from '../../types.ts'

/** White of the standard illuminant D65. */
const WHITE = [0.95047, 1, 1.08883] as const

/** CIE L*a*b* of an sRGB picture, three numbers a pixel; L* in 0 … 100. A grey picture counts as one of three equal channels. */
export function toLab(x: Picture, { channels }: Shape): Float64Array {
  const lab = new Float64Array((x.length / channels) * 3)
  for (let pixel = 0; 3 * pixel < lab.length; pixel++) {
    const from = pixel * channels
    const r = linear(x[from]!)
    const g = channels === 1 ? r : linear(x[from + 1]!)
    const b = channels === 1 ? r : linear(x[from + 2]!)
    // sRGB to XYZ, IEC 61966-2-1.
    const fx = root((0.412453 * r + 0.35758 * g + 0.180423 * b) / WHITE[0])
    const fy = root((0.212671 * r + 0.71516 * g + 0.072169 * b) / WHITE[1])
    const fz = root((0.019334 * r + 0.119193 * g + 0.950227 * b) / WHITE[2])
    lab[3 * pixel] = 116 * fy - 16
    lab[3 * pixel + 1] = 500 * (fx - fy)
    lab[3 * pixel + 2] = 200 * (fy - fz)
  }
  return lab
}

function linear(v: number): number {
  return v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92
}

function root(v: number): number {
  return v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116
}
