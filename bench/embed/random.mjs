/** Seeded chance: the same seeds give the same pictures, texts and tables on every machine. */

/**
 * A source of random numbers. Any seeds, in order, make one stream of its own.
 *
 * @param {...number} seeds Whole numbers.
 */
export function createRandom(...seeds) {
  let state = seeds.reduce((sum, seed) => mix(Math.imul(sum, 31) + seed + 1), 0x9e3779b9)
  /** At least 0, below 1. */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    return mix(state) / 2 ** 32
  }
  /** A whole number, at least 0, below `count`. */
  const below = (count) => Math.floor(count * next())
  /** −1 or 1. */
  const sign = () => (next() < 0.5 ? -1 : 1)
  /** One item of a list, or character of a text. */
  const pick = (items) => items[below(items.length)]
  /** From a normal distribution of mean 0 and deviation 1 (Box and Muller). */
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return { next, below, sign, pick, normal }
}

/** Finaliser of MurmurHash3: spreads the bits of a whole number over 32 bits. */
function mix(value) {
  let h = value >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The first `count` items of a shuffled copy. */
export function sample(items, count, random) {
  const copy = [...items]
  const taken = Math.min(count, copy.length)
  for (let i = 0; i < taken; i++) {
    const j = i + random.below(copy.length - i)
    ;[copy[i], copy[j]] = [copy[j], copy[i]]
  }
  return copy.slice(0, taken)
}
