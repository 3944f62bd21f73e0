/** Bytes as hostile input: pictures, models, journal records, recordings, and lines of text. */
import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { fromFrame, type PlainData, toFrame } from '../../src/core/index.ts'
import { createStreamMonitor } from '../../src/core/monitor/index.ts'
import { decodeEntry, encodeEntry } from '../../src/edge/journal/record.ts'
import { decodeImage } from '../../src/embed/image.ts'
import { fromOnnx } from '../../src/embed/index.ts'
import { recordingFromBytes, recordingToBytes } from '../../src/eval/recording.ts'
import { draftOfJson } from '../../src/server/records.ts'
import { tinyPictureModel } from '../tools/tinyModel.ts'
import { expectClean, expectRefusal, fuzz } from './tools/fuzz.ts'
import { oddJson, spoilt, spoiltBytes } from './tools/odd.ts'
import { runsOf } from './tools/size.ts'

const raw = { raw: { width: 12, height: 9, channels: 3 as const } }
const pixels = Buffer.from(Uint8Array.from({ length: 12 * 9 * 3 }, (_, i) => (i * 31) & 255))
const pictures = await Promise.all(
  [
    sharp(pixels, raw).png(),
    sharp(pixels, raw).png({ palette: true }),
    sharp(pixels, raw).jpeg(),
    sharp(pixels, raw).jpeg({ progressive: true }),
    sharp(pixels, raw).webp(),
    sharp(pixels, raw).webp({ lossless: true }),
    sharp(pixels, raw).ensureAlpha(0.5).webp(),
    sharp(pixels, raw).gif(),
  ].map((one) => one.toBuffer()),
)

describe('pictures', () => {
  fuzz('the bytes of a picture', { of: spoiltBytes(pictures), short: 1500, full: 100_000 }, async (bytes) => {
    try {
      const { data, width, height, channels } = await decodeImage(bytes, { maxPixels: 100_000 })
      expect(data.length).toBe(width * height * channels)
      expect(width * height).toBeLessThanOrEqual(100_000)
    } catch (thrown) {
      expectRefusal(thrown, ['bad_query'])
    }
  })
})

describe('records of a journal', () => {
  const config = { detectors: ['text_repetition', 'similarity'] } as const
  const observations = [{ fingerprint: 'x' }, { embedding: Float32Array.of(1, 2) }]
  const records = [
    encodeEntry({ writer: 'w', number: 3, entry: { kind: 'query', client: 'a', id: 'i', timeMs: 5, observations } }),
    encodeEntry({ writer: 'w', number: 4, entry: { kind: 'suspend', client: 'a', timeMs: 5, untilMs: 9 } }),
    encodeEntry({ writer: 'w', number: 5, entry: { kind: 'erase', client: 'a', timeMs: 5 } }),
    encodeEntry({ writer: 'w', number: 6, entry: { kind: 'expire', timeMs: 5, unseenMs: 9 } }),
  ]

  function expectReadOrRefused(bytes: Uint8Array): void {
    const monitor = createStreamMonitor(config)
    try {
      const { entry } = decodeEntry(bytes, '1')
      monitor.apply(entry)
    } catch (thrown) {
      expectRefusal(thrown, ['bad_snapshot', 'bad_query'])
    }
    monitor.describe()
    expectClean()
  }

  fuzz('the bytes of a record', { of: spoiltBytes(records), short: 2000, full: 150_000 }, expectReadOrRefused)

  const trees = spoilt(fc.constantFrom(...records.map((bytes) => fromFrame('MTEN', bytes))), oddJson)
  fuzz('a record whose checksum is right', { of: trees, short: 2000, full: 150_000 }, (tree) => {
    let bytes: Uint8Array
    try {
      bytes = toFrame('MTEN', tree as PlainData)
    } catch (thrown) {
      expectRefusal(thrown, ['bad_snapshot'])
      return
    }
    expectReadOrRefused(bytes)
  })
})

describe('recordings', () => {
  const good = recordingToBytes({ queries: 3, success: 2, classes: 2, logits: new Float32Array(6), hash: 'ab' })
  fuzz('the bytes of a recording', { of: spoiltBytes([good]), short: 1000, full: 50_000 }, (bytes) => {
    try {
      recordingFromBytes(bytes)
    } catch (thrown) {
      expectRefusal(thrown, ['bad_snapshot'])
    }
  })
})

describe('lines of a file', () => {
  const good = fc.constantFrom<unknown>(
    'a text',
    { input: 'a text', modelOutput: [0.5, 0.5], client: 'a', timeMs: 5 },
    { input_data: { a: 1 }, model_output: [1], client_id: 'x' },
    { age: 5, job: 'clerk' },
    { image: 'x.png' },
  )
  const lines = fc.oneof(
    spoilt(good, oddJson).map((value) => JSON.stringify(value) ?? ''),
    fc.string({ maxLength: 40 }),
    fc.constantFrom('[', '{"a":', '"').map((open) => open.repeat(2000)),
  )
  const shapes = fc.constantFrom({ rows: false }, { rows: true }, { rows: false, column: 'job', clientColumn: 'age' })
  fuzz('a line of replay', { of: fc.tuple(lines, shapes), short: 2000, full: 100_000 }, ([line, shape]) => {
    try {
      draftOfJson(line, shape)
    } catch (thrown) {
      expectRefusal(thrown, ['bad_query'])
    }
    expectClean()
  })
})

describe('model files', () => {
  const model = tinyPictureModel()
  const picture = { data: new Uint8Array(16 * 16 * 3), width: 16, height: 16, channels: 3 as const }
  const CODES = [
    'model_unavailable',
    'embedder_failed',
    'bad_config',
    'bad_query',
    'model_mismatch',
    'model_truncated',
    'backend_unavailable',
  ]

  async function embedWith(bytes: Uint8Array): Promise<ArrayLike<number>> {
    const embed = fromOnnx({ model: bytes, input: 'pixels', size: 16, backend: 'wasm' })
    try {
      return await embed(picture as never)
    } finally {
      await embed.dispose()
    }
  }

  beforeAll(async () => {
    expect((await embedWith(model)).length).toBe(32)
  }, 60_000)

  test('no bytes, and bytes of other things, are refused with a code', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode('<html>'), pictures[0]!]) {
      await embedWith(bytes).then(
        () => expect.unreachable('it took them'),
        (thrown) => expectRefusal(thrown, CODES),
      )
    }
  })

  fuzz('the bytes of a model', { of: spoiltBytes([model]), short: runsOf(60, 60), full: 3000 }, async (bytes) => {
    try {
      await embedWith(bytes)
    } catch (thrown) {
      expectRefusal(thrown, CODES)
    }
  })
})
