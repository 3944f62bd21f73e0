/**
 * A vector for "the same picture" that needs no model: hand-made features of the picture shrunk to 64 × 64, projected so
 * that two views of one picture come close and different pictures do not.
 *
 *     thumbnail → features (edges, hues, edges of colour, and what is beside what) → projection to 185, mean colour 6 → lift to 192
 *
 * A plain picture has no structure to tell of: the less there is, the more its mean colour takes over.
 *
 * Only + − × ÷ √ and a fixed order of additions: every engine gives the same bits.
 */
import { checkPixels, flattenAlpha } from '../pixels.ts'
import type { Pixels } from '../types.ts'
import { features } from './features.ts'
import { PROJECTED, project } from './projection.ts'
import { type Planes, THUMBNAIL_SIZE as SIZE, thumbnail } from './thumbnail.ts'
import { UNRELATED } from './weights.ts'

/** Numbers that tell of the mean colour. */
const TONES = 6

/** The length of the vectors of {@link embedPixels}. */
export const DESCRIPTOR_LENGTH = PROJECTED + TONES + 1

/** How a picture is looked at. */
export interface EmbedPixelsOptions {
  /** Whether left and right are exchanged first: the vector of the mirrored picture, without mirroring it. Default false. */
  readonly mirrored?: boolean
}

/** The cosine that {@link UNRELATED} becomes: the default threshold of the similarity detectors. */
const LIFTED = 0.9
/** The share of the vector that is the same for all pictures: 1 − (1 − LIFTED) / (1 − UNRELATED). */
const COMMON = (LIFTED - UNRELATED) / (1 - UNRELATED)

/**
 * Where structure and mean colour count the same, in grey levels between a pixel's two neighbours, root of the mean
 * square. Noise of σ 8 on a plain 224 × 224 picture lies below, a line drawing and a misty photo well above.
 */
const STRUCTURE_FLOOR = 3

/**
 * A unit vector of {@link DESCRIPTOR_LENGTH} numbers whose cosine with another picture's says how alike the two are.
 * Made for the default threshold 0.9 of the similarity detectors: about one in 10 000 pairs of unrelated photos reaches
 * it, copies that were compressed, blurred, brightened, resized, turned by 10°, cropped by a tenth on each side or turned
 * grey do. A mirrored picture is another picture. Transparency is laid over white; size and shape of the picture do not
 * enter. Plain pictures are told apart by their colour, and alike when the colours nearly are.
 *
 * @throws `bad_query` if the pixels are malformed, see {@link checkPixels}.
 */
export function embedPixels(pixels: Pixels, { mirrored = false }: EmbedPixelsOptions = {}): Float32Array {
  const planes = thumbnail(flattenAlpha(checkPixels(pixels)))
  if (mirrored) for (const plane of planes) mirror(plane)
  const { values, structure } = features(planes)
  const ratio = structure / (STRUCTURE_FLOOR * STRUCTURE_FLOOR)
  // Fourth powers of the root mean square: between noise and structure the change is steep.
  const share = (ratio * ratio) / (ratio * ratio + 1)
  return join(project(values), share, tone(planes))
}

/**
 * Two parts whose lengths are as `share` to 1 − `share`, and one more number that all vectors have in common;
 * together of length 1. So cosine c becomes (1 − COMMON) c + COMMON.
 */
function join(shown: Float64Array, share: number, tones: Float64Array): Float32Array {
  const own = Math.sqrt((1 - COMMON) / (share * share + (1 - share) * (1 - share)))
  const vector = new Float32Array(DESCRIPTOR_LENGTH)
  write(shown, own * share, vector, 0)
  write(tones, own * (1 - share), vector, PROJECTED)
  vector[PROJECTED + TONES] = Math.sqrt(COMMON)
  return vector
}

/** The part, brought to a length, at a place of the vector. No part is ever zero: the projection has an offset. */
function write(part: Float64Array, length: number, vector: Float32Array, at: number): void {
  let squares = 0
  for (let i = 0; i < part.length; i++) squares += part[i]! * part[i]!
  const factor = length / Math.sqrt(squares)
  for (let i = 0; i < part.length; i++) vector[at + i] = factor * part[i]!
}

/**
 * The mean colour as six numbers, never all 0: of each mean, from −1 to 1, Chebyshev's polynomials of degree 1 and 2.
 * Near colours point in near directions, black, grey and white in three different ones.
 */
function tone(planes: Planes): Float64Array {
  const tones = new Float64Array(TONES)
  for (const [c, plane] of planes.entries()) {
    let sum = 0
    for (let i = 0; i < plane.length; i++) sum += plane[i]!
    const t = (2 * sum) / (plane.length * 255) - 1
    tones[2 * c] = t
    tones[2 * c + 1] = 2 * t * t - 1
  }
  return tones
}

function mirror(plane: Float64Array): void {
  for (let row = 0; row < SIZE * SIZE; row += SIZE) plane.subarray(row, row + SIZE).reverse()
}
