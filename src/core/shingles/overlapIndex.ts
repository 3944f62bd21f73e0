/**
 * Which of the last queries shares most hashes with a new one, by an index of hashes.
 *
 * Every hash of every query is an entry of a circular list, the oldest query's first. Entries whose hashes fall in one
 * bucket form a ring: each knows the next one, the bucket knows the last, and the last knows the first. So the oldest
 * entry is always the first of its bucket, and both ends are reached at once. An entry takes its hash and 6 bytes, or 12
 * where 16 bits cannot number all of them.
 */
import { Ring } from '../ring.ts'

/** The query that shares most: its position counted from the oldest, and how many hashes it shares. */
export interface Overlap {
  readonly index: number
  readonly shared: number
}

/** The number of hashes of each query, the oldest first, and their words one after the other. */
export interface SavedOverlaps {
  readonly counts: Uint32Array
  readonly hashes: Uint32Array
}

type Numbers = Int16Array | Int32Array

const NONE = -1
const SMALLEST = 16
/** How many things 16 bits can number, one being kept for {@link NONE}. */
const FEW = 32_768

/** Remembers the hashes of up to `capacity` queries, `width` words each. */
export class OverlapIndex {
  readonly #width: number
  readonly #counts: Ring<number>
  #words = new Uint32Array(0)
  /** The slot of the query that an entry belongs to. */
  #owners: Numbers = new Int16Array(0)
  #nexts: Numbers = new Int16Array(0)
  /** The last entry of each bucket; as many as there is room for entries, a power of two. */
  #lasts: Numbers = new Int16Array(0)
  #first = 0
  #entries = 0
  /** Of the query that is looked for: hashes shared with the query in each slot. Zeros in between. */
  readonly #shared: number[] = []
  /** Working memory: the slots whose queries share a hash with the one that is looked for, so many of them. */
  readonly #touched: number[] = []
  #touches = 0
  /** What was found last. */
  readonly #found = { index: 0, shared: 0 }

  constructor(capacity: number, width: number) {
    this.#counts = new Ring(capacity)
    this.#width = width
  }

  /** Queries remembered. */
  get size(): number {
    return this.#counts.items.length
  }

  /** Hashes remembered, of all queries together. */
  get hashes(): number {
    return this.#entries
  }

  /** Of what is remembered, not of the spare room. */
  get bytes(): number {
    return this.#entries * (4 * this.#width + (this.#isSmall(this.#entries) ? 6 : 12)) + 16 * this.size
  }

  /**
   * The query that shares most of these hashes, which are distinct; the oldest of equals; `undefined` if none shares any.
   * O(hashes + matches). Good until the next call.
   */
  mostShared(hashes: Uint32Array): Overlap | undefined {
    this.#touches = 0
    for (let at = 0; at < hashes.length && this.#entries > 0; at += this.#width) this.#count(hashes, at)
    let best = NONE
    let most = 0
    for (let i = 0; i < this.#touches; i++) {
      const slot = this.#touched[i]!
      const index = this.#ageOf(slot)
      const shared = this.#shared[slot]!
      this.#shared[slot] = 0
      if (shared < most || (shared === most && index > best)) continue
      best = index
      most = shared
    }
    if (best === NONE) return undefined
    this.#found.index = best
    this.#found.shared = most
    return this.#found
  }

  /** Takes a query's hashes in, which are distinct; the oldest query leaves when there are `capacity`. */
  push(hashes: Uint32Array): void {
    if (this.size === this.#counts.capacity) this.#leave()
    const count = hashes.length / this.#width
    if (this.#entries + count > this.#lasts.length) this.#grow(this.#entries + count)
    const slot = this.#counts.next
    this.#counts.push(count)
    this.#shared[slot] = 0
    for (let at = 0; at < hashes.length; at += this.#width) this.#enter(hashes, at, slot)
  }

  save(): SavedOverlaps {
    const hashes = new Uint32Array(this.#entries * this.#width)
    for (let i = 0; i < this.#entries; i++) hashes.set(this.#hashAt(i), i * this.#width)
    return { counts: Uint32Array.from(this.#counts.list()), hashes }
  }

  /** Takes in what {@link save} gave and a reader checked. */
  load({ counts, hashes }: SavedOverlaps): void {
    let from = 0
    for (const count of counts) {
      const to = from + count * this.#width
      this.push(hashes.subarray(from, to))
      from = to
    }
  }

  /** True if 16 bits can number all queries, and so many entries. */
  #isSmall(entries: number): boolean {
    return Math.max(entries, this.#counts.capacity) <= FEW
  }

  #ageOf(slot: number): number {
    const age = slot - this.#counts.oldest
    return age < 0 ? age + this.size : age
  }

  /** Counts one hash for all queries that have it. */
  #count(hashes: Uint32Array, at: number): void {
    const last = this.#lasts[this.#bucketOf(hashes[at]!)]!
    if (last === NONE) return
    let entry = last
    do {
      entry = this.#nexts[entry]!
      if (!this.#isEqual(entry, hashes, at)) continue
      const slot = this.#owners[entry]!
      if (this.#shared[slot]!++ === 0) this.#touched[this.#touches++] = slot
    } while (entry !== last)
  }

  #isEqual(entry: number, hashes: Uint32Array, at: number): boolean {
    const start = entry * this.#width
    for (let i = 0; i < this.#width; i++) if (this.#words[start + i] !== hashes[at + i]) return false
    return true
  }

  #bucketOf(word: number): number {
    return word & (this.#lasts.length - 1)
  }

  /** Takes in the hash at a place of a list. */
  #enter(hashes: Uint32Array, at: number, slot: number): void {
    const entry = (this.#first + this.#entries) & (this.#lasts.length - 1)
    for (let i = 0; i < this.#width; i++) this.#words[entry * this.#width + i] = hashes[at + i]!
    this.#owners[entry] = slot
    const bucket = this.#bucketOf(hashes[at]!)
    const last = this.#lasts[bucket]!
    this.#nexts[entry] = last === NONE ? entry : this.#nexts[last]!
    if (last !== NONE) this.#nexts[last] = entry
    this.#lasts[bucket] = entry
    this.#entries++
  }

  /** The hashes of the oldest query leave; its slot is the next one to be filled. */
  #leave(): void {
    for (let count = this.#counts.at(0); count > 0; count--) {
      const entry = this.#first
      const bucket = this.#bucketOf(this.#words[entry * this.#width]!)
      const last = this.#lasts[bucket]!
      if (last === entry) this.#lasts[bucket] = NONE
      else this.#nexts[last] = this.#nexts[entry]!
      this.#first = (entry + 1) & (this.#lasts.length - 1)
      this.#entries--
    }
  }

  /** The hash of an entry, counted from the oldest. */
  #hashAt(age: number): Uint32Array {
    const start = ((this.#first + age) & (this.#lasts.length - 1)) * this.#width
    return this.#words.subarray(start, start + this.#width)
  }

  /** Makes room for at least so many entries and enters all of them anew. */
  #grow(entries: number): void {
    const hashes = Array.from({ length: this.#entries }, (_, i) => this.#hashAt(i))
    const slots = Array.from(hashes, (_, i) => this.#owners[(this.#first + i) & (this.#lasts.length - 1)]!)
    let room = SMALLEST
    while (room < entries) room *= 2
    const numbers = () => (this.#isSmall(room) ? new Int16Array(room) : new Int32Array(room))
    this.#words = new Uint32Array(room * this.#width)
    this.#owners = numbers()
    this.#nexts = numbers()
    this.#lasts = numbers().fill(NONE)
    this.#first = 0
    this.#entries = 0
    for (const [i, hash] of hashes.entries()) this.#enter(hash, 0, slots[i]!)
  }
}
