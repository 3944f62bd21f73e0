/** Texts that can be taken away. */
import { button } from '../elements.ts'

/** A button that copies what `read` gives; without a clipboard it selects `source`, so that a key can copy it. */
export function copyButton(label: string, source: HTMLElement, read: () => string): HTMLButtonElement {
  const made = button(label, () => {
    copy().then(
      () => tell('Copied'),
      () => {
        getSelection()?.selectAllChildren(source)
        tell('Selected: press Ctrl+C')
      },
    )
  })
  made.setAttribute('aria-live', 'polite')
  return made

  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(read())
  }

  function tell(what: string): void {
    made.textContent = what
    setTimeout(() => {
      made.textContent = label
    }, 2500)
  }
}
