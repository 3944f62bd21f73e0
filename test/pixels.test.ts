import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { checkPixels, flattenAlpha, toBytes, toGrey } from '../src/core/pixels.ts'
import type { Pixels } from '../src/core/types.ts'
import { golden, hasGolden } from './tools/data.ts'

const present = hasGolden('image_phash')
const absent = present ? '' : ' (skipped: the golden file image_phash.json is absent)'

const good = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 } as const

function refusal(path: string) {
  return expect.objectContaining({ name: 'MonitorError', code: 'bad_query', path })
}

describe('checkPixels', () => {
  test('good pixels come back as the same object', () => {
    expect(checkPixels(good)).toBe(good)
    const floats = { data: Float32Array.of(0, 0.5, 1), width: 3, height: 1, channels: 1, maxValue: 1 } as const
    expect(checkPixels(floats)).toBe(floats)
  })

  test('bytes of another realm are known', () => {
    const data = runInNewContext('new Uint8ClampedArray(4)') as Uint8ClampedArray
    expect(data).not.toBeInstanceOf(Uint8ClampedArray)
    const pixels = { data, width: 1, height: 1, channels: 4 } as const
    expect(checkPixels(pixels)).toBe(pixels)
  })

  test.each([
    ['nothing', undefined, 'input'],
    ['null', null, 'input'],
    ['a string', 'pixels', 'input'],
    ['no data', { width: 1, height: 1, channels: 1 }, 'input.data'],
    ['a width of zero', { ...good, width: 0 }, 'input.width'],
    ['a negative height', { ...good, height: -2 }, 'input.height'],
    ['half a pixel', { ...good, width: 1.5 }, 'input.width'],
    ['a width of NaN', { ...good, width: Number.NaN }, 'input.width'],
    ['an infinite height', { ...good, height: Infinity }, 'input.height'],
    ['a width in words', { ...good, width: '2' }, 'input.width'],
    ['a side of 65 536', { data: new Uint8Array(65_536), width: 65_536, height: 1, channels: 1 }, 'input.width'],
    ['two channels', { ...good, channels: 2 }, 'input.channels'],
    ['no channels', { data: good.data, width: 2, height: 2 }, 'input.channels'],
    ['too little data', { ...good, data: new Uint8Array(11) }, 'input.data'],
    ['too much data', { ...good, data: new Uint8Array(13) }, 'input.data'],
    ['a plain array', { ...good, data: new Array(12).fill(0) }, 'input.data'],
    ['16-bit integers', { ...good, data: new Uint16Array(12) }, 'input.data'],
    ['a DataView', { ...good, data: new DataView(new ArrayBuffer(12)) }, 'input.data'],
    ['an unknown maxValue', { ...good, maxValue: 1023 }, 'input.maxValue'],
    ['floats without maxValue', { ...good, data: new Float32Array(12) }, 'input.maxValue'],
    ['NaN', { data: Float32Array.of(0, NaN), width: 2, height: 1, channels: 1, maxValue: 1 }, 'input.data[1]'],
    [
      'a float above 1',
      { data: Float64Array.of(1.001), width: 1, height: 1, channels: 1, maxValue: 1 },
      'input.data[0]',
    ],
    [
      'a negative float',
      { data: Float64Array.of(-1), width: 1, height: 1, channels: 1, maxValue: 255 },
      'input.data[0]',
    ],
    [
      'a byte above its maxValue',
      { data: Uint8Array.of(2), width: 1, height: 1, channels: 1, maxValue: 1 },
      'input.data[0]',
    ],
  ])('%s is refused', (_name, value, path) => {
    expect(() => checkPixels(value)).toThrow(refusal(path))
  })

  test('the limit of pixels is inclusive and looked at before the data', () => {
    expect(checkPixels(good, 'input', 4)).toBe(good)
    expect(() => checkPixels(good, 'query.image', 3)).toThrow(refusal('query.image'))
    expect(() => checkPixels({ ...good, width: 50_000, height: 50_000 })).toThrow(refusal('input'))
  })

  test('the path of the caller stands in front', () => {
    expect(() => checkPixels({ ...good, width: 0 }, '[3].input')).toThrow(refusal('[3].input.width'))
  })
})

describe('toBytes', () => {
  test('bytes are not copied', () => {
    expect(toBytes(good)).toBe(good.data)
  })

  test('floats are scaled and rounded half up', () => {
    const unit = { data: Float64Array.of(0, 0.5, 1, 0.1), width: 4, height: 1, channels: 1, maxValue: 1 } as const
    expect([...toBytes(unit)]).toEqual([0, 128, 255, 26]) // 127.5 → 128, 25.5 → 26
    const full = { data: Float64Array.of(0.49, 0.5, 254.5), width: 3, height: 1, channels: 1, maxValue: 255 } as const
    expect([...toBytes(full)]).toEqual([0, 1, 255])
  })

  test('bytes of which 1 is full intensity are scaled', () => {
    expect([...toBytes({ data: Uint8Array.of(0, 1), width: 2, height: 1, channels: 1, maxValue: 1 })]).toEqual([0, 255])
  })
})

describe('toGrey', () => {
  test('the primaries have the grey of ITU-R 601', () => {
    const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255)
    expect([...toGrey({ data, width: 4, height: 1, channels: 3 })]).toEqual([76, 150, 29, 255])
  })

  test('alpha is ignored and one channel is copied', () => {
    expect([...toGrey({ data: Uint8Array.of(255, 0, 0, 0), width: 1, height: 1, channels: 4 })]).toEqual([76])
    const data = Uint8Array.of(7)
    const grey = toGrey({ data, width: 1, height: 1, channels: 1 })
    expect([...grey]).toEqual([7])
    expect(grey).not.toBe(data)
  })

  test.skipIf(!present)(`the grey is that of Pillow to the bit on every golden picture${absent}`, () => {
    interface Case extends Omit<Pixels, 'data'> {
      readonly name: string
      readonly pixels_base64: string
      readonly gray_sha256: string
    }
    const { cases } = golden<{ cases: Case[] }>('image_phash')
    for (const { name, width, height, channels, pixels_base64, gray_sha256 } of cases) {
      const grey = toGrey({ data: Uint8Array.from(Buffer.from(pixels_base64, 'base64')), width, height, channels })
      expect(createHash('sha256').update(grey).digest('hex'), name).toBe(gray_sha256)
    }
  })
})

describe('flattenAlpha', () => {
  test('1 and 3 channels come back as the same object', () => {
    const grey = { data: Uint8Array.of(7), width: 1, height: 1, channels: 1 } as const
    expect(flattenAlpha(grey)).toBe(grey)
    expect(flattenAlpha(good)).toBe(good)
  })

  test('opaque colours stay, transparent ones are white, the rest is rounded between', () => {
    const data = Uint8Array.of(10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128)
    const flat = flattenAlpha({ data, width: 3, height: 1, channels: 4 })
    // 255 · 127 / 255 = 127; (100 · 128 + 255 · 127) / 255 = 177.196; 255
    expect([...flat.data]).toEqual([10, 20, 30, 255, 255, 255, 127, 177, 255])
    expect(flat.channels).toBe(3)
  })

  test('every colour at every alpha is the rounded quotient', () => {
    const data = new Uint8Array(256 * 256 * 4)
    for (let i = 0; i < 65_536; i++) data.set([i & 255, 0, 255, i >> 8], i * 4)
    const flat = flattenAlpha({ data, width: 256, height: 256, channels: 4 }).data
    let wrong = 0
    for (let i = 0; i < 65_536; i++) {
      const colour = i & 255
      const alpha = i >> 8
      if (flat[i * 3] !== Math.round((colour * alpha + 255 * (255 - alpha)) / 255)) wrong++
      if (flat[i * 3 + 2] !== 255) wrong++
    }
    expect(wrong).toBe(0)
  })

  test('floats become bytes over white', () => {
    const data = Float32Array.of(1, 0.5, 0, 0.5)
    const flat = flattenAlpha({ data, width: 1, height: 1, channels: 4, maxValue: 1 })
    expect([...flat.data]).toEqual([255, 191, 127]) // bytes 255, 128, 0 at alpha 128
    expect(flat.maxValue).toBeUndefined()
  })
})
