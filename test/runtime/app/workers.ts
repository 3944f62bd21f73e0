/** Scenarios with workers, in the page. */
import { createMonitor, type ImageInput, isMonitorError, type MonitorConfig, MonitorError, type Query } from 'monitaur'
import { attach, startWorker, type WorkerHost, type WorkerOptions } from 'monitaur/worker'
import scriptUrl from 'monitaur/worker/script?url'
import { samplePicture, sampleStream } from './samples.ts'

/** Where the worker's script comes from. */
export type Source = 'own' | 'script'

const makers: Readonly<Record<Source, () => Worker>> = {
  own: () => new Worker(new URL('./own.worker.ts', import.meta.url), { type: 'module' }),
  script: () => new Worker(scriptUrl, { type: 'module' }),
}

const monitorConfig: MonitorConfig = {
  detectors: [
    'confidence',
    'text_repetition',
    'image_repetition',
    'text_similarity',
    'image_similarity',
    { name: 'tabular_similarity', scope: 'global' },
  ],
  policy: { mode: 'enforce', throttleAt: 4, suspendAt: 8, suspendForMs: 5000 },
}

/** The verdicts on a mixed stream, asked for all at once: in a worker and in process. */
export async function streamVerdicts(source: Source, count: number): Promise<{ there: string[]; here: string[] }> {
  return withHost(source, {}, async (host) => {
    const monitors = { there: await host.createMonitor(monitorConfig), here: createMonitor(monitorConfig) }
    const all = async (monitor: typeof monitors.here) => {
      const settled: string[] = []
      await Promise.all(
        sampleStream(count).map(async (query) => settled.push(JSON.stringify(await monitor.inspect(query)))),
      )
      return settled // in the order the answers came
    }
    return { there: await all(monitors.there), here: await all(monitors.here) }
  })
}

/** Bytes left with the caller after a call, for every shape that can be moved; −1 for a bitmap that is gone. */
export async function leftAfterCall(transfer: boolean): Promise<Record<string, number>> {
  return withHost('script', {}, async (host) => {
    const detector = host.getDetector('image_repetition')
    const canvas = new OffscreenCanvas(20, 10)
    canvas.getContext('2d')!.fillRect(0, 0, 7, 7)
    const bitmap = await createImageBitmap(canvas)
    const image = canvas.getContext('2d')!.getImageData(0, 0, 20, 10)
    const png = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())
    const raw = samplePicture(20, 10)
    const inputs: ImageInput[] = [raw, png, image, bitmap]
    for (const input of inputs) await detector.process({ input }, { transfer })
    const { historySize } = await detector.describe()
    return {
      raw: raw.data.byteLength,
      png: Math.min(png.byteLength, 1),
      ImageData: image.data.byteLength,
      ImageBitmap: bitmap.width === 20 ? 1 : -1,
      historySize,
    }
  })
}

/**
 * Verdicts on pictures, each of them changed as soon as the call is made: through shared memory and as copies. `pretends` is what
 * the page says of itself.
 */
export async function sharedPictures(pretends: boolean): Promise<{ shared: string[]; copied: string[]; made: number }> {
  const Shared = globalThis.SharedArrayBuffer
  let made = 0
  const counting = new Proxy(Shared, {
    construct(target, given) {
      made++
      return new target(...(given as [number]))
    },
  })
  const isolation = { configurable: true, value: pretends }
  const verdicts = (shareMemory: boolean) =>
    withHost('script', { shareMemory }, async (host) => {
      const monitor = await host.createMonitor({ detectors: ['image_repetition', 'image_similarity'] })
      const found: string[] = []
      for (const side of [100, 120, 100]) {
        const picture = samplePicture(side, side)
        const image = new ImageData(side, side)
        image.data.fill(77, 0, 5000)
        for (const input of [picture, image]) {
          const call = monitor.inspect({ input, timeMs: 1e12 })
          input.data.fill(0)
          found.push(JSON.stringify(await call))
        }
      }
      return found
    })
  Object.defineProperty(globalThis, 'crossOriginIsolated', isolation)
  globalThis.SharedArrayBuffer = counting
  try {
    return { shared: await verdicts(true), copied: await verdicts(false), made }
  } finally {
    globalThis.SharedArrayBuffer = Shared
    Reflect.deleteProperty(globalThis, 'crossOriginIsolated')
  }
}

/** How errors look when they come out of a worker. */
export async function errorsOfWorker(): Promise<Record<string, string>> {
  return withHost('own', {}, async (host) => {
    const confidence = host.getDetector('confidence')
    const similarity = host.getDetector('text_similarity')
    const image = host.getDetector('image_similarity')
    return {
      'bad numbers': await refusalOf(() => confidence.process({ modelOutput: [0.5, Number.NaN] })),
      'bad option': await refusalOf(() => host.getDetector('confidence', { threshold: Number.NaN }).describe()),
      'bad picture': await refusalOf(() => image.process({ input: Uint8Array.of(1, 2, 3) })),
      'a function in the configuration': await refusalOf(async () => {
        host.getDetector('text_similarity', { embedder: () => [1] })
      }),
      'a plug-in that throws': await refusalOf(() => similarity.process({ input: 'throw' })),
      'an abort': await refusalOf(() => similarity.process({ input: 'slow' }, { signal: AbortSignal.timeout(30) })),
      'what cannot be cloned': await refusalOf(() => similarity.process({ input: (() => 'text') as never })),
    }
  })
}

/** A query aborted while it is embedded: what is remembered before and after. */
export async function abortedQuery(): Promise<{ error: string; before: number; after: number }> {
  return withHost('own', {}, async (host) => {
    const detector = host.getDetector('text_similarity')
    await detector.process({ input: 'one' })
    const before = (await detector.describe()).historySize
    const control = new AbortController()
    const call = detector.process({ input: 'slow' }, { signal: control.signal })
    setTimeout(() => control.abort(), 50)
    const error = await refusalOf(() => call)
    return { error, before, after: (await detector.describe()).historySize }
  })
}

/**
 * A worker that is lost by a magic text, `times` in a row: the outcomes of the calls in flight, and the scores of a
 * repeated query before and after.
 */
export async function lostWorker(magic: 'spin' | 'crash', times: number) {
  return withHost('own', { timeoutMs: 2000 }, async (host) => {
    const similarity = host.getDetector('text_similarity')
    const repetition = host.getDetector('text_repetition')
    const scores: number[] = []
    const outcomes: string[][] = []
    const repeat = async () => scores.push((await repetition.process({ input: 'again' })).score)
    await repeat()
    await similarity.process({ input: 'one' })
    for (let i = 0; i < times; i++) {
      await repeat()
      const inFlight = [similarity.process({ input: magic }), similarity.process({ input: 'behind it' })]
      outcomes.push(await Promise.all(inFlight.map((call) => refusalOf(() => call, { codeOnly: true }))))
    }
    await repeat()
    const { historySize } = await similarity.describe()
    return { scores, outcomes, historySize, restarts: host.restarts }
  })
}

/** A script that is not there: the error, how many workers were made, and how many more in the second after it. */
export async function missingScript(): Promise<{ error: string; made: number; later: number }> {
  let made = 0
  const make = () => {
    made++
    return new Worker('/no-such-script.js', { type: 'module' })
  }
  const host = startWorker(make, { maxRestarts: 2 })
  const error = await refusalOf(() => host.getDetector('text_repetition').process({ input: 'a' }))
  const atError = made
  await new Promise((resolve) => setTimeout(resolve, 1000))
  return { error, made: atError, later: made - atError }
}

/** Calls in flight and later ones after `dispose`. */
export async function disposedHost(): Promise<string[]> {
  const host = startWorker(makers.own)
  const detector = host.getDetector('text_similarity')
  await detector.process({ input: 'one' })
  const inFlight = refusalOf(() => detector.process({ input: 'slow' }), { codeOnly: true })
  await new Promise((resolve) => setTimeout(resolve, 50))
  host.dispose()
  return [await inFlight, await refusalOf(() => detector.process({ input: 'two' }), { codeOnly: true })]
}

/** A detector behind a port whose other end was handed to a worker. */
export async function overPort(): Promise<number[]> {
  const worker = new Worker(new URL('./port.worker.ts', import.meta.url), { type: 'module' })
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(port2, [port2])
  const detector = attach(port1 as never).getDetector('text_repetition')
  const results = await detector.processBatch([{ input: 'a' }, { input: 'b' }, { input: 'A ' }])
  worker.terminate()
  return results.map(({ score }) => score)
}

/** What `admit` says after a suspension, and after the worker that knew of it has died. */
export async function mirroredAdmission() {
  let worker: Worker | undefined
  const host = startWorker(() => {
    worker = makers.script()
    return worker
  })
  const config: MonitorConfig = {
    detectors: [{ name: 'text_repetition', threshold: 2 }],
    policy: { mode: 'enforce', throttleAt: 1, suspendAt: 2, suspendForMs: 1000, fadePerMinute: 0 },
  }
  const monitor = await host.createMonitor(config)
  const query: Query = { input: 'same', client: 'mallory' }
  const before = monitor.admit('mallory', 0)
  for (let timeMs = 0; timeMs < 3; timeMs++) await monitor.inspect({ ...query, timeMs })
  const after = monitor.admit('mallory', 3)
  worker!.dispatchEvent(new ErrorEvent('error', { message: 'ended by the test' }))
  const { counts } = await monitor.describe()
  const restarted = monitor.admit('mallory', 3)
  const other = monitor.admit('alice', 3)
  const { action } = await monitor.inspect({ ...query, timeMs: 4 })
  host.dispose()
  return { before, after, restarted, other, action, queries: counts.queries, restarts: host.restarts }
}

/**
 * Many queries, then a restart: how many log entries the new worker was sent, and how much was remembered. A worker is
 * sent all that the page has kept.
 */
export async function longStream(count: number) {
  let replayed = 0
  let worker: Worker | undefined
  const host = startWorker(() => {
    worker = makers.script()
    const post = worker.postMessage.bind(worker) as (message: unknown, options?: unknown) => void
    worker.postMessage = (message: unknown, options?: unknown) => {
      type Call = { verb: string; given: unknown[][] }
      const { all = [message as Call] } = message as { all?: Call[] }
      for (const { verb, given } of all) if (verb === 'apply') replayed += given[1]!.length
      post(message, options)
    }
    return worker
  })
  const detector = host.getDetector('text_repetition')
  const started = performance.now()
  for (let sent = 0; sent < count; sent += 500) {
    await Promise.all(Array.from({ length: 500 }, (_, i) => detector.process({ input: `${sent + i}` })))
  }
  const ms = performance.now() - started
  worker!.dispatchEvent(new ErrorEvent('error', { message: 'ended by the test' }))
  const { historySize } = await detector.describe()
  host.dispose()
  return { replayed, historySize, perQueryMs: ms / count }
}

async function withHost<T>(source: Source, options: WorkerOptions, use: (host: WorkerHost) => Promise<T>): Promise<T> {
  const host = startWorker(makers[source], options)
  try {
    return await use(host)
  } finally {
    host.dispose()
  }
}

/** `code at path` of the error, or `done`. Anything but our error class shows as such. */
async function refusalOf(call: () => Promise<unknown>, { codeOnly = false } = {}): Promise<string> {
  try {
    await call()
    return 'done'
  } catch (thrown) {
    if (!(thrown instanceof MonitorError) || !isMonitorError(thrown)) return `no MonitorError: ${thrown}`
    const { code, path, message } = thrown
    return codeOnly ? code : `${code} at '${path}': ${message}`
  }
}
