/** The prebuilt worker, loaded as it lies in the package, with our network in it. */
import { copyNet, getDetector } from 'monitaur'
import { startWorker } from 'monitaur/worker'
import { pictureStream } from './pictures.ts'

export interface PrebuiltRun {
  /** What warmup said, and the phases it told of. */
  readonly backend: string | undefined
  readonly phases: readonly string[]
  /** Of calls that were in flight when the worker was ended, and of the same queries in process. */
  readonly scores: readonly number[]
  readonly expected: readonly number[]
  readonly historySize: number
  readonly restarts: number
}

/** Ends the worker in the middle of a batch of calls. */
export async function prebuiltWorker(): Promise<PrebuiltRun> {
  const artifacts = {
    module: '/ort/ort.wasm.bundle.min.mjs',
    wasm: '/ort/ort-wasm-simd-threaded.wasm',
    mjs: '/ort/ort-wasm-simd-threaded.mjs',
  }
  const workers: Worker[] = []
  const host = startWorker(() => {
    workers.push(new Worker('/dist/monitor.worker.js', { type: 'module' }))
    return workers.at(-1)!
  })
  const detector = host.getDetector('image_similarity', { embedder: copyNet({ backend: 'wasm', artifacts }) })
  const phases = new Set<string>()
  const found = await detector.warmup({ onProgress: ({ phase }) => phases.add(phase) })
  const queries = pictureStream(8).map((input) => ({ input }))
  const calls = queries.map((query) => detector.process(query))
  await calls[2]
  workers[0]!.terminate()
  workers[0]!.dispatchEvent(new ErrorEvent('error', { message: 'ended by the test' }))
  const scores = (await Promise.all(calls)).map(({ score }) => score)
  const { historySize } = await detector.describe()
  const { restarts } = host
  host.dispose()

  const same = getDetector('image_similarity', { embedder: copyNet({ backend: 'wasm' }) })
  const expected = (await same.processBatch(queries)).map(({ score }) => score)
  await same.dispose()
  const backend = found['image_similarity']?.backend
  return { backend, phases: [...phases], scores, expected, historySize, restarts }
}
