/** The page: the suite over IndexedDB, and a monitor that remembers. */

import { durableMonitor, indexedDbStores, type Stores } from '../../../src/edge/index.ts'
import { createMonitorEngine } from '../../../src/embed/index.ts'
import { runStoreChecks, type StoreResults } from '../suite.ts'

export interface Offered {
  runSuite(): Promise<StoreResults>
  /** Opens the stores and keeps them open; gives 'open', or the code of the error. */
  hold(name: string): Promise<string>
  /** Opens a monitor over stores of this name, asks this often, and gives the count of the last; leaves it open. */
  ask(name: string, times: number): Promise<number>
  /** Never answered: asks on and on, and tells after each answer. */
  askForEver(name: string): Promise<void>
  counted: number
}

const runSuite = () => runStoreChecks((name) => ({ open: () => indexedDbStores({ name }) }))

async function hold(name: string): Promise<string> {
  try {
    await indexedDbStores({ name })
    return 'open'
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? String(thrown)
  }
}

async function monitorOf(stores: Stores) {
  const engine = createMonitorEngine({ detectors: [{ name: 'text_repetition', maxHistorySize: 100_000 }] })
  return durableMonitor(engine, { stores, snapshotEvery: 7 })
}

async function ask(name: string, times: number): Promise<number> {
  const stores = await indexedDbStores({ name })
  const monitor = await monitorOf(stores)
  let score = 0
  for (let i = 0; i < times; i++) {
    score = (await monitor.inspect({ input: 'the same text', client: 'a' })).detections[0]!.score
  }
  return score
}

async function askForEver(name: string): Promise<void> {
  const monitor = await monitorOf(await indexedDbStores({ name }))
  for (;;) {
    offered.counted = (await monitor.inspect({ input: 'the same text', client: 'a' })).detections[0]!.score
  }
}

const offered: Offered = { runSuite, hold, ask, askForEver, counted: 0 }
Object.assign(globalThis, { stores: offered })
