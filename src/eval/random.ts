/** Seeded randomness: one seed gives the same numbers on every runtime. */

export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number, 0 … count − 1. */
  whole(count: number): number
  /** Standard normal. */
  normal(): number
  /** Standard normal numbers. */
  normals(count: number): Float64Array
  /** A copy in random order (Fisher–Yates). */
  shuffled<T>(items: readonly T[]): T[]
  /** One of the items. */
  pick<T>(items: readonly T[]): T
}

/** sfc32 (Doty-Humphrey), begun from one number of 32 bits. */
export function createRandom(seed: number): Random {
  let [a, b, c, count] = [0, seed >>> 0, 0, 1]
  for (let i = 0; i < 12; i++) next()
  return { next, whole, normal, normals, shuffled, pick: (items) => items[whole(items.length)]! }

  function next(): number {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  function whole(length: number): number {
    return Math.floor(length * next())
  }

  /** Ratio of uniforms (Leva, ACM TOMS 18, 1992). The logarithm only decides, so engines whose last digit differs agree. */
  function normal(): number {
    for (;;) {
      const u = next() + 2 ** -33
      const v = 1.7156 * (next() - 0.5)
      const [x, y] = [u - 0.449871, Math.abs(v) + 0.386595]
      const q = x * x + y * (0.196 * y - 0.25472 * x)
      if (q < 0.27597 || (q <= 0.27846 && v * v <= -4 * u * u * Math.log(u))) return v / u
    }
  }

  function normals(length: number): Float64Array {
    const numbers = new Float64Array(length)
    for (let i = 0; i < length; i++) numbers[i] = normal()
    return numbers
  }

  function shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items]
    for (let i = copy.length - 1; i > 0; i--) {
      const other = whole(i + 1)
      ;[copy[i], copy[other]] = [copy[other]!, copy[i]!]
    }
    return copy
  }
}

/** One seed of several parts, such as the run's seed, the attack's name and the picture's index (FNV-1a, 32 bits). */
export function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const unit of parts.map((part) => `${part}\0`).join('')) {
    hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193)
  }
  return hash >>> 0
}
