/**
 * The panels as plain data: what each shows, in which unit, and how it is to be read. The Grafana dashboard and the charts of
 * the demo page are both made from it, so that neither can say what the other does not.
 */

/** What a panel is called, and how it is to be read. */
export interface Heading {
  readonly title: string
  readonly description: string
  /** Of Grafana's units, such as `reqps`, `percentunit`, `s`, `bytes`. */
  readonly unit?: string
  /** Of 24 columns. */
  readonly width: number
}

/** An expression and the name of its series, such as `{{model}}`. */
export type Line = readonly [legend: string, expression: string]

/** What lies between is named by the colour on its left. */
export type Steps = readonly (readonly [from: number | null, colour: string])[]

/** Series of thresholds and limits: dashed, and not filled. */
export const LIMIT = /(?:threshold|limit)$/

/** Lines over time. */
export interface GraphSpec extends Heading {
  readonly kind: 'graph'
  readonly lines: readonly Line[]
  /** Stacked areas: for parts of a whole. */
  readonly isStacked?: boolean
  readonly max?: number
  /** Names of series to their colours. */
  readonly colours?: Readonly<Record<string, string>>
}

/** The latest number, large, over its course. */
export interface NumberSpec extends Heading {
  readonly kind: 'number'
  readonly lines: readonly Line[]
  readonly steps?: Steps
  /** Words for whole numbers. */
  readonly words?: Readonly<Record<string, string>>
  readonly decimals?: number
}

/** How values are spread, over time: the brighter, the more. `expression` sums buckets by `le`. */
export interface HeatmapSpec extends Heading {
  readonly kind: 'heatmap'
  readonly expression: string
}

/** The labels of a metric as a table; `columns` are labels with their headings, in order. */
export interface TableSpec extends Heading {
  readonly kind: 'table'
  readonly expression: string
  readonly columns: Readonly<Record<string, string>>
}

export type PanelSpec = GraphSpec | NumberSpec | HeatmapSpec | TableSpec

/** Panels under one title. */
export interface RowSpec {
  readonly title: string
  readonly panels: readonly PanelSpec[]
  /** A variable: the row is there once for each of its values. */
  readonly each?: string
}

type Own<Spec extends PanelSpec> = Omit<Spec, 'kind'>

export function graph(own: Own<GraphSpec>): GraphSpec {
  return { kind: 'graph', ...own }
}

export function number(own: Own<NumberSpec>): NumberSpec {
  return { kind: 'number', ...own }
}

export function heatmap(own: Own<HeatmapSpec>): HeatmapSpec {
  return { kind: 'heatmap', ...own }
}

export function table(own: Own<TableSpec>): TableSpec {
  return { kind: 'table', ...own }
}
