/** Waiting beside a WebGPU device that may be lost. */
import type { GpuDevice } from '../onnx/host.ts'
import { BackendLost } from '../onnx/loss.ts'

/** Tells of a device's loss. Without a device nothing is ever lost. Nothing stays behind of a wait that is over. */
export class DeviceLoss {
  readonly #watchers = new Set<(lost: BackendLost) => void>()
  #lost: BackendLost | undefined

  constructor(device: GpuDevice | undefined) {
    device?.lost.then(({ reason, message }) => {
      const words = [reason, message].filter((part) => part !== '').join(': ')
      this.#lost = new BackendLost(`the WebGPU device was lost (${words})`)
      for (const tell of this.#watchers) tell(this.#lost)
    })
  }

  /** What the work gives, or {@link BackendLost} as soon as the device is lost, or after so many milliseconds. */
  async beside<T>(work: Promise<T>, timeoutMs?: number): Promise<T> {
    if (this.#lost !== undefined) throw this.#lost
    let end = () => {}
    const lost = new Promise<never>((_, reject) => {
      const late = () => reject(new BackendLost(`the runtime did not answer within ${timeoutMs} ms`))
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
      this.#watchers.add(reject)
      end = () => {
        clearTimeout(timer)
        this.#watchers.delete(reject)
      }
    })
    try {
      return await Promise.race([work, lost])
    } finally {
      end()
    }
  }
}
