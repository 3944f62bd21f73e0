/** The monitor of the story and that of the visitor, as their operator sees them; and the recorded traces. */
import { fromBytes, toBytes } from '../src/core/index.ts'
import type { MonitorDescription } from '../src/core/monitor/index.ts'
import { whenNear } from './nearby.ts'
import { defineOperatorView, type ModelFeed, type Operated } from './operator/index.ts'
import type { Judged, Session } from './session.ts'
import type { AttackStory } from './story/attackStory.ts'
import type { StoryEvent } from './story/events.ts'
import { watchConfig } from './story/watchConfig.ts'
import { defineTracesExplorer, loadTraces } from './traces/index.ts'
import { watchedHere } from './watched.ts'

/** Where to tell what happens on the page. */
export interface Operator {
  /** A run of the story begins with its monitor like this. */
  tellPrepared(description: MonitorDescription): void
  tellStory(events: readonly StoryEvent[]): void
  tellVisitor(judged: Judged): void
}

export interface Watched {
  readonly onError: (thrown: unknown) => void
  readonly session: Session
  readonly story: AttackStory
  /** The story's monitor before its first query. */
  readonly description: MonitorDescription
}

/** Makes both elements of the page live. */
export async function startOperator({ session, onError, ...ofStory }: Watched): Promise<Operator> {
  defineOperatorView()
  defineTracesExplorer()
  const explorer = document.querySelector('traces-explorer')!
  const isOver = new Promise<void>((resolve) =>
    ofStory.story.addEventListener('ended', () => resolve(), { once: true }),
  )
  const shown = Promise.race([whenNear(explorer), isOver]).then(async () => {
    explorer.traces = await loadTraces()
  })
  shown.catch(onError)
  const story = storyOf(ofStory)
  const metrics = await document.querySelector('operator-view')!.operate([story.operated, visitorOf(session)])
  const [feedOfStory, feedOfVisitor] = [metrics.of('story'), metrics.of('visitor')]
  return {
    tellPrepared: story.know,
    tellStory(events) {
      for (const event of events) {
        story.take(event)
        tellStory(feedOfStory, event)
      }
    },
    tellVisitor({ outcome }) {
      if (outcome.state === 'verdict') feedOfVisitor.judged(outcome.verdict)
      else feedOfVisitor.failed(outcome.error)
    },
  }
}

/** The story's monitor lives in its worker: it is known as each query left it. */
function storyOf({ story, description: before }: Pick<Watched, 'story' | 'description'>) {
  let description = before
  const operated: Operated = {
    model: 'story',
    get config() {
      return watchConfig(description.policy.mode === 'enforce')
    },
    describe: () => description,
    watched: () => watchedHere(operated.config),
    state: {
      about: 'Saved as far as the story has been shown. Loaded, the run is played from its start with this memory.',
      snapshot: () => story.save(),
      restore: (snapshot) => story.restore(snapshot),
    },
  }
  return {
    operated,
    know(now: MonitorDescription) {
      description = now
    },
    take(event: StoryEvent) {
      if (event.kind === 'query') description = event.watched.description
    },
  }
}

function visitorOf(session: Session): Operated {
  return {
    model: 'visitor',
    get config() {
      return session.config
    },
    describe: () => session.describe(),
    watched: () => watchedHere(session.config),
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
