/**
 * Which direction is found beside which, over the whole picture: a description that does not say where, so that it
 * outlives shifts and crops (after the co-occurrences of gradients of Watanabe, Ito and Yokoi, PSIVT 2009).
 */
import { BINS, type Cells, GRID } from './directions.ts'

/** Directions told apart here. */
const COARSE = BINS / 2
/** Cells between two neighbours: an eighth of the side. */
const APART = 2

/** For each cell, row by row, 8 strengths. */
type Local = Float64Array

export function emptyLocal(): Local {
  return new Float64Array(GRID * GRID * COARSE)
}

/**
 * Two by two cells together, eight directions instead of sixteen, and the root of their common length, so that strong
 * places do not drown the others. `local` is overwritten.
 */
export function localStrengths(cells: Cells, local: Local): void {
  for (let i = 0; i < GRID * GRID; i++) {
    const x = i % GRID
    const right = x < GRID - 1 ? BINS : 0
    const down = i < GRID * (GRID - 1) ? GRID * BINS : 0
    let squares = 0
    for (let k = 0; k < COARSE; k++) {
      const own = i * BINS + 2 * k
      const after = own + 1
      const before = k === 0 ? own + BINS - 1 : own - 1
      const strength =
        square(cells, own, right, down) + 0.5 * (square(cells, after, right, down) + square(cells, before, right, down))
      local[i * COARSE + k] = strength
      squares += strength * strength
    }
    const factor = Math.sqrt(Math.sqrt(squares) / (squares + 1))
    for (let k = 0; k < COARSE; k++) local[i * COARSE + k] = local[i * COARSE + k]! * factor
  }
}

function square(cells: Cells, at: number, right: number, down: number): number {
  return cells[at]! + cells[at + right]! + (cells[at + down]! + cells[at + down + right]!)
}

/** How strongly direction i is followed by direction j, two cells to the right, at 8 i + j; then the same, two cells below. */
export function neighbours(local: Local): Float64Array {
  const counts = new Float64Array(2 * COARSE * COARSE)
  for (let y = 0; y < GRID; y++) {
    for (let x = 0; x < GRID; x++) {
      const cell = y * GRID + x
      if (x + APART < GRID) addPair(local, cell, cell + APART, counts, 0)
      if (y + APART < GRID) addPair(local, cell, cell + APART * GRID, counts, COARSE * COARSE)
    }
  }
  return counts
}

function addPair(local: Local, first: number, second: number, counts: Float64Array, start: number): void {
  const other = second * COARSE
  for (let i = 0; i < COARSE; i++) {
    const strength = local[first * COARSE + i]!
    if (strength === 0) continue
    const at = start + i * COARSE
    for (let j = 0; j < COARSE; j++) counts[at + j] = counts[at + j]! + strength * local[other + j]!
  }
}
