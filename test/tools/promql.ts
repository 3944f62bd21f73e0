/** The expressions of the dashboard and of the rules, as a test asks Prometheus for them. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8')

/** An expression and where it stands. */
export interface Asked {
  readonly where: string
  /** As it stands there. */
  readonly expression: string
  /** As it can be asked. */
  readonly query: string
}

interface Target {
  readonly refId: string
  readonly expr: string
}
export interface DashboardPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly Target[]
}
export interface DashboardFile {
  readonly panels: readonly DashboardPanel[]
  readonly templating: {
    readonly list: readonly {
      readonly name: string
      readonly type: string
      readonly query: { readonly query: string }
    }[]
  }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] }
}

export const readDashboard = () => JSON.parse(read('grafana/dashboards/monitaur.json')) as DashboardFile

/** What Grafana puts in for the variables when all is chosen. */
const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: '10s',
  $__range: '1m',
  $job: 'monitaur',
  $instance: '.+',
  $model: '.*',
  $detector: '.*',
}

/** What `$unit` stands for, each in a row of its own. */
const UNITS = ['nats', 'probability', 'count', 'cosine']

function filled(given: string, unit = ''): string {
  const expression = given.replaceAll(/\$\{unit\}|\$unit/g, unit)
  const query = Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expression)
  if (query.includes('$')) throw new Error(`a variable is left in ${query}`)
  return query
}

/** Every expression of every panel, in every unit. */
export function panelExpressions({ panels }: DashboardFile): Asked[] {
  return panels.flatMap(({ title, targets = [] }) => {
    const units = title.includes('$unit') ? UNITS : ['']
    return units.flatMap((unit) => {
      return targets.map(({ refId, expr }) => {
        return { where: `${title.replace('$unit', unit)} ${refId}`, expression: expr, query: filled(expr, unit) }
      })
    })
  })
}

/** What the lists of choices are made from: each must give something. */
export function variableExpressions({ templating }: DashboardFile): Asked[] {
  return templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query: { query } }) => {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query)!
      return { where: `variable ${name}`, expression: query, query: `count by (${label}) (${filled(selector!)})` }
    })
}

export function annotationExpressions({ annotations }: DashboardFile): Asked[] {
  return annotations.list.map(({ name, expr }) => ({ where: name, expression: expr, query: filled(expr) }))
}

export interface RuleFile {
  readonly groups: readonly {
    readonly name: string
    readonly rules: readonly { readonly record?: string; readonly alert?: string; readonly expr: string }[]
  }[]
}

export const readRules = () => parse(read('prometheus/rules.yml')) as RuleFile

/** What recording rules give, by name. */
export function recordedSeries({ groups }: RuleFile): Asked[] {
  return groups.flatMap(({ rules }) => {
    return rules.flatMap(({ record, expr }) => {
      return record === undefined ? [] : [{ where: record, expression: expr, query: record }]
    })
  })
}

/** What alerts compare: the left side of every comparison, and what `absent` asks after. */
export function alertOperands({ groups }: RuleFile): Asked[] {
  return groups.flatMap(({ rules }) => {
    return rules.flatMap(({ alert, expr }) => {
      if (alert === undefined) return []
      return expr.split(/\s+and\s+/).map((part) => ({ where: alert, expression: expr.trim(), query: operandOf(part) }))
    })
  })
}

function operandOf(part: string): string {
  const [, operand] =
    /^absent\((.+)\)$/s.exec(part.trim()) ?? /^(.+?)\s*(?:==|>=|<=|!=|>|<)\s*[\d.*\s]+$/s.exec(part.trim()) ?? []
  if (operand === undefined) throw new Error(`an alert must be 'series, comparison, number', got ${part}`)
  return operand
}
