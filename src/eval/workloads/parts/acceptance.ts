import type { Oracle } from '../../types.ts'

/**
 * Counts the moves that an optimiser tried and kept, and notes their share as `acceptance` at every `every`-th: one that
 * hardly ever moves shows nothing.
 */
export function countAcceptance({ note }: Pick<Oracle<unknown>, 'note'>, every = 1): (isKept: boolean) => void {
  let [tried, kept] = [0, 0]
  return (isKept) => {
    tried++
    if (isKept) kept++
    if (tried % every === 0) note('acceptance', kept / tried)
  }
}
