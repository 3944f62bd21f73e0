/** What expressions give, and what they are asked of. */
import type { Kept, Labels, Samples } from './samples.ts'

/** One value with its labels; none of them is the name of the metric. */
export interface Element {
  readonly labels: Labels
  readonly value: number
}

export type Value =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'vector'; readonly elements: readonly Element[] }
  | { readonly kind: 'range'; readonly series: readonly Kept[]; readonly seconds: number }

/** What is asked, and when, in seconds since the epoch. */
export interface Moment {
  readonly samples: Samples
  readonly seconds: number
}

/** The elements of a vector; `where` is told of what is none. */
export function vectorOf(value: Value, where: string): readonly Element[] {
  if (value.kind === 'vector') return value.elements
  throw new SyntaxError(`${where} must be a vector, came a ${value.kind}`)
}

/** The labels as one text, those that are named or all of them. */
export function keyOf(labels: Labels, names: readonly string[] = Object.keys(labels)): string {
  return JSON.stringify([...names].sort().map((name) => [name, labels[name] ?? '']))
}
