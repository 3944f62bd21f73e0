/** What an object answers a worker: bytes with a checksum, so that every number arrives as it is. */
import {
  errorFromPlain,
  fromFrame,
  isPlainObject,
  MonitorError,
  type PlainData,
  type PlainError,
  refuse,
  toFrame,
  toMonitorError,
} from '../../core/index.ts'
import type { MonitorApplied } from '../../embed/index.ts'
import { plain } from '../journal/record.ts'

const LETTERS = 'MTRE'

/** Suspensions in force: client and end, oldest first. */
export type Suspensions = readonly (readonly [client: string, untilMs: number])[]

/** A client's object after an entry, or when it is asked for its suspensions. */
export interface ShardReply {
  readonly applied: MonitorApplied | null
  /** Names the list of suspensions; another list has another name. */
  readonly version: string
  /** Only for a worker that has not got this version. */
  readonly suspensions: Suspensions | null
}

export function replyWith(value: unknown): Response {
  return new Response(toFrame(LETTERS, { value: plain(value) as PlainData }))
}

/** Errors travel as data too; the status is for logs. */
export function replyFailed(thrown: unknown): Response {
  const { name, code, message, path } = toMonitorError(thrown, 'plugin_failed').toJSON()
  return new Response(toFrame(LETTERS, { error: { name, code, message, path } }), { status: 500 })
}

/** The value of an answer. Throws its error, rebuilt. */
export async function readReply<T>(response: Response): Promise<T> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  let tree: PlainData
  try {
    tree = fromFrame(LETTERS, bytes)
  } catch (cause) {
    const message = `the object answered ${response.status} with something else: ${new TextDecoder().decode(bytes.subarray(0, 100))}`
    throw new MonitorError('store_failed', message, 'object', { cause })
  }
  if (isPlainObject(tree) && isPlainObject(tree['error'])) throw errorFromPlain(tree['error'] as unknown as PlainError)
  if (isPlainObject(tree) && 'value' in tree) return tree['value'] as T
  return refuse('store_failed', 'must be a reply', tree, 'object')
}
