/** The memory of a monitor as a file, and back: the bytes that a server reads too. */
import { fromBytes, isMonitorError, toBytes } from '../../src/core/index.ts'
import type { OperatedState } from './metrics.ts'

/** What became of a file. */
export type Loaded =
  | { readonly ok: true }
  /** Nothing has changed. */
  | { readonly ok: false; readonly message: string }

export const STATE_NAME = 'monitaur-state.bin'

/** The state as it is now. */
export async function saveState(state: OperatedState): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(toBytes(await state.snapshot()))
}

/** Goes on from such bytes. Damaged ones, or those of another monitor, change nothing. */
export async function loadState(state: OperatedState, bytes: Uint8Array): Promise<Loaded> {
  try {
    await state.restore(fromBytes(bytes))
  } catch (thrown) {
    if (!isMonitorError(thrown)) throw thrown
    return { ok: false, message: `This file was not loaded, and nothing has changed: ${thrown.message}` }
  }
  return { ok: true }
}
