/** A monitor around any asynchronous model call: a transformers.js pipeline, an ONNX session, a fetch. */
import { MonitorError } from '../core/index.ts'
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
 */
export function monitorModel<Args extends readonly unknown[], Out>(
  model: (...args: Args) => Promise<Out>,
  monitor: Pick<Monitor, 'admit' | 'inspect' | 'policy'>,
  options: MonitorModelOptions<Args, Out> = {},
): (...args: Args) => Promise<Out> {
  const { toQuery = defaultQuery, onVerdict, onError } = options
  return async function monitored(...args) {
    const client = typeof options.client === 'function' ? options.client(...args) : (options.client ?? '')
    const admission = monitor.admit(client)
    if (!admission.allowed) throw suspended(admission.suspendedUntilMs)
    const output = await model(...args)
    const verdict = await judge(args, { ...toQuery(args, output), client })
    const refused = verdict?.action === 'throttle' || verdict?.action === 'suspend'
    if (refused) throw suspended(verdict.client.suspendedUntilMs)
    return output
  }

  async function judge(args: Args, query: Query): Promise<Verdict | undefined> {
    let verdict: Verdict
    try {
      verdict = await monitor.inspect(query)
    } catch (error) {
      onError?.(error, args)
      if (monitor.policy.mode === 'enforce' && monitor.policy.onError === 'closed') throw error
      return undefined
    }
    onVerdict?.(verdict, args)
    return verdict
  }
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
