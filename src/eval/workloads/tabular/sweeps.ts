import type { Cell, Row } from '../../../core/index.ts'
import { defineWorkload } from '../../define.ts'
import { createTable, numberAt, type TableColumn } from '../../tabular/table.ts'
import type { Task } from '../../types.ts'
import { askEach } from '../parts/askEach.ts'

const common = { kind: 'tabular', profile: 'F', sees: 'probabilities' } as const

export interface FeatureSweepConfig {
  /** Values of a column of numbers, evenly between the smallest and the largest known. Default 50. */
  readonly values: number
}

/** One feature of a row through all its values in order, then the next feature; then the next row. */
export const featureSweep = defineWorkload({
  ...common,
  name: 'feature_sweep',
  summary: 'one feature of a row through its values in order, feature after feature',
  defaults: { values: 50 } as FeatureSweepConfig,
  async run(oracle, task, { values }) {
    const features = featuresOf(task, values)
    if (features.length === 0) return
    for (const row of rowsOf(task)) {
      for (const feature of features) {
        await askEach(oracle, feature.values.length, (n) => ({ ...row, [feature.name]: feature.values[n]! }))
      }
    }
  },
})

export interface WhatIfGridConfig {
  /** Features that are varied together, drawn anew for every row. Default 2. */
  readonly features: number
  /** Values of each, at most. Default 12. */
  readonly values: number
}

/** Every combination of the values of a few features of a row, the first one fastest; then the next row. */
export const whatIfGrid = defineWorkload({
  ...common,
  name: 'what_if_grid',
  summary: 'every combination of the values of two features of a row',
  defaults: { features: 2, values: 12 } as WhatIfGridConfig,
  async run(oracle, task, config) {
    const features = featuresOf(task, config.values)
    if (features.length === 0) return
    for (const row of rowsOf(task)) {
      const varied = oracle.random.shuffled(features).slice(0, config.features)
      const count = varied.reduce((product, { values }) => product * values.length, 1)
      await askEach(oracle, count, (n) => ({ ...row, ...combination(varied, n) }))
    }
  },
})

interface Feature {
  readonly name: string
  readonly values: readonly Cell[]
}

/** Those that take more than one value. */
function featuresOf({ source, pool }: Task<Row>, count: number): Feature[] {
  const { columns } = createTable([source, ...pool.map(({ input }) => input)])
  return columns
    .map((column) => ({ name: column.name, values: valuesOf(column, count) }))
    .filter(({ values }) => values.length > 1)
}

function valuesOf(column: TableColumn, count: number): readonly Cell[] {
  if (column.type === 'category') return column.values.slice(0, count)
  return [...new Set(Array.from({ length: count }, (_, n) => numberAt(column, n / Math.max(count - 1, 1))))]
}

/** The source, then the pool, over and over. */
function* rowsOf({ source, pool }: Task<Row>): Generator<Row> {
  for (;;) {
    yield source
    for (const { input } of pool) yield input
  }
}

/** The `n`-th of all combinations, the first feature fastest. */
function combination(features: readonly Feature[], n: number): Record<string, Cell> {
  const cells: Record<string, Cell> = {}
  for (const { name, values } of features) {
    cells[name] = values[n % values.length]!
    n = Math.floor(n / values.length)
  }
  return cells
}
