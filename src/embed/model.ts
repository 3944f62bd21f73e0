/** A monitor around any asynchronous model call: a transformers.js pipeline, an ONNX session, a fetch. */
import { checkObject, MonitorError } from '../core/index.ts'
import type { Verdict } from '../core/monitor/index.ts'
import type { Monitor } from './monitor.ts'
import type { Query } from './query.ts'

export interface MonitorModelOptions<Args extends readonly unknown[], Out> {
  /** Who asks, or how to tell from the arguments. Default '', one client for all. */
  readonly client?: string | ((...args: Args) => string)
  /**
   * The query that a call stands for. Default: the first argument is the input; the output is taken for probabilities
   * if it is a list of numbers, or of `{ score }` for every class that add up to 1, as text and image classification
   * pipelines give with `top_k: null`.
   */
  readonly toQuery?: (args: Args, output: Out) => Query
  /** Called with each verdict. */
  readonly onVerdict?: (verdict: Verdict, args: Args) => void
  /** Called when no verdict could be had at all. The policy's `onError` says what becomes of the call. */
  readonly onError?: (error: unknown, args: Args) => void
}

/**
 * The same function, watched. A suspended client is refused with `suspended` before the model runs; under `enforce` the
 * answer to a query that the policy throttles or suspends is withheld with the same error. In mode `observe` the answer
 * always comes through. If no verdict can be had, `onError: 'closed'` under `enforce` withholds the answer.
 * Throws `bad_config` for an option that it does not know.
 */
export function monitorModel<Args extends readonly unknown[], Out>(
  model: (...args: Args) => Promise<Out>,
  monitor: WatchingMonitor,
  options: MonitorModelOptions<Args, Out> = {},
): (...args: Args) => Promise<Out> {
  checkObject(options, ['client', 'toQuery', 'onVerdict', 'onError'], 'options')
  const { toQuery = defaultQuery, onVerdict, onError } = options
  return async function monitored(...args) {
    const client = typeof options.client === 'function' ? options.client(...args) : (options.client ?? '')
    return watch(monitor, {
      client,
      run: () => model(...args),
      toQueries: (output) => [toQuery(args, output)],
      onVerdict: (verdict) => onVerdict?.(verdict, args),
      onError: (error) => onError?.(error, args),
    })
  }
}

/** What of a monitor is needed to watch a model. */
export type WatchingMonitor = Pick<Monitor, 'admit' | 'inspect' | 'policy'>

/** One call of a watched model. */
export interface WatchedCall<Out> {
  readonly client: string
  readonly run: () => Promise<Out>
  /** The queries that the call stands for, in their order; usually one. */
  readonly toQueries: (output: Out) => readonly Query[]
  readonly onVerdict: (verdict: Verdict) => void
  /** Called for each query of which no verdict could be had. */
  readonly onError: (error: unknown) => void
  readonly signal?: AbortSignal | undefined
}

/** Asks the monitor before the model runs and shows it every query afterwards; see {@link monitorModel}. */
export async function watch<Out>(monitor: WatchingMonitor, call: WatchedCall<Out>): Promise<Out> {
  const { client, run, toQueries } = call
  const admission = monitor.admit(client)
  if (!admission.allowed) throw suspended(admission.suspendedUntilMs)
  const output = await run()
  const verdicts = await Promise.all(toQueries(output).map((query) => judge(monitor, { ...query, client }, call)))
  const refused = verdicts.find((verdict) => verdict?.action === 'throttle' || verdict?.action === 'suspend')
  if (refused !== undefined) throw suspended(refused.client.suspendedUntilMs)
  return output
}

async function judge(
  monitor: WatchingMonitor,
  query: Query,
  { onVerdict, onError, signal }: Pick<WatchedCall<unknown>, 'onVerdict' | 'onError' | 'signal'>,
): Promise<Verdict | undefined> {
  let verdict: Verdict
  try {
    verdict = await monitor.inspect(query, ...(signal === undefined ? [] : [{ signal }]))
  } catch (error) {
    if (signal?.aborted) throw error // the caller waits no longer: nothing is to be let through
    onError(error)
    if (monitor.policy.mode === 'enforce' && monitor.policy.onError === 'closed') throw error
    return undefined
  }
  onVerdict(verdict)
  return verdict
}

function suspended(untilMs: number | undefined): MonitorError {
  const until = untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`
  return new MonitorError('suspended', `the query was refused by the monitor's policy${until}`, 'client')
}

function defaultQuery(args: readonly unknown[], output: unknown): Query {
  const modelOutput = probabilitiesOf(output)
  return modelOutput === undefined ? { input: args[0] } : { input: args[0], modelOutput }
}

function probabilitiesOf(output: unknown): ArrayLike<number> | undefined {
  if (ArrayBuffer.isView(output) && 'length' in output) return output as unknown as ArrayLike<number>
  if (!Array.isArray(output) || output.length === 0) return undefined
  if (output.every((value) => typeof value === 'number')) return output
  const scores = output.map((item: unknown) => (item as { score?: unknown } | null)?.score)
  const sum = scores.reduce((total: number, score) => total + (typeof score === 'number' ? score : Number.NaN), 0)
  return Math.abs(sum - 1) < 1e-3 ? (scores as number[]) : undefined
}
