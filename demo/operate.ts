/**
 * What the operator sees of this page. The code of it comes when the page has nothing more urgent to do; what is told until
 * then is counted then.
 */
import type { Operator } from './operated.ts'
import type { Judged, Session } from './session.ts'
import type { AttackStory } from './story/attackStory.ts'
import type { CastEvent, StoryEvent } from './story/events.ts'

export interface OperatorOptions {
  readonly session: Session
  /** The visitor has put another state in the place of the present one. */
  readonly onRestored: () => void
  readonly onError: (thrown: unknown) => void
}

/** Fills both parts of the page. Gives where to tell what came of the visitor's queries. */
export function setUpOperator({ session, onRestored, onError }: OperatorOptions): (judged: Judged) => void {
  const story = document.querySelector<AttackStory>('attack-story')!
  const prepared = new Promise<CastEvent>((resolve) => {
    story.addEventListener('prepared', (event) => resolve((event as CustomEvent<CastEvent>).detail), { once: true })
  })
  const operator = Promise.all([prepared, whenIdle()]).then(async ([{ description }]) => {
    return (await import('./operated.ts')).startOperator({ session, story, description, onError })
  })
  operator.catch(onError)
  story.addEventListener('prepared', (event) => {
    const { detail } = event as CustomEvent<CastEvent>
    later((known) => known.tellPrepared(detail.description))
  })
  story.addEventListener('played', (event) => {
    const { detail } = event as CustomEvent<readonly StoryEvent[]>
    later((known) => known.tellStory(detail))
  })
  document.querySelector('operator-view')?.addEventListener('restored', onRestored)
  return (judged) => later((known) => known.tellVisitor(judged))

  /** In order, once there is somebody to tell. */
  function later(tell: (known: Operator) => void): void {
    operator.then(tell, () => {}) // why there is nobody has been told
  }
}

/** After the page is there, and what it does first. */
function whenIdle(): Promise<void> {
  const idle = globalThis.requestIdleCallback ?? ((then: () => void) => setTimeout(then, 200)) // Safari has none
  return new Promise((resolve) => {
    const wait = () => idle(() => resolve())
    if (document.readyState === 'complete') wait()
    else addEventListener('load', wait)
  })
}
