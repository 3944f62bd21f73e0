/**
 * Snapshots, and other plain data, as one compact binary form: a frame.
 *
 *     offset  0        4          5          6            10             14
 *             'MTSN'   format 1   0          length u32   CRC-32 u32     payload: a tagged tree
 *
 * The four letters say what it is: 'MTSN' for a snapshot, which is the tree of { detector, version, state }.
 *
 * Numbers are little-endian. A tree is one tag byte and its content: null, false, true, an unsigned integer (LEB128), a
 * double, a string (UTF-16 units, LEB128 each), a list, an object, or a typed array with its raw elements. Reading checks every length
 * against what is left, so a hostile buffer cannot make it allocate more than its own size.
 */
import { checkObject, elementType, isPlainObject, refuse } from './checkers.ts'
import type { PlainData, Snapshot } from './types.ts'

const SNAPSHOT = 'MTSN'
const FORMAT = 1
/** The four letters, the number of the format, and a zero kept for later. */
const START = 6
const HEADER = 14
const MAX_DEPTH = 64

const NULL = 0
const FALSE = 1
const TRUE = 2
const INTEGER = 3
const DOUBLE = 4
const STRING = 5
const LIST = 6
const OBJECT = 7
/** The tag of the first of {@link ARRAYS}; the others follow. */
const FIRST_ARRAY = 8

const ARRAYS = [Uint8Array, Uint32Array, Float32Array, Float64Array] as const
type Numbers = InstanceType<(typeof ARRAYS)[number]>

/** A snapshot as bytes: header, version, checksum, content. Throws `bad_snapshot` for what is not plain data. */
export function toBytes(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  checkObject(snapshot, ['detector', 'version', 'state'], '', 'bad_snapshot')
  const { detector, version, state } = snapshot
  return toFrame(SNAPSHOT, { detector, version, state })
}

/** Bytes back to a snapshot. Throws `bad_snapshot` for foreign, newer, truncated, lengthened or damaged bytes. */
export function fromBytes(bytes: Uint8Array): Snapshot {
  const tree = fromFrame(SNAPSHOT, bytes)
  if (!isPlainObject(tree) || typeof tree['detector'] !== 'string' || typeof tree['version'] !== 'number') {
    fail('must hold { detector, version, state }', tree)
  }
  return { detector: tree['detector'], version: tree['version'], state: tree['state'] as PlainData }
}

/** Plain data as bytes with a checksum; `letters` are four ASCII ones that name its kind. Throws `bad_snapshot` for anything else. */
export function toFrame(letters: string, value: PlainData): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(256)
  let end = HEADER
  write(value, 0)
  const size = end
  bytes.set(startOf(letters))
  end = START
  writeRaw(Uint32Array.of(size - HEADER, crc32(bytes.subarray(HEADER, size))))
  return bytes.slice(0, size)

  function write(value: unknown, depth: number): void {
    checkDepth(depth)
    const type = elementType(value)
    const array = ARRAYS.findIndex(({ name }) => name === type)
    if (value === null) writeByte(NULL)
    else if (typeof value === 'boolean') writeByte(value ? TRUE : FALSE)
    else if (typeof value === 'number') writeNumber(value)
    else if (typeof value === 'string') writeString(value)
    else if (array !== -1) {
      writeHead(FIRST_ARRAY + array, (value as Numbers).length)
      writeRaw(value as Numbers)
    } else if (Array.isArray(value)) {
      writeHead(LIST, value.length)
      for (const item of value) write(item, depth + 1)
    } else if (isPlainObject(value)) writeObject(value, depth)
    else fail('must hold plain data only', value)
  }

  function writeNumber(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      writeHead(INTEGER, value)
    } else {
      writeByte(DOUBLE)
      writeRaw(Float64Array.of(value))
    }
  }

  function writeString(value: string): void {
    writeHead(STRING, value.length)
    for (let i = 0; i < value.length; i++) writeLength(value.charCodeAt(i))
  }

  function writeObject(value: Readonly<Record<string, unknown>>, depth: number): void {
    const entries = Object.entries(value)
    writeHead(OBJECT, entries.length)
    for (const [key, item] of entries) {
      checkKey(key, {})
      writeString(key)
      write(item, depth + 1)
    }
  }

  function writeHead(tag: number, length: number): void {
    writeByte(tag)
    writeLength(length)
  }

  function writeLength(value: number): void {
    let rest = value
    while (rest >= 128) {
      writeByte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    writeByte(rest)
  }

  function writeByte(byte: number): void {
    makeRoom(1)
    bytes[end++] = byte
  }

  function writeRaw({ buffer, byteOffset, byteLength, BYTES_PER_ELEMENT }: Numbers): void {
    makeRoom(byteLength)
    bytes.set(toLittleEndian(new Uint8Array(buffer, byteOffset, byteLength), BYTES_PER_ELEMENT), end)
    end += byteLength
  }

  function makeRoom(more: number): void {
    if (end + more <= bytes.length) return
    const larger = new Uint8Array(2 * (end + more))
    larger.set(bytes)
    bytes = larger
  }
}

/** The bytes of a frame of this kind back to what it holds. Throws `bad_snapshot` as {@link fromBytes} does. */
export function fromFrame(letters: string, bytes: Uint8Array): PlainData {
  if (elementType(bytes) !== 'Uint8Array') fail('must be a Uint8Array', bytes)
  if (startOf(letters).some((byte, i) => byte !== bytes[i])) {
    fail(
      `must be ${letters} in format ${FORMAT}`,
      `${String.fromCharCode(...bytes.subarray(0, 4))} in format ${bytes[4]}`,
    )
  }
  let at = START
  const [length, checksum] = readRaw(Uint32Array, 2)
  if (length !== bytes.length - HEADER)
    fail(`must be ${length! + HEADER} bytes, whole and without a tail`, bytes.length)
  if (checksum !== crc32(bytes.subarray(HEADER))) fail('must have the right checksum: it is damaged', checksum)
  const tree = read(0)
  if (at !== bytes.length) fail('must end with its content', at)
  return tree

  function read(depth: number): PlainData {
    checkDepth(depth)
    const tag = readByte()
    const array = ARRAYS[tag - FIRST_ARRAY]
    if (array !== undefined) return readRaw(array, readLength())
    if (tag === NULL) return null
    if (tag === FALSE || tag === TRUE) return tag === TRUE
    if (tag === INTEGER) return readLength()
    if (tag === DOUBLE) return readRaw(Float64Array, 1)[0]!
    if (tag === STRING) return Array.from({ length: readCount() }, readUnit).join('')
    if (tag === LIST) return Array.from({ length: readCount() }, () => read(depth + 1))
    if (tag === OBJECT) return readObject(depth)
    return fail('must hold known tags', tag)
  }

  function readObject(depth: number): PlainData {
    const object: Record<string, PlainData> = {}
    for (let left = readCount(); left > 0; left--) {
      const key = read(depth)
      checkKey(key, object)
      object[key] = read(depth + 1)
    }
    return object
  }

  function readUnit(): string {
    const unit = readLength()
    if (unit > 0xffff) fail('must hold UTF-16 units', unit)
    return String.fromCharCode(unit)
  }

  /** Copied, so that the elements are aligned and nothing is shared. */
  function readRaw(Numbers: (typeof ARRAYS)[number], length: number): Numbers {
    const byteLength = length * Numbers.BYTES_PER_ELEMENT
    checkLeft(byteLength)
    const raw = new Uint8Array(bytes.subarray(at, at + byteLength))
    at += byteLength
    return new Numbers(toLittleEndian(raw, Numbers.BYTES_PER_ELEMENT).buffer)
  }

  function readByte(): number {
    checkLeft(1)
    return bytes[at++]!
  }

  function readLength(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = readByte()
      value += (byte % 128) * scale
      if (!(value <= Number.MAX_SAFE_INTEGER)) fail('must hold integers below 2^53', value)
      if (byte < 128) return value
    }
  }

  /** The length of something whose items take at least a byte each. */
  function readCount(): number {
    const count = readLength()
    checkLeft(count)
    return count
  }

  function checkLeft(need: number): void {
    if (need > bytes.length - at) fail(`must have ${need} bytes left`, bytes.length - at)
  }
}

function startOf(letters: string): number[] {
  return [...letters].map((letter) => letter.charCodeAt(0)).concat(FORMAT, 0)
}

function fail(expected: string, got: unknown): never {
  refuse('bad_snapshot', expected, got, 'bytes')
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) fail(`must be nested at most ${MAX_DEPTH} deep`, depth)
}

/** A key of an object is a text, not there yet, and not the one that would set a prototype. */
function checkKey(key: unknown, object: object): asserts key is string {
  if (typeof key !== 'string' || key === '__proto__' || Object.hasOwn(object, key)) {
    fail('must have keys that are texts, each once, and none __proto__', key)
  }
}

/** Elements of `width` bytes as they are on a little-endian machine, or turned round on a big-endian one. */
function toLittleEndian(raw: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1) return raw
  const turned = raw.slice()
  for (let i = 0; i < raw.length; i += width) turned.subarray(i, i + width).reverse()
  return turned
}

/** Filled when first used: importing does no work. */
const crcTable = /* @__PURE__ */ new Uint32Array(256)

function fillCrcTable(): void {
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
    crcTable[n] = c
  }
}

/** CRC-32 (ISO 3309, as in PNG and gzip). */
function crc32(bytes: Uint8Array): number {
  if (crcTable[1] === 0) fillCrcTable()
  let crc = -1
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
