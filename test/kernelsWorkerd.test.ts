/** Cloudflare's runtime compiles no bytes: the kernels are handed over as a module, and the verdicts stay the same. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { compileKernels } from '../scripts/kernels.mjs'
import { createDetector } from '../src/core/index.ts'
import { bundleFile } from './tools/bundle.ts'
import { random } from './tools/random.ts'
import { startWorkerd, workerOf } from './tools/workerd.ts'

test('workerd gives the verdicts of Node, without kernels and with them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-kernels-'))
  try {
    const script = join(folder, 'worker.mjs')
    await bundleFile(resolve(import.meta.dirname, 'cloudflare/kernels.ts'), script, ['kernels.wasm'])
    const compiled = { type: 'CompiledWasm', path: 'kernels.wasm', contents: await compileKernels() } as const
    const { miniflare, url } = await startWorkerd([workerOf(script, {}, [compiled])])
    try {
      const ask = async (path: string) => (await miniflare.dispatchFetch(new URL(path, url).href)).json()
      const expected = verdicts()
      expect(await ask('/plain')).toEqual({ isCompiled: false, verdicts: expected })
      expect(await ask('/compiled')).toEqual({ isCompiled: true, verdicts: expected })
    } finally {
      await miniflare.dispose()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The stream of cloudflare/kernels.ts, here. */
function verdicts(): unknown[] {
  const next = random(20261130)
  const detector = createDetector('similarity', { maxHistorySize: 120 })
  return Array.from({ length: 200 }, () => {
    const embedding = Float32Array.from({ length: 800 }, () => next() - 0.5)
    return JSON.parse(JSON.stringify(detector.process({ embedding })))
  })
}
