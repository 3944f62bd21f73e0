/** Elements without markup strings: whatever a visitor types stays text. */

type Child = Node | string | null | undefined
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

const SVG = 'http://www.w3.org/2000/svg'

/** An element. An attribute that is `true` is set empty, one that is `false` or `undefined` is left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), attributes, children)
}

/** The same for drawings. */
export function drawing<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

function fill<E extends Element>(target: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) target.setAttribute(name, value === true ? '' : String(value))
  }
  target.append(...children.filter((child) => child !== null && child !== undefined))
  return target
}

/** The element of this id, which the page is known to have. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element #${id}`)
  return found as E
}

/** A button that says what it does. */
export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', onClick)
  return made
}

const ICONS = {
  alarm: 'M12 3 1.8 20.5h20.4L12 3Zm0 6v5.2m0 3.1v.4',
  calm: 'M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19Zm-4.4 9.7 3.1 3.1 5.7-6.3',
  error: 'M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19ZM8.6 8.6l6.8 6.8m0-6.8-6.8 6.8',
} as const

export type IconName = keyof typeof ICONS

/** A small picture beside a word that says the same, hence hidden from screen readers. */
export function icon(name: IconName): SVGSVGElement {
  return drawing(
    'svg',
    { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    drawing('path', { d: ICONS[name] }),
  )
}
