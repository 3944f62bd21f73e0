/** A backend that is gone, told from a run that failed. */
import { messageOf } from './explain.ts'

/** The backend was lost: the run may be done again elsewhere. Never seen by users. */
export class BackendLost extends Error {
  override readonly name = 'BackendLost'
}

/** Messages after which a runtime is no longer to be trusted. */
const CRASHES =
  /\bAborted\(|memory access out of bounds|\bunreachable\b|null function|table index is out of bounds|indirect call|out of memory|bad_alloc|failed to allocate|Cannot enlarge memory|device (is|was) lost|Device was destroyed|device lost|map_async_result\.status|Failed to wait for the operation|DXGI_ERROR|VK_ERROR_DEVICE_LOST/i

/** True for what a crashed runtime or a lost device throws; false for an error that the input or the model has caused. */
export function isCrash(thrown: unknown): boolean {
  if (typeof thrown === 'number') return true // a C++ exception that nobody caught
  const { name } = (thrown ?? {}) as { readonly name?: unknown }
  return name === 'RuntimeError' || CRASHES.test(messageOf(thrown))
}
