/** An onnxruntime that fails when it is told to. Its one model doubles one number. */
import type { Backend } from '../../src/embed/embedder.ts'
import { openRuntime } from '../../src/embed/onnx/runtime.ts'
import type { OrtModule, Outputs, RuntimeOptions } from '../../src/embed/onnx/types.ts'

/** What becomes of one run: an answer, an error, silence, or the loss of the device with either. */
export type Fate = 'ok' | 'reject' | 'crash' | 'hang' | 'lose' | 'lose and hang'

/** What happened, in order: `webgpu create`, `webgpu run 3,4` … */
export type Diary = string[]

export interface FakeOptions {
  /** One fate for each run on a backend, in order; `ok` after the last. */
  readonly fates?: Partial<Record<Backend, readonly Fate[]>>
  /** Backends that cannot be created. */
  readonly broken?: readonly Backend[]
  /** ms that a run takes. */
  readonly runMs?: number
  readonly diary?: Diary
  /** Shape of the input; `batch` is free. */
  readonly shape?: readonly (number | string)[]
}

/** Runs on WebGPU at this moment, of all fakes. */
let running = 0

/** Runs that WebGPU would not have come back from: two at once, or one on a session that has failed. */
export const hangs: string[] = []

/** Opens fake runtimes, in place of the packages. `navigator.gpu` must be {@link fakeGpu}'s for WebGPU. */
export function fakeOpen({ fates = {}, broken = [], runMs = 1, diary = [], shape = ['batch', 1] }: FakeOptions) {
  const left = new Map(Object.entries(fates).map(([backend, list]) => [backend, [...list!]]))
  const open = (backend: Backend, options: RuntimeOptions, life: number) =>
    openRuntime(backend, options, life, async () => fakeModule(backend))
  return open

  function fakeModule(backend: Backend): OrtModule {
    class Tensor {
      readonly type: string
      readonly data: unknown
      readonly dims: readonly number[]
      constructor(type: string, data: unknown, dims: readonly number[]) {
        this.type = type
        this.data = data
        this.dims = dims
      }
    }
    async function run(feeds: Record<string, Tensor>, session: { isSpoiled: boolean }): Promise<Outputs> {
      const { data, dims } = feeds['x']!
      const values = [...(data as Float32Array)]
      if (backend === 'webgpu' && (running > 0 || session.isSpoiled)) hangs.push(values.join())
      diary.push(`${backend} run ${values.join()}`)
      const fate = left.get(backend)?.shift() ?? 'ok'
      if (backend === 'webgpu') running++
      await new Promise((resolve) => setTimeout(resolve, runMs))
      if (backend === 'webgpu') running--
      if (fate.startsWith('lose')) loseDevice()
      if (fate.endsWith('hang')) return new Promise(() => {})
      if (fate !== 'ok') session.isSpoiled = true
      if (fate === 'crash') throw Object.assign(new Error('memory access out of bounds'), { name: 'RuntimeError' })
      if (fate === 'lose') throw new Error('map_async_result.status == Success was false')
      if (fate === 'reject' || values.includes(13)) throw new Error(`failed to call OrtRun(). ERROR_CODE: 1: ${values}`)
      return { y: { data: Float32Array.from(values, (value) => 2 * value), dims, type: 'float32' } }
    }
    return {
      Tensor,
      env: { wasm: {}, versions: { web: 'fake' } },
      InferenceSession: {
        async create() {
          diary.push(`${backend} create`)
          if (broken.includes(backend)) throw new Error(`${backend} does not work here`)
          const session = { isSpoiled: false }
          return {
            inputNames: ['x'],
            outputNames: ['y'],
            inputMetadata: [{ name: 'x', isTensor: true, type: 'float32', shape }],
            run: (feeds) => run(feeds as Record<string, Tensor>, session),
            async release() {
              diary.push(`${backend} release`)
            },
          }
        },
      },
    }
  }
}

let devices: (() => void)[] = []

/** All devices that there are, gone. */
export function loseDevice(): void {
  for (const lose of devices.splice(0)) lose()
}

/** A WebGPU whose devices are lost by {@link loseDevice}; for `navigator.gpu`. */
export function fakeGpu() {
  devices = []
  return {
    async requestAdapter() {
      return {
        features: new Set<string>(),
        limits: {},
        info: { vendor: 'fake', architecture: 'gpu' },
        async requestDevice() {
          let lose = () => {}
          const lost = new Promise((resolve) => {
            lose = () => resolve({ reason: 'unknown', message: 'gone' })
          })
          devices.push(lose)
          return { lost, destroy: lose }
        },
      }
    },
  }
}
