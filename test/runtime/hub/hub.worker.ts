/** Embeds with models of a hub, and destroys what it stands on. */
import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url'
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url'
import { isMonitorError } from '../../../src/core/index.ts'
import type { EmbedderEvent, ModelEmbedder } from '../../../src/embed/embedder.ts'
import { fromTransformers, type TransformersOptions } from '../../../src/embed/transformers/index.ts'

/** What a page asks. */
export interface Asked {
  readonly name: keyof Scenarios
  readonly args: unknown[]
}

interface Destroyable {
  destroy(): void
}

const devices: Destroyable[] = []

/** Remembers every device that is made in this worker. */
function watchDevices(): void {
  const { GPUAdapter } = globalThis as {
    GPUAdapter?: { prototype: { requestDevice(...args: unknown[]): Promise<Destroyable> } }
  }
  if (GPUAdapter === undefined) return
  const { requestDevice } = GPUAdapter.prototype
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args)
    devices.push(device)
    return device
  }
}

let embedder: ModelEmbedder<string>
const told: EmbedderEvent[] = []

const scenarios = {
  /** Makes an embedder and loads it. */
  async warmup(model: string, options: TransformersOptions<'feature-extraction'>) {
    embedder = fromTransformers(model, { ...options, artifacts: { wasm, mjs } })
    told.length = 0
    embedder.listen((event) => told.push(event))
    const start = performance.now()
    const capabilities = await embedder.warmup()
    return { capabilities, events: [...told], ms: performance.now() - start }
  },

  /** Makes an embedder, and loads nothing. */
  make(model: string, options: TransformersOptions<'feature-extraction'>): void {
    embedder = fromTransformers(model, { ...options, artifacts: { wasm, mjs } })
  },

  /** The length of each vector, or the error in its place. */
  async outcomes(texts: readonly string[]): Promise<(number | string)[]> {
    const settled = await Promise.allSettled(texts.map((text) => embedder(text, {})))
    return settled.map((one) =>
      one.status === 'fulfilled' ? one.value.length : `${one.reason.code}: ${one.reason.message}`,
    )
  },

  capabilities: () => embedder.capabilities(),

  async embed(texts: readonly string[]): Promise<number[][]> {
    return (await Promise.all(texts.map((text) => embedder(text, {})))).map((vector) => Array.from(vector))
  },

  /** Asks for all texts at once and destroys the GPU device so many milliseconds later. */
  async embedAndLose(texts: readonly string[], afterMs: number) {
    told.length = 0
    const answers = texts.map(() => 0)
    const all = texts.map(async (text, i) => {
      const vector = await embedder(text, {})
      answers[i]!++
      return Array.from(vector)
    })
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    const unanswered = answers.filter((count) => count === 0).length
    devices.at(-1)!.destroy()
    const vectors = await Promise.all(all)
    return { vectors, answers, unanswered, events: [...told], capabilities: await embedder.capabilities() }
  },

  dispose: () => embedder.dispose(),

  devicesMade: () => devices.length,
}

export type Scenarios = typeof scenarios

watchDevices()

self.onmessage = async ({ data: { name, args } }: MessageEvent<Asked>) => {
  try {
    const scenario = scenarios[name] as (...args: unknown[]) => unknown
    self.postMessage({ value: await scenario(...args) })
  } catch (thrown) {
    const { message, stack } = thrown as Error
    self.postMessage({ error: isMonitorError(thrown) ? `${thrown.code}: ${message}` : `${message}\n${stack}` })
  }
}
