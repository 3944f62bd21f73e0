/**
 * A decision tree, grown at once from a sample: at each node the question, "is this number smaller?" or "is this the name?",
 * that lowers the Gini impurity most (CART, Breiman et al. 1984); of equal ones that of the first column. Not pruned.
 */
import { largestClass } from '../lineage/margin.ts'
import { cellOf, type Example, isName, NAMES } from './example.ts'

/** So that there are 511 nodes at most. */
const DEEPEST = 8
/** No leaf holds fewer. */
const LEAST = 2

/** Nodes at most, and the bytes of each. */
export const MOST_NODES = 511
export const NODE = 12

export interface Tree {
  predict(values: ArrayLike<number>): number
}

/** A question and how pure it leaves the two sides: the sum over both of Σ n_k² ÷ n. */
interface Question {
  readonly column: number
  readonly at: number
  readonly purity: number
}

/** @param examples At least one, up to 65 536; their labels are 0 … classes − 1. O(columns · examples · depth). */
export function growTree(examples: readonly Example[], classes: number): Tree {
  const columns = examples.reduce((most, { values }) => Math.max(most, values.length), 0)
  const cells = Array.from({ length: columns }, (_, column) =>
    Float32Array.from(examples, ({ values }) => cellOf(values, column)),
  )
  /** The examples in the order of each column; a node owns the same part of every list. */
  const orders = cells.map(orderOf)
  const isLeft = new Uint8Array(examples.length)
  const left = new Float64Array(classes)
  const right = new Float64Array(classes)
  /** A node's left side follows it, its right side is at the place in `rights`. Of a leaf: no column, and its label. */
  const asked: number[] = []
  const ats: number[] = []
  const rights: number[] = []
  grow(0, examples.length, 0)
  return treeOf({ columns: Int16Array.from(asked), ats: Float64Array.from(ats), rights: Uint16Array.from(rights) })

  function grow(from: number, to: number, depth: number): void {
    const totals = countLabels(from, to)
    const question = depth === DEEPEST || to - from < 2 * LEAST ? undefined : bestQuestion(from, to, totals)
    const node = asked.push(question?.column ?? -1) - 1
    ats.push(question?.at ?? largestClass(totals))
    rights.push(0)
    if (question === undefined) return
    const middle = divide(from, to, question)
    grow(from, middle, depth + 1)
    rights[node] = asked.length
    grow(middle, to, depth + 1)
  }

  function countLabels(from: number, to: number): Float64Array {
    const totals = new Float64Array(classes)
    const order = orders[0]!
    for (let i = from; i < to; i++) totals[examples[order[i]!]!.label]!++
    return totals
  }

  function bestQuestion(from: number, to: number, totals: Float64Array): Question | undefined {
    const squares = totals.reduce((sum, count) => sum + count * count, 0)
    let best: Question = { column: -1, at: 0, purity: squares / (to - from) + 1e-9 }
    if (best.purity > to - from) return undefined
    for (let column = 0; column < columns; column++) best = bestOfColumn(column, { from, to, totals, squares, best })
    return best.column < 0 ? undefined : best
  }

  function bestOfColumn(
    column: number,
    {
      from,
      to,
      totals,
      squares,
      best: before,
    }: { from: number; to: number; totals: Float64Array; squares: number; best: Question },
  ): Question {
    const [order, own] = [orders[column]!, cells[column]!]
    let best = before
    let start = from
    let leftSquares = 0
    let rightSquares = squares
    left.fill(0)
    right.set(totals)
    for (let i = from; i < to; i++) {
      const cell = own[order[i]!]!
      if (isName(cell) && i > from && own[order[i - 1]!] !== cell) {
        left.fill(0)
        right.set(totals)
        leftSquares = 0
        rightSquares = squares
        start = i
      }
      const { label } = examples[order[i]!]!
      leftSquares += 2 * left[label]!++ + 1
      rightSquares -= 2 * right[label]!-- - 1
      const next = i + 1 < to ? own[order[i + 1]!]! : Number.NaN
      const [onLeft, onRight] = [i + 1 - start, to - from - (i + 1 - start)]
      if (cell === next || onLeft < LEAST || onRight < LEAST) continue
      const purity = leftSquares / onLeft + rightSquares / onRight
      if (purity > best.purity) best = { column, at: placeBetween(cell, next), purity }
    }
    return best
  }

  /** Puts those of the left side before the others, in every list. The place where the right side begins. */
  function divide(from: number, to: number, { column, at }: Question): number {
    let middle = from
    for (let i = from; i < to; i++) {
      const example = orders[0]![i]!
      isLeft[example] = Number(goesLeft(cells[column]![example]!, at))
      middle += isLeft[example]!
    }
    const rest = new Uint32Array(to - middle)
    for (const order of orders) {
      let [l, r] = [from, 0]
      for (let i = from; i < to; i++) {
        const example = order[i]!
        if (isLeft[example] === 1) order[l++] = example
        else rest[r++] = example
      }
      order.set(rest, middle)
    }
    return middle
  }
}

function treeOf({ columns, ats, rights }: { columns: Int16Array; ats: Float64Array; rights: Uint16Array }): Tree {
  return {
    predict(values) {
      let node = 0
      while (columns[node]! >= 0) {
        node = goesLeft(cellOf(values, columns[node]!), ats[node]!) ? node + 1 : rights[node]!
      }
      return ats[node]!
    },
  }
}

function goesLeft(cell: number, at: number): boolean {
  return isName(at) ? cell === at : cell < at
}

/** What to ask so that `cell` lies on the left side and the next one on the right. */
function placeBetween(cell: number, next: number): number {
  if (isName(cell)) return cell
  // 64 bits hold a number between any two of 32 bits.
  return cell + (Math.min(next, NAMES) - cell) / 2
}

/** The places of a column's cells in ascending order, equal ones as they came. */
function orderOf(cells: Float32Array): Uint32Array {
  const words = new Uint32Array(cells.buffer)
  // The bits of a float, turned into a whole number with the same order, and the place behind it.
  const keys = Float64Array.from(words, (word, i) => {
    const rank = word >= 0x80000000 ? 0xffffffff - word : word + 0x80000000
    return rank * 65_536 + i
  })
  return Uint32Array.from(keys.sort(), (key) => key % 65_536)
}
