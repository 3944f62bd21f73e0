/** The colours of the style sheet for canvases, which cannot use variables. */

const names = new Map<string, string>()
const dark = matchMedia('(prefers-color-scheme: dark)')

/** The value of a variable such as `--line`. */
export function color(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  names.set(name, value)
  return value
}

/** Calls `redraw` when the scheme changes from light to dark or back. */
export function onScheme(redraw: () => void): void {
  dark.addEventListener('change', () => {
    names.clear()
    redraw()
  })
}
