/** The page whose workers are killed, and which is killed itself. */
import { createMonitor, type MonitorConfig, type Query, toBytes } from 'monitaur'
import { type DurableMonitor, durableMonitor, indexedDbStores } from 'monitaur/edge'
import { createMonitorEngine } from 'monitaur/embed'
import { startWorker } from 'monitaur/worker'
import scriptUrl from 'monitaur/worker/script?url'
import { random } from '../../tools/random.ts'

export interface WorkerRound {
  readonly kills: number
  readonly restarts: number
  readonly asked: number
  /** Queries that the host gave back as lost with their worker, and that were asked again. */
  readonly retries: number
  /** Verdicts that are not those of a monitor in process. */
  readonly differing: number
  /** Whether the state at the end is the same, to the byte. */
  readonly isSameState: boolean
}

export interface Offered {
  killWorkers(
    config: MonitorConfig,
    stream: readonly Query[],
    options: { seed: number; kills: number },
  ): Promise<WorkerRound>
  /** Opens the monitor that survives the tab. */
  open(config: MonitorConfig): Promise<void>
  /** Asks all, twelve at a time, in order; tells each verdict as JSON. */
  ask(stream: readonly Query[]): Promise<void>
  /** Queries in the state. */
  count(): Promise<number>
}

/** Given by the test. */
declare function told(id: string, verdict: string): Promise<void>

/** Says that a query was not answered, and not learned. */
const LOST = ['worker_lost', 'timeout']
const LANES = 12
const ANSWERS_BETWEEN = 30

/** Asks in order, so many at a time; again where there was no answer. `onAnswer` gets the query and its verdict. */
async function askAll(
  monitor: Pick<DurableMonitor, 'inspect'>,
  next: () => Query | undefined,
  { onAnswer, onLost }: { onAnswer: (query: Query, verdict: unknown) => unknown; onLost?: () => void },
): Promise<void> {
  const lane = async () => {
    for (let query = next(); query !== undefined; query = next()) {
      for (;;) {
        try {
          await onAnswer(query, await monitor.inspect(query))
          break
        } catch (thrown) {
          if (!LOST.includes((thrown as { code?: string }).code ?? '')) throw thrown
          onLost?.()
        }
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

async function killWorkers(
  config: MonitorConfig,
  stream: readonly Query[],
  { seed, kills: wanted }: { seed: number; kills: number },
): Promise<WorkerRound> {
  const chance = random(seed)
  let worker: Worker
  const make = () => {
    worker = new Worker(scriptUrl, { type: 'module' })
    return worker
  }
  const host = startWorker(make, { timeoutMs: 1000, maxRestarts: 1e6, snapshotEvery: 40 })
  const monitor = await host.createMonitor(config)
  const answered: { query: Query; verdict: string }[] = []
  let [kills, retries, dueAt] = [0, 0, 10]

  /** Every eighth dies unheard, and is missed only when an answer is late. */
  function kill(): void {
    const isSilent = kills++ % 8 === 7
    worker.terminate()
    if (!isSilent) worker.dispatchEvent(new ErrorEvent('error', { message: 'killed by the test' }))
  }

  let i = 0
  const next = () => (kills < wanted || answered.length < dueAt ? stream[i++] : undefined)
  await askAll(monitor, next, {
    onLost: () => retries++,
    onAnswer(query, verdict) {
      answered.push({ query, verdict: JSON.stringify(verdict) })
      if (answered.length < dueAt || kills >= wanted) return
      dueAt = answered.length + 1 + Math.floor(chance() * ANSWERS_BETWEEN)
      setTimeout(kill, chance() * 5)
    },
  })
  const snapshot = await monitor.snapshot()
  const { restarts } = host
  host.dispose()

  const inProcess = createMonitor(config)
  let differing = 0
  for (const { query, verdict } of answered) {
    if (JSON.stringify(await inProcess.inspect(query)) !== verdict) differing++
  }
  const isSameState = isSame(toBytes(snapshot), toBytes(await inProcess.snapshot()))
  return { kills, restarts, asked: answered.length, retries, differing, isSameState }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

let durable: DurableMonitor

const offered: Offered = {
  killWorkers,
  async open(config) {
    const stores = await indexedDbStores({ name: 'killed', wait: true })
    durable = await durableMonitor(createMonitorEngine(config), { stores, snapshotEvery: 40 })
  },
  async ask(stream) {
    let i = 0
    await askAll(durable, () => stream[i++], {
      onAnswer: ({ id = '' }, verdict) => told(id, JSON.stringify(verdict)),
    })
  },
  count: async () => (await durable.describe()).counts.queries,
}
Object.assign(globalThis, { offered })
