/**
 * Snapshots as one compact binary form.
 *
 *     offset  0        4          5          6            10             14
 *             'MTSN'   format 1   0          length u32   CRC-32 u32     payload: the snapshot as a tagged tree
 *
 * Numbers are little-endian. A tree is one tag byte and its content: null, false, true, an unsigned integer (LEB128), a
 * double, a string (UTF-16 units, LEB128 each), a list, an object, or a typed array with its raw elements. Reading checks every length
 * against what is left, so a hostile buffer cannot make it allocate more than its own size.
 */
import { checkObject, isPlainObject } from './checkers.ts'
import { MonitorError } from './errors.ts'
import { isTyped } from './state.ts'
import type { PlainData, Snapshot } from './types.ts'

const MAGIC = [0x4d, 0x54, 0x53, 0x4e]
const FORMAT = 1
const HEADER = 14
const MAX_DEPTH = 64

const TAG = {
  null: 0,
  false: 1,
  true: 2,
  integer: 3,
  double: 4,
  string: 5,
  list: 6,
  object: 7,
  Uint8Array: 8,
  Uint32Array: 9,
  Float32Array: 10,
  Float64Array: 11,
} as const

const ARRAYS = ['Uint8Array', 'Uint32Array', 'Float32Array', 'Float64Array'] as const
type ArrayTag = (typeof ARRAYS)[number]
const WIDTH: Readonly<Record<ArrayTag, number>> = { Uint8Array: 1, Uint32Array: 4, Float32Array: 4, Float64Array: 8 }

/** A snapshot as bytes: header, version, checksum, content. Throws `bad_snapshot` for what is not plain data. */
export function toBytes(snapshot: Snapshot): Uint8Array {
  checkObject(snapshot, ['detector', 'version', 'state'], '', 'bad_snapshot')
  const writer = new Writer(HEADER)
  const { detector, version, state } = snapshot
  writer.value({ detector, version, state }, 0)
  const bytes = writer.done()
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC, 0)
  bytes[4] = FORMAT
  view.setUint32(6, bytes.length - HEADER, true)
  view.setUint32(10, crc32(bytes, HEADER), true)
  return bytes
}

/** Bytes back to a snapshot. Throws `bad_snapshot` for foreign, newer, truncated, lengthened or damaged bytes. */
export function fromBytes(bytes: Uint8Array): Snapshot {
  if (!isTyped(bytes, 'Uint8Array')) fail('must be a Uint8Array')
  if (bytes.length < HEADER || !MAGIC.every((b, i) => bytes[i] === b)) fail('is not a monitaur snapshot')
  if (bytes[4] !== FORMAT || bytes[5] !== 0) fail(`has format ${bytes[4]}, this release reads format ${FORMAT}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(6, true)
  if (length !== bytes.length - HEADER)
    fail(`must be ${HEADER + length} bytes long, got ${bytes.length}: it is cut short or has a tail`)
  if (view.getUint32(10, true) !== crc32(bytes, HEADER)) fail('is damaged: the checksum differs')
  const reader = new Reader(bytes, view)
  const tree = reader.value(0)
  reader.end()
  if (!isPlainObject(tree) || typeof tree['detector'] !== 'string' || typeof tree['version'] !== 'number') {
    fail('does not hold { detector, version, state }')
  }
  return { detector: tree['detector'], version: tree['version'], state: tree['state'] as PlainData }
}

function fail(message: string): never {
  throw new MonitorError('bad_snapshot', message, 'bytes')
}

class Writer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #at: number

  constructor(start: number) {
    this.#at = start
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at)
  }

  value(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) fail(`is nested deeper than ${MAX_DEPTH}`)
    const array = ARRAYS.find((tag) => isTyped(value, tag))
    if (value === null) this.#byte(TAG.null)
    else if (typeof value === 'boolean') this.#byte(value ? TAG.true : TAG.false)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#string(value)
    else if (array !== undefined) this.#array(array, value as Uint8Array)
    else if (Array.isArray(value)) this.#list(value, depth)
    else if (isPlainObject(value)) this.#object(value, depth)
    else fail(`holds something that is not plain data: ${typeof value}`)
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.#byte(TAG.integer)
      this.#length(value)
      return
    }
    this.#byte(TAG.double)
    this.#room(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  #string(value: string): void {
    this.#byte(TAG.string)
    this.#length(value.length)
    for (let i = 0; i < value.length; i++) this.#length(value.charCodeAt(i))
  }

  #list(value: readonly unknown[], depth: number): void {
    this.#byte(TAG.list)
    this.#length(value.length)
    for (const item of value) this.value(item, depth + 1)
  }

  #object(value: Readonly<Record<string, unknown>>, depth: number): void {
    const entries = Object.entries(value)
    this.#byte(TAG.object)
    this.#length(entries.length)
    for (const [key, item] of entries) {
      if (key === '__proto__') fail('holds the key __proto__')
      this.#string(key)
      this.value(item, depth + 1)
    }
  }

  #array(tag: ArrayTag, value: Uint8Array | Uint32Array | Float32Array | Float64Array): void {
    this.#byte(TAG[tag])
    this.#length(value.length)
    this.#room(value.byteLength)
    const raw = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    this.#bytes.set(isLittleEndian() ? raw : swapped(raw, WIDTH[tag]), this.#at)
    this.#at += value.byteLength
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = byte
  }

  #length(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.#byte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + more))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = HEADER

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes
    this.#view = view
  }

  end(): void {
    if (this.#at !== this.#bytes.length) fail('has bytes behind its content')
  }

  value(depth: number): PlainData {
    if (depth > MAX_DEPTH) fail(`is nested deeper than ${MAX_DEPTH}`)
    const tag = this.#byte()
    const array = ARRAYS.find((name) => TAG[name] === tag)
    if (array !== undefined) return this.#array(array)
    if (tag === TAG.null) return null
    if (tag === TAG.false || tag === TAG.true) return tag === TAG.true
    if (tag === TAG.integer) return this.#length()
    if (tag === TAG.double) return this.#double()
    if (tag === TAG.string) return this.#string()
    if (tag === TAG.list) return Array.from({ length: this.#count() }, () => this.value(depth + 1))
    if (tag === TAG.object) return this.#object(depth)
    return fail(`holds an unknown tag ${tag}`)
  }

  #object(depth: number): PlainData {
    const object: Record<string, PlainData> = {}
    for (let left = this.#count(); left > 0; left--) {
      if (this.#byte() !== TAG.string) fail('has a key that is not a string')
      const key = this.#string()
      if (key === '__proto__' || Object.hasOwn(object, key)) fail('holds the key __proto__ or one key twice')
      object[key] = this.value(depth + 1)
    }
    return object
  }

  #string(): string {
    const parts: string[] = []
    let units: number[] = []
    for (let left = this.#count(); left > 0; left--) {
      const unit = this.#length()
      if (unit > 0xffff) fail('holds a character beyond U+FFFF')
      units.push(unit)
      if (units.length < 4096) continue
      parts.push(String.fromCharCode(...units))
      units = []
    }
    return parts.join('') + String.fromCharCode(...units)
  }

  #array(tag: ArrayTag): PlainData {
    const byteLength = this.#length() * WIDTH[tag]
    this.#need(byteLength)
    const raw = this.#bytes.slice(this.#at, this.#at + byteLength)
    this.#at += byteLength
    const own = isLittleEndian() ? raw : swapped(raw, WIDTH[tag])
    if (tag === 'Uint8Array') return own
    if (tag === 'Uint32Array') return new Uint32Array(own.buffer)
    return tag === 'Float32Array' ? new Float32Array(own.buffer) : new Float64Array(own.buffer)
  }

  #double(): number {
    this.#need(8)
    this.#at += 8
    return this.#view.getFloat64(this.#at - 8, true)
  }

  #byte(): number {
    this.#need(1)
    return this.#bytes[this.#at++]!
  }

  #length(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte % 128) * scale
      if (value > Number.MAX_SAFE_INTEGER || scale > 0x2000000000000) fail('holds an integer beyond 2^53')
      if (byte < 128) return value
    }
  }

  /** The length of something whose items take at least a byte each. */
  #count(): number {
    const count = this.#length()
    this.#need(count)
    return count
  }

  #need(bytes: number): void {
    if (bytes > this.#bytes.length - this.#at) fail('ends too early')
  }
}

function isLittleEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
}

function swapped(raw: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(raw.length)
  for (let i = 0; i < raw.length; i++) out[i] = raw[i - (i % width) + (width - 1 - (i % width))]!
  return out
}

let table: Uint32Array | undefined

/** CRC-32 (ISO 3309, as in PNG and gzip) of the bytes from `start`. */
function crc32(bytes: Uint8Array, start: number): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
    return c
  })
  let crc = 0xffffffff
  for (let i = start; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
