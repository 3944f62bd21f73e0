/**
 * The one error class. It crosses workers, HTTP and disk as plain data and is rebuilt on the other side.
 */

/** What went wrong, for code to branch on. The message is for people. */
export type ErrorCode =
  | 'bad_query'
  | 'bad_config'
  | 'bad_snapshot'
  | 'embedder_failed'
  | 'plugin_failed'
  | 'backend_unavailable'
  | 'model_unavailable'
  | 'model_mismatch'
  | 'model_truncated'
  | 'missing_package'
  | 'timeout'
  | 'aborted'
  | 'disposed'
  | 'worker_lost'
  | 'overloaded'
  | 'suspended'
  | 'unauthorized'
  | 'store_failed'
  | 'store_busy'

const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'bad_query',
  'bad_config',
  'bad_snapshot',
  'embedder_failed',
  'plugin_failed',
  'backend_unavailable',
  'model_unavailable',
  'model_mismatch',
  'model_truncated',
  'missing_package',
  'timeout',
  'aborted',
  'disposed',
  'worker_lost',
  'overloaded',
  'suspended',
  'unauthorized',
  'store_failed',
  'store_busy',
])

/** True for the plain data of an error: a known code, and texts that are no essays. */
export function isErrorData(value: unknown): value is PlainError {
  const { name, code, message, path } = Object(value) as Record<string, unknown>
  const isText = (text: unknown) => typeof text === 'string' && text.length <= LONGEST_TEXT
  return name === 'MonitorError' && CODES.has(code as string) && isText(message) && isText(path)
}

/** Far above what this library says, and far below what would fill a log. */
const LONGEST_TEXT = 10_000

/** A {@link MonitorError} as plain data: survives `structuredClone` and JSON. */
export interface PlainError {
  readonly name: 'MonitorError'
  readonly code: ErrorCode
  readonly message: string
  readonly path: string
}

/**
 * Every failure that this library reports. `code` is for branching, `path` names the place in the query, the
 * configuration or the snapshot (`''` when there is none), `message` says what was expected, what came and the remedy.
 * A query that fails changes no state.
 */
export class MonitorError extends Error {
  override readonly name = 'MonitorError'
  readonly code: ErrorCode
  readonly path: string

  constructor(code: ErrorCode, message: string, path = '', options?: { readonly cause?: unknown }) {
    super(path === '' ? message : `${path}: ${message}`, options)
    this.code = code
    this.path = path
  }

  /** The error as plain data, without stack and cause. */
  toJSON(): PlainError {
    return { name: 'MonitorError', code: this.code, message: this.message, path: this.path }
  }
}

/** True for a {@link MonitorError}, also for one of another realm or another copy of this library. */
export function isMonitorError(value: unknown): value is MonitorError {
  return value instanceof Error && value.name === 'MonitorError' && CODES.has((value as MonitorError).code)
}

/** Plain data back to an error. The message is taken as it is; the path is not put in front of it again. */
export function errorFromPlain(plain: PlainError, cause?: unknown): MonitorError {
  const error = new MonitorError(plain.code, plain.message, '', cause === undefined ? undefined : { cause })
  return Object.assign(error, { path: plain.path })
}

/** Any thrown value as a {@link MonitorError}: one of ours as it is, another one wrapped under `code` with its message. */
export function toMonitorError(thrown: unknown, code: ErrorCode, path = ''): MonitorError {
  if (isMonitorError(thrown)) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new MonitorError(code, message, path, { cause: thrown })
}

/** The same error with `prefix` in front of its path: `[3]` and `probabilities[1]` give `[3].probabilities[1]`. */
export function withPath(error: MonitorError, prefix: string): MonitorError {
  const rest = error.path === '' ? error.message : error.message.slice(error.path.length + 2)
  const path = error.path === '' ? prefix : error.path.startsWith('[') ? prefix + error.path : `${prefix}.${error.path}`
  return new MonitorError(error.code, rest, path, { cause: error.cause })
}
