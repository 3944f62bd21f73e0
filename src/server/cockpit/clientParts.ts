/** What the table and the panel show alike of a client. */
import { element, setText } from './elements.ts'
import { date, rate } from './format.ts'
import type { ClientSummary, Policy } from './wire.ts'

export interface EvidenceMeter {
  readonly element: HTMLElement
  show(evidence: number, policy: Policy): void
}

/** The evidence as a number and a bar, which is full where the client is suspended. */
export function evidenceMeter(): EvidenceMeter {
  const number = element('span', { class: 'meter-number' })
  const bar = element('span', { class: 'meter-bar', 'aria-hidden': true }, element('i'), element('b'))
  return {
    element: element('span', { class: 'meter' }, number, bar),
    show(evidence, { throttleAt, suspendAt }) {
      setText(number, rate(evidence))
      bar.style.setProperty('--value', String(Math.min(1, evidence / suspendAt)))
      bar.style.setProperty('--limit', String(throttleAt / suspendAt))
      bar.dataset['level'] = evidence >= suspendAt ? 'suspend' : evidence >= throttleAt ? 'throttle' : 'flag'
    },
  }
}

/** Suspended or not; a word, and a colour for the eye. */
export function showState(target: HTMLElement, { suspendedUntilMs, suspicious }: ClientSummary): void {
  const kind = suspendedUntilMs !== undefined ? 'suspend' : suspicious > 0 ? 'flag' : 'calm'
  const text = suspendedUntilMs !== undefined ? 'suspended' : suspicious > 0 ? 'watched' : 'quiet'
  if (target.dataset['state'] !== kind) {
    target.replaceChildren(element('span', { class: `badge ${kind}` }, text))
    target.dataset['state'] = kind
  }
  target.title = suspendedUntilMs === undefined ? '' : `until ${date(suspendedUntilMs)}`
}
