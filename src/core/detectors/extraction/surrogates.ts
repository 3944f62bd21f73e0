/** The two models that a client could have made of what it was told; the whole follows from the sample. */
import type { Example } from './example.ts'
import { fitLinear, linearBytes } from './linear.ts'
import { growTree, MOST_NODES, NODE } from './tree.ts'

export type Kind = 'tree' | 'linear'

export interface Surrogates {
  /** The label that each would answer. Good until the next call. */
  predict(values: ArrayLike<number>): Readonly<Record<Kind, number>>
}

/** @param examples At least one. */
export function learnSurrogates(examples: readonly Example[]): Surrogates {
  // Classes are numbered by their occurrence: most models' others have not been seen.
  const labels = [...new Set(examples.map(({ label }) => label))].sort((a, b) => a - b)
  const place = new Map(labels.map((label, i) => [label, i]))
  const own = examples.map((example) => ({ ...example, label: place.get(example.label)! }))
  const tree = growTree(own, labels.length)
  const linear = fitLinear(own, labels.length)
  const answers = { tree: 0, linear: 0 }
  return {
    predict(values) {
      answers.tree = labels[tree.predict(values)]!
      answers.linear = labels[linear.predict(values)]!
      return answers
    },
  }
}

/** What they take at most, made or not: nodes are fewer than examples. */
export function surrogateBytes(examples: number, classes: number): number {
  if (examples === 0) return 0
  return NODE * Math.min(examples, MOST_NODES) + linearBytes(Math.min(examples, classes))
}
