/** Copies of bodies, within limits, while the bodies themselves flow on. */
import { join } from '../stores/bytes.ts'
import type { Lease } from './leases.ts'

/** A body read whole, or why not. */
export type Copied =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly code: CopyFailure }

type CopyFailure = 'too_large' | 'broken' | 'used' | 'overloaded'

const EMPTY: Copied = { kind: 'whole', bytes: new Uint8Array(0) }

/**
 * Copies the body of a request or a response that stays as it is, for whoever uses it next. Gives what reads the copy, to
 * be called once; it never rejects.
 *
 * The body is teed, and each branch keeps what the other one has read before it, so at most `maxBytes`: where the length
 * is declared, a longer body is not copied, and a shorter one is read when that is asked for, off the request's path;
 * where it is not, the copy is read at once and given up at the limit. From then on the body flows at its reader's pace.
 */
export function copyBody(message: Request | Response, maxBytes: number, lease: Lease): () => Promise<Copied> {
  const failed = (code: CopyFailure) => async (): Promise<Copied> => ({ kind: 'failed', code })
  if (message.body === null) return async () => EMPTY
  const length = declaredLength(message.headers)
  if (length !== undefined && length > maxBytes) return failed('too_large')
  if (length !== undefined && !lease.take(length)) return failed('overloaded')
  const copy = cloneOf(message)
  if (copy === undefined) return failed('used')
  if (length !== undefined) return () => readWhole(copy, maxBytes)
  const reading = readBounded(copy.body!, maxBytes, lease)
  return () => reading
}

/** Digits only, as servers require it (RFC 9112, section 6.3). */
function declaredLength(headers: Headers): number | undefined {
  const text = headers.get('content-length')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function cloneOf(message: Request | Response): Request | Response | undefined {
  try {
    return message.clone()
  } catch {
    return undefined // somebody has read it, or is reading it
  }
}

/** In one call, which a server bounds by the length it was told: in workerd each call to a reader takes 10 µs. */
async function readWhole(copy: Request | Response, maxBytes: number): Promise<Copied> {
  try {
    const bytes = new Uint8Array(await copy.arrayBuffer())
    return bytes.length > maxBytes ? { kind: 'failed', code: 'too_large' } : { kind: 'whole', bytes }
  } catch {
    return { kind: 'failed', code: 'broken' }
  }
}

/** All bytes of a stream, unless they are more than `maxBytes` or there is no room for them. Never rejects. */
export async function readBounded(stream: ReadableStream<unknown>, maxBytes: number, lease: Lease): Promise<Copied> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  const giveUp = (code: CopyFailure): Copied => {
    reader.cancel().catch(() => {}) // not awaited: that of a tee ends with its other branch
    return { kind: 'failed', code }
  }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { kind: 'whole', bytes: chunks.length === 1 ? chunks[0]! : join(chunks) }
      if (!(value instanceof Uint8Array)) return giveUp('broken')
      length += value.length
      if (length > maxBytes) return giveUp('too_large')
      if (!lease.take(value.length)) return giveUp('overloaded')
      chunks.push(value)
    }
  } catch {
    return { kind: 'failed', code: 'broken' }
  }
}
