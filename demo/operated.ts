/** The monitor of the story and that of the visitor, as their operator sees them; and the recorded traces. */
import { fromBytes, toBytes } from '../src/core/index.ts'
import { createStreamMonitor, type MonitorDescription } from '../src/core/monitor/index.ts'
import { monitorConfig } from './config.ts'
import { defineOperatorView, type ModelFeed, type Operated } from './operator/index.ts'
import type { Judged, Session } from './session.ts'
import type { StoryEvent } from './story/events.ts'
import { watchConfig } from './story/watchConfig.ts'
import { defineTracesExplorer, loadTraces } from './traces/index.ts'

/** Where to tell what happens on the page. */
export interface Operator {
  tellStory(events: readonly StoryEvent[]): void
  tellVisitor(judged: Judged): void
}

/** Makes both elements of the page live. */
export async function startOperator(session: Session): Promise<Operator> {
  defineOperatorView()
  defineTracesExplorer()
  document.querySelector('traces-explorer')!.traces = await loadTraces()
  const story = storyOf()
  const metrics = await document.querySelector('operator-view')!.operate([story.operated, visitorOf(session)])
  const [ofStory, ofVisitor] = [metrics.of('story'), metrics.of('visitor')]
  return {
    tellStory(events) {
      for (const event of events) {
        story.take(event)
        tellStory(ofStory, event)
      }
    },
    tellVisitor({ outcome }) {
      if (outcome.state === 'verdict') ofVisitor.judged(outcome.verdict)
      else ofVisitor.failed(outcome.error)
    },
  }
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

function tellStory(feed: ModelFeed, event: StoryEvent): void {
  if (event.kind === 'refused') feed.refused()
  if (event.kind !== 'query') return
  const { verdict, events, detectMs } = event.watched
  feed.judged(verdict, { detectSeconds: detectMs / 1000 })
  for (const one of events) feed.happened(one)
}
