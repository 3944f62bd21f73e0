/**
 * Superpixels by SLIC (Achanta et al., TPAMI 2012): k-means on colour and place, each centre looking only at its surroundings,
 * then small islands are given to a neighbour. Settings as in scikit-image, whose LIME and Captum use it: contrast stretched,
 * CIE L*a*b*, 10 rounds, islands of less than half the mean size merged.
 */

import type { Picture, Shape } from '../../types.ts'
import { gaussianBlur } from '../parts/filters.ts'
import type { Segments } from '../parts/masks.ts'
import { joined } from './islands.ts'
import { toLab } from './lab.ts'

export interface SlicOptions {
  /** About how many. */
  readonly segments: number
  /** How much place counts against colour: the larger, the squarer. */
  readonly compactness: number
  /** Blur beforehand, in pixels; 0: none. Default 0. */
  readonly sigma?: number
}

const ROUNDS = 10

export function slic(x: Picture, shape: Shape, { segments, compactness, sigma = 0 }: SlicOptions): Segments {
  const { width, height } = shape
  let lab = toLab(stretched(x), shape)
  if (sigma > 0) lab = gaussianBlur(lab, { width, height, channels: 3 }, sigma)
  const spacing = Math.sqrt((width * height) / segments)
  const step = Math.max(Math.round(spacing), 1)
  const centres = firstCentres(lab, { width, height, step, start: Math.floor(spacing / 2) })
  const of = new Int32Array(width * height)
  for (let round = 0; round < ROUNDS; round++) {
    if (!assign(of, centres, { lab, width, height, step, compactness })) break
    recentre(centres, of, lab, width)
  }
  return joined(of, shape, Math.floor((0.5 * width * height) / segments))
}

function stretched(x: Picture): Picture {
  const least = x.reduce((a, b) => Math.min(a, b))
  const most = x.reduce((a, b) => Math.max(a, b))
  return most === least ? x.map(() => 0) : x.map((v) => (v - least) / (most - least))
}

interface Field {
  readonly lab: Float64Array
  readonly width: number
  readonly height: number
  readonly step: number
  readonly compactness: number
}

/** Row, column and colour of a centre. */
type Centre = Float64Array

function firstCentres(
  lab: Float64Array,
  { width, height, step, start }: Pick<Field, 'width' | 'height' | 'step'> & { readonly start: number },
): Centre[] {
  const centres: Centre[] = []
  for (let row = start; row < height; row += step) {
    for (let column = start; column < width; column += step) {
      const at = 3 * (row * width + column)
      centres.push(Float64Array.of(row, column, lab[at]!, lab[at + 1]!, lab[at + 2]!))
    }
  }
  return centres
}

/** Gives every pixel to the nearest centre within two steps. False if none moved. */
function assign(of: Int32Array, centres: readonly Centre[], { lab, width, height, step, compactness }: Field): boolean {
  const nearest = new Float64Array(of.length).fill(Infinity)
  const byPlace = 1 / step ** 2
  const byColour = 1 / compactness ** 2
  const before = of.slice()
  for (const [k, centre] of centres.entries()) {
    const [y, x, l, a, b] = centre as unknown as readonly [number, number, number, number, number]
    const right = Math.min(Math.floor(x + 2 * step) + 1, width)
    const bottom = Math.min(Math.floor(y + 2 * step) + 1, height)
    for (let row = Math.max(Math.floor(y - 2 * step), 0); row < bottom; row++) {
      for (let column = Math.max(Math.floor(x - 2 * step), 0); column < right; column++) {
        const pixel = row * width + column
        const colour = (lab[3 * pixel]! - l) ** 2 + (lab[3 * pixel + 1]! - a) ** 2 + (lab[3 * pixel + 2]! - b) ** 2
        const distance = byColour * colour + byPlace * ((row - y) ** 2 + (column - x) ** 2)
        if (distance >= nearest[pixel]!) continue
        nearest[pixel] = distance
        of[pixel] = k
      }
    }
  }
  return of.some((k, pixel) => k !== before[pixel])
}

/** Moves every centre to the mean of its pixels; one without any stays. */
function recentre(centres: readonly Centre[], of: Int32Array, lab: Float64Array, width: number): void {
  const sums = centres.map(() => new Float64Array(6))
  for (let pixel = 0; pixel < of.length; pixel++) {
    const sum = sums[of[pixel]!]!
    sum[0]! += Math.floor(pixel / width)
    sum[1]! += pixel % width
    for (let c = 0; c < 3; c++) sum[2 + c]! += lab[3 * pixel + c]!
    sum[5]!++
  }
  for (const [k, centre] of centres.entries()) {
    const sum = sums[k]!
    if (sum[5]! > 0) for (let i = 0; i < 5; i++) centre[i] = sum[i]! / sum[5]!
  }
}
