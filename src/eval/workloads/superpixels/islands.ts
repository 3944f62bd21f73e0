import type { Shape } from '../../types.ts'
import type { Segments } from '../parts/masks.ts'

/**
 * Every connected piece (by its four sides) a segment of its own, numbered in reading order; a piece of fewer than `least`
 * pixels joins the segment beside it that was found last.
 */
export function joined(parts: Int32Array, { width }: Pick<Shape, 'width'>, least: number): Segments {
  const of = new Int32Array(parts.length).fill(-1)
  const piece = new Int32Array(parts.length)
  let count = 0
  for (let start = 0; start < parts.length; start++) {
    if (of[start] !== -1) continue
    let size = 0
    let beside = -1
    take(start)
    for (let next = 0; next < size; next++) {
      const pixel = piece[next]!
      const column = pixel % width
      if (column + 1 < width) visit(pixel + 1, start)
      if (column > 0) visit(pixel - 1, start)
      if (pixel + width < parts.length) visit(pixel + width, start)
      if (pixel >= width) visit(pixel - width, start)
    }
    if (size >= least || beside === -1) count++
    else for (let i = 0; i < size; i++) of[piece[i]!] = beside

    function take(pixel: number): void {
      of[pixel] = count
      piece[size++] = pixel
    }

    function visit(pixel: number, first: number): void {
      if (of[pixel] === -1 && parts[pixel] === parts[first]) take(pixel)
      else if (of[pixel]! >= 0 && of[pixel] !== count) beside = of[pixel]!
    }
  }
  return { of, count }
}
