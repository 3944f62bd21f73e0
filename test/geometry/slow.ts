/**
 * The rule of the update geometry once more, written from its description alone: the whole stream is kept, and everything is
 * counted anew at each query. It shares nothing with the detector but the logarithm.
 */
import { log } from '../../src/core/math.ts'

export interface SlowVerdict {
  readonly turn: number | null
  readonly score: number
  readonly histogram: readonly number[]
}

/** What is to be said of the last query of a stream. */
export function slowly(queries: readonly ArrayLike<number>[], honest: readonly number[], turns: number): SlowVerdict {
  const rounded = queries.map((query) => Array.from(query, Math.fround))
  const isRepeat = (i: number) => i > 0 && rounded[i]!.every((value, k) => value === rounded[i - 1]![k])
  const steps: number[][] = []
  let last: number[] | undefined
  for (const [i, query] of rounded.entries()) {
    if (isRepeat(i)) continue
    if (last !== undefined) steps.push(query.map((value, k) => value - last![k]!))
    last = query
  }
  const cosines = steps.slice(1).map((step, i) => cosine(steps[i]!, step))
  const window = cosines.slice(-turns)
  const histogram = honest.map((_, bin) => window.filter((one) => place(one, honest.length) === bin).length)
  const isNew = !isRepeat(rounded.length - 1) && cosines.length > 0
  return {
    turn: isNew ? cosines.at(-1)! : null,
    score: window.length < turns ? 0 : divergence(honest, histogram),
    histogram,
  }
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const product = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, k) => sum + value * y[k]!, 0)
  const value = product(a, b) / (Math.sqrt(product(a, a)) * Math.sqrt(product(b, b)))
  return Math.min(Math.max(value, -1), 1)
}

/** The number of the part of −1 … 1. */
function place(value: number, parts: number): number {
  const at = Math.floor(((value + 1) / 2) * parts)
  return at === parts ? parts - 1 : at
}

/** Jensen and Shannon, in bits. */
function divergence(a: readonly number[], b: readonly number[]): number {
  const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0)
  const half = (share: number, middle: number) => (share === 0 ? 0 : (share * log(share / middle)) / 2)
  const nats = a.reduce((total, _, i) => {
    const [p, q] = [a[i]! / sum(a), b[i]! / sum(b)]
    return total + half(p, (p + q) / 2) + half(q, (p + q) / 2)
  }, 0)
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: a literal has the same bits everywhere
  return Math.min(Math.max(nats / 0.6931471805599453, 0), 1)
}
