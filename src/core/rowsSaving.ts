/** The rows of a window as they were at one moment, copied bit by bit while the window goes on. */
import { PIECE_BYTES, type Piece } from './pieces.ts'
import { type Floats, floats, type Rows } from './plainRows.ts'

/**
 * Takes over `size` rows, the oldest first. Rows are overwritten in that order as well, so whoever overwrites one only has to
 * see that it has been copied: {@link RowsSaving.reach}.
 */
export class RowsSaving implements Piece {
  readonly rows: Floats
  readonly #source: Rows
  readonly #size: number
  readonly #oldest: number
  readonly #width: number
  #done = 0

  constructor(source: Rows, { size, oldest, width }: { size: number; oldest: number; width: number }) {
    this.rows = floats(source.isWide, size * width)
    this.#source = source
    this.#size = size
    this.#oldest = oldest
    this.#width = width
  }

  get buffer(): ArrayBuffer {
    return this.rows.buffer as ArrayBuffer
  }

  get isWhole(): boolean {
    return this.#done === this.#size
  }

  fill(): boolean {
    const count = Math.ceil(PIECE_BYTES / (this.rows.BYTES_PER_ELEMENT * Math.max(this.#width, 1)))
    this.#copyUpTo(this.#done + count)
    return this.isWhole
  }

  /** Called before the row in a slot of the source is overwritten. */
  reach(source: Rows, slot: number): void {
    if (source !== this.#source || slot >= this.#size) return
    const age = slot - this.#oldest
    this.#copyUpTo((age < 0 ? age + this.#size : age) + 1)
  }

  #copyUpTo(end: number): void {
    const width = this.#width
    for (; this.#done < Math.min(end, this.#size); this.#done++) {
      const slot = this.#oldest + this.#done
      this.#source.copy(slot < this.#size ? slot : slot - this.#size, this.rows, this.#done * width)
    }
  }
}
