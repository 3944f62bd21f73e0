/**
 * What a full window of embeddings takes, and what it takes when it has been overwritten twice: in a process of its own, as
 * `node bench/kernels/memory.mjs SIZE` after the bench has bundled the inside of the core. Prints JSON, in MB.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createRandom } from '../embed/random.mjs'

const WIDTH = 384
const file = fileURLToPath(import.meta.url)

/** @returns `{ floatsMB, filledMB, churnedMB }`: the numbers alone, and what the process grew by. */
export function measureMemory(size) {
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', file, String(size)], { encoding: 'utf8' }))
}

async function measure(size) {
  const { VectorRing } = await import(new URL('../../reports/inside-compiled.mjs', import.meta.url).href)
  const { next } = createRandom(20261130, size)
  const vectors = Array.from({ length: 1000 }, () => Float32Array.from({ length: WIDTH }, () => next() - 0.5))
  const resident = () => {
    globalThis.gc()
    return process.memoryUsage().rss / 1e6
  }
  const before = resident()
  const ring = new VectorRing(size)
  let pushed = 0
  const pushUpTo = (end) => {
    for (; pushed < end; pushed++) ring.push(vectors[pushed % vectors.length])
    ring.nearest(vectors[0])
    return resident() - before
  }
  return { floatsMB: (4 * WIDTH * size) / 1e6, filledMB: pushUpTo(size), churnedMB: pushUpTo(3 * size) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(await measure(Number(process.argv[2]))))
}
