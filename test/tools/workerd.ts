/** Workers in workerd, the runtime of Cloudflare, on this machine. */
import { readFileSync } from 'node:fs'
import { Miniflare, type WorkerOptions } from 'miniflare'

/** A module of WebAssembly that a worker imports. */
export interface CompiledWasm {
  readonly type: 'CompiledWasm'
  readonly path: string
  readonly contents: Uint8Array
}

/** A worker of one script, bundled before, and what it imports beside. */
export function workerOf(
  file: string,
  options: Partial<WorkerOptions> = {},
  compiled: readonly CompiledWasm[] = [],
): WorkerOptions {
  // The path is only a name: workerd refuses one that leads out of its folder.
  const script = { type: 'ESModule' as const, path: 'worker.mjs', contents: readFileSync(file, 'utf8') }
  const modules = [script, ...compiled]
  return { compatibilityDate: '2026-04-01', ...options, modules } as WorkerOptions
}

/** Starts workers on loopback; the first one answers. `persist` is a folder that outlives them. */
export async function startWorkerd(
  workers: readonly WorkerOptions[],
  { persist }: { readonly persist?: string } = {},
): Promise<{ readonly url: URL; readonly miniflare: Miniflare }> {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    workers: [...workers],
    ...(persist === undefined ? {} : { defaultPersistRoot: persist }),
  })
  try {
    return { url: await miniflare.ready, miniflare }
  } catch (thrown) {
    await miniflare.dispose().catch(() => {}) // it never started
    throw thrown
  }
}
