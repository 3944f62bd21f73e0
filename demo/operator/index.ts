/** `<operator-view>`, ready to be put into a page. */
import './operator.css'
import { OperatorView } from './view.ts'

export type { ModelFeed, Operated } from './metrics.ts'
export { OperatorView }

/** Makes the element known to the page; does nothing the second time. */
export function defineOperatorView(): void {
  if (customElements.get('operator-view') === undefined) customElements.define('operator-view', OperatorView)
}

declare global {
  interface HTMLElementTagNameMap {
    'operator-view': OperatorView
  }
}
