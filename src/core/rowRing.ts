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
import { Ring } from './ring.ts'
import type { CodedRow } from './rowCoder.ts'
import type { Layout, SavedRows } from './savedRows.ts'
import { likeness, TableStatistics } from './tableStatistics.ts'
import type { PlainData } from './types.ts'
import type { Nearest } from './vectorRing.ts'

/** A row nearer than this to a remembered one teaches nothing. The default threshold; not changed with it. */
const NEAR = 0.9
/** Rows that teach at most: the newest. Their quantiles are good to about a tenth, and a change costs little. */
const TEACHERS = 128

interface KeptRow {
  layout: Layout
  cells: Float64Array
  /** True if the row was unlike all before it. */
  teaches: boolean
}

const NO_CELLS: Float64Array = /* @__PURE__ */ new Float64Array(0)
const NO_LAYOUT: Layout = { names: [], isNumber: /* @__PURE__ */ new Uint8Array(0), key: '' }

/** Remembers up to `capacity` rows of any columns. Continues from what {@link save} gave and `readRows` checked. */
export class RowRing {
  readonly #rows: Ring<KeptRow>
  /** The layouts in use, by their keys, and how many rows each has. */
  readonly #layouts = new Map<string, { readonly layout: Layout; rows: number }>()
  /** The newest rows that teach, oldest first. */
  readonly #teachers: KeptRow[] = []
  readonly #statistics = new TableStatistics()
  /** Working memory of a search. */
  readonly #probe = new Probe()
  #bytes = 0

  constructor(capacity: number, saved?: SavedRows) {
    this.#rows = new Ring(capacity)
    if (saved === undefined) return
    let from = 0
    for (const [i, index] of saved.layoutOf.entries()) {
      const layout = saved.layouts[index]!
      const to = from + layout.names.length
      this.#push(layout, saved.cells.subarray(from, to), saved.teaches[i] === 1)
      from = to
    }
  }

  get size(): number {
    return this.#rows.items.length
  }

  /**
   * The row most like this one, `cosine` being the mean over the columns of the likeness of two cells; the oldest of
   * equals; `undefined` when empty. A column that only one of the two has counts as unlike. O(size · columns). Good until the
   * next call.
   */
  nearest(query: CodedRow): Nearest | undefined {
    const probe = this.#probe
    probe.begin(query, this.#statistics)
    const known = this.#layouts.get(query.layout.key)?.layout
    for (let index = 0; index < this.size; index++) {
      const row = this.#rows.at(index)
      if (row.layout === known) probe.compare(row, index)
      else probe.compareMixed(row, index)
    }
    return this.size === 0 ? undefined : probe
  }

  /** Copies a row in; the oldest leaves when the window is full. `nearest` is what was found for it before. */
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

  #push(given: Layout, cells: Float64Array, teaches: boolean): void {
    const layout = this.#enter(given)
    const row = this.#vacate(cells.length)
    row.layout = layout
    row.cells.set(cells)
    row.teaches = teaches
    this.#rows.push(row)
    this.#bytes += bytesOfRow(row)
    if (!teaches) return
    this.#teachers.push(row)
    const { names, isNumber } = layout
    for (let i = 0; i < names.length; i++) if (isNumber[i] === 1) this.#statistics.add(names[i]!, row.cells, i)
    if (this.#teachers.length > TEACHERS) this.#dismiss()
  }

  /** The row that has to leave, to be filled anew, or a new one; with so many cells. */
  #vacate(count: number): KeptRow {
    const { items, capacity, oldest } = this.#rows
    if (items.length < capacity) return { layout: NO_LAYOUT, cells: new Float64Array(count), teaches: false }
    const row = items[oldest]!
    this.#leave(row)
    if (row.cells.length !== count) row.cells = new Float64Array(count)
    return row
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
    const { layout, cells } = this.#teachers.shift()!
    const { names, isNumber } = layout
    for (let i = 0; i < names.length; i++) if (isNumber[i] === 1) this.#statistics.remove(names[i]!, cells, i)
  }
}

function bytesOfRow({ cells }: KeptRow): number {
  return cells.byteLength + 96
}

function bytesOfLayout({ names, key }: Layout): number {
  return 2 * key.length + 33 * names.length + 96
}

/** A row with the bounds of its columns, and the most similar one that it has been compared with. */
class Probe implements Nearest {
  index = 0
  cosine = 0
  #layout = NO_LAYOUT
  #cells = NO_CELLS
  #low = NO_CELLS
  #high = NO_CELLS

  begin({ layout, cells, declared }: CodedRow, statistics: TableStatistics): void {
    if (this.#low.length < cells.length) {
      this.#low = new Float64Array(cells.length)
      this.#high = new Float64Array(cells.length)
    }
    for (let i = 0; i < cells.length; i++) {
      if (layout.isNumber[i] === 0) continue
      const bounds = declared[i] ?? statistics.bounds(layout.names[i]!)
      this.#low[i] = bounds.low
      this.#high[i] = bounds.high
    }
    this.#layout = layout
    this.#cells = cells
    this.index = -1
    this.cosine = 0
  }

  /** With a row of the same columns. The sum is cut short below the best so far. */
  compare({ cells: other }: KeptRow, index: number): void {
    const [cells, low, high] = [this.#cells, this.#low, this.#high]
    const { isNumber } = this.#layout
    const count = cells.length
    // More than rounding can add, so that the cut changes no answer.
    const enough = count * (1 - this.cosine) + 1e-6
    let loss = 0
    for (let i = 0; i < count && loss <= enough; i++) {
      const a = cells[i]!
      const b = other[i]!
      if (a !== b) loss += isNumber[i] === 1 ? 1 - likeness(a, b, low[i]!, high[i]!) : 1
    }
    this.#offer(loss > enough ? 0 : (count - loss) / count, index)
  }

  /** With a row of other columns, or that has a number where the other has a category. */
  compareMixed({ layout, cells }: KeptRow, index: number): void {
    const [own, ownCells] = [this.#layout, this.#cells]
    let sum = 0
    let columns = 0
    let i = 0
    let j = 0
    while (i < ownCells.length && j < cells.length) {
      columns++
      const left = own.names[i]!
      const right = layout.names[j]!
      if (left === right && own.isNumber[i] === layout.isNumber[j]) {
        if (ownCells[i] === cells[j]) sum++
        else if (own.isNumber[i] === 1) sum += likeness(ownCells[i]!, cells[j]!, this.#low[i]!, this.#high[i]!)
      }
      if (left <= right) i++
      if (right <= left) j++
    }
    this.#offer(sum / (columns + ownCells.length - i + cells.length - j), index)
  }

  /** The oldest of equals stays. */
  #offer(cosine: number, index: number): void {
    if (this.index >= 0 && cosine <= this.cosine) return
    this.index = index
    this.cosine = cosine
  }
}
