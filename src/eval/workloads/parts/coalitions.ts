import type { Random } from '../../random.ts'

/**
 * Which of `count` parts are shown, as KernelSHAP draws it: first all, then none, then k of them with a weight of
 * (count − 1) / (k · (count − k)), every choice of k parts alike.
 */
export function createCoalitions(random: Random, count: number): (n: number) => Uint8Array {
  const weights = Float64Array.from({ length: count - 1 }, (_, i) => (count - 1) / ((i + 1) * (count - i - 1)))
  const total = weights.reduce((a, b) => a + b, 0)
  const parts = Int32Array.from({ length: count }, (_, part) => part)
  return (n) => shown(n === 0 ? count : n === 1 ? 0 : drawnSize())

  function drawnSize(): number {
    let rest = total * random.next()
    let size = 1
    while (size < count - 1 && rest >= weights[size - 1]!) rest -= weights[size++ - 1]!
    return size
  }

  function shown(size: number): Uint8Array {
    const isShown = new Uint8Array(count)
    for (let i = 0; i < size; i++) {
      const other = i + random.whole(count - i)
      ;[parts[i], parts[other]] = [parts[other]!, parts[i]!]
      isShown[parts[i]!] = 1
    }
    return isShown
  }
}
