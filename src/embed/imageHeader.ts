/**
 * The size of an encoded picture, read from its first bytes, so that nothing is decoded or allocated before the size is
 * known to be acceptable. Every read is bounds-checked. Sources: PNG (w3.org/TR/png-3), JPEG (ITU-T T.81, annex B),
 * WebP (RFC 9649).
 */
import { MonitorError } from '../core/index.ts'

/** What a picture's header says. */
export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'webp'
  /** In pixels as stored, at least 1: a JPEG that is to be turned by 90° still has its stored width here. */
  readonly width: number
  /** In pixels as stored, at least 1. */
  readonly height: number
}

/**
 * Format and size of a PNG, JPEG or WebP, known by content, never by name. An animation has the size of its canvas.
 *
 * @throws `bad_query` at `input` for other formats, a header cut short, or a size of zero.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const header = startsWith(bytes, PNG_SIGNATURE)
    ? readPng(bytes)
    : startsWith(bytes, JPEG_SIGNATURE)
      ? readJpeg(bytes).header
      : word(bytes, 0) === 'RIFF' && word(bytes, 8) === 'WEBP'
        ? readWebp(bytes)
        : undefined
  if (header === undefined) bad('must be a PNG, JPEG or WebP file, got other or fewer bytes')
  if (header.width < 1 || header.height < 1)
    bad(`the ${header.format} header says ${header.width} × ${header.height} pixels`)
  return header
}

/**
 * Refuses a picture whose end is missing, since some decoders paint the missing part grey and say nothing: a PNG without
 * its IEND chunk, a JPEG without its end marker, a WebP shorter than it says. Bytes behind the end are allowed.
 *
 * @throws `bad_query` at `input`, also for what {@link readImageHeader} refuses.
 */
export function checkImageComplete(bytes: Uint8Array): void {
  const { format } = readImageHeader(bytes)
  const complete = format === 'png' ? pngEnds(bytes) : format === 'jpeg' ? jpegEnds(bytes) : webpEnds(bytes)
  if (!complete) bad(`the ${format} file is cut short: its end is missing`)
}

function bad(message: string): never {
  throw new MonitorError('bad_query', message, 'input')
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const PNG_CHUNK = 12 // length, type and checksum around the chunk's data

function readPng(bytes: Uint8Array): ImageHeader {
  if (word(bytes, 12) !== 'IHDR' || big32(bytes, 8) !== 13) bad('the png file does not begin with a header chunk')
  return { format: 'png', width: big32(bytes, 16), height: big32(bytes, 20) }
}

function pngEnds(bytes: Uint8Array): boolean {
  let at = PNG_SIGNATURE.length
  while (at + PNG_CHUNK <= bytes.length) {
    const end = at + PNG_CHUNK + big32(bytes, at)
    if (word(bytes, at + 4) === 'IEND') return end <= bytes.length
    at = end
  }
  return false
}

const JPEG_SIGNATURE = [0xff, 0xd8, 0xff]
const END_OF_IMAGE = 0xd9
const START_OF_SCAN = 0xda

/** C0 … CF start a frame, except DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** The header, and where the segments end: at the first scan. */
function readJpeg(bytes: Uint8Array): { header: ImageHeader; scan: number } {
  let header: ImageHeader | undefined
  let at = 2
  for (;;) {
    if (byte(bytes, at) !== 0xff) bad('the jpeg file is corrupt: no marker where one must be')
    while (byte(bytes, at) === 0xff) at++ // any number of FF may fill up
    const marker = byte(bytes, at++)
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue // these stand alone
    if (marker === START_OF_SCAN && header !== undefined) return { header, scan: at }
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE || marker === 0) bad('the jpeg file has no frame header')
    const length = big16(bytes, at)
    if (length < 2) bad('the jpeg file is corrupt: a segment shorter than its own length')
    if (isFrame(marker)) {
      if (header !== undefined) bad('the jpeg file has two frame headers')
      header = { format: 'jpeg', height: big16(bytes, at + 3), width: big16(bytes, at + 5) }
    }
    at += length
  }
}

/** In a scan each FF of the data is followed by 00, so that FF D9 is an end marker, and of the picture, not of a thumbnail. */
function jpegEnds(bytes: Uint8Array): boolean {
  const { scan } = readJpeg(bytes)
  for (let at = bytes.length - 2; at >= scan; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === END_OF_IMAGE) return true
  }
  return false
}

function readWebp(bytes: Uint8Array): ImageHeader {
  const kind = word(bytes, 12)
  if (kind === 'VP8 ') return readLossy(bytes)
  if (kind === 'VP8L') return readLossless(bytes)
  if (kind !== 'VP8X') bad('the webp file does not begin with a picture chunk')
  return { format: 'webp', width: little24(bytes, 24) + 1, height: little24(bytes, 27) + 1 }
}

/** The frame header of VP8 (RFC 6386, 9.1): a key frame, the start code, two sizes of 14 bits. */
function readLossy(bytes: Uint8Array): ImageHeader {
  const started = byte(bytes, 23) === 0x9d && byte(bytes, 24) === 0x01 && byte(bytes, 25) === 0x2a
  if ((byte(bytes, 20) & 1) !== 0 || !started) bad('the webp file is corrupt: no key frame')
  return { format: 'webp', width: little16(bytes, 26) & 0x3fff, height: little16(bytes, 28) & 0x3fff }
}

/** Signature 2F, then two sizes of 14 bits, less one. */
function readLossless(bytes: Uint8Array): ImageHeader {
  if (byte(bytes, 20) !== 0x2f) bad('the webp file is corrupt: no lossless signature')
  const width = (little16(bytes, 21) & 0x3fff) + 1
  const height = ((little24(bytes, 22) >> 6) & 0x3fff) + 1
  return { format: 'webp', width, height }
}

function webpEnds(bytes: Uint8Array): boolean {
  return 8 + little16(bytes, 4) + little16(bytes, 6) * 0x10000 <= bytes.length
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((value, i) => bytes[i] === value)
}

/** Four bytes as ASCII; shorter or empty beyond the end. */
function word(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? bad('the file is cut short in its header')
}

function big16(bytes: Uint8Array, at: number): number {
  return byte(bytes, at) * 0x100 + byte(bytes, at + 1)
}

function big32(bytes: Uint8Array, at: number): number {
  return big16(bytes, at) * 0x10000 + big16(bytes, at + 2)
}

function little16(bytes: Uint8Array, at: number): number {
  return byte(bytes, at) + byte(bytes, at + 1) * 0x100
}

function little24(bytes: Uint8Array, at: number): number {
  return little16(bytes, at) + byte(bytes, at + 2) * 0x10000
}
