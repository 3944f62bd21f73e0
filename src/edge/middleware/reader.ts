/** Reads queries and outputs from copies of bodies, and says what is wrong with them. */
import { isMonitorError } from '../../core/index.ts'
import { copyBody } from './boundedCopy.ts'
import type { Lease } from './leases.ts'
import { type OpenFailure, openRequest, openResponse } from './openCopy.ts'
import type { Settings } from './options.ts'
import type { FailureCode } from './tally.ts'
import type { Known, Visit } from './visit.ts'

/** Tells what went wrong. */
export type Fail = (code: FailureCode, message: string) => void

const BODY_FAILURES: Readonly<Record<OpenFailure, FailureCode>> = {
  too_large: 'body_too_large',
  broken: 'body_broken',
  used: 'body_used',
  overloaded: 'overloaded',
  unknown_encoding: 'body_encoding',
}

const ANSWER_FAILURES: Readonly<Record<OpenFailure, FailureCode>> = {
  ...BODY_FAILURES,
  too_large: 'answer_too_large',
  broken: 'bad_answer',
  used: 'bad_answer',
  unknown_encoding: 'bad_answer',
}

const MESSAGES: Readonly<Record<OpenFailure, string>> = {
  too_large: 'the body is above limits.bodyBytes',
  broken: 'the body broke off, or is packed wrongly',
  used: 'somebody had read the body before',
  overloaded: 'there is no room for the body: see limits.totalBytes',
  unknown_encoding: 'the body is packed in a way that is not known here',
}

/** Starts to copy a request's body; what it gives reads the query from it. It never rejects. */
export function queryOf(visit: Visit, lease: Lease, settings: Settings, fail: Fail): () => Promise<Known> {
  const { query: read, limits } = settings
  if (read === undefined) return async () => ({ kind: 'query', query: {} })
  const options = { maxBytes: limits.bodyBytes, lease }
  const copied = copyBody(visit.request, limits.bodyBytes, lease)
  let known: Promise<Known> | undefined
  return () => {
    known ??= readOnce()
    return known
  }

  async function readOnce(): Promise<Known> {
    const opened = await openRequest(visit.request, await copied(), options)
    if (opened.kind === 'failed') {
      fail(BODY_FAILURES[opened.code], MESSAGES[opened.code])
      return { kind: 'failed' }
    }
    try {
      const query = await read!(opened.copy, ...visit.args)
      return query === undefined ? { kind: 'none' } : { kind: 'query', query }
    } catch (thrown) {
      fail('bad_body', inWords(thrown))
      return { kind: 'failed' }
    }
  }
}

/** Starts to copy an answer's body; what it gives reads the model's output, undefined for none. It never rejects. */
export function outputOf(
  response: Response,
  lease: Lease,
  { output: read, limits }: Settings,
  fail: Fail,
): () => Promise<ArrayLike<number> | undefined> {
  if (read === undefined || !response.ok || !isJson(response)) return async () => undefined
  const copied = copyBody(response, limits.bodyBytes, lease)
  return async () => {
    const opened = await openResponse(response, await copied(), { maxBytes: limits.bodyBytes, lease })
    if (opened.kind === 'failed') {
      fail(ANSWER_FAILURES[opened.code], MESSAGES[opened.code])
      return undefined
    }
    try {
      return await read(opened.copy)
    } catch (thrown) {
      fail('bad_answer', inWords(thrown))
      return undefined
    }
  }
}

/** `application/json`, `application/problem+json` … Streams of events or of lines are none. */
export function isJson({ headers }: Response): boolean {
  const essence = (headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  return essence === 'application/json' || /^[^/]+\/[^/]+\+json$/.test(essence)
}

/** Of an error of ours or of the user's function: what the engine says may quote the body. */
export function inWords(thrown: unknown): string {
  if (isMonitorError(thrown)) return thrown.message
  return thrown instanceof SyntaxError ? 'must be JSON' : thrown instanceof Error ? thrown.message : 'threw no error'
}
