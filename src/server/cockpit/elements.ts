/** Elements without markup strings: whatever a client calls itself stays text. */

type Child = Node | string
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** An element. An attribute that is `true` is set empty, one that is `false` or `undefined` is left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children)
  return made
}

/** The element of this id, which the page is known to have. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element #${id}`)
  return found as E
}

export function button(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', onClick)
  return made
}

/** Changes a text, and touches nothing where it is the same: what somebody has selected stays selected. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** True while somebody is about to use what is inside: then it must not move. */
export function isInUse(target: Element): boolean {
  return target.matches(':focus-within') || (matchMedia('(hover: hover)').matches && target.matches(':hover'))
}
