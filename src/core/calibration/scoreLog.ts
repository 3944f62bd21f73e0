/** Scores as they come, in their order. */
import { refuse } from '../checkers.ts'
import { sha256Hex } from '../hash.ts'

const MOST = 10_000_000

/** A list of numbers that grows: 8 bytes each. */
export class ScoreLog {
  #values = new Float64Array(16)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Throws `bad_query` beyond 10 million. */
  push(value: number): void {
    if (this.#count === MOST) refuse('bad_query', `must be at most ${MOST} scores`, 'one more', '')
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = value
  }

  /** A view of what is there now. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#count)
  }
}

/** SHA-256 of numbers in their order. */
export function hashOfNumbers(lists: readonly Float64Array[]): string {
  const bytes = new Uint8Array(8 * lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const { buffer, byteOffset, byteLength } of lists) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return sha256Hex(bytes)
}
