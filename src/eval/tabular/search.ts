import type { Cell, Row } from '../../core/index.ts'
import { logProbability } from '../answers.ts'
import { defineAttack } from '../define.ts'
import type { Random } from '../random.ts'
import { type CategoryColumn, createTable, type NumberColumn, numberAt, placeIn, type TableColumn } from './table.ts'

export interface TabularSearchConfig {
  /** First step of a number, as a share of its column's range in the pool. Halved when nothing helps. Default 0.1. */
  readonly step: number
  /** Farthest that a number may be from the source's, as a share of its column's range. Default 0.3. */
  readonly reach: number
  /** Categories that may differ from the source's at a time. Default 2. */
  readonly categories: number
  /** Columns that are not the attacker's to change. Default none. */
  readonly fixed: readonly string[]
}

/** Below it, a step that does not help is not halved: the search begins anew. */
const SMALLEST_STEP = 0.01

/**
 * One column at a time, in random order: a number a step up and down, a category every other; kept if the label's
 * probability falls. When nothing helps any more it starts again from a random row within reach.
 */
export const tabularSearch = defineAttack({
  name: 'tabular_search',
  kind: 'tabular',
  sees: 'probabilities',
  summary: 'one column at a time, kept if the probability of the label falls',
  defaults: { step: 0.1, reach: 0.3, categories: 2, fixed: [] } as TabularSearchConfig,
  async run(oracle, { source, label, pool }, config) {
    const table = createTable([source, ...pool.map(({ input }) => input)])
    const columns = table.columns.filter(({ name }) => !config.fixed.includes(name))
    const lossOf = async (rows: readonly Row[]) =>
      (await oracle.askAll(rows)).map(({ refused, logits }) => (refused ? Infinity : logProbability(logits, label)))
    for (let start = source; ; start = scattered(source, columns, config.reach, oracle.random)) {
      let x = start
      let lowest = (await lossOf([x]))[0]!
      for (let step = config.step; step >= SMALLEST_STEP; ) {
        const before = lowest
        for (const column of oracle.random.shuffled(columns)) {
          const tries = candidates(x, source, column, { ...config, step }, columns)
          const losses = await lossOf(tries)
          const best = losses.indexOf(Math.min(...losses))
          if (best === -1 || losses[best]! >= lowest) continue
          x = tries[best]!
          lowest = losses[best]!
        }
        if (lowest === before) step /= 2
      }
    }
  },
})

function candidates(
  x: Row,
  source: Row,
  column: TableColumn,
  config: TabularSearchConfig,
  columns: readonly TableColumn[],
): Row[] {
  const cells = column.type === 'number' ? steps(x, source, column, config) : others(x, source, column, config, columns)
  return cells.filter((cell) => cell !== x[column.name]).map((cell) => ({ ...x, [column.name]: cell }))
}

function steps(x: Row, source: Row, column: NumberColumn, { step, reach }: TabularSearchConfig): Cell[] {
  const centre = placeIn(column, source[column.name] ?? null)
  const place = placeIn(column, x[column.name] ?? null)
  return [-step, step].map((change) => numberAt(column, within(place + change, centre, reach)))
}

function within(place: number, centre: number, reach: number): number {
  return Math.min(Math.max(place, centre - reach, 0), centre + reach, 1)
}

function others(
  x: Row,
  source: Row,
  { name, values }: CategoryColumn,
  { categories }: TabularSearchConfig,
  columns: readonly TableColumn[],
): readonly Cell[] {
  const changed = columns.filter((column) => column.type === 'category' && x[column.name] !== source[column.name])
  const mayChange = changed.length < categories || changed.some((column) => column.name === name)
  return mayChange ? values : []
}

/** The source with every number somewhere within reach. */
function scattered(source: Row, columns: readonly TableColumn[], reach: number, random: Random): Row {
  const cells: Record<string, Cell> = { ...source }
  for (const column of columns) {
    if (column.type === 'category') continue
    const centre = placeIn(column, source[column.name] ?? null)
    cells[column.name] = numberAt(column, within(centre + reach * (2 * random.next() - 1), centre, reach))
  }
  return cells
}
