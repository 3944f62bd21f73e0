/** Numbers, times and names as people read them. */
import type { Decision, ScoreUnit, VerdictSummary } from './wire.ts'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const percents = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })

export function count(value: number): string {
  return whole.format(value)
}

/** With one digit after the point, where it is not 0. */
export function rate(value: number): string {
  return short.format(value)
}

export function share(part: number, total: number): string {
  if (total === 0) return '–'
  return part > 0 && part / total < 0.0005 ? '< 0.1%' : percents.format(part / total)
}

/** `14:03:05` */
export function time(ms: number): string {
  return clock.format(ms)
}

/** `14:03` */
export function minute(ms: number): string {
  return minutes.format(ms)
}

/** `3 Dec, 14:03` */
export function date(ms: number): string {
  return days.format(ms)
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/** A length of time in its largest units, at most two: `3 d 4 h`, `2 min`, `8 s`. */
export function duration(ms: number, { units = 2 }: { readonly units?: 1 | 2 } = {}): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const found = UNITS.findIndex(([, size]) => seconds >= size)
  if (found === -1) return '0 s'
  const [name, size] = UNITS[found]!
  const [smaller, part] = UNITS[found + 1] ?? ['', 1]
  const rest = units === 1 ? 0 : Math.floor((seconds % size) / part)
  return `${Math.floor(seconds / size)} ${name}${rest === 0 ? '' : ` ${rest} ${smaller}`}`
}

export function ago(ms: number): string {
  return ms < 2000 ? 'now' : `${duration(ms, { units: 1 })} ago`
}

/** A score or a threshold without its unit. */
export function score(value: number, unit: ScoreUnit | undefined): string {
  if (unit === 'count') return count(value)
  if (unit === 'matches') return rate(value)
  return unit === 'score' || unit === undefined ? String(Number(value.toPrecision(4))) : value.toFixed(3)
}

/** A unit behind a number. */
export const UNIT_NAMES: Readonly<Record<ScoreUnit, string>> = {
  nats: 'nats',
  probability: '',
  count: 'times',
  cosine: 'cosine',
  nearness: 'nearness',
  matches: 'hashes',
  share: 'of the limit',
  score: '',
}

/** A client, also the one of queries without a name. */
export function clientName(id: string): string {
  return id === '' ? '(no name)' : id
}

export const DECISION_NAMES: Readonly<Record<Decision, string>> = {
  allow: 'allowed',
  flag: 'flagged',
  throttle: 'throttled',
  suspend: 'suspended',
  refused: 'refused',
}

/** What was done with a query, and what enforcement would have done. */
export function decisionText({ action, proposed }: VerdictSummary): string {
  return action === proposed
    ? DECISION_NAMES[action]
    : `${DECISION_NAMES[action]}, would be ${DECISION_NAMES[proposed]}`
}
