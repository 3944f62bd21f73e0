/**
 * A vector for "the same picture" that needs no model. Four blocks describe the picture shrunk to 64 × 64: where edges
 * run and in which direction (after the histograms of Dalal and Triggs, CVPR 2005), how the colours lie, its low
 * frequencies in brightness and colour, and its mean colour.
 *
 * The first three have their means removed, since otherwise unrelated pictures would look alike, and are brought to a
 * common length, softly: a block much shorter than its floor stays short, so that faint noise on a plain surface is not
 * blown up to a structure. What remains of a plain picture is its mean colour.
 *
 * Only + − × ÷ √ and a fixed order of additions: every engine gives the same bits.
 */
import { DCT_KEPT, DCT_SIZE, dct8x8 } from './dct.ts'
import { checkPixels, flattenAlpha } from './pixels.ts'
import { type Planes, THUMBNAIL_SIZE as SIZE, thumbnail } from './thumbnail.ts'
import type { Pixels } from './types.ts'

/** Cells of edges along a side, and directions per cell. */
const CELLS = 4
const BINS = 16
/** Side of the colour layout. */
const LAYOUT = 8
/** Frequencies kept along a side of the colour differences. */
const CHROMA = 3

/** The length of the vectors of {@link embedPixels}: 256 for edges, 192 for layout, 82 for waves, 4 for tone. */
export const DESCRIPTOR_LENGTH =
  CELLS * CELLS * BINS + 3 * LAYOUT * LAYOUT + DCT_KEPT * DCT_KEPT + 2 * CHROMA * CHROMA + 4

// Floors: a block of this length is brought to 1 / √2. Photos lie well above them; noise of σ 8 on a plain 224 × 224
// picture stays below. The weights and floors were chosen on photos and on plain pictures with noise.
const EDGES_FLOOR = 100
const LAYOUT_FLOOR = 75
const WAVES_FLOOR = 25
/** The length of the mean colour beside three blocks of length 1. */
const TONE_WEIGHT = 0.3

/**
 * A unit vector of {@link DESCRIPTOR_LENGTH} numbers whose cosine with another picture's says how alike the two are:
 * near 1 for copies that were compressed, blurred, brightened, resized or cropped by a few per cent, mostly below 0.6
 * for unrelated ones. Made for the default threshold 0.9 of the similarity detectors. A mirrored picture is another
 * picture. Transparency is laid over white; size and shape of the picture do not enter. Plain pictures are told apart by
 * their colour, and alike when the colours nearly are.
 *
 * @throws `bad_query` if the pixels are malformed, see {@link checkPixels}.
 */
export function embedPixels(pixels: Pixels): Float32Array {
  const planes = thumbnail(flattenAlpha(checkPixels(pixels)))
  const luma = mix(planes, 0.299, 0.587, 0.114) // ITU-R 601, as are the colour differences below
  const vector = [
    ...scale(edges(luma), 1, EDGES_FLOOR),
    ...scale(layout(planes), 1, LAYOUT_FLOOR),
    ...scale(waves(planes, luma), 1, WAVES_FLOOR),
    ...scale(tone(planes), TONE_WEIGHT, 0),
  ]
  return Float32Array.from(scale(vector, 1, 0)) // never zero: tone has a constant part
}

/** A block multiplied so that its length becomes `length`, or less where it is not well above `floor`. */
function scale(block: readonly number[], length: number, floor: number): number[] {
  let squares = floor * floor
  for (const value of block) squares += value * value
  const factor = length / Math.sqrt(squares)
  return block.map((value) => value * factor)
}

function mix([red, green, blue]: Planes, r: number, g: number, b: number): Float64Array {
  return red!.map((value, i) => r * value + g * green![i]! + b * blue![i]!)
}

/** A plane averaged over squares, to side × side. */
function average(plane: Float64Array, side: number): Float64Array {
  const step = SIZE / side
  const out = new Float64Array(side * side)
  for (let y = 0; y < SIZE; y++) {
    const base = Math.floor(y / step) * side
    for (let x = 0; x < SIZE; x++) out[base + Math.floor(x / step)]! += plane[y * SIZE + x]!
  }
  return out.map((sum) => sum / (step * step))
}

function mean(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

function centre(values: Float64Array): number[] {
  const middle = mean(values)
  return Array.from(values, (value) => value - middle)
}

/**
 * How strong the edges of each direction are in each cell: square roots, so that one strong edge does not drown the
 * rest, less their mean. A pixel is shared among the four nearest cells.
 */
function edges(luma: Float64Array): number[] {
  const histogram = new Float64Array(CELLS * CELLS * BINS)
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const dx = luma[y * SIZE + Math.min(x + 1, SIZE - 1)]! - luma[y * SIZE + Math.max(x - 1, 0)]!
      const dy = luma[Math.min(y + 1, SIZE - 1) * SIZE + x]! - luma[Math.max(y - 1, 0) * SIZE + x]!
      if (dx !== 0 || dy !== 0) addToCells(histogram, x, y, splitDirection(dx, dy))
    }
  }
  return centre(histogram.map((strength) => Math.sqrt(Math.max(0, strength))))
}

// Cosines of 0°, 22.5° … 90°, by half-angle formulas; the sines are the same backwards.
const COS_22 = Math.sqrt((1 + Math.SQRT1_2) / 2)
const SIN_22 = Math.SQRT1_2 / (2 * COS_22)
const COS = [1, COS_22, Math.SQRT1_2, SIN_22, 0] as const
const sine = (sector: number) => COS[4 - sector]!

interface Split {
  readonly bin: number
  readonly low: number
  readonly high: number
}

/**
 * A gradient other than zero as low · direction(bin) + high · direction(bin + 1), both at least 0 but for rounding: its
 * strength in the two nearest of 16 directions, without an arc tangent.
 */
function splitDirection(dx: number, dy: number): Split {
  let x = dx
  let y = dy
  let bin = 0
  for (; !(x > 0 && y >= 0); bin += BINS / 4) [x, y] = [y, -x]
  let sector = 0
  while (sector < 3 && y * COS[sector + 1]! >= x * sine(sector + 1)) sector++
  return {
    bin: bin + sector,
    low: (x * sine(sector + 1) - y * COS[sector + 1]!) / SIN_22,
    high: (y * COS[sector]! - x * sine(sector)) / SIN_22,
  }
}

function addToCells(histogram: Float64Array, x: number, y: number, { bin, low, high }: Split): void {
  const next = (bin + 1) % BINS
  const column = ((x + 0.5) * CELLS) / SIZE - 0.5
  const row = ((y + 0.5) * CELLS) / SIZE - 0.5
  const left = Math.floor(column)
  const top = Math.floor(row)
  for (let r = Math.max(top, 0); r <= Math.min(top + 1, CELLS - 1); r++) {
    for (let c = Math.max(left, 0); c <= Math.min(left + 1, CELLS - 1); c++) {
      const share = (1 - Math.abs(row - r)) * (1 - Math.abs(column - c))
      const base = (r * CELLS + c) * BINS
      histogram[base + bin]! += share * low
      histogram[base + next]! += share * high
    }
  }
}

/** The picture at 8 × 8, each colour less its mean. */
function layout(planes: Planes): number[] {
  return planes.flatMap((plane) => centre(average(plane, LAYOUT)))
}

/** Low frequencies: brightness, raised by √(u + v) since pictures have less of the higher ones, and colour differences. */
function waves(planes: Planes, luma: Float64Array): number[] {
  // The mean, at 0, drops out.
  const bright = spectrum(luma).map((value, i) => value * Math.sqrt(Math.floor(i / DCT_KEPT) + (i % DCT_KEPT)))
  const [blue, red] = [mix(planes, -0.168736, -0.331264, 0.5), mix(planes, 0.5, -0.418688, -0.081312)].map((colour) =>
    spectrum(colour).filter((_, i) => i < CHROMA * DCT_KEPT && i % DCT_KEPT < CHROMA),
  )
  return [...bright, ...blue!, ...red!]
}

/** The 8 × 8 lowest frequencies, in the unit of the plane: the first is its mean. */
function spectrum(plane: Float64Array): Float64Array {
  return dct8x8(average(plane, DCT_SIZE)).map((value) => value / (4 * DCT_SIZE * DCT_SIZE))
}

/** A constant and the mean colour around middle grey: two plain colours point in two directions, grey ones too. */
function tone(planes: Planes): number[] {
  return [0.5, ...planes.map((plane) => mean(plane) / 255 - 0.5)]
}
