/** The margin of a class: how far it stands above the strongest other, in nats. */
import { refuse } from '../../checkers.ts'
import { log } from '../../math.ts'
import { checkProbabilities, checkScores } from '../../probability.ts'
import type { DescentLineageConfig } from './config.ts'

/** Probabilities below this count as this: rounded answers have zeros, and ln 0 is no number. */
const FLOOR = 1e-12
/** No margin is larger, in size. */
export const LARGEST_MARGIN = 1e9

type Outputs = DescentLineageConfig['outputs']

/** Checks what the model gave: at least two classes. Throws `bad_query`. */
export function checkOutputs(given: ArrayLike<number> | undefined, outputs: Outputs): ArrayLike<number> {
  if (given === undefined) {
    refuse('bad_query', 'pass the class probabilities of the model', given, 'probabilities')
  }
  if (outputs === 'logits') checkScores(given)
  else if (checkProbabilities(given) === 0) refuse('bad_query', 'must have a sum above 0', 0, 'probabilities')
  if (given.length < 2) refuse('bad_query', 'must have at least two classes', given.length, 'probabilities')
  return given
}

/** The class with the largest value; the first of equals. */
export function largestClass(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/** l[reference] − the largest other l, where l are the logits, or the logarithms of the probabilities. */
export function marginOf(values: ArrayLike<number>, reference: number, outputs: Outputs): number {
  let other = -Infinity
  for (let i = 0; i < values.length; i++) if (i !== reference && values[i]! > other) other = values[i]!
  const own = values[reference]!
  const margin = outputs === 'logits' ? own - other : log(Math.max(own, FLOOR)) - log(Math.max(other, FLOOR))
  return Math.min(Math.max(margin, -LARGEST_MARGIN), LARGEST_MARGIN)
}
