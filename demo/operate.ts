/**
 * What the operator sees of this page: the monitor of the story and that of the visitor; and the recorded traces. Their code
 * comes when the page has nothing more urgent to do; what is told until then is counted then.
 */
import { fromBytes, toBytes } from '../src/core/index.ts'
import { createStreamMonitor, type MonitorDescription } from '../src/core/monitor/index.ts'
import { monitorConfig } from './config.ts'
import type { Operated, PageMetrics } from './operator/index.ts'
import type { Judged, Session } from './session.ts'
import type { StoryEvent } from './story/events.ts'
import { watchConfig } from './story/watch.ts'

export interface OperatorOptions {
  readonly session: Session
  /** The visitor has put another state in the place of the present one. */
  readonly onRestored: () => void
  readonly onError: (thrown: unknown) => void
}

/** Mounts both elements. Gives where to tell what came of the visitor's queries. */
export function setUpOperator({ session, onRestored, onError }: OperatorOptions): (judged: Judged) => void {
  const story = storyOf()
  const metrics = whenIdle().then(() => mount([story.operated, visitorOf(session)]))
  metrics.catch(onError)
  document.querySelector('attack-story')?.addEventListener('played', (event) => {
    const { detail } = event as CustomEvent<readonly StoryEvent[]>
    for (const one of detail) story.take(one)
    later((known) => tellStory(known, detail))
  })
  document.querySelector('operator-view')?.addEventListener('restored', onRestored)
  return (judged) => later((known) => tellVisitor(known, judged))

  /** In order, once there is somebody to tell. */
  function later(tell: (known: PageMetrics) => void): void {
    metrics.then(tell, () => {}) // why there is nobody has been told
  }
}

async function mount(all: readonly Operated[]): Promise<PageMetrics> {
  const [{ defineOperatorView }, { defineTracesExplorer, loadTraces }] = await Promise.all([
    import('./operator/index.ts'),
    import('./traces/index.ts'),
  ])
  defineOperatorView()
  defineTracesExplorer()
  document.querySelector('traces-explorer')!.traces = await loadTraces()
  return document.querySelector('operator-view')!.operate(all)
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

/** The story's monitor lives in its worker: it is known as each query left it. */
function storyOf(): { readonly operated: Operated; readonly take: (event: StoryEvent) => void } {
  let description: MonitorDescription = createStreamMonitor(watchConfig(true)).describe()
  const operated = {
    model: 'story',
    get config() {
      return watchConfig(description.policy.mode === 'enforce')
    },
    describe: () => description,
  }
  return {
    operated,
    take(event) {
      if (event.kind === 'query') description = event.watched.description
    },
  }
}

function visitorOf(session: Session): Operated {
  return {
    model: 'visitor',
    get config() {
      return monitorConfig(session.settings)
    },
    describe: () => session.describe(),
    state: {
      snapshot: async () => fromBytes(await session.save()),
      restore: (snapshot) => session.load(toBytes(snapshot)),
    },
  }
}

function tellStory(metrics: PageMetrics, events: readonly StoryEvent[]): void {
  const feed = metrics.of('story')
  for (const event of events) {
    if (event.kind === 'refused') feed.refused()
    if (event.kind !== 'query') continue
    const { verdict, events: happened, detectMs } = event.watched
    feed.judged(verdict, { detectSeconds: detectMs / 1000 })
    for (const one of happened) feed.happened(one)
  }
}

function tellVisitor(metrics: PageMetrics, { outcome }: Judged): void {
  const feed = metrics.of('visitor')
  if (outcome.state === 'verdict') feed.judged(outcome.verdict)
  else feed.failed(outcome.error)
}
