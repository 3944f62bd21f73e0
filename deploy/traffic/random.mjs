/** Seeded chance: the same seed sends the same queries in the same order. */

/**
 * A source of random numbers (mulberry32).
 *
 * @param {number} seed A whole number.
 */
export function createRandom(seed) {
  let state = seed >>> 0
  /** At least 0, below 1. */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  /** At least `from`, below `to`. */
  const between = (from, to) => from + (to - from) * next()
  /** A whole number, at least 0, below `count`. */
  const below = (count) => Math.floor(count * next())
  /** One item of a list. */
  const pick = (items) => items[below(items.length)]
  /** One of a list, each as often as its `share` says. */
  const pickByShare = (items) => {
    let left = next() * items.reduce((sum, { share }) => sum + share, 0)
    for (const item of items) {
      left -= item.share
      if (left < 0) return item
    }
    return items[0]
  }
  return { next, between, below, pick, pickByShare }
}
