/** Our own network in workerd. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleFile } from '../../tools/bundle.ts'
import { type CompiledWasm, startWorkerd, workerOf } from '../../tools/workerd.ts'
import type { BackendRun, GoldenPicture } from './run.ts'

const WASM = 'onnxruntime-web/ort-wasm-simd-threaded.wasm'
/** What is imported on first use and not used here. */
const UNUSED = ['sharp', '@huggingface/transformers', 'onnxruntime-web/webgpu']

/** What the worker says to a call: its result, or the code and message of its error. */
export interface Said {
  readonly result?: unknown
  readonly code?: string
  readonly message?: string
  /** How often onnxruntime was started. */
  readonly starts: number
  /** Whether `WebAssembly.instantiate` is the host's own. */
  readonly isRestored: boolean
}

export interface NetworkWorker {
  call(path: string, body?: unknown): Promise<Said>
  /** What {@link BackendRun} tells, over `count` pictures and the golden ones. */
  run(count: number, golden: readonly GoldenPicture[]): Promise<BackendRun>
  readonly url: URL
  close(): Promise<void>
}

/** Starts the worker in an isolate of its own. */
export async function startNetworkWorker(flags: readonly string[] = []): Promise<NetworkWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'monitaur-network-'))
  try {
    const script = join(folder, 'worker.mjs')
    await bundleFile(join(import.meta.dirname, 'workerd.worker.ts'), script, [/\.wasm$/, ...UNUSED])
    const compiled: CompiledWasm[] = [
      { type: 'CompiledWasm', path: WASM, contents: await readFile(fileURLToPath(import.meta.resolve(WASM))) },
      { type: 'CompiledWasm', path: 'empty.wasm', contents: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) },
    ]
    const { miniflare, url } = await startWorkerd([workerOf(script, { compatibilityFlags: [...flags] }, compiled)])
    const call = async (path: string, body?: unknown): Promise<Said> => {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      return (await (await fetch(new URL(path, url), init)).json()) as Said
    }
    return {
      call,
      url,
      async run(count, golden) {
        const { result, message } = await call('/run', { count, golden })
        if (result === undefined) throw new Error(message)
        return result as BackendRun
      },
      close: () => miniflare.dispose(),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What {@link BackendRun} tells, in an isolate of its own. */
export async function runInWorkerd(count: number, golden: readonly GoldenPicture[]): Promise<BackendRun> {
  const worker = await startNetworkWorker()
  try {
    return await worker.run(count, golden)
  } finally {
    await worker.close()
  }
}
