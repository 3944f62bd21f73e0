/** What is tried with models, in a page and in a worker alike. */
/// <reference types="vite/client" />

import mjsUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url'
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'
import { doctor } from '../../../src/embed/doctor.ts'
import type { BackendChange, Capabilities, EmbedderEvent } from '../../../src/embed/embedder.ts'
import { copyNet, fromOnnx, type RuntimeOptions } from '../../../src/embed/onnx/index.ts'
import { samplePictures } from '../app/samples.ts'

/** How each call went: `ok`, or the error's code. */
type Outcome = string

interface Told {
  readonly answers: readonly (readonly number[] | Outcome)[]
  readonly changes: readonly BackendChange[]
  readonly capabilities: Capabilities
}

export const scenarios = { vectors, losses, badInput, wrongFile, examine, ownFiles }

export type Scenarios = typeof scenarios

/** Our own network over the sample pictures, all at once. */
async function vectors(options: RuntimeOptions, count: number): Promise<Told> {
  return told((onEvent) => copyNet({ ...options, onEvent }), samplePictures(count))
}

/** The same with the files given, threads and all. */
async function ownFiles(threads: number, count: number): Promise<Told> {
  return vectors({ backend: 'wasm', threads, artifacts: { wasm: wasmUrl, mjs: mjsUrl } }, count)
}

/** A model of small pictures on WebGPU, whose device is destroyed at these submissions of work to the GPU. */
async function losses(file: readonly number[], size: number, at: readonly number[], count: number): Promise<Told> {
  const restore = destroyAt(at)
  const model = Uint8Array.from(file)
  try {
    return await told(
      (onEvent) => fromOnnx({ model, input: 'pixels', size, maxBatch: 4, onEvent }),
      samplePictures(count),
    )
  } finally {
    restore()
  }
}

/** Numbers of words, the first alone, for a model that takes two and fails in the middle of its graph for any other. */
async function badInput(file: readonly number[], words: readonly number[]): Promise<Told> {
  const model = Uint8Array.from(file)
  const input = (count: number) => {
    const data = BigInt64Array.from({ length: count + 2 }, (_, i) => BigInt(i + 1))
    return { input_ids: { data, dims: [1, data.length] } }
  }
  return told((onEvent) => fromOnnx<number>({ model, input, backend: 'webgpu', onEvent }), words, { firstAlone: true })
}

/** What is said when the .wasm file is something else. */
async function wrongFile(wasm: string): Promise<Outcome> {
  const embedder = copyNet({ backend: 'wasm', artifacts: { wasm } })
  return embedder(samplePictures(1)[0]!).then(() => 'ok', errorOf)
}

/** What the doctor finds, as `name: found; remedy` for all that is not well. */
async function examine(options: Parameters<typeof doctor>[0]): Promise<{ bad: string[]; good: string[] }> {
  const checks = await doctor(options)
  const line = ({ name, found, remedy }: (typeof checks)[number]) => `${name}: ${found}; ${remedy}`
  return { bad: checks.filter(({ ok }) => !ok).map(line), good: checks.filter(({ ok }) => ok).map(line) }
}

type Made<In> = {
  (input: In): Promise<ArrayLike<number>>
  capabilities(): Promise<Capabilities>
  dispose(): Promise<void>
}

async function told<In>(
  make: (onEvent: (event: EmbedderEvent) => void) => Made<In>,
  inputs: readonly In[],
  { firstAlone = false } = {},
): Promise<Told> {
  const changes: BackendChange[] = []
  const embedder = make((event) => {
    if (event.kind === 'backendchange') changes.push(event)
  })
  const ask = (input: In) => embedder(input).then(Array.from<number>, errorOf)
  const first = firstAlone ? [await ask(inputs[0]!)] : []
  const rest = await Promise.all(inputs.slice(first.length).map(ask))
  const capabilities = await embedder.capabilities()
  await embedder.dispose()
  return { answers: [...first, ...rest], changes, capabilities }
}

function errorOf(thrown: unknown): Outcome {
  const { code, message } = thrown as { code?: string; message: string }
  return `${code}: ${message}`
}

interface Gpu {
  readonly GPUAdapter: { readonly prototype: { requestDevice(...args: unknown[]): Promise<{ destroy(): void }> } }
  readonly GPUQueue: { readonly prototype: { submit(...args: unknown[]): void } }
}

/** Destroys the newest device right after the n-th submission of work since the device was made, for each n in turn. */
function destroyAt(at: readonly number[]): () => void {
  const { GPUAdapter, GPUQueue } = globalThis as unknown as Gpu
  const { requestDevice } = GPUAdapter.prototype
  const { submit } = GPUQueue.prototype
  const left = [...at]
  let device: { destroy(): void } | undefined
  let submitted = 0
  GPUAdapter.prototype.requestDevice = async function (...args) {
    submitted = 0
    device = await requestDevice.apply(this, args)
    return device
  }
  GPUQueue.prototype.submit = function (...args) {
    submit.apply(this, args)
    if (++submitted !== left[0]) return
    left.shift()
    device!.destroy()
  }
  return () => {
    GPUAdapter.prototype.requestDevice = requestDevice
    GPUQueue.prototype.submit = submit
  }
}
