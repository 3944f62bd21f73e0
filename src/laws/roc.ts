/** How well scores tell suspicious from honest. */

/** Area under the ROC curve: the share of (suspicious, honest) pairs in the right order, ties half (Mann–Whitney). */
export function areaUnderRoc(scored: readonly { readonly score: number; readonly suspicious: boolean }[]): number {
  const bad = scored.filter(({ suspicious }) => suspicious)
  const good = scored.filter(({ suspicious }) => !suspicious)
  let won = 0
  for (const { score } of bad)
    for (const other of good) won += score > other.score ? 1 : score === other.score ? 0.5 : 0
  return won / (bad.length * good.length)
}
