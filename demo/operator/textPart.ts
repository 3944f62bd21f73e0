/** The tab with the metrics as Prometheus reads them. */
import { element } from '../elements.ts'
import { copyButton } from './copy.ts'

export interface TextPart {
  readonly root: HTMLElement
  /** Takes the newest text; it is shown at the next refresh. */
  take(exposition: string): void
  refresh(): void
  /** Shows what went wrong when the metrics were read. */
  tell(problem: string): void
}

export function textPart(): TextPart {
  let newest = ''
  const text = element('pre', { class: 'op-code op-metrics', tabindex: 0, 'aria-label': 'Metrics as text' })
  const problem = element('p', { class: 'op-problem', role: 'alert' })
  const isInUse = () => {
    const selection = getSelection()
    return selection !== null && !selection.isCollapsed && selection.containsNode(text, true)
  }
  return {
    root: element(
      'div',
      {},
      element(
        'p',
        {},
        'What a server tells at /metrics, made by the same instruments from the monitor of this page. It moves each second, ',
        'unless you select something in it.',
      ),
      element(
        'div',
        { class: 'op-bar' },
        copyButton('Copy the text', text, () => newest),
      ),
      problem,
      text,
    ),
    take(exposition) {
      newest = exposition
      problem.textContent = ''
    },
    refresh() {
      if (!isInUse()) text.textContent = newest
    },
    tell(what) {
      problem.textContent = `The metrics could not be read: ${what}`
    },
  }
}
