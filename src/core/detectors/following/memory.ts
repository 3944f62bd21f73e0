/**
 * The remembered queries of one client, each with its parent and with the evidence of the path that leads to it.
 *
 * Who was built on least recently leaves first, but of queries that stand alone no more than a quarter may stay: unrelated
 * filler cannot drive out what an attack needs.
 */
import { Vectors } from './vectors.ts'

// One row a remembered query.
/** Number of the query in the stream, from 1. */
export const QUERY = 0
/** Number of the query it is a child of; 0 for the first of a group. */
export const PARENT = 1
/** Number of the first query of its group. */
export const ROOT = 2
/** The class whose margin is followed: that of the group's first query. */
export const REFERENCE = 3
/** Margin of that class, in nats. */
export const MARGIN = 4
/** The class that the model gave. */
export const LABEL = 5
/** Queries that have it for their parent. */
export const CHILDREN = 6
/** Number of the query that last had to do with it. */
export const TOUCHED = 7
/** 1 while it counts as a probe of the next adoption in its group. */
export const PENDING = 8
// What the path to it has, itself included.
/** Steps that the client went on from, and that it left: those that led to a lower margin, and to a higher. */
export const TAKEN_DOWN = 9
export const TAKEN_UP = 10
export const LEFT_DOWN = 11
export const LEFT_UP = 12
/** Logarithm of how likely they are for a client who follows the answers. */
export const LIKELIHOOD = 13
/** Evidence of the choice test, in nats. */
export const CHOICE = 14
/** Evidence of the slope test, in nats. */
export const SLOPE = 15
/** Adoptions whose slope was tested. */
export const SLOPES = 16
/** Rank correlation at the last of them. */
export const CORRELATION = 17
// Of the query itself again.
/** Children of it that something was built on. */
export const CHOSEN = 18
/** Numbers of a row. */
export const WIDTH = 19

/** Rough size of the objects of a detector. */
const OBJECTS = 400

export interface SavedMemory {
  /** {@link WIDTH} numbers a query, ascending by their number. */
  readonly rows: Float64Array
  readonly inputs: Float32Array | Float64Array
}

export class Memory {
  readonly vectors: Vectors
  /** Of all slots; replaced when they grow. */
  rows = new Float64Array(0)
  readonly #points: number
  /** Slots by the number of their query, ascending. */
  readonly #slots = new Map<number, number>()

  constructor(length: number, points: number) {
    this.vectors = new Vectors(length)
    this.#points = points
  }

  get size(): number {
    return this.#slots.size
  }

  get bytes(): number {
    return OBJECTS + this.size * (this.vectors.bytes + 8 * WIDTH + 48)
  }

  /** Where a query is remembered; undefined if it is not. */
  slotOf(query: number): number | undefined {
    return this.#slots.get(query)
  }

  /** All slots, the oldest query first. */
  slots(): IterableIterator<number> {
    return this.#slots.values()
  }

  get(slot: number, column: number): number {
    return this.rows[slot * WIDTH + column]!
  }

  set(slot: number, column: number, value: number): void {
    this.rows[slot * WIDTH + column] = value
  }

  /** Keeps the query at work, with a row of zeros but for its number. Returns its slot. */
  add(query: number): number {
    const slot = this.size < this.#points ? this.size : this.#evict()
    if ((slot + 1) * WIDTH > this.rows.length) this.#grow(Math.min(Math.max(8, 2 * slot), this.#points))
    this.rows.fill(0, slot * WIDTH, (slot + 1) * WIDTH)
    this.set(slot, QUERY, query)
    this.set(slot, TOUCHED, query)
    this.vectors.put(slot)
    this.#slots.set(query, slot)
    return slot
  }

  /** Forgets one query and returns its slot. */
  #evict(): number {
    let alone = 0
    let [oldest, oldestAlone] = [-1, -1]
    for (const slot of this.#slots.values()) {
      if (oldest < 0 || this.get(slot, TOUCHED) < this.get(oldest, TOUCHED)) oldest = slot
      if (this.get(slot, PARENT) > 0 || this.get(slot, CHILDREN) > 0) continue
      alone++
      if (oldestAlone < 0 || this.get(slot, TOUCHED) < this.get(oldestAlone, TOUCHED)) oldestAlone = slot
    }
    const leaving = alone > this.#points / 4 ? oldestAlone : oldest
    this.#slots.delete(this.get(leaving, QUERY))
    return leaving
  }

  #grow(slots: number): void {
    const rows = new Float64Array(slots * WIDTH)
    rows.set(this.rows)
    this.rows = rows
    this.vectors.grow(slots)
  }

  save(): SavedMemory {
    const slots = [...this.#slots.values()]
    const rows = new Float64Array(slots.length * WIDTH)
    for (const [i, slot] of slots.entries()) rows.set(this.rows.subarray(slot * WIDTH, (slot + 1) * WIDTH), i * WIDTH)
    return { rows, inputs: this.vectors.save(slots) }
  }

  /** Remembers what {@link save} gave and a reader checked, and nothing else. Throws `bad_snapshot` for the inputs. */
  load({ rows, inputs }: { readonly rows: Float64Array; readonly inputs: unknown }): void {
    const count = rows.length / WIDTH
    this.vectors.load(inputs, count)
    this.rows = rows.slice()
    this.#slots.clear()
    for (let slot = 0; slot < count; slot++) this.#slots.set(this.get(slot, QUERY), slot)
  }
}
