/** No query has more than two others nearest to it: for monitors that follow points with many children. */
import { moved } from '../../picture.ts'
import type { ClientSpec, Picture } from '../../types.ts'
import { askingBy, type Wrapped, wrap } from './wrap.ts'

export interface FewChildren {
  /** Default 2. */
  readonly most: number
  /** Queries of the past that are looked at. Default 96. */
  readonly memory: number
}

/** Squared distance below which two queries are one: rounding. */
const REPEAT = 1e-12

interface Point {
  readonly x: Picture
  readonly children: Point[]
}

/**
 * A query whose nearest earlier one has its children already is moved along to one of those children, by the way from parent
 * to child, until there is room. The attack is told the answer of the moved picture: its estimates pay for the disguise.
 */
export function twoChildren<Config extends object>(
  attack: ClientSpec<'image', Config>,
  settings: Partial<FewChildren> = {},
): Wrapped<'image', Config, 'twoChildren', FewChildren> {
  return wrap(attack, {
    name: 'twoChildren',
    settings: { most: 2, memory: 96, ...settings },
    summary: 'no query has more than two near ones that come later',
    oracle(oracle, _task, { most, memory }) {
      const points: Point[] = []
      return askingBy(oracle, (input, how) => oracle.ask(placed(input), how))

      function placed(wanted: Picture): Picture {
        let x = wanted
        let nearest = nearestOf(points, x)
        for (let moves = 0; nearest !== undefined && nearest.point.children.length >= most && moves < memory; moves++) {
          const { point } = nearest
          const child = oracle.random.pick(point.children)
          x = moved(x, difference(child.x, point.x))
          nearest = nearestOf(points, x)
        }
        // A repeat is no child of its own: its children would be taken for those of the point that it repeats.
        if (nearest !== undefined && nearest.square < REPEAT) return x
        const point = { x, children: [] }
        nearest?.point.children.push(point)
        points.push(point)
        if (points.length > memory) points.shift()
        return x
      }
    },
  })
}

function nearestOf(
  points: readonly Point[],
  x: Picture,
): { readonly point: Point; readonly square: number } | undefined {
  let nearest: Point | undefined
  let least = Infinity
  for (const point of points) {
    let sum = 0
    for (let i = 0; i < x.length && sum < least; i++) sum += (x[i]! - point.x[i]!) ** 2
    if (sum >= least) continue
    least = sum
    nearest = point
  }
  return nearest && { point: nearest, square: least }
}

function difference(a: Picture, b: Picture): Float64Array {
  const d = new Float64Array(a.length)
  for (let i = 0; i < d.length; i++) d[i] = a[i]! - b[i]!
  return d
}
