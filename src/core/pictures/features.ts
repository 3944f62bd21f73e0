/**
 * What is told about a picture before the projection: blocks of numbers, each brought to a common length, softly. A block
 * much shorter than its floor stays short, so that faint noise on a plain surface is not blown up to a structure.
 */
import { type Cells, edgeCells, emptyCells, GRID, hueCells, pool } from './directions.ts'
import { emptyLocal, localStrengths, neighbours } from './neighbours.ts'
import { type Planes, THUMBNAIL_SIZE as SIZE } from './thumbnail.ts'

/** Numbers per picture: edges 288, hues 144, edges of colour 256, neighbours 256. */
export const FEATURE_COUNT = 944

// Floors: a block of this length is brought to 1 / √2.
const EDGE_FLOOR = 100
const COLOUR_EDGE_FLOOR = 40
const HUE_FLOOR = 30

/** What a picture shows. */
export interface Features {
  /** {@link FEATURE_COUNT} numbers. */
  readonly values: Float64Array
  /** The mean square difference of neighbouring pixels' neighbours, brightness and colours together: 0 for a plain picture. */
  readonly structure: number
}

/** Room for one call, made when first needed. Its content never outlives a call. */
interface Room {
  readonly luma: Float64Array
  readonly blue: Float64Array
  readonly red: Float64Array
  readonly spare: Float64Array
  readonly edges: Cells
  readonly hues: Cells
  readonly local: Float64Array
}
let room: Room | undefined

function makeRoom(): Room {
  const half = (SIZE / 2) * (SIZE / 2)
  return {
    luma: new Float64Array(SIZE * SIZE),
    blue: new Float64Array(half),
    red: new Float64Array(half),
    spare: new Float64Array(SIZE * SIZE),
    edges: emptyCells(),
    hues: emptyCells(),
    local: emptyLocal(),
  }
}

/** The features of a small picture. Only + − × ÷ √ in a fixed order: every engine gives the same bits. */
export function features(planes: Planes): Features {
  room ??= makeRoom()
  const { luma, blue, red, spare, edges, hues, local } = room
  split(planes, luma, blue, red)
  const values = new Float64Array(FEATURE_COUNT)
  let at = 0
  const put = (block: Float64Array, floor: number) => {
    write(block, floor, values, at)
    at += block.length
  }
  smooth(luma, SIZE, spare)
  let structure = edgeCells(luma, SIZE, edges)
  put(centredRoots(pool(edges, 3, 0)), EDGE_FLOOR)
  put(centredRoots(pool(edges, 3, 3)), EDGE_FLOOR)
  localStrengths(edges, local)
  putHalves(centredRoots, neighbours(local), EDGE_FLOOR)

  hueCells(quarter(blue), quarter(red), hues)
  put(roots(pool(hues, 3, 0)), HUE_FLOOR)
  localStrengths(hues, local)
  putHalves(roots, neighbours(local), HUE_FLOOR)

  for (const colour of [blue, red]) {
    smooth(colour, SIZE / 2, spare)
    structure += edgeCells(colour, SIZE / 2, edges)
    put(centredRoots(pool(edges, 2, 0)), COLOUR_EDGE_FLOOR)
    put(centredRoots(pool(edges, 2, 4)), COLOUR_EDGE_FLOOR)
  }
  return { values, structure }

  function putHalves(change: (block: Float64Array) => Float64Array, block: Float64Array, floor: number): void {
    put(change(block.subarray(0, block.length / 2)), floor)
    put(change(block.subarray(block.length / 2)), floor)
  }
}

/** Brightness at 64 × 64 and the two colour differences at 32 × 32, as in ITU-R 601 and JPEG. */
function split([r, g, b]: Planes, luma: Float64Array, blue: Float64Array, red: Float64Array): void {
  for (let i = 0; i < luma.length; i++) luma[i] = 0.299 * r[i]! + 0.587 * g[i]! + 0.114 * b[i]!
  for (let i = 0; i < blue.length; i++) {
    const half = SIZE / 2
    const p = 2 * SIZE * Math.floor(i / half) + 2 * (i % half)
    const q = p + SIZE
    const redSum = r[p]! + r[p + 1]! + (r[q]! + r[q + 1]!)
    const greenSum = g[p]! + g[p + 1]! + (g[q]! + g[q + 1]!)
    const blueSum = b[p]! + b[p + 1]! + (b[q]! + b[q + 1]!)
    // Differences of sums, so that grey gives exactly 0.
    const toBlue = blueSum - greenSum
    const toRed = redSum - greenSum
    blue[i] = (0.5 * toBlue - 0.168736 * toRed) / 4
    red[i] = (0.5 * toRed - 0.081312 * toBlue) / 4
  }
}

/** Each pixel with its neighbours, weighted 1, 2, 1 across and then down; the border goes on beyond the picture. */
function smooth(plane: Float64Array, side: number, spare: Float64Array): void {
  const last = side - 1
  for (let row = 0; row < side * side; row += side) {
    spare[row] = (3 * plane[row]! + plane[row + 1]!) / 4
    for (let p = row + 1; p < row + last; p++) spare[p] = (plane[p - 1]! + 2 * plane[p]! + plane[p + 1]!) / 4
    spare[row + last] = (plane[row + last - 1]! + 3 * plane[row + last]!) / 4
  }
  for (let y = 0; y < side; y++) {
    const row = y * side
    const above = y > 0 ? row - side : row
    const below = y < last ? row + side : row
    for (let x = 0; x < side; x++) plane[row + x] = (spare[above + x]! + 2 * spare[row + x]! + spare[below + x]!) / 4
  }
}

/** A plane of 32 × 32 averaged to the grid's 16 × 16. */
function quarter(plane: Float64Array): Float64Array {
  const side = SIZE / 2
  const small = new Float64Array(GRID * GRID)
  for (let i = 0; i < small.length; i++) {
    const p = 2 * side * Math.floor(i / GRID) + 2 * (i % GRID)
    small[i] = (plane[p]! + plane[p + 1]! + (plane[p + side]! + plane[p + side + 1]!)) / 4
  }
  return small
}

/** Square roots in place, so that one strong number does not drown the rest. Rounding may have left less than 0. */
function roots(block: Float64Array): Float64Array {
  for (let i = 0; i < block.length; i++) block[i] = Math.sqrt(Math.max(0, block[i]!))
  return block
}

/** Square roots less their mean: unrelated pictures would look alike otherwise. */
function centredRoots(block: Float64Array): Float64Array {
  roots(block)
  let sum = 0
  for (let i = 0; i < block.length; i++) sum += block[i]!
  const mean = sum / block.length
  for (let i = 0; i < block.length; i++) block[i] = block[i]! - mean
  return block
}

/** The block at a place of `values`, divided by its length; less than that where it is not well above `floor`. */
function write(block: Float64Array, floor: number, values: Float64Array, at: number): void {
  let squares = floor * floor
  for (let i = 0; i < block.length; i++) squares += block[i]! * block[i]!
  const factor = 1 / Math.sqrt(squares)
  for (let i = 0; i < block.length; i++) values[at + i] = factor * block[i]!
}
