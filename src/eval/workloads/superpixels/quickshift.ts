/**
 * Superpixels by quick shift (Vedaldi & Soatto, ECCV 2008): every pixel points to the nearest one of higher density in
 * colour and place, and the trees of pointers are the segments. As in scikit-image, from where the library `lime` has it.
 */
import type { Random } from '../../random.ts'
import type { Picture, Shape } from '../../types.ts'
import type { Segments } from '../parts/masks.ts'
import { toLab } from './lab.ts'

export interface QuickshiftOptions {
  /** Width of the density's Gaussian, in pixels. */
  readonly kernelSize: number
  /** Pointers longer than this are cut. */
  readonly maxDistance: number
  /** How much colour counts against place, 0 … 1. */
  readonly ratio: number
  /** Breaks ties between densities. */
  readonly random: Random
}

const TIE = 1e-5

export function quickshift(x: Picture, shape: Shape, options: QuickshiftOptions): Segments {
  const colours = toLab(x, shape).map((v) => options.ratio * v)
  const reach = Math.ceil(3 * options.kernelSize)
  const field = { colours, width: shape.width, height: shape.height, reach }
  const density = densities(field, options.kernelSize).map((v) => v + TIE * options.random.normal())
  return trees(parents(field, density, options.maxDistance))
}

interface Field {
  readonly colours: Float64Array
  readonly width: number
  readonly height: number
  readonly reach: number
}

/** Calls `each` for every pixel within reach of every pixel, with the squared distance in colour and place. */
function forPairs(
  { colours, width, height, reach }: Field,
  each: (pixel: number, other: number, squared: number) => void,
): void {
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = row * width + column
      const right = Math.min(column + reach, width - 1)
      for (let r = Math.max(row - reach, 0); r <= Math.min(row + reach, height - 1); r++) {
        for (let k = Math.max(column - reach, 0); k <= right; k++) {
          const other = r * width + k
          const dl = colours[3 * pixel]! - colours[3 * other]!
          const da = colours[3 * pixel + 1]! - colours[3 * other + 1]!
          const db = colours[3 * pixel + 2]! - colours[3 * other + 2]!
          each(pixel, other, dl * dl + da * da + db * db + (row - r) * (row - r) + (column - k) * (column - k))
        }
      }
    }
  }
}

function densities(field: Field, kernelSize: number): Float64Array {
  const density = new Float64Array(field.width * field.height)
  const factor = -0.5 / kernelSize ** 2
  forPairs(field, (pixel, _other, squared) => {
    density[pixel]! += Math.exp(factor * squared)
  })
  return density
}

function parents(field: Field, density: Float64Array, maxDistance: number): Int32Array {
  const parent = Int32Array.from(density, (_, pixel) => pixel)
  const nearest = new Float64Array(density.length).fill(maxDistance ** 2)
  forPairs(field, (pixel, other, squared) => {
    if (density[other]! <= density[pixel]! || squared >= nearest[pixel]!) return
    nearest[pixel] = squared
    parent[pixel] = other
  })
  return parent
}

function trees(parent: Int32Array): Segments {
  const numbers = new Map<number, number>()
  const of = parent.map((_, pixel) => {
    let root = pixel
    while (parent[root] !== root) root = parent[root]!
    if (!numbers.has(root)) numbers.set(root, numbers.size)
    return numbers.get(root)!
  })
  return { of, count: numbers.size }
}
