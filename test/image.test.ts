import { runInNewContext } from 'node:vm'
import sharp, { type Sharp } from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Pixels } from '../src/core/types.ts'
import { decodeImage, decodeWithSharp } from '../src/embed/image.ts'
import { checkImageComplete, readImageHeader } from '../src/embed/imageHeader.ts'

const WIDTH = 40
const HEIGHT = 24
const FORMATS = ['png', 'jpeg', 'webp'] as const

/** A smooth picture with a bright top left corner, so that lossy formats change it little. */
const picture = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
  const pixel = Math.floor(i / 3)
  return 250 - 3 * (pixel % WIDTH) - 4 * Math.floor(pixel / WIDTH) - 10 * (i % 3)
})
const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 } } as const
const files: Record<string, Uint8Array> = {}

function refusal(path = 'input') {
  return expect.objectContaining({ name: 'MonitorError', code: 'bad_query', path })
}

beforeAll(async () => {
  const image = () => sharp(picture, raw)
  const clear = () => image().ensureAlpha(0.4)
  const make: Record<string, Sharp> = {
    png: image().png(),
    jpeg: image().jpeg({ quality: 95 }),
    webp: image().webp({ quality: 95 }),
    'lossless webp': image().webp({ lossless: true }),
    'transparent webp': clear().webp({ quality: 95 }),
    'transparent png': clear().png(),
    'grey png': image().greyscale().png(),
    'grey jpeg': image().greyscale().jpeg(),
    'palette png': image().png({ palette: true }),
    'interlaced png': image().png({ progressive: true }),
    '16-bit png': image().toColourspace('rgb16').png(),
    'progressive jpeg': image().jpeg({ progressive: true }),
    'turned jpeg': image().withMetadata({ orientation: 6 }).jpeg({ quality: 95 }),
    'CMYK jpeg': image().toColourspace('cmyk').jpeg(),
    gif: image().gif(),
    tiff: image().tiff(),
  }
  for (const [name, file] of Object.entries(make)) files[name] = Uint8Array.from(await file.toBuffer())
})

function file(name: string): Uint8Array {
  return files[name] as Uint8Array
}

describe('readImageHeader', () => {
  test.each([
    ['png', 'png'],
    ['interlaced png', 'png'],
    ['16-bit png', 'png'],
    ['jpeg', 'jpeg'],
    ['progressive jpeg', 'jpeg'],
    ['turned jpeg', 'jpeg'],
    ['webp', 'webp'],
    ['lossless webp', 'webp'],
    ['transparent webp', 'webp'],
  ])('a %s says its format and its size as stored', (name, format) => {
    expect(readImageHeader(file(name))).toEqual({ format, width: WIDTH, height: HEIGHT })
  })

  test('a size near the limit of each format is read in full', () => {
    const png = file('png').slice()
    new DataView(png.buffer).setUint32(16, 0x7fffffff)
    expect(readImageHeader(png).width).toBe(0x7fffffff)
    const lossless = file('lossless webp').slice()
    lossless.set([0xff, 0xff, 0xff, 0x0f], 21)
    expect(readImageHeader(lossless)).toEqual({ format: 'webp', width: 16_384, height: 16_384 })
  })

  test.each([...FORMATS, 'lossless webp', 'transparent webp'])(
    'a %s cut at any byte is never more than a header',
    (name) => {
      const bytes = file(name)
      for (let length = 0; length < bytes.length; length++) {
        expect(() => checkImageComplete(bytes.subarray(0, length)), `cut at ${length}`).toThrow(refusal())
      }
      checkImageComplete(bytes)
    },
  )

  test('bytes behind the end are allowed', () => {
    for (const format of FORMATS) checkImageComplete(Uint8Array.from([...file(format), 0, 1, 2, 3]))
  })

  test('other formats, text and nothing are refused', () => {
    for (const bytes of [file('gif'), file('tiff'), new Uint8Array(0), new TextEncoder().encode('<svg></svg>')]) {
      expect(() => readImageHeader(bytes)).toThrow(refusal())
    }
  })

  test('a width of zero is refused', () => {
    const png = file('png').slice()
    png.fill(0, 16, 20)
    expect(() => readImageHeader(png)).toThrow(refusal())
  })

  test('a jpeg with a second frame header is refused', () => {
    const frame = Uint8Array.of(0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 0x11, 0, 0)
    expect(() => readImageHeader(Uint8Array.of(0xff, 0xd8, ...frame, ...frame, 0xff, 0xda))).toThrow(
      /two frame headers/,
    )
  })
})

describe('decodeImage in Node', () => {
  test.each([
    ['png', 0],
    ['interlaced png', 0],
    ['16-bit png', 0],
    ['lossless webp', 0],
    ['jpeg', 12],
    ['progressive jpeg', 16],
    ['webp', 16],
    ['palette png', 16],
    ['CMYK jpeg', 40],
  ])('a %s becomes RGB bytes within %i of what was drawn', async (name, tolerance) => {
    const pixels = await decodeImage(file(name))
    expect(pixels).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 })
    expect(pixels.data.constructor).toBe(Uint8Array)
    const errors = Array.from(pixels.data, (value, i) => Math.abs(value - picture[i]!))
    expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance)
  })

  test('alpha is kept apart and the colours are not multiplied by it', async () => {
    const { data, channels } = await decodeImage(file('transparent png'))
    expect(channels).toBe(4)
    expect([...data.subarray(0, 4)]).toEqual([250, 240, 230, 102])
  })

  test('grey files become three equal channels', async () => {
    for (const name of ['grey png', 'grey jpeg']) {
      const { data, channels } = await decodeImage(file(name))
      expect(channels, name).toBe(3)
      expect(new Set(data.subarray(0, 3)).size, name).toBe(1)
    }
  })

  test('the orientation that EXIF asks for is applied', async () => {
    const { data, width, height } = await decodeImage(file('turned jpeg'))
    expect([width, height]).toEqual([HEIGHT, WIDTH])
    const brightness = (x: number, y: number) => data[(y * width + x) * 3]!
    expect(brightness(width - 1, 0)).toBeGreaterThan(brightness(0, width - 1)) // the bright corner is now top right
    expect(brightness(width - 1, 0)).toBeGreaterThan(240)
  })

  test('Uint8Array, Buffer, ArrayBuffer, Blob, File and those of another realm give the same pixels', async () => {
    const bytes = file('png')
    const foreign = runInNewContext('new Uint8Array(length)', { length: bytes.length }) as Uint8Array
    foreign.set(bytes)
    const padded = new Uint8Array(bytes.length + 20)
    padded.set(bytes, 10)
    const expected = await decodeImage(bytes)
    for (const input of [
      Buffer.from(bytes),
      bytes.slice().buffer,
      new Blob([bytes.slice()]),
      new File([bytes.slice()], 'a.txt', { type: 'text/plain' }),
      foreign,
      foreign.buffer,
      padded.subarray(10, 10 + bytes.length),
    ]) {
      expect(await decodeImage(input as Uint8Array)).toEqual(expected)
    }
  })

  test('pixels are checked and come back as the same object', async () => {
    const pixels: Pixels = { data: new Float32Array(4), width: 2, height: 2, channels: 1, maxValue: 1 }
    expect(await decodeImage(pixels)).toBe(pixels)
    await expect(decodeImage({ ...pixels, width: 3 })).rejects.toThrow(refusal('input.data'))
  })

  test('what has the shape of ImageData becomes four channels without a copy', async () => {
    const data = new Uint8ClampedArray(24)
    const pixels = await decodeImage({ data, width: 3, height: 2, colorSpace: 'srgb' } as ImageData)
    expect(pixels).toEqual({ data, width: 3, height: 2, channels: 4 })
    expect(pixels.data).toBe(data)
  })

  test.each([
    ['undefined', undefined],
    ['a string', 'data:image/png;base64,'],
    ['a number', 7],
    ['an array', [1, 2, 3]],
    ['an empty object', {}],
    ['16-bit integers', new Uint16Array(4)],
  ])('%s is refused', async (_name, input) => {
    await expect(decodeImage(input as never)).rejects.toThrow(refusal())
  })

  test('pixel data without channels is told what is missing', async () => {
    const input = { data: new Uint8Array(12), width: 2, height: 2 }
    await expect(decodeImage(input as never)).rejects.toThrow(refusal('input.channels'))
  })

  test('a file that is too large in pixels is refused by its header alone', async () => {
    const png = file('png').slice(0, 33) // nothing behind the header: decoding would fail in another way
    new DataView(png.buffer).setUint32(16, 60_000)
    new DataView(png.buffer).setUint32(20, 60_000)
    await expect(decodeImage(png)).rejects.toThrow(/at most 40000000 pixels, got 60000 × 60000/)
    await expect(decodeImage(file('png'), { maxPixels: WIDTH * HEIGHT - 1 })).rejects.toThrow(refusal())
    expect(await decodeImage(file('png'), { maxPixels: WIDTH * HEIGHT })).toMatchObject({ width: WIDTH })
  })

  test('a file that is too large in bytes is refused, a blob before it is read', async () => {
    const bytes = file('png')
    await expect(decodeImage(bytes, { maxBytes: bytes.length - 1 })).rejects.toThrow(refusal())
    expect(await decodeImage(bytes, { maxBytes: bytes.length })).toMatchObject({ width: WIDTH })
    const blob = new Blob([bytes.slice()])
    blob.arrayBuffer = () => Promise.reject(new Error('was read'))
    await expect(decodeImage(blob, { maxBytes: 10 })).rejects.toThrow(/at most 10 bytes/)
  })

  test('a limit that is no whole number is a mistake of configuration', async () => {
    const mistake = expect.objectContaining({ code: 'bad_config', path: 'maxPixels' })
    await expect(decodeImage(file('png'), { maxPixels: Number.NaN })).rejects.toThrow(mistake)
  })

  test.each(FORMATS)('a truncated %s is refused', async (format) => {
    const bytes = file(format)
    for (const share of [0.05, 0.3, 0.6, 0.9, 0.99]) {
      await expect(decodeImage(bytes.subarray(0, Math.floor(bytes.length * share))), `${share}`).rejects.toThrow(
        refusal(),
      )
    }
  })

  test('a png with a wrong checksum is refused', async () => {
    const png = file('png').slice()
    const middle = Math.floor(png.length / 2)
    png[middle] = png[middle]! ^ 0x5a
    await expect(decodeImage(png)).rejects.toThrow(refusal())
  })

  test('without sharp the error names the package and the remedy', async () => {
    const missing = () => Promise.reject(new Error("Cannot find package 'sharp'"))
    const decoding = decodeWithSharp(file('png'), { maxPixels: 1e6, turn: true }, missing)
    await expect(decoding).rejects.toThrow(expect.objectContaining({ code: 'missing_package' }))
    await expect(decodeWithSharp(file('png'), { maxPixels: 1e6, turn: true }, missing)).rejects.toThrow(/npm i sharp/)
  })

  test('an aborted signal stops decoding', async () => {
    const aborted = expect.objectContaining({ code: 'aborted' })
    await expect(decodeImage(file('png'), { signal: AbortSignal.abort() })).rejects.toThrow(aborted)
    const controller = new AbortController()
    const decoding = decodeImage(file('png'), { signal: controller.signal })
    controller.abort()
    await expect(decoding).rejects.toThrow(aborted)
  })

  test('an ImageBitmap without a canvas names what is missing', async () => {
    const bitmap = { width: 2, height: 2, close() {}, [Symbol.toStringTag]: 'ImageBitmap' }
    await expect(decodeImage(bitmap as never)).rejects.toThrow(expect.objectContaining({ code: 'backend_unavailable' }))
    const closed = { ...bitmap, width: 0, height: 0 }
    await expect(decodeImage(closed as never)).rejects.toThrow(refusal())
  })

  test('decoding changes no input', async () => {
    const bytes = file('jpeg')
    const before = bytes.slice()
    await decodeImage(bytes)
    expect(bytes).toEqual(before)
  })
})
