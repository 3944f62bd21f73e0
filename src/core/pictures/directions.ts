/**
 * Strengths by direction, on a grid of 16 × 16 cells: which way edges run (after the histograms of Dalal and Triggs,
 * CVPR 2005), or which hue a place has.
 */

/** Cells along a side. */
export const GRID = 16
/** Directions a full turn is divided into. */
export const BINS = 16

/** For each cell, row by row, the strength in each of 16 directions. */
export type Cells = Float64Array

export function emptyCells(): Cells {
  return new Float64Array(GRID * GRID * BINS)
}

// Cosine and sine of 22.5°, by half-angle formulas: the last place of a cosine differs from engine to engine.
const COS_22 = Math.sqrt((1 + Math.SQRT1_2) / 2)
const SIN_22 = Math.SQRT1_2 / (2 * COS_22)
const COT_22 = COS_22 / SIN_22
const HALF_ANGLE = Math.SQRT1_2 / SIN_22

/**
 * Adds an arrow to the cell that starts at `base`, as low · direction(k) + high · direction(k + 1): its strength in the two
 * nearest of 16 directions, without an arc tangent. The arrow is folded into the first eighth of a turn, and the two
 * directions are folded back.
 */
function addArrow(cells: Cells, base: number, x: number, y: number): void {
  const isSteep = Math.abs(y) > Math.abs(x)
  const along = Math.abs(isSteep ? y : x)
  const across = Math.abs(isSteep ? x : y)
  const isFlat = across * COT_22 < along
  const low = isFlat ? along - across * COT_22 : (along - across) * HALF_ANGLE
  const high = isFlat ? across / SIN_22 : across * COT_22 - along
  let first = isFlat ? 0 : 1
  let second = first + 1
  if (isSteep) {
    first = 4 - first
    second = 4 - second
  }
  if (x < 0) {
    first = 8 - first
    second = 8 - second
  }
  if (y < 0) {
    first = 16 - first
    second = 16 - second
  }
  cells[base + (first & 15)]! += low
  cells[base + (second & 15)]! += high
}

/**
 * The edges of a square plane: the difference of the neighbours of each pixel, as an arrow in the pixel's cell.
 *
 * @param side A multiple of 16.
 * @param cells Is overwritten.
 * @returns The mean square of the arrows' lengths.
 */
export function edgeCells(plane: Float64Array, side: number, cells: Cells): number {
  const perCell = side / GRID
  let squares = 0
  cells.fill(0)
  for (let y = 0; y < side; y++) {
    const row = y * side
    const above = y > 0 ? row - side : row
    const below = y < side - 1 ? row + side : row
    const cellRow = Math.floor(y / perCell) * GRID
    for (let x = 0; x < side; x++) {
      const dx = plane[row + (x < side - 1 ? x + 1 : x)]! - plane[row + (x > 0 ? x - 1 : x)]!
      const dy = plane[below + x]! - plane[above + x]!
      squares += dx * dx + dy * dy
      addArrow(cells, (cellRow + Math.floor(x / perCell)) * BINS, dx, dy)
    }
  }
  return squares / (side * side)
}

/** The hue of each cell: the two colour differences (16 × 16 each) as an arrow. `cells` is overwritten. */
export function hueCells(blue: Float64Array, red: Float64Array, cells: Cells): void {
  cells.fill(0)
  for (let i = 0; i < GRID * GRID; i++) addArrow(cells, i * BINS, blue[i]!, red[i]!)
}

/**
 * Cells summed over `count` × `count` places: triangles as wide as two steps, evenly spaced between two borders.
 *
 * @param margin Cells left out on each side.
 * @returns For each place, row by row, 16 strengths.
 */
export function pool(cells: Cells, count: number, margin: number): Float64Array {
  const weights = triangles(count, margin)
  const line = GRID * BINS
  const rows = new Float64Array(count * line)
  for (let i = 0; i < count; i++) {
    for (let y = 0; y < GRID; y++) addTimes(cells, y * line, weights[i * GRID + y]!, rows, i * line, line)
  }
  const pooled = new Float64Array(count * count * BINS)
  for (let i = 0; i < count * count; i++) {
    const row = Math.floor(i / count) * line
    for (let x = 0; x < GRID; x++) {
      addTimes(rows, row + x * BINS, weights[(i % count) * GRID + x]!, pooled, i * BINS, BINS)
    }
  }
  return pooled
}

/** Adds `factor` times a stretch of `from` to a stretch of `to`. */
function addTimes(
  from: Float64Array,
  start: number,
  factor: number,
  to: Float64Array,
  at: number,
  length: number,
): void {
  if (factor === 0) return
  for (let k = 0; k < length; k++) to[at + k] = to[at + k]! + factor * from[start + k]!
}

function triangles(count: number, margin: number): Float64Array {
  const step = (GRID - 2 * margin) / count
  const weights = new Float64Array(count * GRID)
  for (let i = 0; i < weights.length; i++) {
    const centre = margin + (Math.floor(i / GRID) + 0.5) * step
    weights[i] = Math.max(0, 1 - Math.abs((i % GRID) + 0.5 - centre) / step)
  }
  return weights
}
