/** The functions of PromQL that our panels call. */
import { type Kept, type Labels, pointsWithin } from './samples.ts'
import { type Element, keyOf, type Moment, type Value, vectorOf } from './values.ts'

type Call = (args: readonly Value[], moment: Moment) => Value

/** By their names. */
export const CALLS: Readonly<Record<string, Call>> = {
  time: (_, { seconds }) => ({ kind: 'scalar', value: seconds }),
  vector: ([value]) => ({ kind: 'vector', elements: [{ labels: {}, value: scalarOf(value, 'vector') }] }),
  rate: ([range], moment) => growths(range, moment, true),
  increase: ([range], moment) => growths(range, moment, false),
  histogram_quantile: ([q, buckets]) => {
    return { kind: 'vector', elements: quantiles(scalarOf(q, 'histogram_quantile'), required(buckets)) }
  },
  label_replace: ([vector, ...texts]) => {
    const [target = '', replacement = '', source = '', pattern = ''] = texts.map((text) => textOf(text))
    return { kind: 'vector', elements: relabelled(required(vector), { target, replacement, source, pattern }) }
  },
}

function required(value: Value | undefined): readonly Element[] {
  if (value === undefined) throw new SyntaxError('an argument is missing')
  return vectorOf(value, 'an argument')
}

function scalarOf(value: Value | undefined, name: string): number {
  if (value?.kind === 'scalar') return value.value
  throw new SyntaxError(`${name} takes a number, came ${value?.kind ?? 'nothing'}`)
}

function textOf(value: Value): string {
  if (value.kind === 'string') return value.value
  throw new SyntaxError(`label_replace takes texts, came a ${value.kind}`)
}

function growths(range: Value | undefined, { seconds: to }: Moment, isPerSecond: boolean): Value {
  if (range?.kind !== 'range') throw new SyntaxError(`rate and increase take a range, came ${range?.kind ?? 'nothing'}`)
  const elements = range.series.flatMap((one) => {
    const value = growthOf(one, range.seconds, to)
    return value === undefined ? [] : [{ labels: one.labels, value: isPerSecond ? value / range.seconds : value }]
  })
  return { kind: 'vector', elements }
}

/**
 * How much a counter grew in the time before `to`, as Prometheus extrapolates it: to the whole range where the values come
 * near its ends, else by half a step; and never below zero. Nothing of fewer than two values.
 */
export function growthOf(series: Kept, range: number, to: number): number | undefined {
  const points = pointsWithin(series, to - range, to)
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || first === last) return undefined
  let grown = last[1] - first[1]
  for (const [i, [, value]] of points.entries()) {
    const before = points[i - 1]?.[1] ?? value
    if (value < before) grown += before // it began anew
  }
  const sampled = last[0] - first[0]
  const step = sampled / (points.length - 1)
  const near = 1.1 * step
  let toStart = first[0] - (to - range)
  const toEnd = to - last[0]
  if (toStart >= near) toStart = step / 2
  if (grown > 0 && first[1] >= 0) toStart = Math.min(toStart, sampled * (first[1] / grown))
  return grown * ((sampled + toStart + (toEnd < near ? toEnd : step / 2)) / sampled)
}

interface Bucket {
  readonly bound: number
  readonly count: number
}

function quantiles(q: number, elements: readonly Element[]): Element[] {
  const groups = new Map<string, { readonly labels: Labels; readonly buckets: Bucket[] }>()
  for (const { labels, value } of elements) {
    const { le = '', ...own } = labels
    if (le === '') continue
    const key = keyOf(own)
    const group = groups.get(key) ?? { labels: own, buckets: [] }
    group.buckets.push({ bound: le === '+Inf' ? Infinity : Number(le), count: value })
    groups.set(key, group)
  }
  return [...groups.values()].map(({ labels, buckets }) => ({ labels, value: quantileOf(q, buckets) }))
}

/** Of cumulative buckets, straight within each. NaN of nothing; the last finite bound for what lies above it. */
export function quantileOf(q: number, given: readonly Bucket[]): number {
  const buckets = given.toSorted((a, b) => a.bound - b.bound)
  const all = buckets.at(-1)
  if (all === undefined || all.bound !== Infinity || buckets.length < 2 || !(all.count > 0)) return Number.NaN
  let rank = q * all.count
  const found = buckets.findIndex(({ count }, i) => i === buckets.length - 1 || count >= rank)
  if (found === buckets.length - 1) return buckets.at(-2)!.bound
  const { bound, count } = buckets[found]!
  if (found === 0 && bound <= 0) return bound
  const below = buckets[found - 1] ?? { bound: 0, count: 0 }
  rank -= below.count
  return below.bound + (bound - below.bound) * (rank / (count - below.count))
}

interface Relabel {
  readonly target: string
  readonly replacement: string
  readonly source: string
  readonly pattern: string
}

function relabelled(
  elements: readonly Element[],
  { target, replacement, source, pattern }: Relabel,
): readonly Element[] {
  const whole = new RegExp(`^(?:${pattern})$`)
  return elements.map(({ labels, value }) => {
    const said = labels[source] ?? ''
    if (!whole.test(said)) return { labels, value }
    return { labels: { ...labels, [target]: said.replace(whole, replacement) }, value }
  })
}
