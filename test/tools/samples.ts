/** Samples by a recipe, to the bit as test/golden/stats.py makes them, and the expected values that it computed. */
import { readFileSync } from 'node:fs'
import { normal, random } from './random.ts'

/** The numbers themselves, or how to make them. */
export type Sample = readonly number[] | { readonly kind: Kind; readonly n: number; readonly seed: number }

type Kind = keyof typeof KINDS

const KINDS = {
  uniform: (u: () => number) => u(),
  normal,
  ties: (u: () => number) => Math.floor(10 * u()),
  heavy: (u: () => number) => 1 / (u() + 2 ** -32),
  near: (u: () => number) => 1 + u() * 2 ** -40,
  far: (u: () => number) => 1e9 + normal(u),
  small: (u: () => number) => 1e-30 * normal(u),
  skewed(u: () => number) {
    const v = u()
    return v * v * v * v
  },
}

export function sample(spec: Sample): Float64Array {
  if (!('kind' in spec)) return Float64Array.from(spec)
  const next = random(spec.seed)
  return Float64Array.from({ length: spec.n }, () => KINDS[spec.kind](next))
}

export interface VectorSample {
  readonly count: number
  readonly dimension: number
  readonly seed: number
  readonly shift: number
}

export function vectors({ count, dimension, seed, shift }: VectorSample): Float64Array[] {
  const next = random(seed)
  return Array.from({ length: count }, () => Float64Array.from({ length: dimension }, () => normal(next) + shift))
}

const golden = JSON.parse(readFileSync(new URL('../golden/stats.json', import.meta.url), 'utf8'))

/** The expected values of one subject. */
export function expected<T>(subject: string): readonly T[] {
  return golden[subject]
}

/** How far `got` is from `want`, in shares of `want`; 0 when they are the same. */
export function relativeError(got: number, want: number): number {
  return got === want ? 0 : Math.abs(got - want) / Math.abs(want)
}
