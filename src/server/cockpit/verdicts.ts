/** The last verdicts on one client, each with what every detector said, and what people have to say about that. */
import { button, element, setText } from './elements.ts'
import { decisionText, rate, score, time, UNIT_NAMES } from './format.ts'
import { KeyedList, type View } from './keyed.ts'
import type { DetectionSummary, ScoreUnit, VerdictSummary } from './wire.ts'

export type FeedbackKind = 'true_positive' | 'false_positive'

export interface VerdictsOptions {
  readonly unitOf: (detector: string) => ScoreUnit | undefined
  /** Rejects with an error to show. */
  readonly sendFeedback: (detector: string, kind: FeedbackKind) => Promise<unknown>
}

/** Shows verdicts in a list, newest first. */
export function verdictList(list: HTMLElement, options: VerdictsOptions) {
  const views = new KeyedList<VerdictSummary>(list, (verdict) => verdictView(verdict, options))
  return (verdicts: readonly VerdictSummary[]) => views.show(keyed(verdicts))
}

/** Verdicts under their time; those of one millisecond are counted from the oldest. */
function keyed(newestFirst: readonly VerdictSummary[]): Map<string, VerdictSummary> {
  const seen = new Map<number, number>()
  const keys = newestFirst.toReversed().map((verdict): [string, VerdictSummary] => {
    const nth = seen.get(verdict.timeMs) ?? 0
    seen.set(verdict.timeMs, nth + 1)
    return [`${verdict.timeMs} ${nth}`, verdict]
  })
  return new Map(keys.reverse())
}

function verdictView(verdict: VerdictSummary, options: VerdictsOptions): View<VerdictSummary> {
  const { timeMs, evidence, detections, errors, id } = verdict
  const when = element('time', { datetime: new Date(timeMs).toISOString() }, time(timeMs))
  const head = element(
    'p',
    { class: 'verdict-head' },
    element('span', { class: `badge ${badgeOf(verdict)}` }, decisionText(verdict)),
    when,
    element('span', { class: 'hint' }, `evidence ${rate(evidence)}${id === undefined ? '' : ` · query ${id}`}`),
  )
  const found = detections.map((detection) => detectionView(detection, timeMs, options))
  const failed = errors.map(({ code, path }) => element('p', { class: 'detection failed' }, `${path} failed: ${code}`))
  return { element: element('li', { class: 'verdict' }, head, ...found, ...failed), update() {} }
}

function badgeOf({ suspicious, proposed }: VerdictSummary): string {
  return suspicious || proposed !== 'allow' ? proposed : 'calm'
}

function detectionView(detection: DetectionSummary, timeMs: number, options: VerdictsOptions): HTMLElement {
  const { detector, suspicious, reason } = detection
  const unit = options.unitOf(detector)
  const limit = `threshold ${score(detection.threshold, unit)} ${unit === undefined ? '' : UNIT_NAMES[unit]}`
  const line = element(
    'p',
    {},
    element('strong', {}, detector),
    element('span', { class: suspicious ? 'score over' : 'score' }, score(detection.score, unit)),
    element('span', { class: 'hint' }, limit),
  )
  const view = element('div', { class: 'detection' }, line, element('p', { class: 'reason' }, reason))
  if (suspicious) view.append(feedback(detector, timeMs, options))
  return view
}

/** Two buttons, and what has become of them. */
function feedback(detector: string, timeMs: number, { sendFeedback }: VerdictsOptions): HTMLElement {
  const told = element('span', { class: 'hint', role: 'status' })
  const group = element('div', { class: 'feedback', role: 'group', 'aria-label': `Was ${detector} right?` })
  const send = async (kind: FeedbackKind, text: string) => {
    setText(told, 'Sending …')
    try {
      await sendFeedback(detector, kind)
      for (const one of group.querySelectorAll('button')) one.remove()
      setText(told, `Counted: ${text}.`)
    } catch (thrown) {
      setText(told, `Not counted: ${(thrown as Error).message}.`)
    }
  }
  const choice = (label: string, kind: FeedbackKind, text: string) =>
    button(label, () => void send(kind, text), {
      class: 'small quiet',
      'aria-label': `${label}: ${detector} at ${time(timeMs)}`,
    })
  group.append(
    choice('Rightly flagged', 'true_positive', 'rightly flagged'),
    choice('False alarm', 'false_positive', 'false alarm'),
    told,
  )
  return group
}
