/** What would become of a query while it is typed or slid: near-duplicates light up before they are sent. */
import type { Kind } from './config.ts'
import { byId, element, icon } from './elements.ts'
import type { Preview } from './inputs.ts'
import type { Draft, Judged, Session } from './session.ts'
import { describe, nameOf, numbers } from './wording.ts'

/** Between two looks, in ms: a slider that is moved fires oftener. */
const PAUSE_MS = 60

interface Wanted {
  readonly kind: Kind
  readonly draft: Draft
}

/** Gives what to call at each change. `onNear` is told the query that the draft resembles too much. */
export function createDrafts(session: Session, onNear: (number: number | undefined) => void): Preview {
  let wanted: Wanted | undefined
  let isBusy = false
  let said = ''

  return (kind, draft) => {
    wanted = draft === undefined ? undefined : { kind, draft }
    if (draft === undefined) clear(kind)
    else if (!isBusy) void look()
  }

  /** The newest draft, until there is no newer one. */
  async function look(): Promise<void> {
    isBusy = true
    while (wanted !== undefined) {
      const mine: Wanted = wanted
      const judged = await session.preview(mine.draft)
      // One that was sent or cleared meanwhile is shown no more; one that is typed on is, since the next look follows.
      if (wanted !== undefined) show(mine.kind, judged)
      if (wanted === mine) wanted = undefined
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    isBusy = false
  }

  function show(kind: Kind, judged: Judged): void {
    const { tone, why, earlier } = describe(judged)
    const place = byId(`draft-${kind}`)
    const near = earlier === undefined ? '' : ` ${nameOf(earlier)}`
    const end = tone === 'alarm' ? 'Sent now, it would be flagged.' : ''
    const words = `${why.replace(/\.$/, '')}${near}${meaning(judged)}. ${end}`
    const line = element('p', {}, icon(tone), element('span', {}, words))
    place.replaceChildren(...[line, barOf(judged)].filter((part) => part !== undefined))
    place.dataset['tone'] = tone
    place.hidden = false
    onNear(tone === 'alarm' && earlier?.where === 'page' ? earlier.number : undefined)
    say(tone === 'alarm' ? `${why}${near}. ${end}` : tone === 'calm' ? 'Not suspicious as it stands.' : why)
  }

  function clear(kind: Kind): void {
    byId(`draft-${kind}`).hidden = true
    onNear(undefined)
    say('')
  }

  /** To who does not see the bar: only when it turns, not at every letter. */
  function say(words: string): void {
    if (words === said) return
    said = words
    byId('draft-said').textContent = words
  }
}

function likenessOf({ outcome }: Judged) {
  if (outcome.state === 'failed') return undefined
  return outcome.verdict.detections.find(
    ({ detector }) => outcome.earlier.has(detector) && detector.endsWith('_similarity'),
  )
}

function meaning(judged: Judged): string {
  const likeness = likenessOf(judged)
  return likeness === undefined ? '' : `, likeness ${numbers(likeness).score}, threshold ${numbers(likeness).threshold}`
}

function barOf(judged: Judged): HTMLElement | undefined {
  const likeness = likenessOf(judged)
  if (likeness === undefined) return undefined
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' }, element('i'), element('b'))
  bar.style.setProperty('--value', String(Math.min(Math.max(likeness.score, 0), 1)))
  bar.style.setProperty('--limit', String(likeness.threshold))
  return bar
}
