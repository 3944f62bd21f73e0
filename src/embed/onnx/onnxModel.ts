/** An ONNX model as it is loaded: batches over a session that outlives its backend. */
import { isMonitorError, MonitorError } from '../../core/index.ts'
import type { Capabilities, LoadOptions } from '../embedder.ts'
import type { LoadedModel, Telling } from '../modelEmbedder.ts'
import type { CallOptions } from '../order.ts'
import { createBatcher, type Settled } from './batcher.ts'
import { BackendChain } from './chain.ts'
import { explain } from './explain.ts'
import { checkFeeds, signature, split, stack, zeros } from './feeds.ts'
import { isOrtFormat, readGraph, unknownOutput, withOutput } from './graph.ts'
import { defaultThreads, gpu, hasSimd, isIsolated } from './host.ts'
import { candidates, openRuntime } from './runtime.ts'
import type { Feed, Feeds, LiveSession, RuntimeOptions, ValueMetadata } from './types.ts'
import { adapterName, requestAdapter } from './webgpu.ts'

/** Stands for an input where none is at hand: a run with zeros. */
export const SAMPLE: unique symbol = Symbol('sample')

/** Makes the inputs of one item; one without a name goes to the model's only input. */
export type Prepare<In> = (input: In, options: CallOptions) => Promise<Feeds | Feed>

/** What an ONNX model is made of. */
export interface OnnxParts<In> extends RuntimeOptions {
  readonly source: (options: LoadOptions) => Promise<Uint8Array>
  readonly feedsOf: Prepare<In>
  /** Something to run first. Default: zeros, where the model says of what shape. */
  readonly sample?: In
  readonly output?: string
  readonly maxBatch: number
  readonly maxQueue: number
  /** Opens a backend; handed in for tests. */
  readonly open?: typeof openRuntime
}

/** Share of the whole load that the download is. */
const DOWNLOAD = 0.8

/** Loads the model on the best backend. */
export async function loadOnnx<In>(parts: OnnxParts<In>, telling: Telling): Promise<LoadedModel<In | typeof SAMPLE>> {
  const { source, feedsOf, maxBatch, maxQueue, open = openRuntime } = parts
  const { progress, change } = telling
  const file = await source({ onProgress: (event) => progress({ ...event, overall: event.overall * DOWNLOAD }) })
  progress({ phase: 'compile', file: '', loaded: file.length, total: file.length, overall: DOWNLOAD })
  const { bytes, output, isAlone } = prepareModel(file, parts.output)

  let adapter: string | undefined
  let threads = 1
  const chain = new BackendChain<LiveSession>({
    order: candidates(parts),
    onChange: change,
    async open(backend, life) {
      const runtime = await open(backend, parts, life)
      const session = await runtime.createSession(bytes)
      if (backend === 'webgpu') await tryOut(session)
      adapter = runtime.adapter
      threads = runtime.threads
      return session
    },
  })
  const { inputs, outputNames } = await chain.get()
  const wanted = output ?? outputNames[0] ?? ''
  if (!outputNames.includes(wanted)) {
    await chain.dispose()
    throw unknownOutput(wanted, outputNames)
  }
  let isSingle = isAlone || inputs.some(({ shape }) => typeof shape?.[0] === 'number' && shape[0] >= 0)
  const batcher = createBatcher<Feeds, Float32Array>({
    run: runBatch,
    maxBatch: () => (isSingle ? 1 : maxBatch),
    maxQueue,
  })
  progress({ phase: 'ready', file: '', loaded: file.length, total: file.length, overall: 1 })
  return {
    async embed(input, call) {
      if (input === SAMPLE) return runSample()
      return batcher.add(await prepared(input, call), call.signal)
    },
    capabilities: () => ({
      ...(chain.live === undefined ? {} : { backend: chain.live.backend }),
      ...(adapter === undefined ? {} : { adapter }),
      ...surroundings(threads),
      refused: chain.refused,
      recoveries: chain.recoveries,
    }),
    dispose: () => batcher.afterwards(() => chain.dispose()),
  }

  async function prepared(input: In, call: CallOptions): Promise<Feeds> {
    try {
      return withName(await feedsOf(input, call), inputs)
    } catch (thrown) {
      throw explain(thrown, 'embedder_failed')
    }
  }

  /** What makes inputs of what it knows not has no sample: its first query warms the model up. */
  async function runSample(): Promise<Float32Array> {
    const feeds = await sampleOf(inputs)
    return feeds === undefined ? new Float32Array() : runOne(feeds)
  }

  async function sampleOf(known: readonly ValueMetadata[]): Promise<Feeds | undefined> {
    return parts.sample === undefined ? zeros(known) : withName(await feedsOf(parts.sample, {}), known)
  }

  /**
   * WebGPU compiles its shaders in the first run, where a model that it cannot run fails: better now, while another
   * backend can still take over, than in a query.
   */
  async function tryOut(session: LiveSession): Promise<void> {
    try {
      const feeds = await sampleOf(session.inputs)
      if (feeds !== undefined) await session.run(feeds, session.outputNames)
    } catch (thrown) {
      void session.dispose()
      throw thrown
    }
  }

  async function runBatch(items: readonly Feeds[]): Promise<readonly Settled<Float32Array>[]> {
    const outcomes: Settled<Float32Array>[] = []
    for (const places of groups(items)) {
      const vectors = places.length > 1 ? await tryTogether(places.map((i) => items[i]!)) : undefined
      for (const [k, i] of places.entries()) {
        outcomes[i] = vectors === undefined ? await settled(() => runOne(items[i]!)) : { value: vectors[k]! }
      }
    }
    return outcomes
  }

  async function runOne(feeds: Feeds): Promise<Float32Array> {
    const vectors = await run([feeds])
    return vectors![0]!
  }

  /** Undefined if they must go one by one: one of them is bad, or the output does not say whose is what. */
  async function tryTogether(items: readonly Feeds[]): Promise<Float32Array[] | undefined> {
    try {
      const vectors = await run(items)
      if (vectors === undefined) isSingle = true
      return vectors
    } catch (thrown) {
      if (isMonitorError(thrown) && thrown.code === 'embedder_failed') return undefined
      throw thrown
    }
  }

  async function run(items: readonly Feeds[]): Promise<Float32Array[] | undefined> {
    const feeds = items.length === 1 ? items[0]! : stack(items)
    checkFeeds(feeds, inputs)
    try {
      const outputs = await chain.use((session) => session.run(feeds, [wanted]))
      return split(outputs[wanted]!, items.length)
    } catch (thrown) {
      throw explain(thrown, 'embedder_failed')
    }
  }
}

/** What can be said before a model is loaded. */
export async function outlook(options: RuntimeOptions): Promise<Capabilities> {
  const { threads } = options
  const adapter = candidates(options).includes('webgpu') && gpu() !== undefined ? await adapterIfAny() : undefined
  return {
    ...(adapter === undefined ? {} : { adapter }),
    ...surroundings(threads ?? defaultThreads()),
    refused: [],
    recoveries: 0,
  }
}

function surroundings(threads: number) {
  return { threads, simd: hasSimd(), isolated: isIsolated() }
}

async function adapterIfAny(): Promise<string | undefined> {
  try {
    return adapterName(await requestAdapter())
  } catch (thrown) {
    if (isMonitorError(thrown)) return undefined
    throw thrown
  }
}

/** The model with the wanted output, and whether its vectors would depend on their neighbours in a batch. */
function prepareModel(bytes: Uint8Array, output: string | undefined) {
  if (isOrtFormat(bytes)) return { bytes, output, isAlone: false }
  const graph = readGraph(bytes)
  const wanted = output ?? graph.outputs[0]!
  return {
    bytes: withOutput(bytes, graph, wanted),
    output: wanted,
    isAlone: graph.operators.has('DynamicQuantizeLinear'),
  }
}

/** The places of items that can be stacked, together; those of any other stand alone. */
function groups(items: readonly Feeds[]): readonly (readonly number[])[] {
  const found = new Map<unknown, number[]>()
  for (const [i, feeds] of items.entries()) {
    const key = signature(feeds) ?? i
    found.set(key, [...(found.get(key) ?? []), i])
  }
  return [...found.values()]
}

/** A feed without a name goes to the model's one input. Throws `embedder_failed` if it has several. */
function withName(item: Feeds | Feed, inputs: readonly ValueMetadata[]): Feeds {
  if (!isFeed(item)) return item
  const names = inputs.map(({ name }) => name)
  const [first] = names
  if (first !== undefined && names.length === 1) return { [first]: item }
  const known = names.map((name) => `'${name}'`).join(', ')
  const message = `the model has ${names.length} inputs (${known}), so that one picture does not do; make input a function`
  throw new MonitorError('embedder_failed', message)
}

function isFeed(item: Feeds | Feed): item is Feed {
  return ArrayBuffer.isView(item['data'])
}

async function settled<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error }
  }
}
