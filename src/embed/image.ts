/**
 * Every usual shape of a picture to raw pixels, in browsers (pages and workers) and in Node. What is decoded is bounded
 * before it is decoded, and a truncated file is an error, not a half-grey picture.
 */
import { checkNumber, checkPixels, MonitorError, type Pixels, refuse } from '../core/index.ts'
import { checkImageComplete, readImageHeader } from './imageHeader.ts'

/**
 * A picture in any usual shape. Bytes (`Uint8Array`, Node's `Buffer`, `ArrayBuffer`, `Blob`, `File`) are an *encoded* PNG,
 * JPEG or WebP file, known by content; raw pixels go as {@link Pixels}. `ImageBitmap` and `ImageData` exist in browsers.
 */
export type ImageInput = ImageBitmap | ImageData | Blob | Uint8Array | ArrayBuffer | Pixels

/** Limits of {@link decodeImage}. */
export interface DecodeImageOptions {
  /** Most pixels accepted, inclusive; checked before decoding. Default 40 million. No side may exceed 65 535. */
  readonly maxPixels?: number
  /** Most bytes of an encoded file, inclusive. Default 64 MiB. */
  readonly maxBytes?: number
  /** Abort to give up: looked at between the steps; a step under way is finished and its result dropped. */
  readonly signal?: AbortSignal
}

const MAX_PIXELS = 40_000_000
const MAX_BYTES = 64 * 1024 * 1024
/** Decoders have been seen to put the whole input into their message. */
const MAX_MESSAGE = 200

/**
 * A picture as 8-bit pixels, alpha not premultiplied: 4 channels from a browser's decoder, 3 or 4 from Node's; raw
 * {@link Pixels} are checked and come back as the same object. The orientation that the EXIF data of a JPEG or PNG file
 * asks for is applied (not that of WebP, which Chromium leaves as it is); colour profiles are not. Of an animation the
 * first frame counts. An `ImageBitmap` is neither closed nor detached. Node and Chromium decode alike to the bit, except
 * CMYK JPEGs, whose hash and vector differ a little; other browsers' JPEG decoders may differ in the last bits.
 *
 * In Node files are decoded by the package `sharp`, imported on first use.
 *
 * @throws `bad_query` at `input` (or a field of it) for another type, an unknown, truncated or damaged file, or one above
 * a limit (damage inside a JPEG or lossy WebP that decoders repair in silence is not seen); `bad_config` for a limit that
 * is no whole number; `missing_package` in Node without sharp; `backend_unavailable` for an `ImageBitmap` where no canvas
 * is; `aborted`.
 */
export async function decodeImage(input: ImageInput, options: DecodeImageOptions = {}): Promise<Pixels> {
  const { maxPixels = MAX_PIXELS, maxBytes = MAX_BYTES, signal } = options
  checkNumber(maxPixels, { min: 1, integer: true }, 'maxPixels')
  checkNumber(maxBytes, { min: 1, integer: true }, 'maxBytes')
  throwIfAborted(signal)
  const pixels = await toPixels(input, maxPixels, maxBytes, signal)
  throwIfAborted(signal)
  return pixels
}

async function toPixels(
  input: unknown,
  maxPixels: number,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Pixels> {
  const tag = tagOf(input)
  if (tag === 'ImageBitmap') return fromBitmap(input as ImageBitmap, maxPixels)
  if (isImageData(input, tag)) {
    const { data, width, height } = input
    return checkPixels({ data, width, height, channels: 4 }, 'input', maxPixels)
  }
  if (isBlob(input, tag)) {
    checkLength(input.size, maxBytes)
    const buffer = await readBlob(input)
    throwIfAborted(signal)
    return decodeBytes(new Uint8Array(buffer), maxPixels)
  }
  const bytes = encodedBytes(input, tag)
  if (bytes !== undefined) {
    checkLength(bytes.length, maxBytes)
    return decodeBytes(bytes, maxPixels)
  }
  if (typeof input === 'object' && input !== null && 'data' in input) return checkPixels(input, 'input', maxPixels)
  refuse(
    'bad_query',
    'must be an ImageBitmap, ImageData, Blob, the bytes of a PNG, JPEG or WebP file, or pixels { data, width, height, channels }',
    input,
    'input',
  )
}

// Types are told by tag and shape, never by constructor: a value of another realm is as good.

function tagOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value).slice(8, -1) : ''
}

function isImageData(value: unknown, tag: string): value is ImageData {
  if (tag === 'ImageData') return true
  return (
    tag === 'Object' && !('channels' in (value as object)) && tagOf((value as ImageData).data) === 'Uint8ClampedArray'
  )
}

function isBlob(value: unknown, tag: string): value is Blob {
  return (tag === 'Blob' || tag === 'File') && typeof (value as Blob).arrayBuffer === 'function'
}

function encodedBytes(value: unknown, tag: string): Uint8Array | undefined {
  if (tag === 'Uint8Array' && ArrayBuffer.isView(value)) return value as Uint8Array
  if (tag === 'ArrayBuffer' && !ArrayBuffer.isView(value)) return new Uint8Array(value as ArrayBuffer)
  return undefined
}

function checkLength(length: number, maxBytes: number): void {
  if (length > maxBytes) {
    throw new MonitorError('bad_query', `must have at most ${maxBytes} bytes, got ${length}`, 'input')
  }
}

/** Before decoding. What is decoded then passes all of {@link checkPixels}. */
function checkArea(width: number, height: number, maxPixels: number): void {
  if (width * height > maxPixels) {
    throw new MonitorError('bad_query', `must have at most ${maxPixels} pixels, got ${width} × ${height}`, 'input')
  }
}

async function readBlob(blob: Blob): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer()
  } catch (cause) {
    throw new MonitorError('bad_query', `the blob cannot be read: ${messageOf(cause)}`, 'input', { cause })
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new MonitorError('aborted', 'decoding the image was aborted', 'input', { cause: signal.reason })
  }
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, MAX_MESSAGE)
}

async function decodeBytes(bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  const { format, width, height } = readImageHeader(bytes)
  checkArea(width, height, maxPixels)
  checkImageComplete(bytes)
  return hasCanvas() && typeof createImageBitmap === 'function'
    ? decodeInBrowser(bytes, `image/${format}`, maxPixels)
    : decodeWithSharp(bytes, { maxPixels, turn: format !== 'webp' }, importSharp)
}

function hasCanvas(): boolean {
  return typeof OffscreenCanvas === 'function'
}

async function decodeInBrowser(bytes: Uint8Array, type: string, maxPixels: number): Promise<Pixels> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }), {
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
      imageOrientation: 'from-image',
    })
  } catch (cause) {
    throw damaged(cause)
  }
  try {
    return fromBitmap(bitmap, maxPixels)
  } finally {
    bitmap.close()
  }
}

function fromBitmap(bitmap: ImageBitmap, maxPixels: number): Pixels {
  const { width, height } = bitmap
  if (width === 0 || height === 0) throw new MonitorError('bad_query', 'the ImageBitmap is closed or detached', 'input')
  checkArea(width, height, maxPixels)
  const context = hasCanvas() ? new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true }) : null
  if (context === null) {
    const message = 'an ImageBitmap needs OffscreenCanvas, which is not here; hand in pixels or an encoded file'
    throw new MonitorError('backend_unavailable', message, 'input')
  }
  context.drawImage(bitmap, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  return checkPixels({ data, width, height, channels: 4 }, 'input', maxPixels)
}

function damaged(cause: unknown): MonitorError {
  return new MonitorError('bad_query', `the image is damaged: ${messageOf(cause)}`, 'input', { cause })
}

type Sharp = typeof import('sharp').default

async function importSharp(): Promise<Sharp> {
  const { default: sharp } = (await importPackage('sharp')) as { default: Sharp }
  return sharp
}

/** The name is a parameter, so that bundlers of browser code do not look for a package which only Node needs. */
function importPackage(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name)
}

/**
 * Decodes with sharp. `load` is what imports it, handed in for tests.
 *
 * @internal
 */
export async function decodeWithSharp(
  bytes: Uint8Array,
  { maxPixels, turn }: { readonly maxPixels: number; readonly turn: boolean },
  load: () => Promise<Sharp>,
): Promise<Pixels> {
  let sharp: Sharp
  try {
    sharp = await load()
  } catch (cause) {
    const message = `decoding images here needs the package 'sharp': npm i sharp (${messageOf(cause)})`
    throw new MonitorError('missing_package', message, 'input', { cause })
  }
  try {
    const own = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) // sharp knows no arrays of other realms
    const image = sharp(own, { limitInputPixels: maxPixels, failOn: 'error', ignoreIcc: true })
    // As EXIF asks, but not for WebP: Chromium does not turn those.
    const { data, info } = await (turn ? image.rotate() : image)
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const plain = new Uint8Array(data.buffer, data.byteOffset, data.length)
    const { width, height, channels } = info
    return checkPixels({ data: plain, width, height, channels }, 'input', maxPixels)
  } catch (cause) {
    throw damaged(cause)
  }
}
