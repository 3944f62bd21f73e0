/** The turns of a stream: how the step to a query lies to the step before it. */
import { checkNumbers, elementType, refuse } from '../../checkers.ts'

/** No number may be larger in size: its square then fits every sum. */
const LARGEST = 1e15
const NUMBERS = { most: 65_536, min: -LARGEST, max: LARGEST, remedy: '; scale it first' }

/** The numbers of an input, as many as `length` where that is not 0. Throws `bad_query`. */
export function numbersOf(vector: ArrayLike<number> | undefined, length: number, path: string): ArrayLike<number> {
  if (vector === undefined) {
    refuse('bad_query', 'pass the input as numbers: pictureVector(pixels) or scaledRow(row)', vector, path)
  }
  checkNumbers(vector, NUMBERS, path)
  checkLength(vector, length, path)
  return vector
}

/** Throws `bad_query` for another length than `length`, where that is not 0. */
export function checkLength(vector: ArrayLike<number>, length: number, path: string): void {
  if (length === 0 || vector.length === length) return
  const remedy = 'bring all inputs to one size and kind first, or reset the detector'
  refuse('bad_query', `must be ${length} numbers like the ones before; ${remedy}`, vector.length, path)
}

const NONE: Float32Array = /* @__PURE__ */ new Float32Array(0)

/** The last two different inputs of a stream, as 32-bit floats. */
export class Turns {
  /** The oldest first, at most two. */
  readonly #inputs: Float32Array[] = []
  /** Working memory: what the next input is copied into. */
  #spare = NONE

  /** Numbers of an input; 0 before the first. */
  get length(): number {
    return this.#inputs[0]?.length ?? 0
  }

  /**
   * Takes an input in, and returns the cosine of the step to it and the step before, −1 … 1; null for the first two. A repeat
   * of the last input is no step: null, and nothing changes. Sums are 64-bit and in a fixed order. O(length).
   */
  push(vector: ArrayLike<number>): number | null {
    const input = this.#spare.length === vector.length ? this.#spare : new Float32Array(vector.length)
    input.set(vector)
    this.#spare = input
    const count = this.#inputs.length
    const before = this.#inputs[count - 2]
    const last = this.#inputs[count - 1]
    if (last !== undefined && isEqual(last, input)) return null
    this.#spare = NONE
    this.#inputs.push(input)
    if (before === undefined) return null
    this.#spare = this.#inputs.shift()!
    return cosineOfSteps(before, last!, input)
  }

  bytes(): number {
    return 4 * this.length * this.#inputs.length
  }

  /** The inputs one after the other, and how many they are. */
  save(): { readonly inputs: Float32Array; readonly count: number } {
    const inputs = new Float32Array(this.length * this.#inputs.length)
    for (const [i, input] of this.#inputs.entries()) inputs.set(input, i * this.length)
    return { inputs, count: this.#inputs.length }
  }

  /** Continues from what {@link save} gave. Throws `bad_snapshot`. */
  static read(inputs: unknown, count: number): Turns {
    const values = inputs as Float32Array
    const isKind = elementType(inputs) === 'Float32Array' && values.every((value) => Math.abs(value) <= LARGEST)
    const length = isKind && count > 0 ? values.length / count : 0
    const isWhole = count === 0 ? isKind && values.length === 0 : Number.isInteger(length) && length > 0
    if (!isWhole) refuse('bad_snapshot', `must be ${count} inputs of one length`, inputs, 'state.inputs')
    const turns = new Turns()
    for (let i = 0; i < count; i++) turns.push(values.subarray(i * length, (i + 1) * length))
    if (turns.#inputs.length !== count) refuse('bad_snapshot', 'must differ from each other', inputs, 'state.inputs')
    return turns
  }
}

function isEqual(a: Float32Array, b: Float32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Of b − a and c − b, neither of which is zero. */
function cosineOfSteps(a: Float32Array, b: Float32Array, c: Float32Array): number {
  let dot = 0
  let before = 0
  let after = 0
  for (let i = 0; i < a.length; i++) {
    const p = b[i]! - a[i]!
    const q = c[i]! - b[i]!
    dot += p * q
    before += p * p
    after += q * q
  }
  return Math.min(Math.max(dot / (Math.sqrt(before) * Math.sqrt(after)), -1), 1)
}
