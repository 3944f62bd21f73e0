/** What one process says that nothing ever happens to: the same queries, judged in memory. */
import { createMonitor, type Monitor } from '../../../src/embed/index.ts'
import { timeless } from './drive.ts'
import { configOf } from './replica.ts'
import type { Recorded } from './stream.ts'

// biome-ignore lint/suspicious/noExplicitAny: verdicts are looked at field by field in tests
type Json = any

/** The monitor of the replicas' configuration. */
function watchedMonitor(now?: () => number): Monitor {
  const [{ name: _, ...model }] = (configOf() as { models: Json[] }).models as [Json]
  return createMonitor(model, now === undefined ? {} : { now })
}

/** The verdicts by id, without their times, as they stand in JSON. */
export async function inOneProcess(stream: readonly Recorded[]): Promise<Map<string, Json>> {
  const monitor = watchedMonitor()
  const verdicts = new Map<string, Json>()
  for (const query of stream) {
    verdicts.set(query.id, timeless(JSON.parse(JSON.stringify(await monitor.inspect(query)))))
  }
  await monitor.dispose()
  return verdicts
}
