/** Concurrent calls put together: while one batch is under way the next one collects. */
import { MonitorError } from '../../core/index.ts'
import { abortable } from '../order.ts'

/** How one item of a batch went. */
export type Settled<Out> = { readonly value: Out } | { readonly error: unknown }

export interface BatcherOptions<In, Out> {
  /** Items of a batch, in the order of the calls; gives as many outcomes, in the same order. A rejection is everybody's. */
  readonly run: (items: readonly In[]) => Promise<readonly Settled<Out>[]>
  /** Most items of a batch; asked for before each. */
  readonly maxBatch: () => number
  /** Calls that wait for their batch; one more is refused as `overloaded`. */
  readonly maxQueue: number
}

export interface Batcher<In, Out> {
  /**
   * Puts an item into the next batch. Answers come in the order of the calls; an item that fails, fails alone. Aborting
   * leaves the others as they are: a waiting item is taken out, one under way is finished and its result dropped.
   */
  add(item: In, signal?: AbortSignal): Promise<Out>
  /** Does this when all earlier calls are answered, and before any later one. */
  afterwards(work: () => Promise<void>): Promise<void>
}

type Entry<In, Out> =
  | { readonly kind: 'item'; readonly item: In; settle(outcome: Settled<Out>): void }
  | { readonly kind: 'work'; run(): Promise<void> }

/** A batcher. Calls made in one go come into one batch. */
export function createBatcher<In, Out>({ run, maxBatch, maxQueue }: BatcherOptions<In, Out>): Batcher<In, Out> {
  const queue: Entry<In, Out>[] = []
  let isRunning = false

  return {
    async add(item, signal) {
      if (signal?.aborted) return abortable(new Promise<never>(() => {}), signal)
      if (queue.length >= maxQueue) {
        const remedy = 'await earlier calls before making more, or raise maxQueue'
        throw new MonitorError('overloaded', `${queue.length} inputs wait for the model, which is the limit; ${remedy}`)
      }
      let entry: Entry<In, Out> | undefined
      const answer = new Promise<Out>((resolve, reject) => {
        const settle = (outcome: Settled<Out>) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value))
        entry = { kind: 'item', item, settle }
        enter(entry)
      })
      try {
        return await abortable(answer, signal)
      } finally {
        const place = queue.indexOf(entry!)
        if (place >= 0) queue.splice(place, 1)
      }
    },
    afterwards(work) {
      return new Promise((resolve, reject) => {
        enter({ kind: 'work', run: () => work().then(resolve, reject) })
      })
    },
  }

  function enter(entry: Entry<In, Out>): void {
    queue.push(entry)
    if (!isRunning) void drain()
  }

  async function drain(): Promise<void> {
    isRunning = true
    await Promise.resolve() // so that calls made in one go are a batch
    while (queue.length > 0) {
      const [first] = queue
      if (first?.kind === 'work') {
        queue.shift()
        await first.run()
      } else await runBatch(takeItems())
    }
    isRunning = false
  }

  function takeItems() {
    const stop = queue.findIndex(({ kind }) => kind === 'work')
    const most = Math.max(1, maxBatch())
    return queue.splice(0, stop < 0 ? most : Math.min(most, stop)).filter((entry) => entry.kind === 'item')
  }

  async function runBatch(entries: readonly Extract<Entry<In, Out>, { kind: 'item' }>[]): Promise<void> {
    let outcomes: readonly Settled<Out>[]
    try {
      outcomes = await run(entries.map(({ item }) => item))
    } catch (error) {
      outcomes = entries.map(() => ({ error }))
    }
    for (const [i, { settle }] of entries.entries()) settle(outcomes[i]!)
  }
}
