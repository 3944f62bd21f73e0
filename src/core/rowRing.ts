/**
 * The last rows of a table's stream, for the nearest by their cells.
 *
 * The cells are kept as they came, numbers as numbers and categories as 53-bit hashes, and compared under the scale of the
 * columns as it is when the query arrives: an exact repeat is found whatever has been learned meanwhile. The scale is
 * learned from the remembered rows themselves, so nothing else needs to be kept.
 *
 * A row near to an earlier one teaches nothing: the variations that an attacker makes of one row must not become the
 * measure of how far rows lie apart.
 */
import type { Column } from './canonical.ts'
import { hash32 } from './hash.ts'
import { Ring } from './ring.ts'
import { keyOf, type Layout, type SavedRows } from './savedRows.ts'
import { type Bounds, boundsOf, likeness, TableStatistics } from './tableStatistics.ts'
import type { PlainData } from './types.ts'
import type { Nearest } from './vectorRing.ts'

/** A row nearer than this to a remembered one teaches nothing. The default threshold; not changed with it. */
const NEAR = 0.9
/** Rows that teach at most: the newest. Their quantiles are good to about a tenth, and a change costs little. */
const TEACHERS = 128

const CATEGORY_SEEDS = [0x7f4a7c15, 0x1ce4e5b9] as const
const HIGH_BITS = 0x1fffff

/** A row as it is compared. */
export interface CodedRow {
  readonly layout: Layout
  /** Numbers, and the hashes of categories. */
  readonly cells: Float64Array
  /** What a schema says of a column's tolerance; `null` where it says nothing. */
  readonly declared: readonly (Bounds | null)[]
}

interface KeptRow {
  readonly layout: Layout
  readonly cells: Float64Array
  /** True if the row was unlike all before it. */
  readonly teaches: boolean
}

/** The columns of a row as they are compared. */
export function codeRow(columns: readonly Column[]): CodedRow {
  const count = columns.length
  const names: string[] = []
  const declared: (Bounds | null)[] = []
  const isNumber = new Uint8Array(count)
  const cells = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const column = columns[i]!
    const { name, value } = column
    names.push(name)
    declared.push(declaredBounds(column))
    isNumber[i] = typeof value === 'number' ? 1 : 0
    cells[i] = typeof value === 'number' ? value : categoryCode(value)
  }
  return { layout: { names, isNumber, key: keyOf(names, isNumber) }, cells, declared }
}

function categoryCode(text: string): number {
  const [high, low] = CATEGORY_SEEDS
  return (hash32(text, 0, text.length, high) & HIGH_BITS) * 0x100000000 + (hash32(text, 0, text.length, low) >>> 0)
}

/** The bounds that a column's schema gives: a fixed tolerance, those of a profile, or none. */
export function declaredBounds({ scale, spread, step = 0 }: Column): Bounds | null {
  if (scale !== undefined) return { low: scale, high: scale }
  return spread === undefined ? null : boundsOf({ spread, step })
}

/** Remembers up to `capacity` rows of any columns. Continues from what {@link save} gave and `readRows` checked. */
export class RowRing {
  readonly #rows: Ring<KeptRow>
  /** The layouts in use, by their keys, and how many rows each has. */
  readonly #layouts = new Map<string, { readonly layout: Layout; rows: number }>()
  /** The newest rows that teach, oldest first. */
  readonly #teachers: KeptRow[] = []
  readonly #statistics = new TableStatistics()
  #bytes = 0

  constructor(capacity: number, saved?: SavedRows) {
    this.#rows = new Ring(capacity)
    if (saved === undefined) return
    let from = 0
    for (const [i, index] of saved.layoutOf.entries()) {
      const layout = saved.layouts[index]!
      const to = from + layout.names.length
      this.#push(layout, saved.cells.slice(from, to), saved.teaches[i] === 1)
      from = to
    }
  }

  get size(): number {
    return this.#rows.items.length
  }

  /**
   * The row most like this one, `cosine` being the mean over the columns of the likeness of two cells; the oldest of
   * equals; `undefined` when empty. A column that only one of the two has counts as unlike. O(size · columns).
   */
  nearest(query: CodedRow): Nearest | undefined {
    const probe = this.#probeOf(query)
    const known = this.#layouts.get(query.layout.key)?.layout
    let best: Nearest | undefined
    for (let index = 0; index < this.size; index++) {
      const row = this.#rows.at(index)
      const cosine =
        row.layout === known ? meanLikeness(probe, row.cells, best?.cosine ?? 0) : likenessOfMixed(probe, row)
      if (best === undefined || cosine > best.cosine) best = { index, cosine }
    }
    return best
  }

  /** Takes a row in; the oldest leaves when the window is full. `nearest` is what was found for it before. */
  push({ layout, cells }: CodedRow, nearest: Nearest | undefined): void {
    this.#push(layout, cells, nearest === undefined || nearest.cosine < NEAR)
  }

  /** Estimated size of what is remembered. */
  bytes(): number {
    return this.#bytes + this.#statistics.bytes
  }

  /** The spread of every column that has shown enough numbers. */
  spreads(): Record<string, number> {
    return this.#statistics.spreads()
  }

  save(): PlainData {
    const rows = this.#rows.list()
    const layouts = [...new Set(rows.map(({ layout }) => layout))]
    const cells = new Float64Array(rows.reduce((sum, row) => sum + row.cells.length, 0))
    let end = 0
    for (const row of rows) {
      cells.set(row.cells, end)
      end += row.cells.length
    }
    return {
      layouts: layouts.map(({ names, isNumber }) => ({ names: [...names], isNumber: isNumber.slice() })),
      layoutOf: Uint32Array.from(rows, ({ layout }) => layouts.indexOf(layout)),
      cells,
      teaches: Uint8Array.from(rows, ({ teaches }) => (teaches ? 1 : 0)),
    }
  }

  #probeOf({ layout, cells, declared }: CodedRow): Probe {
    const low = new Float64Array(cells.length)
    const high = new Float64Array(cells.length)
    for (let i = 0; i < cells.length; i++) {
      if (layout.isNumber[i] === 0) continue
      const bounds = declared[i] ?? this.#statistics.bounds(layout.names[i]!)
      low[i] = bounds.low
      high[i] = bounds.high
    }
    return { layout, cells, low, high }
  }

  #push(layout: Layout, cells: Float64Array, teaches: boolean): void {
    const row = { layout: this.#enter(layout), cells, teaches }
    const left = this.#rows.push(row)
    this.#bytes += bytesOfRow(row)
    if (left !== undefined) this.#leave(left)
    if (!teaches) return
    this.#teachers.push(row)
    addNumbers(row, (name, value) => this.#statistics.add(name, value))
    if (this.#teachers.length > TEACHERS) this.#dismiss()
  }

  /** One layout object for all rows that have it. */
  #enter(layout: Layout): Layout {
    const known = this.#layouts.get(layout.key)
    if (known !== undefined) {
      known.rows++
      return known.layout
    }
    this.#layouts.set(layout.key, { layout, rows: 1 })
    this.#bytes += bytesOfLayout(layout)
    return layout
  }

  #leave(row: KeptRow): void {
    this.#bytes -= bytesOfRow(row)
    if (this.#teachers[0] === row) this.#dismiss()
    const known = this.#layouts.get(row.layout.key)!
    known.rows--
    if (known.rows > 0) return
    this.#layouts.delete(row.layout.key)
    this.#bytes -= bytesOfLayout(row.layout)
  }

  /** The oldest teacher teaches no longer. */
  #dismiss(): void {
    addNumbers(this.#teachers.shift()!, (name, value) => this.#statistics.remove(name, value))
  }
}

function addNumbers({ layout, cells }: KeptRow, each: (name: string, value: number) => void): void {
  for (const [i, name] of layout.names.entries()) if (layout.isNumber[i] === 1) each(name, cells[i]!)
}

function bytesOfRow({ cells }: KeptRow): number {
  return cells.byteLength + 96
}

function bytesOfLayout({ names, key }: Layout): number {
  return 2 * key.length + 33 * names.length + 96
}

/** A row with the bounds of its columns. */
interface Probe extends Pick<KeptRow, 'layout' | 'cells'> {
  readonly low: Float64Array
  readonly high: Float64Array
}

/** For a row of the same columns. Below `best` the sum may be cut short: the answer is then `best` or less. */
function meanLikeness({ layout, cells, low, high }: Probe, other: Float64Array, best: number): number {
  const { isNumber } = layout
  const count = cells.length
  // More than rounding can add, so that the cut changes no answer.
  const enough = count * (1 - best) + 1e-6
  let loss = 0
  for (let i = 0; i < count; i++) {
    const a = cells[i]!
    const b = other[i]!
    if (a === b) continue
    loss += isNumber[i] === 1 ? 1 - likeness(a, b, low[i]!, high[i]!) : 1
    if (loss > enough) return 0
  }
  return (count - loss) / count
}

/** For a row of other columns, or that has a number where the other has a category. */
function likenessOfMixed(a: Probe, b: KeptRow): number {
  let sum = 0
  let columns = 0
  let i = 0
  let j = 0
  while (i < a.cells.length && j < b.cells.length) {
    columns++
    const [left, right] = [a.layout.names[i]!, b.layout.names[j]!]
    if (left === right && a.layout.isNumber[i] === b.layout.isNumber[j]) {
      if (a.cells[i] === b.cells[j]) sum++
      else if (a.layout.isNumber[i] === 1) sum += likeness(a.cells[i]!, b.cells[j]!, a.low[i]!, a.high[i]!)
    }
    if (left <= right) i++
    if (right <= left) j++
  }
  return sum / (columns + a.cells.length - i + b.cells.length - j)
}
