/** A model loaded on one backend, and the end of that backend. */
import type { Backend } from '../embedder.ts'
import { explain, messageOf } from './explain.ts'
import { typeOf } from './feeds.ts'
import type { GpuDevice } from './host.ts'
import { withRuntimeLock } from './lock.ts'
import { BackendLost, isCrash } from './loss.ts'
import type { Feeds, LiveSession, OrtModule, OrtSession, Outputs } from './types.ts'

interface Settings {
  readonly backend: Backend
  /** For WebGPU: a device for one session alone. */
  readonly newDevice?: () => Promise<GpuDevice>
  readonly threads?: number
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 120_000
/** How long a run may still take to settle once the device is lost. */
const HANG_MS = 1000
/** How long a loss may take to be told once a run has failed. */
const TOLD_MS = 100
/** Devices that may be left behind after runs that failed. */
const MAX_LEFT = 8
/** onnxruntime's severity levels are 0 verbose, 1 info, 2 warning, 3 error. */
const ERRORS_ONLY = 3

/** Loads a model. Rejects with the errors of {@link explain}. */
export async function openSession(ort: OrtModule, model: Uint8Array, settings: Settings): Promise<LiveSession> {
  const session = new Session(ort, model, settings)
  try {
    await session.open()
    return session
  } catch (thrown) {
    void session.dispose()
    throw explain(thrown)
  }
}

/**
 * What onnxruntime-web 1.30 does when a WebGPU device is destroyed (Chromium 156, software adapter): the run in flight, or
 * the first one after it, rejects with `buffer_manager.cc … map_async_result.status == … was false`; a second run on
 * the same session blocks the thread for good, timers included. A new session with a *new* `GPUDevice` in the option
 * `executionProviders: [{ name: 'webgpu', device }]` works in the same module instance, as often as one likes, also after
 * a loss in mid-run and beside the old session; so does a WASM session. Hence each session has a device of its own, is
 * told of its loss by `device.lost`, and is never run again after it.
 *
 * The same happens after *any* run that fails inside the graph, an input's fault included: the next run on that session
 * blocks the thread for good. Such a session is replaced at once, with a new device, which costs the compilation of its
 * shaders; the old device is left alone, since destroying it can spoil the whole module instance. And a run that fails
 * while shaders are being compiled does spoil the instance: the next run, on whatever device, rejects with `Failed to wait
 * for the operation`, which counts as a crash. Hence the first thing a new device runs is something known to be good.
 */
class Session implements LiveSession {
  readonly backend: Backend
  readonly #ort: OrtModule
  readonly #model: Uint8Array
  readonly #newDevice: (() => Promise<GpuDevice>) | undefined
  readonly #threads: number | undefined
  readonly #timeoutMs: number
  readonly #watchers = new Set<(reason: string) => void>()
  #device: GpuDevice | undefined
  #session: OrtSession | undefined
  #lost: string | undefined
  #hangs = false
  #left = 0
  /** The first run that went well. */
  #good: { readonly feeds: Feeds; readonly outputs: readonly string[] } | undefined

  constructor(ort: OrtModule, model: Uint8Array, { backend, newDevice, threads, timeoutMs = TIMEOUT_MS }: Settings) {
    this.backend = backend
    this.#ort = ort
    this.#model = model
    this.#newDevice = newDevice
    this.#threads = threads
    this.#timeoutMs = timeoutMs
  }

  get isUsable() {
    return this.#session !== undefined && this.#lost === undefined && !this.#hangs
  }

  get inputs() {
    return this.#session?.inputMetadata ?? []
  }

  get outputNames() {
    return this.#session?.outputNames ?? []
  }

  async open(): Promise<void> {
    await this.#alone(() => this.#create())
  }

  run(feeds: Feeds, outputs: readonly string[]): Promise<Outputs> {
    return this.#alone(async () => {
      if (this.#lost !== undefined) throw new BackendLost(this.#lost)
      const session = this.#session
      if (session === undefined) throw new BackendLost('the model was freed')
      try {
        const result = await session.run(this.#tensors(feeds), outputs)
        if (this.#device !== undefined) this.#good ??= { feeds, outputs }
        return result
      } catch (thrown) {
        await this.#judge(thrown, session)
        throw thrown
      }
    })
  }

  async dispose(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    try {
      if (!this.#hangs) await this.#alone(async () => session?.release?.()) // what hangs would hang here as well
    } catch {
      // It is given up anyway.
    }
    this.#device?.destroy()
  }

  async #create(): Promise<void> {
    const { backend } = this
    const device = await this.#newDevice?.()
    this.#device = device
    device?.lost.then(({ reason, message }) => {
      if (this.#device === device) this.#lose(`the WebGPU device was lost (${reason}${message && `: ${message}`})`)
    })
    const provider = backend === 'native' ? 'cpu' : device === undefined ? backend : { name: backend, device }
    this.#session = await this.#ort.InferenceSession.create(this.#model, {
      executionProviders: [provider],
      logSeverityLevel: ERRORS_ONLY,
      ...(backend === 'native' && this.#threads !== undefined ? { intraOpNumThreads: this.#threads } : {}),
    })
  }

  #lose(reason: string): void {
    this.#lost = reason
    for (const tell of this.#watchers) tell(reason)
  }

  /** Tells a crash by throwing {@link BackendLost}; after any other failure the session can be run again. */
  async #judge(thrown: unknown, session: OrtSession): Promise<void> {
    if (this.#device !== undefined && this.#lost === undefined) await this.#lossOrPause()
    if (this.#lost !== undefined) throw new BackendLost(this.#lost)
    if (isCrash(thrown)) throw new BackendLost(explain(thrown).message)
    if (this.#device === undefined) return
    if (++this.#left > MAX_LEFT) throw new BackendLost(`more than ${MAX_LEFT} runs have failed (${messageOf(thrown)})`)
    this.#device = undefined
    try {
      await session.release?.()
      await this.#create()
      if (this.#good !== undefined) await this.#session!.run(this.#tensors(this.#good.feeds), this.#good.outputs)
    } catch (cause) {
      throw new BackendLost(explain(cause).message)
    }
  }

  /** With nothing beside it, where that matters. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.backend === 'native' ? this.#bounded(work) : withRuntimeLock(() => this.#bounded(work))
  }

  /** Given up with {@link BackendLost} after the time limit, or shortly after a loss; what is given up may never end. */
  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    const alarm = this.#alarm()
    try {
      return await Promise.race([work(), alarm.rings])
    } finally {
      alarm.stop()
    }
  }

  #alarm(): { readonly rings: Promise<never>; stop(): void } {
    let stop = () => {}
    const rings = new Promise<never>((_, reject) => {
      const ring = (reason: string) => {
        this.#hangs = true
        reject(new BackendLost(reason))
      }
      let timer = setTimeout(ring, this.#timeoutMs, `the runtime did not answer within ${this.#timeoutMs} ms`)
      const hurry = (reason: string) => {
        clearTimeout(timer)
        timer = setTimeout(ring, HANG_MS, `${reason}, and the runtime did not answer`)
      }
      this.#watchers.add(hurry)
      if (this.#lost !== undefined) hurry(this.#lost)
      stop = () => {
        clearTimeout(timer)
        this.#watchers.delete(hurry)
      }
    })
    return { rings, stop }
  }

  /** Until the device is lost, but not for long. */
  async #lossOrPause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#watchers.delete(done)
        resolve()
      }
      const timer = setTimeout(done, TOLD_MS)
      this.#watchers.add(done)
    })
  }

  #tensors(feeds: Feeds): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(feeds).map(([name, feed]) => [name, new this.#ort.Tensor(typeOf(feed), feed.data, feed.dims)]),
    )
  }
}
