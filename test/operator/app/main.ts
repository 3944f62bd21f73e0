/** The two elements on a page of their own, with a real monitor under traffic that the test drives. */
import '../../../demo/theme.css'
import './page.css'
import { defineOperatorView } from '../../../demo/operator/index.ts'
import { defineTracesExplorer, loadTraces } from '../../../demo/traces/index.ts'
import type { QueryEntry, Verdict } from '../../../src/core/monitor/index.ts'
import { createMonitorEngine, type MonitorConfig, type Query } from '../../../src/embed/index.ts'
import { watchedDetectors } from '../../../src/server/metrics/index.ts'

const CONFIG: MonitorConfig = {
  detectors: ['confidence', { name: 'text_repetition', threshold: 3 }, 'text_similarity'],
  policy: { mode: 'enforce', throttleAt: 4, suspendAt: 8 },
}

async function start() {
  defineOperatorView()
  defineTracesExplorer()
  const engine = createMonitorEngine(CONFIG)
  const view = document.querySelector('operator-view')!
  const { describe, snapshot, restore } = engine
  const watched = (running: ReturnType<typeof describe>['detectors']) => watchedDetectors(CONFIG, running)
  const operated = { model: 'page', config: CONFIG, describe, watched, state: { snapshot, restore } }
  const metrics = (await view.operate([operated])).of('page')

  /** One query, with the times of its phases. */
  async function ask(query: Query): Promise<Verdict | undefined> {
    const { client = '' } = query
    if (!engine.stream.admit(client, Date.now()).allowed) {
      metrics.refused()
      return undefined
    }
    const startMs = performance.now()
    const entry = (await engine.featurize({ ...query, timeMs: Date.now() }, {})) as QueryEntry
    const readyMs = performance.now()
    const { verdict, events } = engine.apply(entry)
    const times = { embedSeconds: (readyMs - startMs) / 1000, detectSeconds: (performance.now() - readyMs) / 1000 }
    metrics.judged(verdict!, times)
    for (const event of events) metrics.happened(event)
    return verdict
  }
  document.querySelector('traces-explorer')!.traces = await loadTraces()
  return { ask, view, queries: () => engine.describe().counts.queries }
}

declare global {
  interface Window {
    fixture: Awaited<ReturnType<typeof start>>
  }
}

window.fixture = await start()
