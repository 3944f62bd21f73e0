/** What a client gets instead of an answer. */
import type { FailureCode } from './tally.ts'

/** Why a client is refused. */
export interface Refusal {
  /** `suspended`, `throttled`, or what went wrong where `onError` is `closed`. */
  readonly code: 'suspended' | 'throttled' | FailureCode
  readonly status: number
  /** A sentence for people. Tells nothing of detectors. */
  readonly message: string
  /** In seconds, where coming back later helps. */
  readonly retryAfter?: number
}

/** The client is suspended until then. */
export function suspended(untilMs: number, nowMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil((untilMs - nowMs) / 1000))
  return { ...SUSPENDED, retryAfter }
}

/** The same without an end: it would tell when the suspension began. */
export const SUSPENDED: Refusal = { code: 'suspended', status: 403, message: 'this client is suspended' }

/** This query is refused, and the client may go on. The time is that in which the policy forgets one query. */
export function throttled(fadePerMinute: number): Refusal {
  const refusal: Refusal = { code: 'throttled', status: 429, message: 'too many queries' }
  return fadePerMinute === 0 ? refusal : { ...refusal, retryAfter: Math.max(1, Math.ceil(60 / fadePerMinute)) }
}

const FAILURES: Partial<Record<FailureCode, readonly [status: number, message: string]>> = {
  unidentified: [401, 'nothing tells who asks'],
  body_too_large: [413, 'the body is too large'],
  body_broken: [400, 'the body broke off'],
  body_encoding: [415, 'the body is encoded in a way that is not known here'],
  bad_body: [400, 'the body holds no query'],
  bad_query: [422, 'the query cannot be judged'],
}

/** What could not be watched is not served. */
export function failureRefusal(code: FailureCode): Refusal {
  const known = FAILURES[code]
  if (known !== undefined) return { code, status: known[0], message: known[1] }
  return { code: 'monitor_failed', status: 503, message: 'not available at the moment', retryAfter: 1 }
}

/** `{ "error": { code, message } }` with the status, and `retry-after` where it helps. */
export function refusalResponse({ code, status, message, retryAfter }: Refusal): Response {
  const headers = new Headers({ 'cache-control': 'no-store', 'content-type': 'application/json' })
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter))
  return new Response(JSON.stringify({ error: { code, message } }), { status, headers })
}
