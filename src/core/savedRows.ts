/** The rows of a table's window as plain data, and the reader that lets no damaged ones in. */
import { checkColumnName } from './canonical.ts'
import { elementType, refuse } from './checkers.ts'
import { readList, readState, readText } from './state.ts'
import type { PlainData } from './types.ts'

const MAX_COLUMNS = 1000
const MAX_NAME_LENGTH = 256

/** The columns that rows have in common: names in the order of their code units, and which of them hold numbers. */
export interface Layout {
  readonly names: readonly string[]
  readonly isNumber: Uint8Array
  /** Equal for equal layouts. */
  readonly key: string
}

/** The rows oldest first. `layoutOf` numbers the layouts by their first use. */
export interface SavedRows {
  readonly layouts: readonly Layout[]
  readonly layoutOf: Uint32Array
  readonly cells: Float64Array
  readonly teaches: Uint8Array
}

/** A text that is equal for equal layouts. */
export function keyOf(names: readonly string[], isNumber: Uint8Array): string {
  return JSON.stringify([names, isNumber.join('')])
}

/** Reads saved rows: at most `capacity`, every layout used and in the order of first use. Throws `bad_snapshot`. */
export function readRows(state: PlainData, capacity: number): SavedRows {
  const fields = readState(state, ['layouts', 'layoutOf', 'cells', 'teaches'])
  const path = 'state.rows'
  const layoutOf = fields['layoutOf'] as Uint32Array
  if (elementType(layoutOf) !== 'Uint32Array' || layoutOf.length > capacity) {
    refuse('bad_snapshot', `must be a Uint32Array of at most ${capacity}`, layoutOf, `${path}.layoutOf`)
  }
  const layouts = readList(fields['layouts'], `${path}.layouts`, layoutOf.length, readLayout)
  checkOrder(layouts, layoutOf, path)
  const teaches = readFlags(fields['teaches'], layoutOf.length, `${path}.teaches`)
  return { layouts, layoutOf, cells: readCells(fields['cells'], layouts, layoutOf, `${path}.cells`), teaches }
}

function readLayout(value: unknown, path: string): Layout {
  const fields = readState(value as PlainData, ['names', 'isNumber'])
  const names = readList(fields['names'], `${path}.names`, MAX_COLUMNS, (name, at) => {
    const text = readText(name, at, MAX_NAME_LENGTH)
    checkColumnName(text, MAX_NAME_LENGTH, at, 'bad_snapshot')
    return text
  })
  const isSorted = names.length > 0 && names.every((name, i) => i === 0 || names[i - 1]! < name)
  if (!isSorted) refuse('bad_snapshot', 'must be names in ascending order, each once', names, `${path}.names`)
  const isNumber = readFlags(fields['isNumber'], names.length, `${path}.isNumber`).slice()
  return { names, isNumber, key: keyOf(names, isNumber) }
}

function readFlags(value: unknown, length: number, path: string): Uint8Array {
  const flags = value as Uint8Array
  const ok = elementType(value) === 'Uint8Array' && flags.length === length && flags.every((flag) => flag <= 1)
  if (!ok) refuse('bad_snapshot', `must be a Uint8Array of ${length} times 0 or 1`, value, path)
  return flags
}

function checkOrder(layouts: readonly Layout[], layoutOf: Uint32Array, path: string): void {
  let used = 0
  for (const index of layoutOf) {
    if (index > used) refuse('bad_snapshot', 'must number the layouts by their first use', index, `${path}.layoutOf`)
    if (index === used) used++
  }
  const isWhole = used === layouts.length && new Set(layouts.map(({ key }) => key)).size === used
  if (!isWhole) refuse('bad_snapshot', 'must hold every layout once, all in use', layouts, `${path}.layouts`)
}

function readCells(value: unknown, layouts: readonly Layout[], layoutOf: Uint32Array, path: string): Float64Array {
  const length = layoutOf.reduce((sum, index) => sum + layouts[index]!.names.length, 0)
  const cells = value as Float64Array
  if (elementType(value) !== 'Float64Array' || cells.length !== length) {
    refuse('bad_snapshot', `must be a Float64Array of ${length}`, value, path)
  }
  let at = 0
  for (const index of layoutOf) {
    for (const flag of layouts[index]!.isNumber) {
      const cell = cells[at]!
      const ok = flag === 1 ? Number.isFinite(cell) && !Object.is(cell, -0) : Number.isSafeInteger(cell) && cell >= 0
      if (!ok) refuse('bad_snapshot', flag === 1 ? 'must be a finite number' : 'must be a hash', cell, `${path}[${at}]`)
      at++
    }
  }
  return cells
}
