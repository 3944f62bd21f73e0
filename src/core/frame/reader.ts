/** The bytes of a frame back to plain data. */
import type { PlainData } from '../types.ts'
import {
  ARRAYS,
  checkDepth,
  crc32,
  DOUBLE,
  FALSE,
  FIRST_ARRAY,
  fail,
  HEADER,
  INTEGER,
  KEYS,
  LIST,
  NULL,
  type Numbers,
  OBJECT,
  PROTOTYPE,
  START,
  STRING,
  TRUE,
  toLittleEndian,
} from './format.ts'

/** Units of a text that are put together at once. */
const MAX_UNITS = 4096

export class FrameReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = HEADER

  /** Throws where the bytes are not as long as they say, or damaged. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const header = HEADER - START
    if (bytes.length < HEADER) fail(`must have ${header} bytes left`, bytes.length - START)
    const length = this.#view.getUint32(START, true)
    if (length !== bytes.length - HEADER)
      fail(`must be ${length + HEADER} bytes, whole and without a tail`, bytes.length)
    const checksum = this.#view.getUint32(START + 4, true)
    if (checksum !== crc32(bytes, HEADER, bytes.length)) {
      fail('must have the right checksum: it is damaged', checksum)
    }
  }

  frame(): PlainData {
    const tree = this.#read(0)
    if (this.#at !== this.#bytes.length) fail('must end with its content', this.#at)
    return tree
  }

  #read(depth: number): PlainData {
    checkDepth(depth)
    const tag = this.#readByte()
    const array = ARRAYS[tag - FIRST_ARRAY]
    if (array !== undefined) return this.#readArray(array)
    if (tag === NULL) return null
    if (tag === FALSE || tag === TRUE) return tag === TRUE
    if (tag === INTEGER) return this.#readLength()
    if (tag === DOUBLE) return this.#view.getFloat64(this.#skip(8), true)
    if (tag === STRING) return this.#readString()
    if (tag === LIST) return this.#readList(depth)
    if (tag === OBJECT) return this.#readObject(depth)
    return fail('must hold known tags', tag)
  }

  #readString(): string {
    let text = ''
    for (let left = this.#readCount(); left > 0; ) {
      const units: number[] = []
      for (; left > 0 && units.length < MAX_UNITS; left--) {
        const unit = this.#readLength()
        if (unit > 0xffff) fail('must hold UTF-16 units', unit)
        units.push(unit)
      }
      text += String.fromCharCode(...units)
    }
    return text
  }

  #readList(depth: number): PlainData {
    const list: PlainData[] = []
    for (let left = this.#readCount(); left > 0; left--) list.push(this.#read(depth + 1))
    return list
  }

  #readObject(depth: number): PlainData {
    const object: Record<string, PlainData> = {}
    for (let left = this.#readCount(); left > 0; left--) {
      const key = this.#read(depth)
      if (typeof key !== 'string' || key === PROTOTYPE || Object.hasOwn(object, key)) fail(KEYS, key)
      object[key] = this.#read(depth + 1)
    }
    return object
  }

  /** Copied, so that the elements are aligned and nothing is shared. */
  #readArray(Numbers: (typeof ARRAYS)[number]): Numbers {
    const byteLength = this.#readLength() * Numbers.BYTES_PER_ELEMENT
    const start = this.#skip(byteLength)
    const raw = new Uint8Array(this.#bytes.subarray(start, start + byteLength))
    return new Numbers(toLittleEndian(raw, Numbers.BYTES_PER_ELEMENT).buffer)
  }

  #readByte(): number {
    return this.#bytes[this.#skip(1)]!
  }

  #readLength(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#readByte()
      value += (byte % 128) * scale
      if (!(value <= Number.MAX_SAFE_INTEGER)) fail('must hold integers below 2^53', value)
      if (byte < 128) return value
    }
  }

  /** The length of something whose items take at least a byte each. */
  #readCount(): number {
    const count = this.#readLength()
    this.#checkLeft(count)
    return count
  }

  /** Where so many bytes begin, which are then behind. */
  #skip(count: number): number {
    this.#checkLeft(count)
    const start = this.#at
    this.#at += count
    return start
  }

  #checkLeft(need: number): void {
    const left = this.#bytes.length - this.#at
    if (need > left) fail(`must have ${need} bytes left`, left)
  }
}
