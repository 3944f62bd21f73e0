import type { Random } from '../random.ts'

/** At most so many of all items that came, each as likely as any other (Vitter's algorithm R); in their order until then. */
export interface Reservoir<T> {
  readonly items: readonly T[]
  add(item: T): void
}

export function createReservoir<T>(most: number, random: Random): Reservoir<T> {
  const items: T[] = []
  let seen = 0
  return {
    items,
    add(item) {
      seen++
      if (items.length < most) {
        items.push(item)
        return
      }
      const place = random.whole(seen)
      if (place < most) items[place] = item
    },
  }
}
