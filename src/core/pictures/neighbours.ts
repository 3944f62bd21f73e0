/**
 * Which direction is found beside which, over the whole picture: a description that does not say where, so that it
 * outlives shifts and crops (after the co-occurrences of gradients of Watanabe, Ito and Yokoi, PSIVT 2009).
 */
import { BINS, type Cells, GRID } from './directions.ts'

/** Directions told apart here. */
const COARSE = BINS / 2
/** Cells between two neighbours: an eighth of the side. */
const APART = 2

/** A row of cells and two zeros, so that what is beside the last cells counts for nothing. */
const ROW = GRID + APART
const PLANE = GRID * ROW

/** For each of 8 directions, a plane of 16 rows of {@link ROW} strengths. */
type Local = Float64Array

export function emptyLocal(): Local {
  return new Float64Array(COARSE * PLANE)
}

/**
 * Two by two cells together, eight directions instead of sixteen, and the root of their common length, so that strong
 * places do not drown the others. The cells of `local` are overwritten, its zeros are left.
 */
export function localStrengths(cells: Cells, local: Local): void {
  for (let i = 0; i < GRID * GRID; i++) {
    const x = i % GRID
    const right = x < GRID - 1 ? BINS : 0
    const down = i < GRID * (GRID - 1) ? GRID * BINS : 0
    const to = Math.floor(i / GRID) * ROW + x
    let squares = 0
    for (let k = 0; k < COARSE; k++) {
      const own = i * BINS + 2 * k
      const after = own + 1
      const before = k === 0 ? own + BINS - 1 : own - 1
      const strength =
        square(cells, own, right, down) + 0.5 * (square(cells, after, right, down) + square(cells, before, right, down))
      local[k * PLANE + to] = strength
      squares += strength * strength
    }
    const factor = Math.sqrt(Math.sqrt(squares) / (squares + 1))
    for (let k = to; k < local.length; k += PLANE) local[k] = local[k]! * factor
  }
}

function square(cells: Cells, at: number, right: number, down: number): number {
  return cells[at]! + cells[at + right]! + (cells[at + down]! + cells[at + down + right]!)
}

/** How strongly direction i is followed by direction j, two cells to the right, at 8 i + j; then the same, two cells below. */
export function neighbours(local: Local): Float64Array {
  const counts = new Float64Array(2 * COARSE * COARSE)
  for (let k = 0; k < COARSE * COARSE; k++) {
    const first = Math.floor(k / COARSE) * PLANE
    const second = (k % COARSE) * PLANE
    counts[k] = product(local, first, second + APART, PLANE - APART)
    counts[COARSE * COARSE + k] = product(local, first, second + APART * ROW, PLANE - APART * ROW)
  }
  return counts
}

/** The sum of products of two stretches; two sums at a time, so that no addition waits for the one before. `length` is even. */
function product(local: Local, first: number, second: number, length: number): number {
  let even = 0
  let odd = 0
  for (let i = 0; i < length; i += 2) {
    even += local[first + i]! * local[second + i]!
    odd += local[first + i + 1]! * local[second + i + 1]!
  }
  return even + odd
}
