/** The worker's side: machines by name, each with its own order. */
import {
  errorFromPlain,
  type InPieces,
  inPieces,
  MonitorError,
  restoreInPieces,
  type Snapshot,
  toMonitorError,
} from '../core/index.ts'
import type { StreamMonitorConfig } from '../core/monitor/index.ts'
import {
  type AnyRegistry,
  type CallOptions,
  capabilitiesOfAll,
  createDetectorEngine,
  createMonitorEngine,
  disposeAll,
  type Engine,
  featurizeAll,
  listenToAll,
  type MonitorEngine,
  Order,
  type Query,
  readyOf,
  warmupAll,
} from '../embed/index.ts'
import { answerOwner } from './owner.ts'
import {
  type Applied,
  type Endpoint,
  type HostApi,
  type LogEntry,
  type MachineConfig,
  PROTOCOL,
  type Reply,
  type State,
} from './protocol.ts'

export interface ServeOptions {
  /** Where detector names are looked up. Default: the built-in detectors. */
  readonly registry?: AnyRegistry
  /**
   * Completes the options of each detector with what cannot cross from the page, such as an `embedder`, a `hash` or a
   * `similarity` function. Gets the detector's name and the options that came; returns the options to use.
   */
  readonly configure?: (name: string, config: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
}

type AnyEngine = Engine<Query, LogEntry, unknown, unknown>

interface Machine {
  readonly engine: AnyEngine
  readonly order: Order
  /** Entries applied since it was opened, and states put in place. */
  applied: number
  /** Ends the telling of events. */
  readonly deafen: () => void
}

/**
 * Answers its owner on an endpoint: `serveWorker(self)` in a worker script, or a MessagePort. Nothing runs before the first
 * call. What does not come from the owner, or is no call of a verb, is ignored. Throws `bad_config` for a window.
 */
export function serveWorker(endpoint: Endpoint, options: ServeOptions = {}): void {
  if ('document' in endpoint) {
    const message = 'must be a worker or a port: every page that holds a window can send to it; use a MessageChannel'
    throw new MonitorError('bad_config', message, 'endpoint')
  }
  answerOwner(endpoint, createHost(options))
}

/** The host's verbs, without a border. */
export function createHost({ registry, configure = (_, config) => config }: ServeOptions = {}): HostApi {
  const machines = new Map<string, Machine>()
  /** Calls that can still be stopped, by machine and number. */
  const calls = new Map<string, AbortController>()
  return {
    hello: async () => PROTOCOL,
    open: (name, config, tell) =>
      reply(async () => {
        const engine = engineOf(config)
        const order = new Order({ maxPending: Number.POSITIVE_INFINITY }) // the page counts
        const deafen = listenToAll(engine.models, tell)
        machines.set(name, { engine, order, applied: 0, deafen })
        return config.kind === 'monitor' ? (engine as unknown as MonitorEngine).describe().policy : null
      }),
    process: (name, call, queries, batch) => reply(() => process(name, call, queries, batch)),
    apply: (name, entries) => reply(() => applyNow(machine(name), entries)),
    async cancel(name, call) {
      if (typeof name === 'string' && typeof call === 'number') calls.get(`${name}:${call}`)?.abort()
    },
    snapshot: (name) => replyInPieces(() => now(name, stateOf)),
    restore: (name, snapshot: Snapshot) =>
      replyInPieces(() =>
        now(name, async (known) => {
          await untilWhole(restoreInPieces(() => known.engine.restore(snapshot)))
          known.applied++ // what was saved before is older, also if it arrives later
          return stateOf(known)
        }),
      ),
    reset: (name) =>
      replyInPieces(() =>
        now(name, (known) => {
          known.engine.reset()
          known.applied++
          return stateOf(known)
        }),
      ),
    describe: (name) => reply(() => now(name, ({ engine }) => engine.describe())),
    clients: (name) => reply(() => now(name, ({ engine }) => (engine as unknown as MonitorEngine).stream.clients())),
    suspensions: (name) =>
      reply(() => now(name, ({ engine }) => (engine as unknown as MonitorEngine).stream.suspensions())),
    exportClient: (name, client) =>
      reply(() => now(name, ({ engine }) => (engine as unknown as MonitorEngine).stream.exportClient(client))),
    warmup: (name, call) =>
      reply(() => stoppable(name, call, (options) => warmupAll(machine(name).engine.models, options))),
    capabilities: (name) => reply(() => capabilitiesOfAll(machine(name).engine.models)),
    close: (name) =>
      reply(async () => {
        const { order, engine, deafen } = machine(name)
        machines.delete(name)
        order.dispose()
        deafen()
        await disposeAll(engine.models)
        return null
      }),
  }

  function engineOf(config: MachineConfig): AnyEngine {
    if (config.kind === 'detector') {
      const { name } = config
      return createDetectorEngine(name, configure(name, config.config), registry) as unknown as AnyEngine
    }
    const { detectors, ...rest } = config.config
    const complete = Array.isArray(detectors) ? detectors.map(completed) : detectors
    const full = { ...rest, detectors: complete } as unknown as StreamMonitorConfig
    return createMonitorEngine(full, { registry }) as unknown as AnyEngine
  }

  function completed(given: string | { readonly name: string }): unknown {
    const { name, ...config } = typeof given === 'string' ? { name: given } : given
    return { name, ...configure(name, config) }
  }

  function machine(name: string): Machine {
    const known = machines.get(name)
    if (known !== undefined) return known
    throw new MonitorError('disposed', 'this detector or monitor is not open in the worker; make a new one')
  }

  /** In its turn. The calls behind it wait until a promise is settled. */
  function now<R>(name: string, step: (machine: Machine) => R | Promise<R>): Promise<R> {
    const known = machine(name)
    return known.order.run(
      async () => undefined,
      () => step(known),
    )
  }

  function process(name: string, call: number, queries: readonly Query[], batch: boolean): Applied | Promise<Applied> {
    const target = machine(name)
    if (call === 0 && target.order.pending === 0) {
      const entries = batch ? readyOf(target.engine, queries) : readyOne(target.engine, queries[0]!)
      if (entries.length === queries.length) return applied(target, entries, batch)
    }
    return stoppable(name, call, (options) => {
      const featurize = batch
        ? () => featurizeAll(target.engine, queries, options)
        : async () => [await target.engine.featurize(queries[0]!, options)]
      return target.order.run(featurize, (entries) => applied(target, entries, batch), options)
    })
  }

  async function stoppable<T>(name: string, call: number, run: (options: CallOptions) => Promise<T>): Promise<T> {
    if (call === 0) return run({})
    const control = new AbortController()
    const key = `${name}:${call}`
    calls.set(key, control)
    try {
      return await run({ signal: control.signal })
    } finally {
      calls.delete(key)
    }
  }

  function applyNow(target: Machine, entries: readonly LogEntry[]): Promise<Applied> {
    return target.order.run(
      async () => undefined,
      () => applied(target, entries, true),
    )
  }
}

/** The state as it is now; a large one is still to be filled. */
function stateOf({ engine, applied }: Machine): InPieces<State> {
  return inPieces(() => ({ snapshot: engine.snapshot(), applied }))
}

/** As `readyOf`, for an error that names no place. */
function readyOne(engine: AnyEngine, query: Query): LogEntry[] {
  const entry = engine.ready?.(query)
  return entry === undefined ? [] : [entry]
}

function applied(machine: Machine, entries: readonly LogEntry[], batch: boolean): Applied {
  const results = batch ? machine.engine.applyBatch(entries) : [machine.engine.apply(entries[0]!)]
  machine.applied += entries.length
  return { entries, results, applied: machine.applied }
}

async function reply<T>(work: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (thrown) {
    return { ok: false, error: toMonitorError(thrown, 'plugin_failed').toJSON() }
  }
}

/** Other calls have their turn between two pieces. */
export async function untilWhole(fill: () => boolean): Promise<void> {
  while (!fill()) await new Promise((resolve) => setTimeout(resolve))
}

/** Queries have their turn between two pieces, and large buffers are moved, not copied. */
async function replyInPieces<T>(work: () => Promise<InPieces<T>>): Promise<Reply<T>> {
  let moved: readonly ArrayBuffer[] = []
  const whole = await reply(async () => {
    const pieces = await work()
    await untilWhole(pieces.fill)
    moved = pieces.buffers
    return pieces.value
  })
  return whole.ok ? { ...whole, moved } : whole
}

/** The value of a reply; its error is rebuilt with code and path. */
export function unwrap<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value
  throw errorFromPlain(reply.error)
}
