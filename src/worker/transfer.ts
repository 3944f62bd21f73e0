/** What crosses to another thread: which parts of a query can be moved instead of copied, and how large data is. */
import type { Query } from '../embed/index.ts'

/** What queries that were given away can be moved by, each once. Shared memory is left out: it cannot be moved. */
export function buffersOf(queries: readonly Query[]): Transferable[] {
  const found = new Set<Transferable>()
  for (const { input, modelOutput, embedding } of queries) {
    for (const value of [input, modelOutput, embedding, dataOf(input)]) collect(value, found)
  }
  return [...found]
}

function dataOf(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'data' in input ? input.data : undefined
}

function collect(value: unknown, found: Set<Transferable>): void {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value
  const tag = Object.prototype.toString.call(buffer)
  if (tag === '[object ArrayBuffer]' || tag === '[object ImageBitmap]') found.add(buffer as Transferable)
}

/** About how many bytes plain data takes. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return 2 * data.length
  if (ArrayBuffer.isView(data)) return data.byteLength
  if (typeof data !== 'object' || data === null) return 8
  return Object.values(data).reduce((sum: number, item: unknown) => sum + sizeOf(item), 16)
}
