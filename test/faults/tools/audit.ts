/** Reads the whole log as one more replica would, and tells what came of each entry. */
import { Journal, type Stores } from '../../../src/edge/index.ts'
import { createMonitorEngine, type MonitorApplied } from '../../../src/embed/index.ts'
import { redisStores } from '../../../src/server/redis/redisStores.ts'
import { configOf, SECRET } from './replica.ts'

// biome-ignore lint/suspicious/noExplicitAny: verdicts are looked at field by field in tests
type Json = any

export interface Audit {
  /** By id, of the entries that were read: with a snapshot those behind it only. */
  readonly verdicts: ReadonlyMap<string, Json>
  /** Ids that got more than one verdict: counted twice. */
  readonly doubled: readonly string[]
  /** Queries in the state, by client. */
  readonly queries: ReadonlyMap<string, number>
  readonly total: number
  readonly duplicates: number
  readonly position: string
}

/** `fromStart` reads the log from its first entry, whatever snapshot there is. */
export async function audit(url: string, { fromStart = false } = {}): Promise<Audit> {
  const [{ name, ...model }] = (configOf() as { models: Json[] }).models as [Json]
  const stores = await redisStores({ url, secret: SECRET, name })
  const engine = createMonitorEngine(model)
  const verdicts = new Map<string, Json>()
  const doubled: string[] = []
  const machine = {
    ...engine,
    apply(entry: Parameters<typeof engine.apply>[0]): MonitorApplied {
      const applied = engine.apply(entry)
      const id = applied.verdict?.id
      if (id !== undefined && verdicts.has(id)) doubled.push(id)
      if (id !== undefined) verdicts.set(id, JSON.parse(JSON.stringify(applied.verdict)))
      return applied
    },
  }
  const kept: Pick<Stores, 'log' | 'snapshots'> = {
    log: stores.log,
    snapshots: { ...stores.snapshots, ...(fromStart ? { load: async () => undefined } : {}), save: async () => {} },
  }
  const journal = await Journal.open(machine, { stores: kept, snapshotEvery: 1e9 })
  const { position, duplicates } = journal.describe()
  await stores.close()
  const clients = engine.stream.clients()
  return {
    verdicts,
    doubled,
    queries: new Map(clients.map(({ id, queries }) => [id, queries])),
    total: engine.describe().counts.queries,
    duplicates,
    position,
  }
}
