/** What the middleware is told, and the checks of it. */
import { checkChoice, checkFunction, checkNumber, checkObject, MonitorError } from '../../core/index.ts'
import { type Identify, identifyClient } from '../client/identify.ts'
import { keyedHash, type Secret } from '../client/keyedHash.ts'
import { checkDelay, Delay, type DelayOptions } from './delay.ts'
import type { ReadOutput } from './output.ts'
import type { ReadQuery } from './query.ts'
import { type Refusal, refusalResponse } from './refusal.ts'
import type { EdgeEvent } from './tally.ts'
import type { Watcher } from './watcher.ts'

/** What clients notice. See {@link MonitorOptions.reply}. */
export type Reply = 'observe' | 'tag' | 'enforce' | 'silent' | 'delayed'

/** When a query is inspected. See {@link MonitorOptions.when}. */
export type When = 'before' | 'between' | 'after'

/** A harmless answer in place of the model's. The request's body has been read; the answer's has not. */
export type Decoy = (request: Request, response: Response) => Response | Promise<Response>

export interface LimitsOptions {
  /** Most bytes of a body that is looked at, packed or unpacked. Larger bodies flow on unseen. Default 1 MiB. */
  readonly bodyBytes?: number
  /** Most bytes of all bodies that are looked at and not judged yet. Default 32 MiB. */
  readonly totalBytes?: number
  /** Most requests that are not judged yet. Default 1024. */
  readonly pending?: number
  /** How long a request waits for `admit`, and for `inspect` on its path, in ms. Default one second. */
  readonly timeoutMs?: number
  /** After so many ms a request counts as lost, and its room is given to others. Default one minute. */
  readonly holdMs?: number
}

/** Options of {@link monitorFetch} and {@link honoMonitor}. */
export interface MonitorOptions<Args extends readonly unknown[] = readonly unknown[]> {
  readonly monitor: Watcher
  /** Reads the query: `fromJson({ input: '$.prompt' })`, `fromMultipart`, `fromBody`, or a function. Default: none is read. */
  readonly query?: ReadQuery<Args>
  /**
   * Reads the model's output: `probabilitiesAt('$.scores')`, or a function of a copy of the answer. Answers of status 2xx
   * and type JSON within `limits.bodyBytes` are read, all others pass untouched. Default: none is read.
   */
  readonly output?: ReadOutput
  /** Names the client. Default `identifyClient({ key })`. What it returns is stored as it is. */
  readonly client?: Identify<Args>
  /** Secret of at least 16 bytes for names of clients and for delays. Default: random in each process. */
  readonly key?: Secret
  /**
   * `after` the response, on time that the client does not wait for · `before` the model runs, without its output, so with
   * detectors that do not need it · `between` model and client: the answer is held until the verdict. Default `after`.
   *
   * Queries are judged in the order in which they are known, not in that of the requests: else a client could hold up its
   * own verdicts with one slow request.
   */
  readonly when?: When
  /**
   * - `observe`: clients notice nothing, nothing is refused.
   * - `tag`: nothing is refused; the request that the handler gets and the response carry `x-monitaur-action`: `allow`,
   *   `flag`, `throttle` or `suspend`, what enforcement would do, as far as it is known by then. Whoever stands in front
   *   and reads it must take it off the response, or it tells attackers what they want to know. Needs `before` or
   *   `between`.
   * - `enforce`: 403 for suspended clients, 429 for a query that the policy throttles (where the verdict comes in time).
   * - `silent`: instead of a refusal the handler runs, and its answer is replaced by a harmless one. JSON answers of all
   *   clients are then held until they are whole, so that time tells nothing.
   * - `delayed`: suspensions alone are enforced, and begin to be felt some time later. See {@link DelayOptions}.
   *
   * Everything but the first two needs a monitor whose policy has `mode: 'enforce'`. Default: the policy's `reply` with
   * such a monitor, else `observe`.
   */
  readonly reply?: Reply
  /**
   * What becomes of a request that cannot be watched: whose body is too large or holds no query, whose client has no name,
   * or for which the monitor fails or is late. `open`: it is served. `closed`: it is refused (with `silent`: gets a harmless
   * answer; with `tag`: is tagged `throttle`); bodies are then read before the handler runs. With `observe` it is always
   * served. Counted either way. Default: the policy's.
   */
  readonly onError?: 'open' | 'closed'
  /** For `reply: 'delayed'`. */
  readonly delay?: DelayOptions
  /** For `reply: 'silent'`. Default: the answer with its scores hidden, if `output` knows how (`probabilitiesAt` does). */
  readonly decoy?: Decoy
  /** Your own refusal, such as in the form of errors that your clients know. */
  readonly refusal?: (refusal: Refusal, request: Request) => Response
  readonly limits?: LimitsOptions
  /** Keeps the host alive for work after the response. Default: that of the host's context or event, where it has one. */
  readonly waitUntil?: (promise: Promise<unknown>) => void
  /** Called for everything that happens. What it throws is counted. */
  readonly onEvent?: (event: EdgeEvent) => void
  /** The clock, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** The options, checked and complete. */
export interface Settings {
  readonly monitor: Watcher
  readonly query: ReadQuery | undefined
  readonly output: ReadOutput | undefined
  readonly client: Identify
  readonly when: When
  readonly reply: Reply
  readonly isClosed: boolean
  /** The reply can be a refusal, or what stands for one. */
  readonly refuses: boolean
  readonly delay: Delay
  readonly decoy: Decoy | undefined
  readonly refusal: (refusal: Refusal, request: Request) => Response
  readonly limits: Required<LimitsOptions>
  readonly waitUntil: ((promise: Promise<unknown>) => void) | undefined
  readonly onEvent: ((event: EdgeEvent) => void) | undefined
  readonly now: () => number
}

const FUNCTIONS = ['query', 'output', 'client', 'decoy', 'refusal', 'waitUntil', 'onEvent', 'now'] as const
const OPTIONS = ['monitor', 'key', 'when', 'reply', 'onError', 'delay', 'limits', ...FUNCTIONS]
const LIMITS: Required<LimitsOptions> = {
  bodyBytes: 1024 * 1024,
  totalBytes: 32 * 1024 * 1024,
  pending: 1024,
  timeoutMs: 1000,
  holdMs: 60_000,
}

/** Throws `bad_config`. */
export function checkOptions<Args extends readonly unknown[]>(options: MonitorOptions<Args>): Settings {
  checkObject(options, OPTIONS, 'options')
  for (const name of FUNCTIONS) checkFunction(options[name], `options.${name}`)
  const { policy } = checkMonitor(options.monitor)
  const { reply = policy.mode === 'enforce' ? (policy.reply ?? 'enforce') : 'observe', when = 'after' } = options
  const { onError = policy.onError, key } = options
  checkChoice(reply, ['observe', 'tag', 'enforce', 'silent', 'delayed'], 'options.reply')
  checkChoice(when, ['before', 'between', 'after'], 'options.when')
  checkChoice(onError, ['open', 'closed'], 'options.onError')
  const settings: Settings = {
    monitor: options.monitor,
    query: options.query as ReadQuery | undefined,
    output: options.output,
    client: (options.client as Identify | undefined) ?? identifyClient(key === undefined ? {} : { key }),
    when,
    reply,
    isClosed: onError === 'closed' && reply !== 'observe',
    refuses: reply !== 'observe' && reply !== 'tag',
    delay: new Delay(checkDelay(options.delay, policy), policy, keyedHash(key, 'options.key')),
    decoy: options.decoy,
    refusal: options.refusal ?? refusalResponse,
    limits: checkLimits(options.limits),
    waitUntil: options.waitUntil,
    onEvent: options.onEvent,
    now: options.now ?? Date.now,
  }
  checkTogether(settings)
  return settings
}

function checkMonitor(monitor: Watcher): Watcher {
  const { policy, admit, inspect } = (monitor ?? {}) as Partial<Watcher>
  const isMonitor = policy !== undefined && typeof admit === 'function' && typeof inspect === 'function'
  if (isMonitor) return monitor
  throw new MonitorError('bad_config', 'must be a monitor: { policy, admit, inspect }', 'options.monitor')
}

/** Refuses what would quietly do nothing. */
function checkTogether({ monitor, query, output, when, reply, refuses, decoy }: Settings): void {
  const isWatched = query !== undefined || output !== undefined
  if (!isWatched && !refuses) {
    throw new MonitorError('bad_config', `must say what to watch: query, output or both`, 'options')
  }
  if (refuses && monitor.policy.mode !== 'enforce') {
    const remedy = "give the monitor policy: { mode: 'enforce' }"
    throw new MonitorError('bad_config', `'${reply}' needs a monitor that enforces; ${remedy}`, 'options.reply')
  }
  if (reply === 'tag' && when === 'after') {
    throw new MonitorError('bad_config', "'tag' needs the verdict in time: 'before' or 'between'", 'options.when')
  }
  if (when === 'before' && isWatched && query === undefined) {
    throw new MonitorError('bad_config', "'before' needs query: the output is not known then", 'options.when')
  }
  if (reply === 'silent' && decoy === undefined && output?.hide === undefined) {
    const remedy = "give output: probabilitiesAt('$.…') or decoy"
    throw new MonitorError('bad_config', `'silent' needs a harmless answer; ${remedy}`, 'options.decoy')
  }
}

function checkLimits(options: LimitsOptions = {}): Required<LimitsOptions> {
  checkObject(options, Object.keys(LIMITS), 'options.limits')
  const limits = { ...LIMITS, ...options }
  const whole = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true }
  for (const [name, value] of Object.entries(limits)) checkNumber(value, whole, `options.limits.${name}`)
  checkNumber(limits.timeoutMs, { min: 1, max: 2 ** 31 - 1 }, 'options.limits.timeoutMs') // what setTimeout takes
  checkNumber(limits.totalBytes, { min: limits.bodyBytes }, 'options.limits.totalBytes')
  return limits
}
