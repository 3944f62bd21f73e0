/**
 * What a frame is made of: its header, the tags of its tree, and the checks that writing and reading share. The form is told
 * in {@link ../bytes.ts}.
 */
import { refuse } from '../checkers.ts'

export const FORMAT = 1
/** The four letters, the number of the format, and a zero kept for later. */
export const START = 6
export const HEADER = 14
const MAX_DEPTH = 64
export const PROTOTYPE = '__proto__'
export const KEYS = `must have keys that are texts, each once, and none ${PROTOTYPE}`

export const NULL = 0
export const FALSE = 1
export const TRUE = 2
export const INTEGER = 3
export const DOUBLE = 4
export const STRING = 5
export const LIST = 6
export const OBJECT = 7
/** The tag of the first of {@link ARRAYS}; the others follow. */
export const FIRST_ARRAY = 8

export const ARRAYS = [Uint8Array, Uint32Array, Float32Array, Float64Array] as const
export const ARRAY_NAMES: readonly string[] = ['Uint8Array', 'Uint32Array', 'Float32Array', 'Float64Array']
export type Numbers = InstanceType<(typeof ARRAYS)[number]>

/** The bytes that a frame of this kind starts with. */
export function startOf(letters: string): Uint8Array {
  const known = starts.get(letters)
  if (known !== undefined) return known
  const start = Uint8Array.of(...Array.from(letters, (letter) => letter.charCodeAt(0)), FORMAT, 0)
  if (starts.size < MAX_KINDS) starts.set(letters, start)
  return start
}

/** There are few kinds, and each is made again and again. */
const MAX_KINDS = 64
const starts = /* @__PURE__ */ new Map<string, Uint8Array>()

export function fail(expected: string, got: unknown): never {
  refuse('bad_snapshot', expected, got, 'bytes')
}

export function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) fail(`must be nested at most ${MAX_DEPTH} deep`, depth)
}

const isLittleEndian = /* @__PURE__ */ new Uint8Array(/* @__PURE__ */ Uint16Array.of(1).buffer)[0] === 1

/** Elements of `width` bytes as they are on a little-endian machine, or turned round on a big-endian one. */
export function toLittleEndian(raw: Uint8Array<ArrayBuffer>, width: number): Uint8Array<ArrayBuffer> {
  if (isLittleEndian) return raw
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

/** CRC-32 (ISO 3309, as in PNG and gzip) of a part. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  if (crcTable[1] === 0) fillCrcTable()
  let crc = -1
  for (let i = start; i < end; i++) crc = crcTable[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
