/** A pipeline that is loaded: inputs in, vectors out, and a lost backend told from a run that failed. */
import { MonitorError, type Pixels } from '../../core/index.ts'
import type { Backend, ProgressEvent } from '../embedder.ts'
import { messageOf } from '../onnx/explain.ts'
import { isNode } from '../onnx/host.ts'
import { BackendLost, isCrash } from '../onnx/loss.ts'
import type { TensorLike } from '../onnx/types.ts'
import { adapterName, requestAdapter, requestDevice } from '../onnx/webgpu.ts'
import { loadExtractor, locked, type Target } from './load.ts'
import { DeviceLoss } from './loss.ts'
import type { Extractor, TransformersModule } from './module.ts'
import type { Settings } from './options.ts'

/** What an embedder takes: a text or a picture. */
export type Input = string | Pixels

/** A pipeline on one backend. */
export interface Pipeline {
  readonly backend: Backend
  /** Of WebGPU in browsers. */
  readonly adapter: string | undefined
  /** False once it is lost. */
  readonly isUsable: boolean
  /** One vector for each input. Throws {@link BackendLost}, or `embedder_failed`. */
  run(inputs: readonly Input[]): Promise<Float32Array[]>
  /** Never rejects. */
  dispose(): Promise<void>
}

/** A picture for the first run. */
const GREY: Pixels = { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64, channels: 3 }

/** Something to try a model with. */
export function sampleOf({ task }: Settings): Input {
  return task === 'feature-extraction' ? 'a sample' : GREY
}

/** How long a loss may take to be told once a run has failed. */
const GRACE_MS = 250

/** Loads a model on a backend. Throws what {@link loadExtractor} does, and `backend_unavailable` without the backend. */
export async function openPipeline(
  module: TransformersModule,
  settings: Settings,
  { backend, life }: { readonly backend: Backend; readonly life: number },
  onProgress: (event: ProgressEvent) => void,
): Promise<Pipeline> {
  refuseWrongPlace(backend, life)
  const isWebGpu = backend === 'webgpu' && !isNode() // Node's has no device that could be handed over
  const adapter = isWebGpu ? await requestAdapter() : undefined
  const device = adapter === undefined ? undefined : await requestDevice(adapter)
  const loss = new DeviceLoss(device)
  try {
    const load = (tell: typeof onProgress) =>
      loss.beside(loadExtractor(module, settings, { backend, device, loss }, tell))
    const again = () => load(() => {})
    const name = adapter === undefined ? undefined : adapterName(adapter)
    const parts = { module, settings, backend, device, loss, adapter: name, again }
    const pipeline = new LivePipeline(await load(onProgress), parts)
    await pipeline.tryOut()
    return pipeline
  } catch (thrown) {
    device?.destroy()
    throw thrown
  }
}

function refuseWrongPlace(backend: Backend, life: number): void {
  if (backend === 'native' && !isNode()) throw unavailable('the native runtime is for Node, Deno and Bun')
  if (backend !== 'wasm') return
  if (isNode()) throw unavailable("transformers.js has no WASM in Node, Deno and Bun; take backend 'native'")
  if (life > 1) throw unavailable('WASM has crashed and cannot be started again here: load the page or worker anew')
}

function unavailable(message: string): MonitorError {
  return new MonitorError('backend_unavailable', message)
}

interface Parts extends Target {
  readonly module: TransformersModule
  readonly settings: Settings
  readonly adapter: string | undefined
  /** Loads the same once more. */
  readonly again: () => Promise<Extractor>
}

class LivePipeline implements Pipeline {
  isUsable = true
  readonly #parts: Parts
  #extractor: Extractor
  #failure: unknown

  constructor(extractor: Extractor, parts: Parts) {
    this.#parts = parts
    this.#extractor = this.#guarded(extractor)
  }

  get backend() {
    return this.#parts.backend
  }

  get adapter() {
    return this.#parts.adapter
  }

  /**
   * On WebGPU, where shaders are compiled in the first run: a model that cannot run is found out while another backend can
   * still take over. And where the *first* run of a session fails, no later session on any device works any more
   * (`buffer_manager.cc … Failed to wait for the operation`, onnxruntime-web 1.30): it had better be one that does not.
   */
  async tryOut(): Promise<void> {
    if (this.backend !== 'webgpu') return
    this.#failure = undefined
    await locked(() => this.#extract([sampleOf(this.#parts.settings)]))
    if (this.#failure !== undefined) throw this.#failure
  }

  async run(inputs: readonly Input[]): Promise<Float32Array[]> {
    this.#failure = undefined
    let tensor: TensorLike
    try {
      tensor = await locked(() => this.#extract(inputs))
    } catch (thrown) {
      throw await this.#judge(this.#failure ?? thrown)
    }
    return vectorsOf(tensor, inputs.length, this.#parts.settings)
  }

  async dispose(): Promise<void> {
    try {
      if (this.isUsable) await locked(() => this.#extractor.dispose()) // a runtime that hangs would hang here as well
    } catch {
      // It is given up anyway.
    }
    this.#parts.device?.destroy()
  }

  #extract(inputs: readonly Input[]): Promise<TensorLike> {
    const { settings, module } = this.#parts
    const { task, pooling, normalize } = settings
    if (task === 'feature-extraction') return this.#extractor(inputs, { pooling, normalize })
    const images = (inputs as readonly Pixels[]).map(
      (pixels) => new module.RawImage(bytesOf(pixels), pixels.width, pixels.height, pixels.channels),
    )
    return this.#extractor(images, {})
  }

  /**
   * Keeps what a run throws away from transformers.js, which in browsers hangs each run and each load behind the one
   * before: after one that failed, or never ends, none in this page or worker would ever succeed again.
   */
  #guarded(extractor: Extractor): Extractor {
    const { loss, settings } = this.#parts
    for (const session of Object.values(extractor.model.sessions ?? {})) {
      const run = session.run.bind(session)
      session.run = async (...args) => {
        try {
          return await loss.beside(run(...args), settings.timeoutMs)
        } catch (thrown) {
          this.#failure = thrown ?? new Error('the runtime threw nothing')
          return {}
        }
      }
    }
    return extractor
  }

  /** What a run has thrown, as what the caller is to be told: {@link BackendLost} where another backend may help. */
  async #judge(thrown: unknown): Promise<unknown> {
    if (this.#failure === undefined) return failed(thrown) // before or after the run
    const { device, loss } = this.#parts
    const grace = new Promise<void>((resolve) => setTimeout(resolve, device === undefined ? 0 : GRACE_MS))
    const lost = await loss.beside(grace).catch((reason: unknown) => reason)
    const cause = lost ?? thrown
    this.isUsable = !(cause instanceof BackendLost || isCrash(cause))
    if (!this.isUsable) return cause instanceof BackendLost ? cause : new BackendLost(messageOf(cause))
    if (this.backend === 'webgpu') await this.#renew()
    return failed(cause)
  }

  /**
   * After any run that failed on WebGPU the next one on the same session would block the thread for good (onnxruntime-web
   * 1.30). The new session is on the same device.
   */
  async #renew(): Promise<void> {
    await locked(() => this.#extractor.dispose())
    this.isUsable = false // unless all goes well
    this.#extractor = this.#guarded(await this.#parts.again())
    await this.tryOut()
    this.isUsable = true
  }
}

/** 0 … 255, whatever the picture's own range. */
function bytesOf({ data, maxValue = 255 }: Pixels): Uint8ClampedArray {
  return Uint8ClampedArray.from(data, (value) => (value * 255) / maxValue)
}

function failed(cause: unknown): MonitorError {
  return new MonitorError('embedder_failed', messageOf(cause), '', { cause })
}

/** The rows of a batch, each its own memory. */
function vectorsOf(tensor: TensorLike, count: number, settings: Settings): Float32Array[] {
  const { data, dims } = tensor
  if (!ArrayBuffer.isView(data) || dims[0] !== count || dims.length < 2) {
    const shape = `got ${tensor.type} [${dims.join(', ')}]`
    throw new MonitorError('embedder_failed', `expected one list of numbers for each of ${count} inputs, ${shape}`)
  }
  const values = data as Float32Array
  const length = values.length / count
  const rows = Array.from({ length: count }, (_, i) => Float32Array.from(values.subarray(i * length, (i + 1) * length)))
  if (settings.task === 'feature-extraction') return rows // pooled and brought to length 1 by transformers.js
  const pooled = rows.map((row) => pool(row, dims.slice(1), settings.pooling))
  return settings.normalize ? pooled.map(toUnitLength) : pooled
}

/** `[d]` as it is; `[patches, d]` as said; `[d, height, width]` of a convolutional network: the mean of each plane. */
function pool(values: Float32Array, dims: readonly number[], pooling: Settings['pooling']): Float32Array {
  if (dims.length === 1) return values
  const isPlanes = dims.length === 3
  const [rows, columns] = isPlanes ? [dims[0]!, dims[1]! * dims[2]!] : [dims[1]!, dims[0]!]
  const at = (row: number, column: number) => values[isPlanes ? row * columns + column : column * rows + row]!
  if (!isPlanes && pooling !== 'mean') {
    const patch = pooling === 'cls' ? 0 : columns - 1
    return Float32Array.from({ length: rows }, (_, row) => at(row, patch))
  }
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0
    for (let column = 0; column < columns; column++) sum += at(row, column)
    return sum / columns
  })
}

/** A vector of zeros stays one. */
function toUnitLength(values: Float32Array): Float32Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  return length === 0 ? values : values.map((value) => value / length)
}
