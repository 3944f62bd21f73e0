/**
 * The worker's side of the border: it answers calls of its owner and is deaf to everything else, whoever sends it. What
 * comes is plain data, and a verb is called only if it stands in the list.
 */
import { toMonitorError } from '../core/index.ts'
import { type PackedQueries, packApplied, unpackQueries } from './packing.ts'
import { type Answer, BYE, type Call, type Endpoint, type HostApi, type Reply } from './protocol.ts'

type Heard = Event & { readonly data?: unknown; readonly origin?: unknown }
type Given = readonly never[]

/** Answers the owner's calls until its goodbye. */
export function answerOwner(endpoint: Endpoint, host: HostApi): void {
  const verbs = new Set([...Object.keys(host), BYE])
  endpoint.addEventListener('message', hear)
  endpoint.start?.()

  function hear(event: Event): void {
    const call = callOf(event, verbs)
    if (call === undefined) return
    if (call.verb === BYE) endpoint.removeEventListener('message', hear)
    void answer(call)
  }

  async function answer({ id, verb, given }: Call): Promise<void> {
    let value: unknown
    try {
      value = await run(verb, given as Given)
    } catch (thrown) {
      value = refused(thrown)
    }
    try {
      post({ id, value }, value)
    } catch (thrown) {
      post({ id, value: refused(thrown) }) // an answer that cannot be cloned
    }
  }

  async function run(verb: string, given: Given): Promise<unknown> {
    if (verb === BYE) return undefined
    if (verb === 'process') return processed(given as never)
    if (verb === 'open') {
      const [machine, config] = given
      return host.open(machine!, config!, (event) => post({ machine: machine!, event }))
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

  function post(answer: Answer, reply?: unknown): void {
    const { moved, ...rest } = Object(reply) as { readonly moved?: readonly ArrayBuffer[] }
    if (moved === undefined) endpoint.postMessage(answer)
    else endpoint.postMessage({ ...answer, value: rest }, [...moved])
  }
}

function refused(thrown: unknown): Reply<never> {
  return { ok: false, error: toMonitorError(thrown, 'plugin_failed').toJSON() }
}

/**
 * A call of one of the verbs, or `undefined`. Messages of a worker's maker, and of the holder of the other port, name no
 * origin; those between windows always do.
 */
function callOf({ data, origin = '' }: Heard, verbs: ReadonlySet<string>): Call | undefined {
  if (origin !== '' || typeof data !== 'object' || data === null) return undefined
  const { id, verb, given } = data as Readonly<Record<string, unknown>>
  const isCall = typeof id === 'number' && typeof verb === 'string' && verbs.has(verb) && Array.isArray(given)
  return isCall ? (data as Call) : undefined
}
