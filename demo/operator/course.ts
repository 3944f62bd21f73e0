/** The panels of the shipped dashboard with what their expressions gave, second by second. Knows nothing of the document. */
import { ROWS } from '../../deploy/grafana/rows.ts'
import { LIMIT, type PanelSpec } from '../../deploy/grafana/specs.ts'
import { evaluate } from './promql/evaluate.ts'
import { type Expression, parse } from './promql/parse.ts'
import type { Samples } from './promql/samples.ts'
import type { Element, Moment } from './promql/values.ts'

/** Seconds between two looks at the metrics. */
export const STEP_SECONDS = 1
/** How far back the charts reach. */
export const RANGE_SECONDS = 120

/** What Grafana puts in for its variables when all is chosen. */
const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: `${5 * STEP_SECONDS}s`,
  $__range: `${RANGE_SECONDS}s`,
  $job: '.+',
  $instance: '.+',
  $model: '.*',
  $detector: '.*',
}

/** A text of the dashboard with its variables filled in. */
export function filled(text: string, unit = ''): string {
  const named = text.replaceAll(/\$\{unit\}|\$unit/g, unit)
  return Object.entries(VARIABLES).reduce((said, [name, value]) => said.replaceAll(name, value), named)
}

/** One series of a panel: a value for each of its times. */
export interface CourseLine {
  readonly name: string
  /** A threshold or a limit. */
  readonly isLimit: boolean
  /** Which of the panel's expressions gave it. */
  readonly place: number
  readonly values: (number | null)[]
}

/** A value that came of an expression. */
interface Told {
  readonly name: string
  readonly place: number
  readonly value: number
}

/** One panel over time. */
export class Course {
  readonly spec: PanelSpec
  readonly title: string
  /** Seconds since the epoch. */
  readonly times: number[] = []
  /** In the order of the panel's expressions. Those of a heatmap are its buckets from the lowest up. */
  lines: readonly CourseLine[] = []
  /** Of a table: its rows, each with a text for each column. */
  rows: readonly (readonly string[])[] = []
  readonly #expressions: readonly (readonly [legend: string, expression: Expression])[]

  constructor(spec: PanelSpec, unit = '') {
    this.spec = spec
    this.title = filled(spec.title, unit)
    const lines = 'lines' in spec ? spec.lines : [['{{le}}', spec.expression] as const]
    this.#expressions = lines.map(([legend, expression]) => [legend, parse(filled(expression, unit))])
  }

  /** True once something was there to see. */
  get hasData(): boolean {
    return this.rows.length > 0 || this.lines.some(({ values }) => values.some((value) => value !== null))
  }

  /** Asks once more; what is older than the range is forgotten. */
  add(moment: Moment): void {
    if (this.spec.kind === 'table') {
      this.rows = rowsOf(evaluate(this.#expressions[0]![1], moment), Object.keys(this.spec.columns))
      return
    }
    const told = this.#expressions.flatMap(([legend, expression], place) => {
      return evaluate(expression, moment).map(({ labels, value }) => ({ name: nameOf(legend, labels), place, value }))
    })
    this.#push(moment.seconds, this.spec.kind === 'heatmap' ? apart(told) : told)
  }

  #push(seconds: number, told: readonly Told[]): void {
    const known = new Set(this.lines.map(({ name }) => name))
    const fresh = told.filter(({ name }) => !known.has(name))
    if (fresh.length > 0) {
      const before = () => new Array<null>(this.times.length).fill(null)
      const added = fresh.map(({ name, place }) => ({ name, place, isLimit: LIMIT.test(name), values: before() }))
      this.lines = [...this.lines, ...added].sort((a, b) => a.place - b.place)
    }
    this.times.push(seconds)
    const byName = new Map(told.map(({ name, value }) => [name, value]))
    for (const { name, values } of this.lines) {
      const value = byName.get(name)
      values.push(value === undefined || Number.isNaN(value) ? null : value)
    }
    while (this.times[0]! <= seconds - RANGE_SECONDS) {
      this.times.shift()
      for (const { values } of this.lines) values.shift()
    }
  }
}

/** The name of a series: its legend with the labels put in. */
function nameOf(legend: string, labels: Element['labels']): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '').trim()
}

function rowsOf(elements: readonly Element[], columns: readonly string[]): string[][] {
  return elements.map(({ labels, value }) => {
    return columns.map((column) => (column === 'Value' ? String(value) : (labels[column] ?? '')))
  })
}

/** What lies in each bucket alone, from the lowest up; the series hold what lies below each bound. */
function apart(told: readonly Told[]): Told[] {
  const bounds = told.toSorted((a, b) => boundOf(a.name) - boundOf(b.name))
  return bounds.map((one, i) => ({ ...one, value: Math.max(0, one.value - (bounds[i - 1]?.value ?? 0)) }))
}

function boundOf(text: string): number {
  return text === '+Inf' ? Infinity : Number(text)
}

/** Panels under one title. */
export interface BoardRow {
  readonly title: string
  readonly courses: readonly Course[]
}

/** All rows of the dashboard; one that is repeated is there for each value that the samples know. */
export function boardOf(samples: Samples): BoardRow[] {
  return ROWS.flatMap(({ title, panels, each }) => {
    const units = each === undefined ? [''] : samples.valuesOf('monitaur_threshold', each)
    return units.map((unit) => ({
      title: filled(title, unit),
      courses: panels.map((spec) => new Course(spec, unit)),
    }))
  })
}
