/** Queries that grew from one: a ring of the latest, and those that were adopted. */
import type { DescentLineageConfig, Stakes } from './config.ts'
import { beginPath, EVIDENCE, extendPath, LENGTH, MARGIN, QUERY, TIP, VOTES, WIDTH } from './path.ts'
import { Points, type SavedPoints, type Storage } from './points.ts'

/** What stays the same in a group. */
export interface GroupHead {
  /** Length of its vectors. */
  readonly length: number
  /** Classes of the model's output. */
  readonly classes: number
  /** The class whose margin is followed: that of the first query. */
  readonly reference: number
  readonly firstMargin: number
}

/** The queries of a group, the ring oldest first, then the adopted ones, the least recently used first. */
export interface SavedQueries extends SavedPoints {
  /** How many of them are adopted. */
  readonly adopted: number
  /** {@link WIDTH} numbers each. */
  readonly rows: Float64Array
}

/** The nearest remembered query, while one is looked for. */
export interface Nearest {
  group: Group | undefined
  slot: number
  distance: number
  /** The query's number: of equally near ones the oldest wins. */
  query: number
}

/** A rough size of the objects of a group, beside its queries. */
const GROUP_BYTES = 200

export class Group {
  readonly head: GroupHead
  readonly points: Points
  /** Of all slots; replaced when they grow. */
  rows = new Float64Array(0)
  readonly #config: DescentLineageConfig
  #ring: number[] = []
  #adopted: number[] = []
  #free: number[] = []

  /** A group that remembers nothing yet. */
  constructor(head: GroupHead, storage: Storage, config: DescentLineageConfig) {
    this.head = head
    this.points = new Points(head.length, storage)
    this.#config = config
  }

  /** Queries remembered. */
  get size(): number {
    return this.#ring.length + this.#adopted.length
  }

  get bytes(): number {
    return GROUP_BYTES + this.size * (this.points.bytes + 8 * WIDTH)
  }

  /** True from the first adoption on; the group's first query does not count. */
  get hasAdopted(): boolean {
    return this.#adopted.some((slot) => this.rows[slot * WIDTH + LENGTH]! > 0)
  }

  /** The adopted queries' paths, for a description. */
  paths(): { readonly length: number; readonly evidence: number }[] {
    return this.#adopted.map((slot) => ({
      length: this.rows[slot * WIDTH + LENGTH]!,
      evidence: this.rows[slot * WIDTH + EVIDENCE]!,
    }))
  }

  isAdopted(slot: number): boolean {
    return this.rows[slot * WIDTH + TIP] === this.rows[slot * WIDTH + QUERY]
  }

  /** Takes the query at work as the first, adopted from the start. Returns its slot. */
  begin(query: number): number {
    const slot = this.#take(query, this.head.firstMargin)
    beginPath(this.rows, slot * WIDTH)
    this.#adopted.push(slot)
    return slot
  }

  /** Puts a remembered query into `nearest` if it is nearer to the query at work. */
  look(nearest: Nearest, clip: number): void {
    for (let i = 0; i < this.#ring.length; i++) this.#lookAt(this.#ring[i]!, nearest, clip)
    for (let i = 0; i < this.#adopted.length; i++) this.#lookAt(this.#adopted[i]!, nearest, clip)
  }

  /** The same for the latest alone: who is near it will find most others too far after a few numbers. */
  lookAtLatest(nearest: Nearest, clip: number): void {
    this.#lookAt(this.#ring.at(-1) ?? this.#adopted.at(-1)!, nearest, clip)
  }

  #lookAt(slot: number, nearest: Nearest, clip: number): void {
    const distance = this.points.distance(slot, clip, nearest.distance)
    if (distance > nearest.distance) return
    const query = this.rows[slot * WIDTH + QUERY]!
    if (distance === nearest.distance && query > nearest.query) return
    nearest.group = this
    nearest.slot = slot
    nearest.distance = distance
    nearest.query = query
  }

  /** Counts the query at work as a child of a remembered one, which may be adopted for it. Returns true if it was. */
  vote(parent: number, stakes: Stakes): boolean {
    if (this.isAdopted(parent)) {
      this.#adopted.splice(this.#adopted.indexOf(parent), 1)
      this.#adopted.push(parent)
      return false
    }
    const at = parent * WIDTH
    this.rows[at + VOTES]!++
    if (this.rows[at + VOTES]! < this.#config.children) return false
    extendPath(this.rows, at, this.#config.recordStep, stakes)
    this.#ring.splice(this.#ring.indexOf(parent), 1)
    this.#adopted.push(parent)
    if (this.#adopted.length > this.#config.adopted) this.#free.push(this.#adopted.shift()!)
    return true
  }

  /** Takes the query at work into the ring, on the path of its parent. Returns its slot. */
  push(parent: number, query: number, margin: number): number {
    if (this.#ring.length === this.#config.ring) this.#free.push(this.#ring.shift()!)
    const slot = this.#take(query, margin)
    // Right also where the parent was the oldest and gave its slot: only the front of its row is overwritten.
    this.rows.copyWithin(slot * WIDTH + TIP, parent * WIDTH + TIP, (parent + 1) * WIDTH)
    this.#ring.push(slot)
    return slot
  }

  #take(query: number, margin: number): number {
    const slot = this.#free.pop() ?? this.size
    if ((slot + 1) * WIDTH > this.rows.length)
      this.#grow(Math.min(2 * slot + 4, this.#config.ring + this.#config.adopted))
    this.points.put(slot)
    this.rows[slot * WIDTH + QUERY] = query
    this.rows[slot * WIDTH + MARGIN] = margin
    this.rows[slot * WIDTH + VOTES] = 0
    return slot
  }

  #grow(slots: number): void {
    const rows = new Float64Array(slots * WIDTH)
    rows.set(this.rows)
    this.rows = rows
    this.points.grow(slots)
  }

  save(): SavedQueries {
    const slots = [...this.#ring, ...this.#adopted]
    const rows = new Float64Array(slots.length * WIDTH)
    for (const [i, slot] of slots.entries()) rows.set(this.rows.subarray(slot * WIDTH, (slot + 1) * WIDTH), i * WIDTH)
    return { adopted: this.#adopted.length, rows, ...this.points.save(slots) }
  }

  /** Remembers what {@link save} gave and a reader checked, and nothing else. */
  load(saved: SavedQueries): void {
    const count = saved.rows.length / WIDTH
    const slots = Array.from({ length: count }, (_, slot) => slot)
    this.rows = saved.rows.slice()
    this.points.load(saved)
    this.#ring = slots.slice(0, count - saved.adopted)
    this.#adopted = slots.slice(count - saved.adopted)
    this.#free = []
  }
}
