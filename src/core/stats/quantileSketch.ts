/**
 * The distribution of a stream of any length in bounded memory, with a stated error in rank, and mergeable.
 *
 * Ranks, not relative error in value (DDSketch): scores crowd against a limit, such as cosines against 1, where a bucket
 * of 1 % would hold all that matters; and a rank is what a p-value is. Without dice (as KLL needs them), so that replicas
 * agree: the buffers of Munro and Paterson (1980) and Manku, Rajagopalan and Lindsay (SIGMOD 1998). A full buffer of
 * values of weight w is sorted, and every second one goes up with weight 2w: no rank moves by more than w, and only in
 * one direction, which is chosen so that the two directions stay even. A summary of Greenwald and Khanna would be
 * smaller, but does not stay small when merged.
 *
 * The largest values are kept apart and exact: small p-values are read there. Within the error the rest depends on the
 * order of values and of merges.
 */
import { checkNumber, refuse } from '../checkers.ts'
import { powerOfTwo } from '../math.ts'
import { placeAfter } from '../sorted.ts'
import { readDoubles, readList, readNumber, readState } from '../state.ts'
import type { PlainData } from '../types.ts'

export interface QuantileSketchOptions {
  /** Values in a buffer, even, 16 … 65 536: the error is in inverse proportion. Default 512. */
  readonly size?: number
}

/** Weights 1 … 2³¹: more values than a stream will ever have. */
const MOST_LEVELS = 32
const SHARE = { min: 0, max: 1 }
const FINITE = {}

/**
 * Exact up to `size` values, and always for the `size` largest. Beyond: ranks are wrong by at most {@link rankError},
 * about n · log₂(n / size) / (2 · size), which is 1 % of a million values at the default size, and usually a quarter of it.
 * Memory: at most 8 · size · (2 + log₂(n / size)) bytes, 53 kB then. A value costs O(log size), now and then a sort.
 */
export class QuantileSketch {
  readonly #size: number
  /** The largest values, ascending. */
  #top: Float64Array
  #topCount = 0
  /** All others. Level h holds values that stand for 2^h each, in no order. */
  #levels: Float64Array[] = []
  #counts: number[] = []
  /** By how much ranks may be too high, and too low. */
  #over = 0
  #under = 0

  /** Throws `bad_config`. */
  constructor({ size = 512 }: QuantileSketchOptions = {}) {
    this.#size = checkNumber(size, { min: 16, max: 65_536, integer: true }, 'size')
    if (size % 2 !== 0) refuse('bad_config', 'must be even', size, 'size')
    this.#top = new Float64Array(size)
  }

  /** Values so far. */
  get count(): number {
    let count = this.#topCount
    for (let h = 0; h < this.#counts.length; h++) count += this.#counts[h]! * powerOfTwo(h)
    return count
  }

  /** How many values too many or too few any answer may count; guaranteed. 0 while everything is exact. */
  get rankError(): number {
    return Math.max(this.#over, this.#under)
  }

  /** Adds a finite value. Throws `bad_query`. */
  push(value: number): void {
    this.#push(checkNumber(value, FINITE, 'value', 'bad_query'))
  }

  /**
   * Adds what another sketch of the same size has seen; the other one stays as it is. Errors add up. Throws `bad_config`
   * for another size.
   */
  merge(other: QuantileSketch): void {
    if (other.#size !== this.#size) refuse('bad_config', `must have size ${this.#size}`, other.#size, 'other.size')
    this.#over += other.#over
    this.#under += other.#under
    // Copied first, for the sake of who merges a sketch with itself.
    const levels = other.#levels.map((level, h) => level.slice(0, other.#counts[h]))
    for (const value of other.#top.slice(0, other.#topCount)) this.#push(value)
    for (const [h, level] of levels.entries()) for (const value of level) this.#add(h, value)
  }

  /** How many values are at most `value`, up to {@link rankError}. Throws `bad_query`. */
  countUpTo(value: number): number {
    checkNumber(value, FINITE, 'value', 'bad_query')
    let count = placeAfter(this.#top, this.#topCount, value)
    for (const [h, level] of this.#levels.entries()) {
      let below = 0
      for (let i = 0; i < this.#counts[h]!; i++) if (level[i]! <= value) below++
      count += below * powerOfTwo(h)
    }
    return count
  }

  /**
   * The smallest value that at least this share of all values does not exceed (NumPy's method `inverted_cdf`), up to
   * {@link rankError}: 0.5 gives a median, 1 the maximum.
   *
   * @param share In [0, 1]. Throws `bad_query`, also while there is no value.
   */
  quantile(share: number): number {
    const count = this.count
    if (count === 0) refuse('bad_query', 'needs at least one value', count, 'count')
    const rank = Math.max(1, Math.ceil(checkNumber(share, SHARE, 'share', 'bad_query') * count))
    const above = count - rank
    if (above < this.#topCount) return this.#top[this.#topCount - 1 - above]!
    return this.#valueBelow(rank)
  }

  /** The value at a rank below those kept apart. */
  #valueBelow(rank: number): number {
    const items = this.#levels.flatMap((level, h) =>
      Array.from(level.subarray(0, this.#counts[h]), (value) => ({ value, weight: powerOfTwo(h) })),
    )
    items.sort((a, b) => a.value - b.value)
    let i = 0
    for (let left = rank - items[0]!.weight; left > 0; left -= items[i]!.weight) i++
    return items[i]!.value
  }

  #push(value: number): void {
    const top = this.#top
    const place = placeAfter(top, this.#topCount, value)
    if (this.#topCount < this.#size) {
      top.copyWithin(place + 1, place, this.#topCount)
      top[place] = value
      this.#topCount++
      return
    }
    const least = place === 0 ? value : top[0]!
    if (place > 0) {
      top.copyWithin(0, 1, place)
      top[place - 1] = value
    }
    this.#add(0, least)
  }

  /** Adds a value to a level; a full one is halved into the next. */
  #add(h: number, value: number): void {
    for (let level = this.#levels.length; level <= h; level++) {
      this.#levels.push(new Float64Array(this.#size))
      this.#counts.push(0)
    }
    const values = this.#levels[h]!
    values[this.#counts[h]!++] = value
    if (this.#counts[h]! < this.#size) return
    this.#counts[h] = 0
    values.sort()
    // Where the first of a pair stands for both, ranks rise; where the second does, they fall.
    const first = this.#over <= this.#under ? 0 : 1
    if (first === 0) this.#over += powerOfTwo(h)
    else this.#under += powerOfTwo(h)
    for (let i = first; i < this.#size; i += 2) this.#add(h + 1, values[i]!)
  }

  save(): PlainData {
    return {
      top: this.#top.slice(0, this.#topCount),
      levels: this.#levels.map((level, h) => level.slice(0, this.#counts[h])),
      over: this.#over,
      under: this.#under,
    }
  }

  /** Continues from a saved state, exactly. Throws `bad_snapshot` before anything is changed. */
  load(state: PlainData): void {
    const fields = readState(state, ['top', 'levels', 'over', 'under'])
    const size = this.#size
    const top = readDoubles(fields['top'], 'state.top', size)
    const levels = readList(fields['levels'], 'state.levels', MOST_LEVELS, (level, path) => {
      return readDoubles(level, path, size - 1)
    })
    const isSorted = top.every((value, i) => i === 0 || top[i - 1]! <= value)
    const isTop =
      levels.length === 0 || (top.length === size && levels.every((level) => level.every((v) => v <= top[0]!)))
    if (!(isSorted && isTop)) refuse('bad_snapshot', 'must be the largest values, ascending', top, 'state.top')
    const over = readNumber(fields['over'], 'state.over')
    const under = readNumber(fields['under'], 'state.under')
    this.#top = padded(top, size)
    this.#topCount = top.length
    this.#levels = levels.map((level) => padded(level, size))
    this.#counts = levels.map((level) => level.length)
    this.#over = over
    this.#under = under
  }

  /** Of what is remembered, not of the spare room. */
  bytes(): number {
    return 8 * this.#counts.reduce((sum, count) => sum + count, this.#topCount)
  }
}

function padded(values: Float64Array, size: number): Float64Array {
  const room = new Float64Array(size)
  room.set(values)
  return room
}
