/**
 * A thief's copy of a model: softmax of a linear map, or of a network with one layer of rectified units, trained on the
 * probabilities that the model gave by plain stochastic gradient descent, one example at a time.
 *
 * The inputs are centred, and scaled to one mean size, by what the first training shows: at a rate of 0.1 the steps are
 * then large and stable whatever the inputs are.
 */
import { softmax } from '../../core/index.ts'
import { largest } from '../answers.ts'
import type { Random } from '../random.ts'
import { apply, backward, createDense, type Dense, descend } from './dense.ts'

/** One answered query. */
export interface Example {
  readonly x: Float64Array
  /** The model's probabilities. */
  readonly target: Float64Array
}

export interface SurrogateOptions {
  readonly classes: number
  /** Rectified units; 0 for a linear softmax. */
  readonly hidden: number
  readonly random: Random
}

export interface Surrogate {
  /** Goes on from the weights as they are; every epoch in an order of its own. */
  train(examples: readonly Example[], epochs: number): void
  /** The probabilities; all the same before the first training. */
  predict(x: Float64Array): Float64Array
  /** For each number +1 or −1: the way in which class `k` gains probability. Where it makes no difference +1. */
  direction(x: Float64Array, k: number): Int8Array
}

const RATE = 0.1
const L2 = 1e-4
/** Mean squared length of the scaled inputs. */
const SQUARED_LENGTH = 5
/** Standard deviation of what goes into a hidden unit at first. */
const FIRST_SPREAD = 0.3

export function createSurrogate({ classes, hidden, random }: SurrogateOptions): Surrogate {
  let model: Model | undefined
  return {
    train(examples, epochs) {
      if (examples.length === 0) return
      model ??= createModel(examples)
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (const example of random.shuffled(examples)) step(model, example)
        const kept = (1 - RATE * L2) ** examples.length
        if (model.first !== undefined) shrink(model.first, kept)
        shrink(model.last, kept)
      }
    },
    predict: (x) => (model === undefined ? new Float64Array(classes).fill(1 / classes) : forward(model, x).p),
    direction(x, k) {
      if (model === undefined) return new Int8Array(x.length).fill(1)
      const { units, p } = forward(model, x)
      // d ln p_k / d logits; the factor p_k that is missing changes no sign.
      const d = p.map((share, j) => Number(j === k) - share)
      return Int8Array.from(gradientOf(model, units, d), (slope) => (slope < 0 ? -1 : 1))
    },
  }

  function createModel(examples: readonly Example[]): Model {
    const { centre, scale } = spreadOf(examples)
    const inputs = centre.length
    if (hidden === 0) return { centre, scale, first: undefined, last: createDense(inputs, classes) }
    const weights = random.normals(hidden * inputs).map((v) => (v * FIRST_SPREAD) / Math.sqrt(SQUARED_LENGTH))
    return { centre, scale, first: createDense(inputs, hidden, weights), last: createDense(hidden, classes) }
  }
}

interface Model {
  readonly centre: Float64Array
  readonly scale: number
  readonly first: Dense | undefined
  readonly last: Dense
}

interface Forward {
  readonly z: Float64Array
  /** What goes into the last layer: `z` itself where there is no other. */
  readonly units: Float64Array
  readonly p: Float64Array
}

function spreadOf(examples: readonly Example[]): { readonly centre: Float64Array; readonly scale: number } {
  const centre = new Float64Array(examples[0]!.x.length)
  for (const { x } of examples) for (let i = 0; i < centre.length; i++) centre[i]! += x[i]! / examples.length
  let sum = 0
  for (const { x } of examples) for (let i = 0; i < centre.length; i++) sum += (x[i]! - centre[i]!) ** 2
  return { centre, scale: sum > 0 ? Math.sqrt((SQUARED_LENGTH * examples.length) / sum) : 1 }
}

function forward({ centre, scale, first, last }: Model, x: Float64Array): Forward {
  const z = new Float64Array(x.length)
  for (let i = 0; i < x.length; i++) z[i] = scale * (x[i]! - centre[i]!)
  const units = first === undefined ? z : apply(first, z).map((v) => Math.max(v, 0))
  return { z, units, p: softmax(apply(last, units)) }
}

function step(model: Model, { x, target }: Example): void {
  const { z, units, p } = forward(model, x)
  const d = p.map((share, k) => share - target[k]!)
  const { first, last } = model
  if (first !== undefined) descend(first, z, throughUnits(last, units, d), RATE)
  descend(last, units, d, RATE)
}

function gradientOf({ first, last }: Model, units: Float64Array, d: Float64Array): Float64Array {
  return first === undefined ? backward(last, d) : backward(first, throughUnits(last, units, d))
}

function throughUnits(last: Dense, units: Float64Array, d: Float64Array): Float64Array {
  return backward(last, d).map((slope, i) => (units[i]! > 0 ? slope : 0))
}

function shrink({ weights }: Dense, by: number): void {
  for (let i = 0; i < weights.length; i++) weights[i]! *= by
}

/** Shares of the examples for which the copy says the class given with them. */
export function agreement(
  surrogate: Surrogate,
  examples: readonly { readonly x: Float64Array; readonly label: number }[],
): number {
  const same = examples.filter(({ x, label }) => largest(surrogate.predict(x)) === label)
  return same.length / examples.length
}
