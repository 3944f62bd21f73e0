/** The inputs of a model: checked in words before the runtime sees them, and stacked to batches. */
import { hint, MonitorError } from '../../core/index.ts'
import type { Feed, Feeds, TensorData, TensorLike, ValueMetadata } from './types.ts'

const TYPES: Readonly<Record<string, string>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Float16Array: 'float16',
  Uint8Array: 'uint8',
  Int8Array: 'int8',
  Uint16Array: 'uint16',
  Int16Array: 'int16',
  Uint32Array: 'uint32',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
}

/** The type of a feed's values, as onnxruntime names it; `''` for what is no list of numbers. */
export function typeOf({ data, type }: Feed): string {
  return type ?? TYPES[Object.prototype.toString.call(data).slice(8, -1)] ?? ''
}

/**
 * Checks the inputs of a run against what the model says of itself: names, types, shapes, and that the values fill the
 * shape. A model without metadata is left to the runtime. Throws `embedder_failed` that tells both sides.
 */
export function checkFeeds(feeds: Feeds, inputs: readonly ValueMetadata[]): void {
  const names = inputs.map(({ name }) => name)
  for (const name of Object.keys(feeds)) {
    if (inputs.length > 0 && !names.includes(name)) fail(`the model has no input '${name}'; ${hint(name, names)}`)
    checkSize(name, feeds[name]!)
  }
  for (const input of inputs) checkFeed(input, feeds[input.name])
}

function checkSize(name: string, feed: Feed): void {
  const { data, dims } = feed ?? {}
  if (!ArrayBuffer.isView(data) || !Array.isArray(dims)) fail(`the input '${name}' must be { data, dims, type }`)
  const size = dims.reduce((product, dim) => product * dim, 1)
  const { length } = data as Exclude<TensorData, DataView>
  if (length !== size) fail(`the input '${name}' has ${length} values, but [${dims.join(', ')}] needs ${size}`)
}

function checkFeed({ name, type, shape, isTensor }: ValueMetadata, feed: Feed | undefined): void {
  if (isTensor === false || type === undefined || shape === undefined) return
  const expected = `the input '${name}' must be ${type} [${shape.join(', ')}]`
  if (feed === undefined) fail(`${expected}, but it is missing`)
  const got = typeOf(feed)
  const fits = feed.dims.length === shape.length && shape.every((dim, i) => isFree(dim) || dim === feed.dims[i])
  if (got !== type || !fits) fail(`${expected}, got ${got} [${feed.dims.join(', ')}]`)
}

function isFree(dim: number | string): boolean {
  return typeof dim === 'string' || dim < 0
}

function fail(message: string): never {
  throw new MonitorError('embedder_failed', message)
}

/** What two items must share to be stacked; undefined for an item that is no batch of one. */
export function signature(feeds: Feeds): string | undefined {
  const parts = Object.entries(feeds).map(([name, feed]) => ({ name, type: typeOf(feed), dims: feed.dims }))
  if (parts.length === 0 || parts.some(({ dims }) => dims[0] !== 1)) return undefined
  return JSON.stringify(parts)
}

/** Items of one signature as one batch, in their order. */
export function stack(items: readonly Feeds[]): Feeds {
  const [first] = items
  const names = Object.keys(first!)
  return Object.fromEntries(
    names.map((name) => {
      const feed = first![name]!
      return [
        name,
        { ...feed, data: joined(items.map((item) => item[name]!.data)), dims: [items.length, ...feed.dims.slice(1)] },
      ]
    }),
  )
}

function joined(parts: readonly TensorData[]): TensorData {
  const [first] = parts
  const { length } = first!
  const Kind = first!.constructor as Float32ArrayConstructor
  const whole = new Kind(length * parts.length)
  for (const [i, part] of parts.entries()) whole.set(part as Float32Array, i * length)
  return whole
}

/**
 * One vector for each item of a batch, each its own memory. Undefined if the output does not begin with the batch, so
 * that nobody knows what belongs to whom. Throws `embedder_failed` for an output that holds no numbers.
 */
export function split(output: TensorLike, items: number): Float32Array[] | undefined {
  const values = numbers(output)
  if (items === 1) return [values]
  if (output.dims[0] !== items) return undefined
  const length = values.length / items
  return Array.from({ length: items }, (_, i) => values.slice(i * length, (i + 1) * length))
}

function numbers({ data, type }: TensorLike): Float32Array {
  if (type === 'float16' && ArrayBuffer.isView(data)) return fromHalf(data as Uint16Array)
  if (!ArrayBuffer.isView(data) || type === 'bool') return fail(`the output must hold numbers, got ${type}`)
  if (type === 'int64' || type === 'uint64') return Float32Array.from(data as never as ArrayLike<bigint>, Number)
  return Float32Array.from(data as Float32Array)
}

/** Half-precision numbers; runtimes give them as 16-bit patterns, or as `Float16Array` where the engine has it. */
function fromHalf(data: Uint16Array): Float32Array {
  if (Object.prototype.toString.call(data) === '[object Float16Array]') return Float32Array.from(data)
  return Float32Array.from(data, (bits) => {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  })
}

/** Feeds of zeros for a first run, a batch of one. Undefined if the model leaves more than the batch open. */
export function zeros(inputs: readonly ValueMetadata[]): Feeds | undefined {
  const feeds = inputs.map(({ name, type, shape }) => {
    const make = MAKERS[type ?? '']
    if (make === undefined || shape === undefined || shape.slice(1).some(isFree)) return undefined
    const dims = shape.map((dim) => (isFree(dim) ? 1 : Number(dim)))
    return [name, { data: make(dims.reduce((a, b) => a * b, 1)), dims, type: type! }] as const
  })
  const known = feeds.filter((feed) => feed !== undefined)
  return known.length < feeds.length ? undefined : Object.fromEntries(known)
}

const MAKERS: Readonly<Record<string, (length: number) => TensorData>> = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  float16: (length) => new Uint16Array(length),
  uint8: (length) => new Uint8Array(length),
  int8: (length) => new Int8Array(length),
  int32: (length) => new Int32Array(length),
  int64: (length) => new BigInt64Array(length),
}
