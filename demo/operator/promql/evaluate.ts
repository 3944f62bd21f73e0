/** What an expression gives at a moment, by the rules of Prometheus. */
import { CALLS } from './functions.ts'
import type { Aggregation, Arithmetic, Comparison, Expression } from './parse.ts'
import { type Labels, valueAt } from './samples.ts'
import { type Element, keyOf, type Moment, type Value, vectorOf } from './values.ts'

/** The values of an expression; a plain number has no labels. */
export function evaluate(expression: Expression, moment: Moment): readonly Element[] {
  const value = calculate(expression, moment)
  if (value.kind === 'scalar') return [{ labels: {}, value: value.value }]
  return vectorOf(value, 'the whole')
}

function calculate(expression: Expression, moment: Moment): Value {
  switch (expression.kind) {
    case 'number':
      return { kind: 'scalar', value: expression.value }
    case 'string':
      return expression as Value
    case 'selector': {
      const series = moment.samples.find(expression)
      const { rangeSeconds } = expression
      if (rangeSeconds !== undefined) return { kind: 'range', series, seconds: rangeSeconds }
      const elements = series.flatMap((one) => {
        const value = valueAt(one, moment.seconds)
        return value === undefined ? [] : [{ labels: one.labels, value }]
      })
      return { kind: 'vector', elements }
    }
    case 'call': {
      const call = CALLS[expression.name]
      if (call === undefined) throw new SyntaxError(`there is no function '${expression.name}' here`)
      return call(
        expression.args.map((arg) => calculate(arg, moment)),
        moment,
      )
    }
    case 'aggregate': {
      const elements = vectorOf(calculate(expression.of, moment), expression.operator)
      return { kind: 'vector', elements: aggregated(elements, expression.by, expression.operator) }
    }
    case 'arithmetic':
      return combined(calculate(expression.left, moment), calculate(expression.right, moment), expression.operator)
    case 'filter':
      return filtered(calculate(expression.left, moment), calculate(expression.right, moment), expression.operator)
    case 'or': {
      const [left, right] = [expression.left, expression.right].map((side) => vectorOf(calculate(side, moment), 'or'))
      const known = new Set(left!.map(({ labels }) => keyOf(labels, expression.on)))
      return {
        kind: 'vector',
        elements: [...left!, ...right!.filter(({ labels }) => !known.has(keyOf(labels, expression.on)))],
      }
    }
  }
}

function aggregated(elements: readonly Element[], by: readonly string[], operator: Aggregation): Element[] {
  const groups = new Map<string, { readonly labels: Labels; readonly values: number[] }>()
  for (const { labels, value } of elements) {
    const own = Object.fromEntries(by.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])))
    const key = keyOf(own)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { labels: own, values: [value] })
    else group.values.push(value)
  }
  return [...groups.values()].map(({ labels, values }) => ({ labels, value: AGGREGATE[operator](values) }))
}

const AGGREGATE: Readonly<Record<Aggregation, (values: readonly number[]) => number>> = {
  sum: (values) => values.reduce((total, value) => total + value, 0),
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  group: () => 1,
}

const ARITHMETIC: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
}

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
}

function combined(left: Value, right: Value, operator: Arithmetic): Value {
  const apply = ARITHMETIC[operator]
  if (left.kind === 'scalar' && right.kind === 'scalar')
    return { kind: 'scalar', value: apply(left.value, right.value) }
  return { kind: 'vector', elements: pairs(left, right).map(([labels, a, b]) => ({ labels, value: apply(a, b) })) }
}

/** What of the left side the comparison holds for. */
function filtered(left: Value, right: Value, operator: Comparison): Value {
  const fitting = pairs(left, right).filter(([, a, b]) => COMPARE[operator](a, b))
  return { kind: 'vector', elements: fitting.map(([labels, value]) => ({ labels, value })) }
}

/** The two sides one to one, by all their labels; a number goes with everything. */
function pairs(left: Value, right: Value): (readonly [labels: Labels, left: number, right: number])[] {
  if (left.kind === 'scalar') {
    return vectorOf(right, 'the right side').map(({ labels, value }) => [labels, left.value, value])
  }
  const elements = vectorOf(left, 'the left side')
  if (right.kind === 'scalar') return elements.map(({ labels, value }) => [labels, value, right.value])
  const byLabels = new Map(vectorOf(right, 'the right side').map(({ labels, value }) => [keyOf(labels), value]))
  return elements.flatMap(({ labels, value }) => {
    const other = byLabels.get(keyOf(labels))
    return other === undefined ? [] : [[labels, value, other] as const]
  })
}
