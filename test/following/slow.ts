/** Answer following once more, written for reading alone: objects, lists, no slots and nothing kept from one query to the next. */
import { log } from '../../src/core/math.ts'

/** Signs and places of the sketch are the detector's own: what is restated is the rule. */
export type Sketch = (x: ArrayLike<number>) => number[]

interface Node {
  readonly query: number
  readonly x: readonly number[]
  readonly margin: number
  readonly label: number
  readonly reference: number
  readonly root: number
  readonly parent: number
  children: number
  chosen: number
  touched: number
  isProbe: boolean
  path: Path
}

interface Path {
  readonly takenDown: number
  readonly takenUp: number
  readonly leftDown: number
  readonly leftUp: number
  readonly likelihood: number
  readonly choice: number
  readonly slope: number
}

const START: Path = { takenDown: 0, takenUp: 0, leftDown: 0, leftUp: 0, likelihood: 0, choice: 0, slope: 0 }

export function createSlow({ sketch, points, alpha }: { sketch: Sketch; points: number; alpha: number }) {
  let nodes: Node[] = []
  let latest: Node[] = []
  let bracket: Node[] = []
  let queries = 0
  let bisected = 0
  return (x: ArrayLike<number>, logits: ArrayLike<number>): number => {
    queries++
    const l = Array.from(logits)
    const at = sketch(x)
    const label = l.indexOf(Math.max(...l))
    const marginOf = (class_: number) => l[class_]! - Math.max(...l.filter((_, i) => i !== class_))
    const near = nodes
      .map((node) => ({ node, far: squared(minus(node.x, at)) }))
      .reduce<{ node?: Node; far: number }>((a, b) => (b.far < a.far ? b : a), { far: Infinity })
    const parent = near.far <= ((20 * 65_280) / 255) ** 2 * x.length ? near.node : undefined
    if (parent !== undefined) parent.touched = queries
    if (parent !== undefined && near.far <= 16) return scoreOf(parent.path, 0)
    if (parent !== undefined) parent.children++
    makeRoom()
    const reference = parent?.reference ?? label
    const node: Node = {
      query: queries,
      x: at,
      margin: marginOf(reference),
      label,
      reference,
      root: parent?.root ?? queries,
      parent: parent?.query ?? 0,
      children: 0,
      chosen: 0,
      touched: queries,
      isProbe: parent !== undefined,
      path: parent?.path ?? START,
    }
    nodes.push(node)
    if (parent !== undefined && parent.parent > 0) {
      if (parent.children === 1) choose(parent)
      if (parent.children === 3) adopt(parent)
      node.path = parent.path
    }
    return scoreOf(node.path, bisect(node) ? bisected : 0)
  }

  function scoreOf({ choice, slope }: Path, bisection: number): number {
    return Math.max(0, choice, slope, bisection) / log(3 / alpha)
  }

  function makeRoom(): void {
    if (nodes.length < points) return
    const alone = nodes.filter(({ parent, children }) => parent === 0 && children === 0)
    const some = alone.length > points / 4 ? alone : nodes
    const leaving = some.reduce((a, b) => (b.touched < a.touched ? b : a))
    nodes = nodes.filter((one) => one !== leaving)
  }

  function find(query: number): Node | undefined {
    return nodes.find((one) => one.query === query)
  }

  function choose(taken: Node): void {
    const from = find(taken.parent)
    if (from === undefined) return
    const weight = from.chosen === 0 ? log(0.99) : log(1 - 0.99) - from.chosen * log(2)
    from.chosen++
    let path: Path = { ...taken.path, likelihood: taken.path.likelihood + weight }
    const step = squared(minus(taken.x, from.x))
    if (
      stepsBefore(from).every((before) => dot(minus(taken.x, from.x), before) ** 2 <= 0.09 * step * squared(before))
    ) {
      for (const one of nodes) {
        if (one === taken || one.parent !== from.query || one.children > 0) continue
        const size = squared(minus(one.x, from.x))
        if (size <= 2.25 * step && size >= step / 2.25) path = counted(path, one.margin - from.margin, 'left')
      }
      path = counted(path, taken.margin - from.margin, 'taken')
    }
    const down = path.takenDown + path.leftDown
    const up = path.takenUp + path.leftUp
    const alike = (down && down * log(down / (down + up))) + (up && up * log(up / (down + up)))
    taken.path = { ...path, choice: path.likelihood - alike }
  }

  /** The last four steps that led to it, as far as they are remembered. */
  function stepsBefore(node: Node): number[][] {
    const steps: number[][] = []
    for (let to = node; steps.length < 4; ) {
      const from = find(to.parent)
      if (from === undefined) break
      steps.push(minus(to.x, from.x))
      to = from
    }
    return steps
  }

  function counted(path: Path, change: number, fate: 'taken' | 'left'): Path {
    if (change === 0) return path
    const share = (down: number, up: number, a: number, b: number) => (down + a) / (down + up + a + b)
    const any = share(path.takenDown + path.leftDown, path.takenUp + path.leftUp, 0.5, 0.5)
    const falls =
      fate === 'taken'
        ? Math.max(any, share(path.takenDown, path.takenUp, 4.5, 0.5))
        : Math.min(any, share(path.leftDown, path.leftUp, 0.5, 1.5))
    const likelihood = path.likelihood + log(change < 0 ? falls : 1 - falls)
    const column = `${fate}${change < 0 ? 'Down' : 'Up'}` as const
    return { ...path, likelihood, [column]: path[column] + 1 }
  }

  function adopt(adopted: Node): void {
    const probes = nodes
      .filter(({ isProbe, root, query }) => isProbe && root === adopted.root && query < adopted.query)
      .slice(-32)
    if (probes.length >= 8) {
      const count = probes.length
      const sums = adopted.x.map((_, i) => probes.reduce((sum, { x }) => sum + x[i]!, 0))
      const offset = ({ x }: Node) => x.map((v, i) => count * v - sums[i]!)
      const offsets = probes.map(offset)
      const towards = offsets.map((one) => dot(one, offset(adopted)))
      let overlap = 0
      for (const [i, a] of offsets.entries()) {
        for (const b of offsets.slice(0, i)) {
          const product = dot(a, b)
          const both = squared(a) * squared(b)
          if (both > 0) overlap += (2 * product * product) / both
        }
        if (squared(a) > 0) overlap += 1
      }
      const directions = overlap === 0 ? 0 : (count * count) / overlap
      if (directions >= 5) {
        const r = spearman(
          probes.map(({ margin }) => margin),
          towards,
        )
        const [low, high] = [fisher(0.3), fisher(0.8)]
        const z = fisher(Math.min(Math.max(-r, -0.999), 0.999))
        const evidence = ((directions - 3) / 1.06) * (high - low) * (z - (high + low) / 2)
        adopted.path = { ...adopted.path, slope: adopted.path.slope + evidence }
      }
    }
    const own = nodes.filter(({ parent }) => parent === adopted.query)
    const reach = Math.max(0, ...own.map(({ x }) => squared(minus(x, adopted.x))))
    for (const one of own) if (one.children < 3) one.path = { ...one.path, slope: adopted.path.slope }
    adopted.isProbe = false
    for (const one of nodes) {
      if (one.root === adopted.root && squared(minus(one.x, adopted.x)) > 2.25 * reach) one.isProbe = false
    }
  }

  function bisect(node: Node): boolean {
    const [low, high, middle] = bracket.every((one) => nodes.includes(one)) ? bracket : []
    bracket = []
    let goesOn = false
    if (low !== undefined && high !== undefined && middle !== undefined) {
      const isLower = between(node, low, middle)
      if (isLower || between(node, middle, high)) {
        goesOn = true
        const changes = [middle.label !== low.label, middle.label !== high.label]
        if (changes[0] !== changes[1]) bisected = Math.max(0, bisected + log(isLower === changes[0] ? 1.9 : 0.1))
        bracket = isLower ? [low, middle, node] : [middle, high, node]
      }
    }
    if (!goesOn) {
      let shortest = Infinity
      const known = latest.filter((one) => nodes.includes(one))
      for (const [i, a] of known.entries()) {
        for (const b of known.slice(i + 1)) {
          const way = squared(minus(a.x, b.x))
          if (a.label === b.label || way >= shortest || !between(node, a, b)) continue
          shortest = way
          bracket = [a, b, node]
        }
      }
    }
    for (const one of bracket) one.touched = queries
    latest = [...latest, node].slice(-8)
    return goesOn
  }
}

function between(node: Node, a: Node, b: Node): boolean {
  const way = squared(minus(a.x, b.x))
  if (way === 0) return false
  const fromA = squared(minus(node.x, a.x))
  const place = (fromA + way - squared(minus(node.x, b.x))) / (2 * way)
  return place >= 0.2 && place <= 1 - 0.2 && fromA - place * place * way <= 0.15 * 0.15 * way
}

function spearman(x: readonly number[], y: readonly number[]): number {
  const place = (values: readonly number[]) =>
    values.map((v) => values.filter((w) => w < v).length - values.filter((w) => w > v).length)
  const [a, b] = [place(x), place(y)]
  const spread = dot(a, a) * dot(b, b)
  return spread === 0 ? 0 : dot(a, b) / Math.sqrt(spread)
}

function fisher(r: number): number {
  return log((1 + r) / (1 - r)) / 2
}

function minus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((v, i) => v - b[i]!)
}

function squared(a: readonly number[]): number {
  return dot(a, a)
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, v, i) => sum + v * b[i]!, 0)
}
