/** Honest clients one by one: how many of their sessions a threshold disturbs. */
import { element } from '../elements.ts'
import type { Figures, WorkloadFigures } from './figures.ts'
import { percent } from './wording.ts'

const PROFILES = {
  E: 'unrelated inputs and explainers',
  D: 'optimisers with honest aims',
  F: 'near-duplicates',
} as const

/** Heading and table. */
export function workloadTable({ workloads }: Figures, budget: number): Element[] {
  const heads = ['honest client', 'sessions with an alarm', 'first alarm, median']
  return [
    element('h3', {}, 'False alarms, by honest client'),
    element(
      'table',
      { class: 'tr-workloads' },
      element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
      element('tbody', {}, ...workloads.map(row)),
    ),
    element(
      'p',
      { class: 'hint' },
      `Any alarm within the ${budget} queries of a session counts. The line is the interval.`,
    ),
  ]
}

function row({ client, count, of, interval, medianAlarm }: WorkloadFigures): HTMLElement {
  const bar = element('span', { class: 'tr-bar', 'aria-hidden': 'true' }, element('i'), element('b'))
  bar.style.setProperty('--tr-share', String(count / of))
  bar.style.setProperty('--tr-low', String(interval.low))
  bar.style.setProperty('--tr-high', String(interval.high))
  const range = `${percent(interval.low)} … ${percent(interval.high)} %`
  return element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row', title: client.summary },
      client.name.replaceAll('_', ' '),
      client.profile === undefined ? null : element('span', { class: 'hint' }, ` ${PROFILES[client.profile]}`),
    ),
    element('td', {}, `${count} of ${of} `, element('span', { class: 'hint' }, range), bar),
    element('td', { class: 'tr-number' }, medianAlarm === undefined ? '–' : String(medianAlarm)),
  )
}
