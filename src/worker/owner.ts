/**
 * The worker's side of the border: it answers calls of its owner and is deaf to everything else, whoever sends it. What
 * comes is plain data, and a verb is called only if it stands in the list.
 */
import { toMonitorError } from '../core/index.ts'
import { Outbox, unbundle } from './outbox.ts'
import { type PackedQueries, packApplied, unpackQueries } from './packing.ts'
import { type Answer, BYE, type Call, type Endpoint, type HostApi, type Reply } from './protocol.ts'

/** Messages of a worker's maker, and of the holder of the other port, name no origin; those between windows always do. */
type Heard = Event & { readonly data?: unknown; readonly origin?: unknown }
type Given = readonly never[]

/** Answers the owner's calls until its goodbye. */
export function answerOwner(endpoint: Endpoint, host: HostApi): void {
  const verbs = new Set([...Object.keys(host), BYE])
  const outbox = new Outbox<Answer>(endpoint, (answer, thrown) => {
    if ('id' in answer) outbox.post({ id: answer.id, value: refused(thrown) }) // an answer that cannot be cloned
  })
  endpoint.addEventListener('message', hear)
  endpoint.start?.()

  function hear(event: Event): void {
    const { data, origin = '' } = event as Heard
    if (origin !== '') return
    for (const one of unbundle(data)) {
      if (!isCall(one, verbs)) continue
      if (one.verb === BYE) endpoint.removeEventListener('message', hear)
      void answer(one)
    }
  }

  async function answer({ id, verb, given }: Call): Promise<void> {
    let value: unknown
    try {
      value = await run(verb, given as Given)
    } catch (thrown) {
      value = refused(thrown)
    }
    const { moved, ...rest } = Object(value) as { readonly moved?: readonly ArrayBuffer[] }
    outbox.post({ id, value: moved === undefined ? value : rest }, moved)
  }

  async function run(verb: string, given: Given): Promise<unknown> {
    if (verb === BYE) return undefined
    if (verb === 'process') return processed(given as never)
    if (verb === 'open') {
      const [machine, config] = given
      return host.open(machine!, config!, (event) => outbox.post({ machine: machine!, event }))
    }
    return (host[verb as keyof HostApi] as (...all: Given) => Promise<unknown>)(...given)
  }

  async function processed([machine, call, sent]: [string, number, PackedQueries]): Promise<unknown> {
    const queries = unpackQueries(sent)
    const reply = await host.process(machine, call, queries, sent.batch)
    if (!reply.ok) return reply
    const value = packApplied(reply.value, queries, sent)
    return value.buffers.length === 0 ? { ok: true, value } : { ok: true, value, moved: value.buffers }
  }
}

function refused(thrown: unknown): Reply<never> {
  return { ok: false, error: toMonitorError(thrown, 'plugin_failed').toJSON() }
}

function isCall(data: unknown, verbs: ReadonlySet<string>): data is Call {
  const { id, verb, given } = Object(data) as Readonly<Record<string, unknown>>
  return typeof id === 'number' && typeof verb === 'string' && verbs.has(verb) && Array.isArray(given)
}
