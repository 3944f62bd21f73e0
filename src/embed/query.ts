/** The query as callers give it, and the checks of its outer form. */
import { checkNumber, checkObject, isPlainObject, MonitorError, type Row, refuse } from '../core/index.ts'
import { checkClient, checkGroup } from '../core/monitor/index.ts'
import type { ImageInput } from './image.ts'
import type { CallOptions } from './order.ts'

/** A query to the watched model, as far as it is known. */
export interface Query<In = unknown> {
  /**
   * text: string or list of strings (one conversation) · tabular: `{ column: number | string | boolean | null }` ·
   * image: ImageBitmap, ImageData, Blob, encoded bytes, or `{ data, width, height, channels }`.
   */
  readonly input?: In
  /** Class probabilities, or logits for a detector with `outputs: 'logits'`. */
  readonly modelOutput?: ArrayLike<number>
  /** Given: the embedder is not called. */
  readonly embedding?: ArrayLike<number>
  /** Who asked; '' when unknown. */
  readonly client?: string
  /** What links the client to others, such as a prefix of its key or address; '' when nothing does. */
  readonly group?: string
  readonly id?: string
  /** ms since the epoch; a host with a clock fills it in. */
  readonly timeMs?: number
  /** Not looked at. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** The kinds of input, told apart by their form. */
export type InputKind = 'text' | 'tabular' | 'image'

/** The input that each modality takes. */
export interface InputOf {
  readonly any: string | readonly string[] | Row | ImageInput
  readonly text: string | readonly string[]
  readonly tabular: Row
  readonly image: ImageInput
}

const KEYS = ['input', 'modelOutput', 'embedding', 'client', 'group', 'id', 'timeMs', 'metadata']

/** Checks everything of a query but its input. Throws `bad_query`. */
export function checkQuery(query: Query): Query {
  checkObject(query, KEYS, '', 'bad_query')
  if (query.client !== undefined) checkClient(query.client)
  if (query.group !== undefined) checkGroup(query.group)
  if (query.timeMs !== undefined) checkNumber(query.timeMs, { min: 0 }, 'timeMs', 'bad_query')
  return query
}

/** What kind of input this is, by its form; `undefined` for none of them. */
export function kindOf(input: unknown): InputKind | undefined {
  if (typeof input === 'string') return 'text'
  if (typeof input !== 'object' || input === null) return undefined
  if (Array.isArray(input)) return input.every((part) => typeof part === 'string') ? 'text' : undefined
  return isImage(input) ? 'image' : 'tabular'
}

const IMAGE_TAGS = ['ImageBitmap', 'ImageData', 'Blob', 'File', 'ArrayBuffer', 'SharedArrayBuffer']

function isImage(input: object): boolean {
  if (ArrayBuffer.isView(input) || IMAGE_TAGS.includes(Object.prototype.toString.call(input).slice(8, -1))) return true
  const { data, width, height } = input as Readonly<Record<string, unknown>>
  return ArrayBuffer.isView(data) && width !== undefined && height !== undefined
}

/** The input, which must be there. Throws `bad_query`. */
export function requireInput(query: Query): unknown {
  if (query.input !== undefined && query.input !== null) return query.input
  throw new MonitorError('bad_query', 'is missing', 'input')
}

/**
 * A copy of everything in a query that the caller could change while it waits for its turn: numbers, lists, rows and
 * pixels. An ImageBitmap or a Blob cannot be changed and is taken as it is; a bitmap must stay open until the answer.
 *
 * @param copyPixels Copies the numbers of decoded pixels.
 * @param copyVector Copies an embedding.
 */
export function holdQuery<In>(
  query: Query<In>,
  { transfer = false }: CallOptions = {},
  copyPixels: (data: ArrayBufferView) => unknown = copyOfView,
  copyVector: (vector: ArrayLike<number>) => ArrayLike<number> = copyOf,
): Query<In> {
  if (!isPlainObject(query)) refuse('bad_query', 'must be an object such as { input, modelOutput, client }', query, '')
  const { input, modelOutput, embedding } = query
  if (transfer) return query
  return {
    ...query,
    ...(input === undefined ? {} : { input: holdInput(input, copyPixels) as In }),
    ...(isList(modelOutput) ? { modelOutput: copyOf(modelOutput) } : {}),
    ...(isList(embedding) ? { embedding: copyVector(embedding) } : {}),
  }
}

function holdInput(input: unknown, copyPixels: (data: ArrayBufferView) => unknown): unknown {
  if (typeof input !== 'object' || input === null) return input
  if (Array.isArray(input)) return [...input]
  if (ArrayBuffer.isView(input)) return copyOfView(input)
  const tag = Object.prototype.toString.call(input).slice(8, -1)
  if (tag === 'ArrayBuffer') return (input as ArrayBuffer).slice(0)
  if (tag === 'ImageData') return holdPixels(input as ImageData, { channels: 4 }, copyPixels)
  if (!isPlainObject(input)) return input
  return ArrayBuffer.isView(input['data'])
    ? holdPixels(input, {}, copyPixels)
    : Object.assign(Object.create(null), input)
}

function holdPixels(image: object, more: object, copyPixels: (data: ArrayBufferView) => unknown): object {
  const { data, width, height, channels, maxValue } = image as Readonly<Record<string, unknown>>
  const shape = channels === undefined ? { width, height, ...more } : { width, height, channels, ...more }
  const copy = copyPixels(data as ArrayBufferView)
  return maxValue === undefined ? { data: copy, ...shape } : { data: copy, ...shape, maxValue }
}

/** Not the view's own `slice`: that of Node's Buffer shares its memory. */
export function copyOfView(view: ArrayBufferView): unknown {
  if (!('length' in view)) return view // a DataView, to be refused later
  const { slice } = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
  return slice.call(view as Uint8Array)
}

export function isList(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
}

/** A list of numbers, copied; 32-bit floats stay 32-bit floats. What is not a number stays what it is, to be refused later. */
export function copyOf(list: ArrayLike<number>): ArrayLike<number> {
  if (ArrayBuffer.isView(list)) return copyOfView(list) as ArrayLike<number>
  return Array.from(list)
}
