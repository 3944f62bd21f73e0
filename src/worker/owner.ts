/**
 * An endpoint that lets nothing through but calls of its owner. comlink alone would take any message: one that sets a
 * prototype, or asks for the constructor of a function, would run whatever its sender likes.
 */
import type { Endpoint } from 'comlink'

type Heard = Event & { readonly data?: unknown; readonly origin?: unknown }

/** The same endpoint, deaf to all messages but the owner's calls of these verbs and its goodbye. */
export function ownEndpoint(endpoint: Endpoint, verbs: ReadonlySet<string>): Endpoint {
  const heard = new Map<unknown, (event: Event) => void>()
  return {
    postMessage: (message, transfer = []) => endpoint.postMessage(message, transfer),
    ...(endpoint.start === undefined ? {} : { start: () => endpoint.start?.() }),
    addEventListener(type, listener, options) {
      const only = (event: Event) => {
        if (type !== 'message' || isCall(event, verbs)) tell(listener, event)
      }
      heard.set(listener, only)
      endpoint.addEventListener(type, only, options)
    },
    removeEventListener(type, listener, options) {
      const only = heard.get(listener)
      if (only !== undefined) endpoint.removeEventListener(type, only, options)
      heard.delete(listener)
    },
  }
}

function tell(listener: EventListenerOrEventListenerObject, event: Event): void {
  if (typeof listener === 'function') listener(event)
  else listener.handleEvent(event)
}

/**
 * True for a call of a verb, or for the end of all calls. Messages of a worker's maker, and of the holder of the other
 * port, name no origin; those between windows always do.
 */
function isCall({ data, origin = '' }: Heard, verbs: ReadonlySet<string>): boolean {
  if (origin !== '' || typeof data !== 'object' || data === null) return false
  const { type, id, path, argumentList } = data as Readonly<Record<string, unknown>>
  if (typeof id !== 'string') return false
  if (type === 'RELEASE') return true
  const isVerb = Array.isArray(path) && path.length === 1 && typeof path[0] === 'string' && verbs.has(path[0])
  return type === 'APPLY' && isVerb && Array.isArray(argumentList) && argumentList.every(isArgument)
}

/** A value as it is, or a function of the owner's behind a port. */
function isArgument(one: unknown): boolean {
  const { type, name, value } = Object(one) as Readonly<Record<string, unknown>>
  return type === 'RAW' || (type === 'HANDLER' && name === 'proxy' && isPort(value))
}

/** By its verb, since functions cannot be sent; the tag of a port is another one in Node. */
function isPort(value: unknown): boolean {
  return typeof (value as Partial<MessagePort> | undefined)?.postMessage === 'function'
}
