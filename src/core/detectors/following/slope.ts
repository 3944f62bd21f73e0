/**
 * The slope test: does a query that the client builds on lie where the probes before it had lower margins?
 *
 * The rank correlation (Spearman) between the margins of the probes and how far each lies towards the new point is about 0 if the
 * client does not look at the answers, about 0 if it follows an aim of its own, −0.8 … −1 for the step of an attack that estimates
 * the slope of the margin, and positive if it raises its confidence. Evidence is the likelihood ratio of Fisher's z between a
 * correlation of −0.8 and one of −0.3, the most that is granted to an honest client. Independent probes are fewer than probes:
 * counted are the directions that they span (participation ratio of their Gram matrix), so that points on a line are one.
 */
import { SUMS } from '../../countSketch.ts'
import { log } from '../../math.ts'
import { CHILDREN, CORRELATION, MARGIN, type Memory, PARENT, PENDING, QUERY, ROOT, SLOPE, SLOPES } from './memory.ts'

/** Children that make a query adopted. */
export const ADOPTED = 3
/** Probes that are looked at, the latest; and how many there must be. */
const PROBES = 32
const FEWEST = 8
/** Directions that they must span at least. */
const DIRECTIONS = 5
/** Variance of Fisher's z for ranks, times the directions less 3 (Fieller, Hartley and Pearson, 1957). */
const SPREAD = 1.06
/** Fisher's z of the correlations 0.3 and 0.8. */
const GRANTED = /* @__PURE__ */ fisher(0.3)
const EXPECTED = /* @__PURE__ */ fisher(0.8)
/** Larger correlations count as this. */
const LARGEST = 0.999
/** Probes further from the adopted query than so many times its own children belong to steps long past. */
const REACH = 1.5

/** Adds the evidence of a query that has just got its third child, and clears away the probes that are past. */
export function testSlope(memory: Memory, adopted: number): void {
  const probes = probesBefore(memory, adopted)
  if (probes.length >= FEWEST) weigh(memory, adopted, probes)
  passOn(memory, adopted)
}

/** In the group, the oldest first. */
function probesBefore(memory: Memory, adopted: number): number[] {
  const [root, query] = [memory.get(adopted, ROOT), memory.get(adopted, QUERY)]
  const all = [...memory.slots()].filter(
    (slot) => memory.get(slot, PENDING) === 1 && memory.get(slot, ROOT) === root && memory.get(slot, QUERY) < query,
  )
  return all.slice(-PROBES)
}

function weigh(memory: Memory, adopted: number, probes: readonly number[]): void {
  const { towards, directions } = layout(memory, adopted, probes)
  const weight = (directions - 3) / SPREAD
  if (directions < DIRECTIONS) return
  const margins = probes.map((slot) => memory.get(slot, MARGIN))
  const correlation = rankCorrelation(margins, towards)
  const z = fisher(Math.min(Math.max(-correlation, -LARGEST), LARGEST))
  // ln of the ratio of two normal densities with this variance, 1 / weight.
  const evidence = weight * (EXPECTED - GRANTED) * (z - (EXPECTED + GRANTED) / 2)
  memory.set(adopted, SLOPE, memory.get(adopted, SLOPE) + evidence)
  memory.set(adopted, SLOPES, memory.get(adopted, SLOPES) + 1)
  memory.set(adopted, CORRELATION, correlation)
}

// Working memory of a layout. Its content never outlives a call.
const middle = /* @__PURE__ */ new Float64Array(SUMS)
const step = /* @__PURE__ */ new Float64Array(SUMS)
const offsets = /* @__PURE__ */ Array.from({ length: PROBES }, () => new Float64Array(SUMS))

/** How far each probe lies from their middle towards the adopted query, and the directions that they span. */
function layout({ vectors }: Memory, adopted: number, probes: readonly number[]) {
  const count = probes.length
  const { width } = vectors
  middle.fill(0)
  for (const slot of probes) {
    const at = vectors.at(slot)
    for (let i = 0; i < width; i++) middle[i]! += at[i]!
  }
  // Everything times the count: whole numbers stay whole.
  const lay = (slot: number, to: Float64Array) => {
    const at = vectors.at(slot)
    for (let i = 0; i < width; i++) to[i] = count * at[i]! - middle[i]!
  }
  for (const [i, slot] of probes.entries()) lay(slot, offsets[i]!)
  lay(adopted, step)
  const laid = offsets.slice(0, count)
  const lengths = laid.map((offset) => dot(offset, offset, width))
  let overlap = 0
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const product = dot(offsets[i]!, offsets[j]!, width)
      const both = lengths[i]! * lengths[j]!
      if (both > 0) overlap += (2 * product * product) / both
    }
    if (lengths[i]! > 0) overlap += 1
  }
  return {
    towards: laid.map((offset) => dot(offset, step, width)),
    directions: overlap === 0 ? 0 : (count * count) / overlap,
  }
}

function dot(a: Float64Array, b: Float64Array, width: number): number {
  let sum = 0
  for (let i = 0; i < width; i++) sum += a[i]! * b[i]!
  return sum
}

/** Spearman's; 0 if all of one side are equal. */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [ranks(x), ranks(y)]
  let [both, first, second] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    both += a[i]! * b[i]!
    first += a[i]! * a[i]!
    second += b[i]! * b[i]!
  }
  return first === 0 || second === 0 ? 0 : both / Math.sqrt(first * second)
}

/** Twice the rank of each less the middle one; equal values share theirs. Whole numbers. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    let place = 0
    for (const other of values) place += other < value ? 1 : other > value ? -1 : 0
    return place
  })
}

function fisher(r: number): number {
  return log((1 + r) / (1 - r)) / 2
}

/** Its children go on from the new evidence; probes out of its reach are past. */
function passOn(memory: Memory, adopted: number): void {
  const { vectors } = memory
  const [query, root] = [memory.get(adopted, QUERY), memory.get(adopted, ROOT)]
  let reach = 0
  for (const slot of memory.slots()) {
    if (memory.get(slot, PARENT) !== query) continue
    reach = Math.max(reach, vectors.between(slot, adopted))
    if (memory.get(slot, CHILDREN) < ADOPTED) {
      for (const column of [SLOPE, SLOPES, CORRELATION]) memory.set(slot, column, memory.get(adopted, column))
    }
  }
  memory.set(adopted, PENDING, 0)
  for (const slot of memory.slots()) {
    if (memory.get(slot, ROOT) !== root || memory.get(slot, PENDING) === 0) continue
    if (vectors.between(slot, adopted) > REACH * REACH * reach) memory.set(slot, PENDING, 0)
  }
}
