/** Seeded randomness for tests: the same seed gives the same numbers everywhere. */

/** A generator of numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** About a standard normal number: twelve uniform ones, added. */
export function normal(next: () => number): number {
  let sum = -6
  for (let i = 0; i < 12; i++) sum += next()
  return sum
}

/** A vector of normal numbers. */
export function vector(next: () => number, length: number): Float64Array {
  return Float64Array.from({ length }, () => normal(next))
}

/** A distribution over classes; the larger `peak`, the surer. */
export function distribution(next: () => number, classes: number, peak: number): number[] {
  const weights = Array.from({ length: classes }, (_, i) => (i === 0 ? peak : 1) * (0.05 + next()))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((w) => w / sum)
}
