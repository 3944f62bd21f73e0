/** The tab with the code for the visitor's own app. */
import type { MonitorConfig } from '../../src/embed/index.ts'
import { element } from '../elements.ts'
import { copyButton } from './copy.ts'
import { exampleFor } from './example.ts'

export function codePart(config: MonitorConfig): HTMLElement {
  const text = exampleFor(config)
  const code = element('pre', { class: 'op-code', tabindex: 0, 'aria-label': 'Code for your own app' }, text)
  return element(
    'div',
    {},
    element(
      'p',
      {},
      'These ten lines watch a model of yours with the detectors and the policy of this page. Put your model and your own ',
      'report in.',
    ),
    element(
      'div',
      { class: 'op-bar' },
      copyButton('Copy code', code, () => text),
    ),
    code,
  )
}
