/**
 * The choice test: does a client go on from the steps that lower the margin, and leave those that raise it?
 *
 * Each step from a point is taken, if something is built on it, or left. If the choice does not depend on the answers, steps that
 * were taken fell as often as steps that were left. The e-process is a universal one (Wasserman, Ramdas and Balakrishnan, 2020):
 * how likely the falls are if taken steps mostly fall and others mostly do not, learned step by step, over how likely they are at
 * best if both fall alike.
 */
import { log } from '../../math.ts'
import {
  CHILDREN,
  CHOICE,
  CHOSEN,
  LEFT_DOWN,
  LEFT_UP,
  LIKELIHOOD,
  MARGIN,
  type Memory,
  PARENT,
  TAKEN_DOWN,
  TAKEN_UP,
} from './memory.ts'

/** Falls and rises of an attack that are as good as seen before any: of steps taken, and of steps left. */
const TAKEN = { down: 4.5, up: 0.5 }
const LEFT = { down: 0.5, up: 1.5 }
/** Siblings whose squared step is larger or smaller by more than this are steps of another kind, such as probes. */
const RATIO = 2.25
/** Earlier steps to which this one must be new: going on along a line, as a sweep does, is no choice among steps. */
const STEPS_BACK = 4
/** Largest squared cosine to them. */
const NEW = 0.09
/** Weight of the first child of a point that is built on; later ones share the rest, each half of the one before. */
const FIRST = 0.99

/** Adds the evidence of a query that has just got its first child: it was taken. */
export function testChoice(memory: Memory, taken: number): void {
  const { vectors } = memory
  const parent = memory.slotOf(memory.get(taken, PARENT))
  if (parent === undefined) return
  const before = memory.get(parent, CHOSEN)
  memory.set(parent, CHOSEN, before + 1)
  weigh(memory, taken, before)
  if (isNew(memory, taken, parent)) {
    const step = vectors.between(taken, parent)
    for (const slot of leftBeside(memory, taken)) {
      const other = vectors.between(slot, parent)
      if (other <= step * RATIO && other >= step / RATIO) count(memory, taken, change(memory, slot, parent), false)
    }
    count(memory, taken, change(memory, taken, parent), true)
  }
  memory.set(taken, CHOICE, memory.get(taken, LIKELIHOOD) - bestOfAlike(memory, taken))
}

/** Of all paths from a point the evidence is a mixture, whose weights add up to one. */
function weigh(memory: Memory, taken: number, before: number): void {
  const weight = before === 0 ? log(FIRST) : log(1 - FIRST) - before * log(2)
  memory.set(taken, LIKELIHOOD, memory.get(taken, LIKELIHOOD) + weight)
}

function change(memory: Memory, slot: number, parent: number): number {
  return memory.get(slot, MARGIN) - memory.get(parent, MARGIN)
}

/** One step more on the path of `at`; one that changed nothing does not count. */
function count(memory: Memory, at: number, margin: number, isTaken: boolean): void {
  if (margin === 0) return
  const isDown = margin < 0
  const falls = likelyToFall(memory, at, isTaken)
  memory.set(at, LIKELIHOOD, memory.get(at, LIKELIHOOD) + log(isDown ? falls : 1 - falls))
  const [down, up] = isTaken ? [TAKEN_DOWN, TAKEN_UP] : [LEFT_DOWN, LEFT_UP]
  const column = isDown ? down : up
  memory.set(at, column, memory.get(at, column) + 1)
}

/** How likely the next step is to fall, by those before: no less than any if it is taken, no more if it is left. */
function likelyToFall(memory: Memory, at: number, isTaken: boolean): number {
  const [takenDown, takenUp] = [memory.get(at, TAKEN_DOWN), memory.get(at, TAKEN_UP)]
  const [leftDown, leftUp] = [memory.get(at, LEFT_DOWN), memory.get(at, LEFT_UP)]
  const any = share(takenDown + leftDown, takenUp + leftUp, { down: 0.5, up: 0.5 })
  return isTaken ? Math.max(any, share(takenDown, takenUp, TAKEN)) : Math.min(any, share(leftDown, leftUp, LEFT))
}

function share(down: number, up: number, prior: { readonly down: number; readonly up: number }): number {
  return (down + prior.down) / (down + up + prior.down + prior.up)
}

/** The largest logarithm of a likelihood if steps that were taken and left fall alike. */
function bestOfAlike(memory: Memory, at: number): number {
  const down = memory.get(at, TAKEN_DOWN) + memory.get(at, LEFT_DOWN)
  const up = memory.get(at, TAKEN_UP) + memory.get(at, LEFT_UP)
  return part(down, down + up) + part(up, down + up)
}

function part(some: number, all: number): number {
  return some === 0 ? 0 : some * log(some / all)
}

/** Other children of the same parent that nothing was built on, the oldest first. */
function leftBeside(memory: Memory, taken: number): number[] {
  const parent = memory.get(taken, PARENT)
  return [...memory.slots()].filter(
    (slot) => slot !== taken && memory.get(slot, PARENT) === parent && memory.get(slot, CHILDREN) === 0,
  )
}

/** True if the step from the parent lies along none of the steps before it. */
function isNew(memory: Memory, taken: number, parent: number): boolean {
  const { vectors } = memory
  const step = vectors.between(taken, parent)
  let to = parent
  for (let n = 0; n < STEPS_BACK; n++) {
    const from = memory.slotOf(memory.get(to, PARENT))
    if (from === undefined) return true
    const product = vectors.product(taken, parent, to, from)
    if (product * product > NEW * step * vectors.between(to, from)) return false
    to = from
  }
  return true
}
