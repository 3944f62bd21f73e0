/** The core with its inside, bundled from the sources: what is measured is what is built. */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Loads a copy of its own: `name` keeps two copies in one process apart. */
export async function loadInside(name) {
  const bundle = await rolldown({
    input: join(root, 'bench/kernels/inside.ts'),
    platform: 'neutral',
    logLevel: 'silent',
  })
  const file = join(root, 'reports', `inside-${name}.mjs`)
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  await bundle.close()
  return import(pathToFileURL(file).href)
}

/** A copy that finds no WebAssembly. */
export async function loadPlain() {
  const { WebAssembly } = globalThis
  const inside = await loadInside('plain')
  globalThis.WebAssembly = undefined
  try {
    inside.kernelModule()
  } finally {
    globalThis.WebAssembly = WebAssembly
  }
  return inside
}
