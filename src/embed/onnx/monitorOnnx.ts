/** An ONNX model that is watched: what the detectors need comes from the run that answers the user. */
import { checkFunction, checkObject, MonitorError, refuse, softmax } from '../../core/index.ts'
import type { Verdict } from '../../core/monitor/index.ts'
import { type WatchingMonitor, watch } from '../model.ts'
import { abortable, type CallOptions } from '../order.ts'
import type { Query } from '../query.ts'
import { split } from './feeds.ts'
import { unknownOutput } from './graph.ts'
import { isNode } from './host.ts'
import { withRuntimeLock } from './lock.ts'
import type { SessionLike, TensorLike } from './types.ts'

/** Options of {@link monitorOnnx}. */
export interface MonitorOnnxOptions {
  /** The output with one score for each class. Default: the first. */
  readonly output?: string
  /** What these scores are. Logits go through a softmax. Default `probabilities`. */
  readonly outputs?: 'probabilities' | 'logits'
  /** An output of the same run that serves as the embedding, such as `features`; without it detectors embed the input. */
  readonly features?: string
  /** Called with each verdict. */
  readonly onVerdict?: (verdict: Verdict) => void
  /** Called when no verdict could be had at all. The policy's `onError` says what becomes of the call. */
  readonly onError?: (error: unknown) => void
}

/** Options of one run. */
export interface WatchedRunOptions extends Pick<CallOptions, 'signal'> {
  /** Who asks. Default '', one client for all. */
  readonly client?: string
  /** What was asked, for detectors that look at the input; of a batch a list, one for each item. */
  readonly input?: unknown
}

/** A session under watch. */
export interface WatchedSession<In, Out> {
  /**
   * The outputs of the session, unchanged. Rejects with `suspended` as `monitorModel` does, with `aborted`, or with what
   * the session throws. Each item of a batch is a query; if one of them is refused, so is the call.
   */
  run(feeds: In, options?: WatchedRunOptions): Promise<Out>
}

/**
 * Watches an `InferenceSession` of any onnxruntime:
 *
 *     const watched = monitorOnnx(session, monitor, { outputs: 'logits', features: 'features' })
 *     const outputs = await watched.run(feeds, { client })
 *
 * In browsers runs wait for each other and for those of the embedders here, since WebGPU bears only one at a time.
 *
 * @throws `bad_config` for a wrong option or an output that the session does not have.
 */
export function monitorOnnx<In, Out extends object>(
  session: SessionLike<In, Out>,
  monitor: WatchingMonitor,
  options: MonitorOnnxOptions = {},
): WatchedSession<In, Out> {
  const { onVerdict, onError, features, outputs = 'probabilities' } = checkOptions(options, session)
  const output = options.output ?? session.outputNames[0]!
  return {
    async run(feeds, { client = '', signal, input } = {}) {
      const infer = () => (isNode() ? session.run(feeds) : withRuntimeLock(() => session.run(feeds)))
      return watch<Out>(monitor, {
        client,
        run: () => (signal?.aborted ? abortable(new Promise<never>(() => {}), signal) : abortable(infer(), signal)),
        toQueries: (result) =>
          queriesOf(result as Readonly<Record<string, TensorLike>>, { output, outputs, features }, input),
        onVerdict: (verdict) => onVerdict?.(verdict),
        onError: (error) => onError?.(error),
        signal,
      })
    },
  }
}

function checkOptions<In, Out>(options: MonitorOnnxOptions, session: SessionLike<In, Out>): MonitorOnnxOptions {
  checkObject(options, ['output', 'outputs', 'features', 'onVerdict', 'onError'], '')
  const { output, outputs, features } = options
  if (!Array.isArray(session?.outputNames) || typeof session.run !== 'function') {
    refuse('bad_config', 'must be an InferenceSession: { run, inputNames, outputNames }', session, 'session')
  }
  for (const name of [output, features]) {
    if (name !== undefined && !session.outputNames.includes(name)) throw unknownOutput(name, session.outputNames)
  }
  if (outputs !== undefined && outputs !== 'probabilities' && outputs !== 'logits') {
    refuse('bad_config', "must be 'probabilities' or 'logits'", outputs, 'outputs')
  }
  checkFunction(options.onVerdict, 'onVerdict')
  checkFunction(options.onError, 'onError')
  return options
}

interface Names {
  readonly output: string
  readonly outputs: 'probabilities' | 'logits'
  readonly features: string | undefined
}

/** One query for each item of the batch: the scores' first dimension where there are two or more. */
function queriesOf(result: Readonly<Record<string, TensorLike>>, names: Names, input: unknown): Query[] {
  const { output, outputs, features } = names
  const scores = tensor(result, output)
  const items = scores.dims.length > 1 ? scores.dims[0]! : 1
  const rows = rowsOf(scores, items, output)
  const embeddings = features === undefined ? undefined : rowsOf(tensor(result, features), items, features)
  return rows.map((row, i) => ({
    modelOutput: outputs === 'logits' ? softmax(row) : row,
    ...(embeddings === undefined ? {} : { embedding: embeddings[i]! }),
    ...(input === undefined ? {} : { input: items === 1 ? input : (input as readonly unknown[])[i] }),
  }))
}

function tensor(result: Readonly<Record<string, TensorLike>>, name: string): TensorLike {
  const found = result[name]
  if (found !== undefined) return found
  throw new MonitorError('bad_query', `the run gave no output '${name}'; let it give all outputs`, 'modelOutput')
}

function rowsOf(output: TensorLike, items: number, name: string): readonly Float32Array[] {
  const rows = split(output, items)
  if (rows !== undefined) return rows
  const message = `'${name}' has the shape [${output.dims.join(', ')}], but the batch has ${items} items`
  throw new MonitorError('bad_query', message, 'embedding')
}
