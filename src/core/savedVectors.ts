/** Reading the vectors of a snapshot. */
import { checkNumber, elementType, refuse } from './checkers.ts'
import { PIECE_BYTES, type Reading, readLater } from './pieces.ts'
import type { Floats } from './plainRows.ts'
import { readState } from './state.ts'
import type { PlainData } from './types.ts'
import { LIMIT, MAX_DIMENSION, type SavedVectors, VectorRing } from './vectorRing.ts'

const PATH = 'state.vectors'
/**
 * Bytes read at a time: a number takes three times as long to be put into a ring as to be copied, and ten times as long in a
 * thread that has only begun. So the first pieces are smaller.
 */
const READING_BYTES = { first: PIECE_BYTES / 32, most: PIECE_BYTES / 4 }

/**
 * A ring of what {@link VectorRing.save} gave: whole rows, at most `capacity`, all finite. Within `restoreInPieces` a large one
 * is read before, see {@link readLater}. Throws `bad_snapshot`.
 */
export function readVectors(state: PlainData, capacity: number): VectorRing {
  const saved = readWhole(state, capacity)
  const { rows } = saved
  const read = rows.byteLength > PIECE_BYTES ? readLater(() => new RingReading(saved, capacity))?.ring : undefined
  if (read !== undefined) return read
  if (!areWithin(rows, 0, rows.length)) refuseRows(capacity, saved)
  return new VectorRing(capacity, saved)
}

/** Everything about it is checked but the numbers in its rows. */
function readWhole(state: PlainData, capacity: number): SavedVectors {
  const { dimension, rows } = readState(state, ['dimension', 'rows'])
  if (!['Float32Array', 'Float64Array'].includes(elementType(rows))) {
    refuse('bad_snapshot', 'must be a Float32Array or Float64Array', rows, `${PATH}.rows`)
  }
  const range = { min: 0, max: MAX_DIMENSION, integer: true }
  const width = checkNumber(dimension, range, `${PATH}.dimension`, 'bad_snapshot')
  const saved = { dimension: width, rows: rows as Floats }
  const count = width === 0 ? 0 : saved.rows.length / width
  const isWhole = width === 0 ? saved.rows.length === 0 : Number.isInteger(count) && count > 0 && count <= capacity
  if (!isWhole) refuseRows(capacity, saved)
  return saved
}

function refuseRows(capacity: number, { dimension, rows }: SavedVectors): never {
  const wanted = `must hold 1 … ${capacity} rows of ${dimension} numbers up to ${LIMIT}`
  return refuse('bad_snapshot', wanted, rows, `${PATH}.rows`)
}

function areWithin(rows: Floats, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!(Math.abs(rows[i]!) <= LIMIT)) return false
  return true
}

/** A ring into which saved rows are put piece by piece; none if they are found to be bad. */
class RingReading implements Reading {
  ring: VectorRing | undefined
  readonly #saved: SavedVectors
  #at = 0
  #bytes = READING_BYTES.first

  constructor(saved: SavedVectors, capacity: number) {
    const { dimension, rows } = saved
    this.ring = new VectorRing(capacity, { dimension, rows: rows.subarray(0, 0) }, rows.length / dimension)
    this.#saved = saved
  }

  fill(): boolean {
    const { dimension, rows } = this.#saved
    const count = Math.ceil(this.#bytes / (rows.BYTES_PER_ELEMENT * dimension))
    this.#bytes = Math.min(2 * this.#bytes, READING_BYTES.most)
    const end = Math.min(this.#at + count * dimension, rows.length)
    if (!areWithin(rows, this.#at, end)) this.ring = undefined
    for (; this.ring !== undefined && this.#at < end; this.#at += dimension) {
      this.ring.push(rows.subarray(this.#at, this.#at + dimension))
    }
    return this.ring === undefined || end === rows.length
  }
}
