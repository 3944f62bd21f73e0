/** The monitor of raw queries over a journal: what it has answered, it remembers. */
import type { Snapshot } from '../../core/index.ts'
import type { Entry } from '../../core/monitor/index.ts'
import {
  announce,
  featurizeAll,
  type Monitor,
  type MonitorApplied,
  type MonitorEngine,
  type MonitorHostEvent,
  modelHost,
  Order,
  type OrderOptions,
  stamp,
} from '../../embed/index.ts'
import { Journal } from './journal.ts'
import type { JournalDescription, JournalEvent, JournalOptions } from './options.ts'

export interface DurableOptions extends OrderOptions, Omit<JournalOptions, 'onEvent' | 'onFollowed'> {
  /** The host's clock, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** As that of a monitor in process; also told of the store. */
  readonly onEvent?: (event: MonitorHostEvent | JournalEvent) => void
}

/** A monitor whose acknowledged queries survive. */
export interface DurableMonitor extends Monitor {
  /** How the log is. */
  journal(): JournalDescription
  /** Applies what other writers of the same log have written meanwhile. */
  follow(): Promise<void>
  /** Writes a snapshot now and cuts the log. */
  compact(): Promise<void>
  /** Forgets clients that were not seen for so many ms. */
  expire(unseenMs: number): Promise<void>
}

/**
 * Opens a monitor over stores: `durableMonitor(createMonitorEngine({ detectors }), { stores })`. A verdict is given once its
 * query is in the log; after a crash the next start goes on exactly there. `onError` is the policy's unless it is given. The
 * stores are the caller's to close, after `dispose`, which settles what waits and writes a last snapshot.
 *
 * Rejects with `bad_config`, `bad_snapshot` for stores of another monitor or damaged ones, and `store_failed`.
 */
export async function durableMonitor(engine: MonitorEngine, options: DurableOptions): Promise<DurableMonitor> {
  const { now = Date.now, onEvent, maxPending, maxConcurrent, ...rest } = options
  const { policy } = engine.describe()
  const tell = (applied: MonitorApplied) => announce(applied, onEvent)
  const journal = await Journal.open(engine, {
    onError: policy.onError,
    ...rest,
    onFollowed: tell,
    ...(onEvent === undefined ? {} : { onEvent }),
  })
  const order = new Order({
    ...(maxPending === undefined ? {} : { maxPending }),
    ...(maxConcurrent === undefined ? {} : { maxConcurrent }),
  })
  const write = async (entry: Entry) => tell(await journal.apply(entry))
  /** Behind all earlier calls: a promise in an object keeps later ones from waiting for it. */
  const inTurn = async <R>(step: () => Promise<R>): Promise<R> => {
    const { done } = await order.run(
      async () => undefined,
      () => ({ done: step() }),
    )
    return done
  }
  const replace = (step: () => void) => {
    return inTurn(() =>
      journal.change(() => {
        const before = engine.snapshot()
        step()
        return () => engine.restore(before)
      }),
    )
  }

  return {
    policy,
    admit: (client, timeMs = now()) => engine.stream.admit(client, timeMs),
    async inspect(query, call = {}) {
      const held = stamp(query, now, call)
      const { done } = await order.run(
        () => engine.featurize(held, call),
        (entry) => ({ done: write(entry) }),
        call,
      )
      return done
    },
    async inspectBatch(queries, call = {}) {
      const held = queries.map((query) => stamp(query, now, call))
      const { done } = await order.run(
        () => featurizeAll(engine, held, call),
        (entries) => ({ done: Promise.all(entries.map(write)) }),
        call,
      )
      return done
    },
    async suspend(client, forMs = policy.suspendForMs) {
      await inTurn(() => write({ kind: 'suspend', client, timeMs: now(), untilMs: now() + forMs }))
    },
    async release(client) {
      await inTurn(() => write({ kind: 'release', client, timeMs: now() }))
    },
    /** The log is cut too, so that no earlier entry of the client is left in it. */
    async erase(client) {
      await inTurn(() => write({ kind: 'erase', client, timeMs: now() }))
      await journal.compact({ all: true })
    },
    exportClient: (client) => inTurn(() => journal.step(() => engine.stream.exportClient(client))),
    async expire(unseenMs) {
      await inTurn(() => write({ kind: 'expire', timeMs: now(), unseenMs }))
    },
    clients: () => inTurn(() => journal.step(engine.stream.clients)),
    snapshot: () => inTurn(() => journal.step(engine.snapshot)),
    restore: (snapshot: Snapshot) => replace(() => engine.restore(snapshot)),
    reset: () => replace(engine.reset),
    describe: () => inTurn(() => journal.step(engine.describe)),
    journal: () => journal.describe(),
    follow: () => journal.follow(),
    compact: () => journal.compact(),
    ...withClose(
      modelHost(engine.models, onEvent, () => order.dispose()),
      () => journal.close(),
    ),
  }
}

function withClose<Host extends { dispose(): Promise<void> }>(host: Host, close: () => Promise<void>): Host {
  return {
    ...host,
    async dispose() {
      await host.dispose()
      await close()
    },
  }
}
