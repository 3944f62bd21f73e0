/** What crosses to another thread: which parts of a query can be moved instead of copied, and how large data is. */
import { elementType } from '../core/index.ts'
import { copyOf, copyOfView, type Query } from '../embed/index.ts'
import type { MakeBuffer } from './columns.ts'

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

/** Nobody looks at it there, and it may not be clonable. */
export function withoutMetadata(query: Query): Query {
  if (!('metadata' in query)) return query
  const { metadata: _, ...rest } = query
  return rest
}

/** Smaller pictures are copied as fast. */
const LEAST_SHARED_BYTES = 16_384

/**
 * A copy of a picture's bytes in shared memory, which the worker reads where it is; of anything else, and where the page may not
 * share memory (it must be isolated from other origins), an ordinary one.
 */
export function sharedCopyOf(data: ArrayBufferView): unknown {
  const kinds: Readonly<Record<string, new (buffer: ArrayBufferLike) => Uint8Array | Uint8ClampedArray>> = {
    Uint8Array,
    Uint8ClampedArray,
  }
  const Kind = kinds[Object.prototype.toString.call(data).slice(8, -1)]
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean }
  if (Kind === undefined || crossOriginIsolated !== true || data.byteLength < LEAST_SHARED_BYTES)
    return copyOfView(data)
  const copy = new Kind(new SharedArrayBuffer(data.byteLength))
  copy.set(data as Uint8Array)
  return copy
}

/** Copies vectors; where they are alike, into one buffer. */
export interface Copier {
  copy(vector: ArrayLike<number>): ArrayLike<number>
  readonly buffer?: ArrayBuffer
}

/** For the embeddings of a batch: one behind the other where they are floats of one length. `makeBuffer` may give a used one. */
export function copierFor(queries: readonly Query[], makeBuffer: MakeBuffer): Copier {
  const { length } = Object(Object(queries[0]).embedding) as ArrayLike<number>
  if (queries.length < 2 || !queries.every((query) => isRow(Object(query).embedding, length))) return { copy: copyOf }
  const buffer = makeBuffer(4 * queries.length * length)
  const joined = new Float32Array(buffer, 0, queries.length * length)
  let at = 0
  const copy = (vector: ArrayLike<number>) => {
    if (!isRow(vector, length) || at === joined.length) return copyOf(vector)
    const row = joined.subarray(at, at + length)
    at += length
    row.set(vector)
    return row
  }
  return { copy, buffer }
}

function isRow(vector: unknown, length: number): vector is Float32Array {
  return elementType(vector) === 'Float32Array' && (vector as Float32Array).length === length
}

/** About how many bytes plain data takes. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return 2 * data.length
  if (ArrayBuffer.isView(data)) return data.byteLength
  if (typeof data !== 'object' || data === null) return 8
  return Object.values(data).reduce((sum: number, item: unknown) => sum + sizeOf(item), 16)
}
