/** What detectors that compare windows' hashes share: the check of an observation, and how many shared hashes are many. */
import { checkNumber, elementType, isPlainObject, refuse } from '../checkers.ts'
import type { ErrorCode } from '../errors.ts'
import type { Shingles } from '../types.ts'
import type { SavedOverlaps } from './overlapIndex.ts'

/** Hashes kept of an input, and words of one. */
export interface HashShape {
  readonly kept: number
  readonly width: number
}

/** The shingles of an observation. Throws `bad_query`. */
export function checkShingles(shingles: Shingles | undefined, shape: HashShape): Shingles {
  if (shingles === undefined) {
    refuse('bad_query', 'pass pictureShingles(pixels), textShingles(text) or rowShingles(row)', shingles, 'shingles')
  }
  if (!isPlainObject(shingles)) refuse('bad_query', 'must be { hashes, windows }', shingles, 'shingles')
  const checked = shingles as unknown as Shingles
  const { hashes, windows } = checked
  const count = checkHashes(hashes, shape, 'shingles.hashes', 'bad_query')
  if (!(Number.isSafeInteger(windows) && windows >= count)) {
    const most = { min: count, max: Number.MAX_SAFE_INTEGER, integer: true }
    checkNumber(windows, most, 'shingles.windows', 'bad_query')
  }
  return checked
}

/** The number of hashes: at most as many as are kept, each smaller than the one before. */
function checkHashes(hashes: Uint32Array, { kept, width }: HashShape, at: string, code: ErrorCode): number {
  const isKind = elementType(hashes) === 'Uint32Array'
  const count = isKind ? hashes.length / width : NaN
  if (!(Number.isInteger(count) && count <= kept)) {
    refuse(code, `must be a Uint32Array of at most ${kept} hashes of ${width} words each`, hashes, at)
  }
  for (let i = 1; i < count; i++) {
    if (!isBelow(hashes, i, width)) refuse(code, 'must hold each hash once, the largest first', hashes, at)
  }
  return count
}

function isBelow(hashes: Uint32Array, place: number, width: number): boolean {
  for (let i = place * width; i < (place + 1) * width; i++) {
    if (hashes[i] !== hashes[i - width]) return hashes[i]! < hashes[i - width]!
  }
  return false
}

/** Checks the hashes of at most `capacity` saved queries. Throws `bad_snapshot`. */
export function checkSavedOverlaps({ counts, hashes }: SavedOverlaps, capacity: number, shape: HashShape): void {
  const isList = elementType(counts) === 'Uint32Array' && counts.length <= capacity
  if (!isList) refuse('bad_snapshot', `must be a Uint32Array of at most ${capacity}`, counts, 'state.counts')
  const words = counts.reduce((sum, count) => sum + count * shape.width, 0)
  const isWhole = elementType(hashes) === 'Uint32Array' && hashes.length === words
  if (!isWhole) refuse('bad_snapshot', `must be a Uint32Array of ${words}`, hashes, 'state.hashes')
  let from = 0
  for (const count of counts) {
    checkHashes(hashes.subarray(from, from + count * shape.width), shape, 'state.hashes', 'bad_snapshot')
    from += count * shape.width
  }
}

export interface OverlapRule {
  /** Hashes shared with one earlier query that are still no likeness, of `kept`. */
  readonly threshold: number
  readonly kept: number
  /** Inputs with fewer windows are like none. */
  readonly leastWindows: number
}

/** What the shared hashes of an input with so many windows must exceed: fewer where it has fewer windows than are kept. */
export function overlapLimit(windows: number, { threshold, kept, leastWindows }: OverlapRule): number {
  if (windows < leastWindows) return windows
  return windows < kept ? (threshold * windows) / kept : threshold
}
