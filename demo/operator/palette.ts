/** The colours of the page for canvases, which cannot use variables. */

/** Names of the dashboard to variables of ours. */
const NAMED: Readonly<Record<string, string>> = {
  green: '--op-green',
  yellow: '--op-yellow',
  orange: '--op-orange',
  red: '--op-red',
}
const SERIES = 7

/** The value of a variable where an element stands. */
export function colourOf(place: Element, name: string): string {
  return getComputedStyle(place).getPropertyValue(name).trim()
}

/** The variable that a series is drawn with: as the dashboard names it, else by its place. */
export function seriesVariable(index: number, named?: string): string {
  return (named === undefined ? undefined : NAMED[named]) ?? `--op-series-${(index % SERIES) + 1}`
}

/** The variable for a value, by the steps of a panel. */
export function stepVariable(
  value: number | null,
  steps: readonly (readonly [from: number | null, colour: string])[] = [],
): string {
  const reached = value === null ? undefined : steps.findLast(([from]) => from === null || value >= from)
  return reached === undefined ? '--ink' : (NAMED[reached[1]] ?? '--ink')
}

/** Calls `redraw` when the page turns from light to dark or back. Gives what ends it. */
export function onScheme(redraw: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', redraw)
  return () => dark.removeEventListener('change', redraw)
}
