/** Tabs of which one panel is shown: one stop of the tab key, arrow keys from tab to tab. */
import { element } from '../elements.ts'

export interface TabPart {
  /** Unique on the page. */
  readonly id: string
  readonly label: string
  readonly content: HTMLElement
}

/** The list of tabs and their panels. `onShow` is told the id of the one that comes into view. */
export function tabsOf(label: string, parts: readonly TabPart[], onShow: (id: string) => void): HTMLElement[] {
  const tabs = parts.map(({ id, label: name }) => {
    return element('button', { type: 'button', role: 'tab', id: `${id}-tab`, 'aria-controls': id }, name)
  })
  const panels = parts.map(({ id, content }) => {
    return element(
      'div',
      { role: 'tabpanel', id, 'aria-labelledby': `${id}-tab`, tabindex: 0, class: 'op-tabpanel' },
      content,
    )
  })
  const list = element('div', { role: 'tablist', 'aria-label': label, class: 'op-tabs' }, ...tabs)
  for (const [i, tab] of tabs.entries()) tab.addEventListener('click', () => select(i))
  list.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(event.target as HTMLButtonElement)
    const last = tabs.length - 1
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key]
    if (next === undefined) return
    event.preventDefault()
    const chosen = (next + tabs.length) % tabs.length
    select(chosen)
    tabs[chosen]!.focus()
  })
  select(0)
  return [list, ...panels]

  function select(chosen: number): void {
    for (const [i, tab] of tabs.entries()) {
      tab.setAttribute('aria-selected', String(i === chosen))
      tab.tabIndex = i === chosen ? 0 : -1
      panels[i]!.hidden = i !== chosen
    }
    onShow(parts[chosen]!.id)
  }
}
