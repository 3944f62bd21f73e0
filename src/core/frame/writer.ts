/** Plain data to the bytes of a frame. A writer may be used again and again: it keeps its room. */
import { elementType, isPlainObject } from '../checkers.ts'
import type { PlainData } from '../types.ts'
import {
  ARRAY_NAMES,
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
  startOf,
  TRUE,
  toLittleEndian,
} from './format.ts'

export class FrameWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  get capacity(): number {
    return this.#bytes.length
  }

  frame(letters: string, value: PlainData): Uint8Array<ArrayBuffer> {
    this.#end = HEADER
    this.#write(value, 0)
    const size = this.#end
    this.#bytes.set(startOf(letters))
    this.#view.setUint32(START, size - HEADER, true)
    this.#view.setUint32(START + 4, crc32(this.#bytes, HEADER, size), true)
    return this.#bytes.slice(0, size)
  }

  #write(value: unknown, depth: number): void {
    checkDepth(depth)
    if (typeof value === 'number') this.#writeNumber(value)
    else if (typeof value === 'string') this.#writeString(value)
    else if (typeof value === 'boolean') this.#writeByte(value ? TRUE : FALSE)
    else if (value === null) this.#writeByte(NULL)
    else if (Array.isArray(value)) {
      this.#writeHead(LIST, value.length)
      for (let i = 0; i < value.length; i++) this.#write(value[i], depth + 1)
    } else {
      const array = ARRAY_NAMES.indexOf(elementType(value))
      if (array !== -1) this.#writeArray(array, value as Numbers)
      else if (isPlainObject(value)) this.#writeObject(value, depth)
      else fail('must hold plain data only', value)
    }
  }

  #writeNumber(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.#writeHead(INTEGER, value)
    } else {
      this.#writeByte(DOUBLE)
      this.#makeRoom(8)
      this.#view.setFloat64(this.#end, value, true)
      this.#end += 8
    }
  }

  #writeString(value: string): void {
    this.#writeHead(STRING, value.length)
    for (let i = 0; i < value.length; i++) this.#writeLength(value.charCodeAt(i))
  }

  #writeObject(value: Readonly<Record<string, unknown>>, depth: number): void {
    const keys = Object.keys(value)
    this.#writeHead(OBJECT, keys.length)
    for (const key of keys) {
      if (key === PROTOTYPE) fail(KEYS, key)
      this.#writeString(key)
      this.#write(value[key], depth + 1)
    }
  }

  #writeArray(array: number, { buffer, byteOffset, byteLength, length, BYTES_PER_ELEMENT }: Numbers): void {
    this.#writeHead(FIRST_ARRAY + array, length)
    this.#makeRoom(byteLength)
    const raw = new Uint8Array(buffer, byteOffset, byteLength)
    this.#bytes.set(toLittleEndian(raw, BYTES_PER_ELEMENT), this.#end)
    this.#end += byteLength
  }

  #writeHead(tag: number, length: number): void {
    this.#writeByte(tag)
    this.#writeLength(length)
  }

  #writeLength(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.#writeByte((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.#writeByte(rest)
  }

  #writeByte(byte: number): void {
    this.#makeRoom(1)
    this.#bytes[this.#end++] = byte
  }

  #makeRoom(more: number): void {
    const need = this.#end + more
    if (need <= this.#bytes.length) return
    const larger = new Uint8Array(2 * need)
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}
