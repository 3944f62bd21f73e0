/**
 * One thing at a time for the web builds of onnxruntime in a page or worker. Two WebGPU runs at once, even of different
 * sessions, block the thread for good or fail inside the runtime (onnxruntime#32561), and while one of them waits for
 * the GPU nothing else may enter the same module. WASM alone could do without: its runs block the thread anyway, so that
 * the lock costs it nothing.
 */

const KEY = Symbol.for('monitaur.onnxruntime')

/**
 * Does this when everything earlier is done, whether it went well or not. The queue belongs to the realm: another copy
 * of this library in the same page waits in it as well. Whatever uses onnxruntime-web beside this library, such as
 * transformers.js, goes through it too. `work` must come to an end, or nothing behind it ever begins.
 */
export function withRuntimeLock<R>(work: () => Promise<R>): Promise<R> {
  const realm = globalThis as unknown as Record<symbol, Promise<unknown> | undefined>
  const mine = (realm[KEY] ?? Promise.resolve()).then(work)
  realm[KEY] = mine.catch(() => {})
  return mine
}
