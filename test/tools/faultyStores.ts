/** Stores that fail, answer late or twice, when a test says so. */
import type { Stores } from '../../src/edge/index.ts'

/** What the next calls do. */
export interface Faults {
  /** `fail`: nothing is written · `after`: it is written, and the answer is an error · `hang`: it waits for `release`, then writes. */
  append: 'ok' | 'fail' | 'after' | 'hang'
  read: 'ok' | 'fail'
  save: 'ok' | 'fail' | 'after'
  /** Sizes of the appends so far. */
  readonly batches: number[]
  /** Lets the calls that hang go on. */
  release(): void
}

export function faultyStores(stores: Stores, { isShared = false } = {}): { stores: Stores; faults: Faults } {
  let waiting: (() => void)[] = []
  const faults: Faults = {
    append: 'ok',
    read: 'ok',
    save: 'ok',
    batches: [],
    release() {
      for (const go of waiting) go()
      waiting = []
    },
  }
  const { log, snapshots } = stores
  return {
    faults,
    stores: {
      ...stores,
      log: {
        isShared,
        maxBytes: 100_000,
        trim: log.trim,
        trimmed: log.trimmed,
        async append(entries) {
          faults.batches.push(entries.length)
          const kind = faults.append
          if (kind === 'fail') throw new Error('the disk is full')
          if (kind === 'hang') await new Promise<void>((go) => waiting.push(go))
          const appended = await log.append(entries)
          if (kind === 'after') throw new Error('the connection was lost')
          return appended
        },
        async *read(after) {
          if (faults.read === 'fail') throw new Error('the disk is gone')
          yield* log.read(after)
        },
      },
      snapshots: {
        load: snapshots.load,
        async save(bytes, position) {
          if (faults.save === 'fail') throw new Error('the disk is full')
          await snapshots.save(bytes, position)
          if (faults.save === 'after') throw new Error('the connection was lost')
        },
      },
    },
  }
}
