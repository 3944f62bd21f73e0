/** One query of the stream with its verdict. */
import type { Detection, PlainError } from '../src/core/index.ts'
import { isSimilarity, NOUN } from './config.ts'
import { element, icon } from './elements.ts'
import type { Earlier } from './mirror.ts'
import type { Item, Judged } from './session.ts'
import { describe, measure, nameOf, numbers } from './wording.ts'

/** What finds an earlier query of this page again. */
export type Find = (number: number) => Item | undefined

/** The content of a card. `find` looks up the query that it resembles. */
export function cardContent(judged: Judged, find: Find): HTMLElement[] {
  const { item, ms, outcome } = judged
  const { tone, verdict, why, earlier } = describe(judged)
  const detections = outcome.state === 'verdict' ? outcome.verdict.detections : []
  const errors = outcome.state === 'verdict' ? outcome.verdict.errors : [outcome.error]
  const head = element(
    'header',
    { class: 'card-head' },
    element('span', { class: `badge ${tone}`, 'data-testid': 'verdict' }, icon(tone), verdict),
    element('span', { class: 'number' }, `#${item.number}`),
    element('span', { class: 'hint' }, `${NOUN[item.kind]} · ${ms.toFixed(1)} ms`),
  )
  const reason = element('p', { class: 'why', 'data-testid': 'why' }, why, ' ', earlier && pointer(earlier, find))
  return [
    element('div', { class: 'look' }, look(item)),
    element(
      'div',
      { class: 'card-body' },
      head,
      reason,
      ...detections.map((detection) => meter(detection, judged)),
      ...errors.map(errorLine),
      footnote(judged),
    ),
  ]
}

/** The query itself, small. */
function look({ kind, excerpt }: Item): HTMLElement {
  if (kind === 'text') return element('q', { class: 'excerpt' }, excerpt === '' ? '(empty)' : excerpt)
  if (kind === 'tabular')
    return element('div', { class: 'cells' }, ...excerpt.split(' · ').map((cell) => element('span', {}, cell)))
  return excerpt === ''
    ? element('div', { class: 'thumb none' }, 'no picture')
    : thumb(excerpt, 'The picture of this query')
}

function thumb(url: string, alt: string, size = 72): HTMLImageElement {
  return element('img', { class: 'thumb', src: url, alt, width: size, height: size })
}

/** The earlier query: number and look, and a link to its card. */
function pointer(earlier: Earlier, find: Find): HTMLElement {
  const name = nameOf(earlier)
  const item = earlier.where === 'page' ? find(earlier.number) : undefined
  if (item === undefined) return element('span', { class: 'pointer', 'data-testid': 'earlier' }, name)
  return element(
    'a',
    { class: 'pointer', href: `#query-${item.number}`, 'data-testid': 'earlier' },
    smallLook(item),
    name,
  )
}

function smallLook({ kind, excerpt }: Item): HTMLElement | null {
  if (kind === 'image') return excerpt === '' ? null : thumb(excerpt, '', 28)
  return element('span', { class: 'snippet' }, excerpt.length > 36 ? `${excerpt.slice(0, 36)}…` : excerpt)
}

function meter(detection: Detection, { item, outcome }: Judged): HTMLElement {
  const { detector, score, threshold, suspicious, reason } = detection
  const text = numbers(detection)
  const full = isSimilarity(detector) ? 1 : Math.max(threshold * 1.5, score)
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' }, element('i'), element('b'))
  bar.style.setProperty('--value', String(Math.min(Math.max(score / full, 0), 1)))
  bar.style.setProperty('--limit', String(Math.min(Math.max(threshold / full, 0), 1)))
  const repeated = !isSimilarity(detector) && outcome.state === 'verdict' ? outcome.earlier.get(detector) : undefined
  return element(
    'div',
    { class: `meter ${item.kind}`, 'data-testid': detector },
    element('span', { class: 'measure', title: detector }, measure(detector)),
    element(
      'span',
      { class: suspicious ? 'score over' : 'score' },
      element('strong', {}, text.score),
      ` · threshold ${text.threshold}`,
      element('span', { class: 'unseen' }, suspicious ? ', at or over the threshold' : ', under the threshold'),
    ),
    bar,
    element('span', { class: 'reason' }, `${detector}: ${reason}`, repeated && ` Last: ${nameOf(repeated)}.`),
  )
}

/** An error as it is. The message repeats the path in front; here it stands beside it. */
export function errorLine({ code, path, message }: PlainError): HTMLElement {
  const rest = path !== '' && message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message
  return element(
    'p',
    { class: 'error-line', 'data-testid': 'error' },
    element('code', {}, code),
    path === '' ? null : element('code', {}, path),
    ' ',
    rest,
  )
}

const ACTIONS = {
  allow: 'answered',
  flag: 'answered and reported',
  throttle: 'refused',
  suspend: 'refused, and its client suspended for an hour',
}

/** What a host that enforces verdicts would have done. */
function footnote({ outcome }: Judged): HTMLElement | null {
  if (outcome.state === 'failed') return null
  const { proposed, client } = outcome.verdict
  if (proposed === 'allow') return null
  const evidence = `evidence against this client ${client.evidence.toFixed(1)}`
  return element('p', { class: 'footnote' }, `Enforced, this query would be ${ACTIONS[proposed]} (${evidence}).`)
}
