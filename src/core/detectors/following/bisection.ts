/**
 * The bisection test: does a client that halves the way between two inputs of different classes go on in the half in which the
 * class changes?
 *
 * Who does not look at the answers takes either half as often. Whoever looks for the boundary, and knows the class alone, takes
 * the half in which it lies, time after time: RayS, HopSkipJump, Boundary and SurFree all begin so. The bet of 0.95 on it makes
 * an e-value. Evidence does not fall below none, so that it is a sum (CUSUM) over the halvings of a client.
 */
import { log } from '../../math.ts'
import { removeAt } from '../../sorted.ts'
import type { PlainData } from '../../types.ts'
import { LABEL, type Memory, QUERY, TOUCHED } from './memory.ts'

/** Earlier queries between which a new one may lie. */
export const LATEST = 8
/** How far between two others a query must lie to halve their distance. */
const BETWEEN = 0.2
/** Largest distance from the line, in distances of its ends. */
const OFF_LINE = 0.15
const WON = /* @__PURE__ */ log(1.9)
const LOST = /* @__PURE__ */ log(0.1)

/** Two queries of different classes, and one that lies between them: their numbers. */
type Bracket = readonly [low: number, high: number, middle: number]

/** As plain data. */
export interface BisectionState {
  /** In nats, at least 0. */
  evidence: number
  /** Halvings that were tested, and those of them that went to the half in which the class changes. */
  halvings: number
  towards: number
  /** Empty without a bracket. */
  bracket: Bracket | readonly []
  /** Numbers of the latest queries, the oldest first. */
  readonly latest: number[]
}

const NO_BRACKET = [] as const

function newState(): BisectionState {
  return { evidence: 0, halvings: 0, towards: 0, bracket: NO_BRACKET, latest: [] }
}

export class Bisection {
  state = newState()

  /** Takes the query that was just added to the memory. Returns true if it goes on with a bisection, win or lose. */
  see(memory: Memory, slot: number): boolean {
    const query = memory.get(slot, QUERY)
    const { bracket, latest } = this.state
    const next = bracket.length === 0 ? undefined : this.#halve(memory, slot, bracket)
    const found = next ?? findBracket(memory, slot, latest)
    if (found !== undefined) for (let i = 0; i < 3; i++) memory.set(memory.slotOf(found[i]!)!, TOUCHED, query)
    this.state.bracket = found ?? NO_BRACKET
    if (latest.length === LATEST) removeAt(latest, 0)
    latest.push(query)
    return next !== undefined
  }

  save(): PlainData {
    const { bracket, latest, ...counts } = this.state
    return { ...counts, bracket: [...bracket], latest: [...latest] }
  }

  /** The bracket that the query makes of this one; undefined if it lies in neither half. */
  #halve(memory: Memory, slot: number, [low, high, middle]: Bracket): Bracket | undefined {
    const l = memory.slotOf(low)
    const h = memory.slotOf(high)
    const m = memory.slotOf(middle)
    if (l === undefined || h === undefined || m === undefined) return undefined
    const isLower = liesBetween(memory, slot, l, m)
    if (!isLower && !liesBetween(memory, slot, m, h)) return undefined
    const label = memory.get(m, LABEL)
    const changesBelow = label !== memory.get(l, LABEL)
    const changesAbove = label !== memory.get(h, LABEL)
    if (changesBelow !== changesAbove) this.#count(isLower === changesBelow)
    const query = memory.get(slot, QUERY)
    return isLower ? [low, middle, query] : [middle, high, query]
  }

  #count(isTowards: boolean): void {
    const { state } = this
    state.evidence = Math.max(0, state.evidence + (isTowards ? WON : LOST))
    state.halvings++
    if (isTowards) state.towards++
  }

  clear(): void {
    this.state = newState()
  }
}

/** Working memory: the slots of the latest queries, and how far they are from the query. */
const slots = /* @__PURE__ */ new Uint32Array(LATEST)
const far = /* @__PURE__ */ new Float64Array(LATEST)

/** Whether so many of {@link slots} have the same label. */
function haveOneLabel(memory: Memory, count: number): boolean {
  for (let i = 1; i < count; i++) if (memory.get(slots[i]!, LABEL) !== memory.get(slots[0]!, LABEL)) return false
  return true
}

/** The two nearest each other of the latest queries, of different classes, that the query lies between. */
function findBracket(memory: Memory, slot: number, latest: readonly number[]): Bracket | undefined {
  let count = 0
  for (let i = 0; i < latest.length; i++) {
    const one = memory.slotOf(latest[i]!)
    if (one !== undefined) slots[count++] = one
  }
  if (haveOneLabel(memory, count)) return undefined
  const { vectors } = memory
  for (let i = 0; i < count; i++) far[i] = vectors.between(slot, slots[i]!)
  let shortest = Infinity
  let found: Bracket | undefined
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const low = slots[i]!
      const high = slots[j]!
      if (memory.get(low, LABEL) === memory.get(high, LABEL)) continue
      const way = vectors.between(low, high)
      if (way >= shortest || !isBetween(way, far[i]!, far[j]!)) continue
      shortest = way
      found = [memory.get(low, QUERY), memory.get(high, QUERY), memory.get(slot, QUERY)]
    }
  }
  return found
}

function liesBetween({ vectors }: Memory, slot: number, a: number, b: number): boolean {
  return isBetween(vectors.between(a, b), vectors.between(slot, a), vectors.between(slot, b))
}

/** By the law of cosines, from squared distances: where on the way a point is nearest, and how far from it. */
function isBetween(way: number, fromA: number, fromB: number): boolean {
  if (way === 0) return false
  const place = (fromA + way - fromB) / (2 * way)
  if (!(place >= BETWEEN && place <= 1 - BETWEEN)) return false
  return fromA - place * place * way <= OFF_LINE * OFF_LINE * way
}
