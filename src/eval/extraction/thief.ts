/**
 * What all thieves of models share: they keep what they were told, and after every 100 queries it is noted how good a copy
 * that makes: its `accuracy` (the true class) and its `fidelity` (the class that the model says) on inputs that nobody asks.
 *
 * One learner judges all of them, whatever an attack itself learns with, so that the figures compare the queries: three
 * passes over what is known after every 100 queries, and at the end, each from the weights before.
 */
import { MonitorError, softmax } from '../../core/index.ts'
import { createRandom } from '../random.ts'
import type { Answer, Labelled, Oracle, Task } from '../types.ts'
import type { Medium } from './medium.ts'
import { createReservoir } from './reservoir.ts'
import { agreement, createSurrogate, type Example } from './surrogate.ts'

export interface Stolen<Input> extends Example {
  readonly input: Input
  /** The class that the model said. */
  readonly label: number
}

export interface Thief<Input> {
  /** What is known: every answer that was not refused, above 4000 a random choice of them. */
  readonly known: readonly Stolen<Input>[]
  ask(inputs: readonly Input[]): Promise<void>
}

const EVERY = 100
/** Answers that are kept at most. */
const MOST_KNOWN = 4000
/** Known answers that one pass of the judge takes at most, the newest ones among them. */
const PASS = 1000
const PASSES = 3
/** Inputs on which the copy is judged at most. */
const MOST_HELD_OUT = 500
/** Rectified units of the copy that is judged. */
const JUDGED_UNITS = 64

export function createThief<Input>(oracle: Oracle<Input>, task: Task<Input>, medium: Medium<Input>): Thief<Input> {
  const random = createRandom(oracle.random.whole(2 ** 32))
  const known = createReservoir<Stolen<Input>>(MOST_KNOWN, random)
  const judged = createSurrogate({ classes: task.classes, hidden: JUDGED_UNITS, random })
  const tests = testsOf(heldOutOf(task), medium)
  let fresh: Stolen<Input>[] = []
  let asked = 0
  let isLast = false
  return { known: known.items, ask }

  async function ask(inputs: readonly Input[]): Promise<void> {
    for (let from = 0; from < inputs.length; ) {
      // No more than is left in one batch: the session ends within a larger one, before the last figures are taken.
      const count = Math.min(EVERY - (asked % EVERY), Math.max(oracle.left, 1))
      const part = inputs.slice(from, from + count)
      for (const [i, answer] of (await oracle.askAll(part)).entries()) keep(part[i]!, answer)
      from += part.length
      asked += part.length
      if (asked % EVERY === 0 || (oracle.left === 0 && !isLast)) judge()
      isLast = oracle.left === 0
    }
  }

  function keep(input: Input, answer: Answer): void {
    if (answer.refused) return
    const stolen = { input, x: medium.numbersOf(input), target: softmax(answer.logits), label: answer.label }
    fresh.push(stolen)
    known.add(stolen)
  }

  function judge(): void {
    const all = known.items
    const examples = all.length <= PASS ? all : [...random.shuffled(all).slice(0, PASS - fresh.length), ...fresh]
    judged.train(examples, PASSES)
    fresh = []
    for (const [name, inputs] of Object.entries(tests)) {
      if (inputs.length > 0) oracle.note(name, agreement(judged, inputs))
    }
  }
}

interface Test {
  readonly x: Float64Array
  readonly label: number
}

function testsOf<Input>(
  heldOut: readonly Labelled<Input>[],
  medium: Medium<Input>,
): { readonly accuracy: readonly Test[]; readonly fidelity: readonly Test[] } {
  const tests = heldOut.slice(0, MOST_HELD_OUT).map(({ input, ...rest }) => ({ x: medium.numbersOf(input), ...rest }))
  return {
    accuracy: tests,
    fidelity: tests.flatMap(({ x, said }) => (said === undefined ? [] : { x, label: said })),
  }
}

/** The inputs that a thief may ask. Throws `bad_config` without any. */
export function askableOf<Input>(task: Task<Input>): readonly Labelled<Input>[] {
  const askable = partsOf(task).askable
  if (askable.length === 0) {
    throw new MonitorError('bad_config', 'must hold inputs to ask, came none', 'task.pool')
  }
  return askable
}

function heldOutOf<Input>(task: Task<Input>): readonly Labelled<Input>[] {
  return partsOf(task).heldOut
}

/** Without held-out inputs of its own, a fifth of the pool: the same one in every session. */
function partsOf<Input>({ pool, heldOut }: Task<Input>) {
  if (heldOut !== undefined) return { askable: pool, heldOut }
  const mixed = createRandom(1).shuffled(pool)
  const count = Math.min(Math.floor(pool.length / 5), MOST_HELD_OUT)
  return { askable: mixed.slice(count), heldOut: mixed.slice(0, count) }
}
