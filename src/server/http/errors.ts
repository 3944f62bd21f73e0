/** From failures to answers: a status, and `{ "error": { code, message, path } }`. */
import { type ErrorCode, isMonitorError, type PlainError } from '../../core/index.ts'

/** What can go wrong between the socket and a query. */
export type HttpCode =
  | 'bad_request'
  | 'bad_json'
  | 'not_found'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'too_many_requests'
  | 'too_slow'
  | 'forbidden'
  | 'unauthorized'
  | 'overloaded'
  | 'draining'
  | 'internal'

/** A refusal with its status, `path` naming the place in the request as the caller wrote it. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: HttpCode | ErrorCode
  readonly path: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: HttpCode | ErrorCode,
    message: string,
    { path = '', headers = {} }: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.path = path
    this.headers = headers
  }
}

/** What a caller sees of a failure. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly path: string }
}

/** The statuses of the errors of this library; a code that is not in the list is the server's own trouble: 503. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  bad_query: 422,
  bad_config: 422,
  suspended: 403,
  unauthorized: 401,
}

const JSON_HEADERS = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' }

/** Any thrown value as a refusal. What is neither ours nor the library's is a bug: 500, and its text stays inside. */
export function toHttpError(thrown: unknown): HttpError {
  if (thrown instanceof HttpError) return thrown
  if (isMonitorError(thrown)) return fromPlain(thrown.toJSON())
  return new HttpError(500, 'internal', 'the server failed; its log says why')
}

/** The refusal that stands for an error of the library. `detector` in front of its path is left out. */
export function fromPlain({ code, message, path }: PlainError): HttpError {
  const status = STATUSES[code] ?? 503
  const bare = path === '' || !message.startsWith(`${path}: `) ? message : message.slice(path.length + 2)
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {}
  return new HttpError(status, code, bare, { path, headers })
}

/** The refusal as the answer to a request. */
export function errorResponse({ status, code, message, path, headers }: HttpError): Response {
  const body: ErrorBody = { error: { code, message, path } }
  return new Response(JSON.stringify(body), { status, headers: { ...JSON_HEADERS, ...headers } })
}

/** JSON text as an answer. */
export function jsonResponse(text: string, status = 200): Response {
  return new Response(text, { status, headers: JSON_HEADERS })
}

/** A value as an answer that no cache keeps. */
export function answerWith(value: unknown, status = 200): Response {
  const headers = { ...JSON_HEADERS, 'cache-control': 'no-store' }
  return new Response(JSON.stringify(value), { status, headers })
}
