/** The page's side of the border: each verb of the worker as a function. */
import type { ModelEvent } from '../embed/index.ts'
import { Outbox, unbundle } from './outbox.ts'
import { type PackedApplied, packQueries, unpackApplied } from './packing.ts'
import { type Answer, BYE, type Call, type Endpoint, type HostApi, type Reply, type TellEvent } from './protocol.ts'
import { Spares } from './spares.ts'

export interface Channel {
  readonly api: HostApi
  /** Nothing is asked or heard any more; a port is closed once the other side knows. */
  end(): void
}

interface Waiting {
  resolve(value: unknown): void
  reject(thrown: unknown): void
}

/** Speaks with whoever answers on an endpoint. A call that nobody answers is never settled: see link.ts. */
export function openChannel(endpoint: Endpoint): Channel {
  const waiting = new Map<number, Waiting>()
  /** Who hears of a machine's models. */
  const tellers = new Map<string, TellEvent>()
  const spares = new Spares()
  const outbox = new Outbox<Call>(endpoint, ({ id }, thrown) => settle(id)?.reject(thrown))
  let calls = 0
  const listener = hear as unknown as EventListener
  endpoint.addEventListener('message', listener)
  endpoint.start?.()

  function hear({ data }: { readonly data: unknown }): void {
    for (const answer of unbundle(data) as (Answer | null | undefined)[]) {
      if (typeof answer !== 'object' || answer === null) continue
      if ('event' in answer) tell(answer.machine, answer.event)
      else settle(answer.id)?.resolve(answer.value)
    }
  }

  /** A listener that throws is heard of as any other, and keeps no answer from the one who waits for it. */
  function tell(machine: string, event: ModelEvent): void {
    try {
      tellers.get(machine)?.(event)
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown
      })
    }
  }

  function settle(id: number): Waiting | undefined {
    const asked = waiting.get(id)
    waiting.delete(id)
    return asked
  }

  function ask<T>(verb: string, given: readonly unknown[], moved?: readonly Transferable[]): Promise<T> {
    const id = ++calls
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      outbox.post({ id, verb, given }, moved)
    })
  }

  const api: HostApi = {
    hello: () => ask('hello', []),
    open(machine, config, tell) {
      tellers.set(machine, tell)
      return ask('open', [machine, config])
    },
    async process(machine, call, queries, batch, moved) {
      const isKept = moved === undefined
      const sent = packQueries(queries, { batch, isKept }, spares.take)
      const reply = await ask<Reply<PackedApplied>>('process', [machine, call, sent], moved ?? sent.buffers)
      if (!reply.ok) return reply
      const { value } = reply
      spares.keep(value.buffers.slice(0, sent.buffers.length))
      return { ok: true, value: unpackApplied(value, queries, batch) }
    },
    apply: (...given) => ask('apply', given),
    cancel: (...given) => ask('cancel', given),
    snapshot: (...given) => ask('snapshot', given),
    restore: (machine, snapshot, moved) => ask('restore', [machine, snapshot], moved),
    reset: (...given) => ask('reset', given),
    describe: (...given) => ask('describe', given),
    clients: (...given) => ask('clients', given),
    suspensions: (...given) => ask('suspensions', given),
    warmup: (...given) => ask('warmup', given),
    capabilities: (...given) => ask('capabilities', given),
    exportClient: (...given) => ask('exportClient', given),
    close(machine) {
      tellers.delete(machine)
      return ask('close', [machine])
    },
  }

  return {
    api,
    end() {
      waiting.clear()
      tellers.clear()
      outbox.clear()
      const close = () => {
        endpoint.removeEventListener('message', listener)
        if (endpoint.constructor.name === 'MessagePort') (endpoint as MessagePort).close()
      }
      void ask(BYE, []).then(close, close)
    },
  }
}
