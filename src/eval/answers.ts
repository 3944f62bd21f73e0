/** Answers, and what attacks take from them. */
import type { Answer } from './types.ts'

export const REFUSED: Answer = { logits: new Float32Array(), label: -1, refused: true }

export function answerOf(logits: Float32Array): Answer {
  return { logits, label: largest(logits), refused: false }
}

/** The class of the largest number, the first of equals. */
export function largest(logits: ArrayLike<number>): number {
  let best = 0
  for (let k = 1; k < logits.length; k++) if (logits[k]! > logits[best]!) best = k
  return best
}

/** How far class `k` stands above the strongest other, in nats. */
export function marginOf(logits: ArrayLike<number>, k: number): number {
  let other = -Infinity
  for (let j = 0; j < logits.length; j++) if (j !== k && logits[j]! > other) other = logits[j]!
  return logits[k]! - other
}

/** ln of the probability of class `k`. */
export function logProbability(logits: ArrayLike<number>, k: number): number {
  const most = logits[largest(logits)]!
  let sum = 0
  for (let j = 0; j < logits.length; j++) sum += Math.exp(logits[j]! - most)
  return logits[k]! - most - Math.log(sum)
}
