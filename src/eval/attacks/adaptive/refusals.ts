/**
 * OARS: refusals tell an attacker how unlike each other queries must be. The smallest size of a kind of change is found
 * that is hardly ever refused; the attack then keeps above it.
 */
import type { Oracle, Picture } from '../../types.ts'

export const OARS_PAPER = 'Feng, Hooda, Mangaokar et al., CCS 2023, arXiv 2303.06280'

/** How a size is looked for. */
export interface SizeSearch {
  readonly from: number
  readonly to: number
  readonly bisections: number
  /** Queries a bisection. */
  readonly samples: number
  /** Share of them that may be refused. */
  readonly refused: number
}

/** The smallest size found at which few enough probes are refused; the largest if there is none. */
export async function smallestAnswered(
  oracle: Oracle<Picture>,
  { from, to, bisections, samples, refused }: SizeSearch,
  probe: (size: number) => Picture,
): Promise<number> {
  let [low, high] = [from, to]
  for (let n = 0; n < bisections; n++) {
    const middle = (low + high) / 2
    const answers = await oracle.askAll(Array.from({ length: samples }, () => probe(middle)))
    const share = answers.filter((answer) => answer.refused).length / samples
    if (share <= refused) high = middle
    else low = middle
  }
  return high
}
