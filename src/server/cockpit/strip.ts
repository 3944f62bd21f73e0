/** The line of numbers on top. */
import { byId, element, setText } from './elements.ts'
import { count, duration, rate, share } from './format.ts'
import type { Timeline } from './timeline.ts'
import type { Tick, TickModel } from './wire.ts'

/** What the numbers are taken from. */
export interface StripData {
  readonly tick: Tick
  readonly model: TickModel
  readonly timeline: Timeline
  /** Since the server's start; undefined while that is not known. */
  readonly uptimeMs: number | undefined
}

interface Fact {
  readonly text: string
  readonly note: string
}

const RATE_SECONDS = 10
const SHARE_SECONDS = 60

const FACTS: Readonly<Record<string, (data: StripData) => Fact>> = {
  'Queries per second': ({ timeline }) => {
    const { queries, refused } = timeline.sum(RATE_SECONDS)
    const seconds = Math.min(RATE_SECONDS, Math.max(1, timeline.seconds.length))
    const note = refused === 0 ? `over ${RATE_SECONDS} s` : `${rate(refused / seconds)} of them refused`
    return { text: rate((queries + refused) / seconds), note }
  },
  Suspicious: ({ timeline }) => {
    const { queries, suspicious } = timeline.sum(SHARE_SECONDS)
    const span = duration(1000 * Math.min(SHARE_SECONDS, timeline.seconds.length))
    return { text: share(suspicious, queries), note: `${count(suspicious)} of ${count(queries)} in ${span}` }
  },
  'Active clients': ({ model }) => ({ text: count(model.active), note: 'remembered' }),
  'Suspended clients': ({ model }) => ({ text: count(model.suspended), note: 'now' }),
  'In flight': ({ tick }) => ({ text: count(tick.inFlight), note: 'requests, all models' }),
  Judged: ({ model }) => ({ text: count(model.counts.queries), note: `${count(model.counts.suspicious)} suspicious` }),
  Uptime: ({ uptimeMs }) => ({ text: uptimeMs === undefined ? '–' : duration(uptimeMs), note: 'since the start' }),
}

/** Makes the strip; the function shows its numbers. */
export function createStrip(): (data: StripData) => void {
  const facts = Object.entries(FACTS).map(([name, read]) => {
    const text = element('span', { class: 'fact-value' }, '–')
    const note = element('span', { class: 'hint' })
    byId('strip').append(element('div', {}, element('dt', {}, name), element('dd', {}, text, note)))
    return { read, text, note }
  })
  return (data) => {
    for (const fact of facts) {
      const { text, note } = fact.read(data)
      setText(fact.text, text)
      setText(fact.note, note)
    }
  }
}
